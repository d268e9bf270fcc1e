//! From the command line to a node configuration.
//!
//! The only place that hands the process environment to the reader of `kong.conf`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use silverback_cluster::agent::Declared;
use silverback_schema::conf::{self, ConfError, LoadOptions, Loaded, NodeConfig, Unresolved};
use silverback_schema::{field::Rules, plugin};

use crate::{
    cli::{NodeArguments, PrefixArguments},
    prefix::Prefix,
    terminal,
};

/// Where Kong looks for its file when none is named.
const DEFAULT_FILES: [&str; 2] = ["/etc/kong/kong.conf", "/etc/kong.conf"];

/// The word before the name of a key in the environment, and the one that wins over it.
const ENVIRONMENT_PREFIXES: [&str; 2] = ["KONG_", "SILVERBACK_"];

/// Loads file, environment and command line for a node that is about to start, and prints the
/// warnings.
pub(crate) fn load(node: &NodeArguments) -> Result<NodeConfig> {
    load_as(node, Unresolved::Refuse, can_run)
}

/// The same for a command that runs nothing: it needs no secret, and this version need not be able
/// to run what it reads.
pub(crate) fn read(node: &NodeArguments) -> Result<NodeConfig> {
    load_as(node, Unresolved::Warn, Ok)
}

fn load_as(
    node: &NodeArguments,
    unresolved: Unresolved,
    judge: impl FnOnce(Loaded) -> Result<Loaded, Vec<ConfError>>,
) -> Result<NodeConfig> {
    let prefix = node.prefix.prefix.clone();
    let loaded = load_with_environment(node.conf.clone(), prefix, unresolved)
        .and_then(judge)
        .map_err(|errors| first_of(errors, "silverback check"))?;
    tell(&loaded);
    Ok(loaded.config)
}

/// What a start would go by now, without a word: for a command that says more about another load.
pub(crate) fn load_quietly(node: &NodeArguments) -> Result<NodeConfig> {
    let prefix = node.prefix.prefix.clone();
    load_with_environment(node.conf.clone(), prefix, Unresolved::Refuse)
        .map(|loaded| loaded.config)
        .map_err(|errors| first_of(errors, "silverback check"))
}

/// Refuses what is valid and cannot be run.
fn can_run(loaded: Loaded) -> Result<Loaded, Vec<ConfError>> {
    let reasons = loaded.config.unsupported();
    if reasons.is_empty() {
        Ok(loaded)
    } else {
        Err(reasons)
    }
}

/// Loads what the last `start`, `run`, `prepare` or `reload` left in the prefix, for a node to run;
/// the environment sets no key, as with Kong, it only holds secrets.
pub(crate) fn load_prepared(prefix: &Prefix) -> Result<NodeConfig> {
    prepared(prefix, Unresolved::Refuse)
        .and_then(can_run)
        .map(|loaded| loaded.config)
        .map_err(|errors| first_of(errors, "silverback start"))
}

/// The same for a command that runs nothing.
pub(crate) fn read_prepared(prefix: &Prefix) -> Result<NodeConfig> {
    prepared(prefix, Unresolved::Warn)
        .map(|loaded| loaded.config)
        .map_err(|errors| first_of(errors, "silverback start"))
}

fn prepared(prefix: &Prefix, unresolved: Unresolved) -> Result<Loaded, Vec<ConfError>> {
    conf::load(&LoadOptions {
        conf_file: Some(prefix.settings_file()),
        prefix: Some(prefix.path().to_owned()),
        secrets: &environment(),
        unresolved,
        ..LoadOptions::default()
    })
}

/// What a reload goes by: the settings left in the prefix, under the file that is named and the
/// environment. Also answers the declarative configuration that this leaves out: it counts only
/// where `fresh`, what a start would go by now, sets it too.
pub(crate) fn load_for_reload(
    prefix: &Prefix,
    conf_file: Option<PathBuf>,
    fresh: &NodeConfig,
) -> Result<(NodeConfig, Option<Declared>)> {
    let former = declared(&read_prepared(prefix)?);
    let mut base_without = Vec::new();
    if fresh.declarative_config.is_none() {
        base_without.push("declarative_config");
    }
    if fresh.declarative_config_string.is_none() {
        base_without.push("declarative_config_string");
    }
    let environment = environment();
    let loaded = conf::load(&LoadOptions {
        base_file: Some(prefix.settings_file()),
        base_without: &base_without,
        conf_file,
        prefix: Some(prefix.path().to_owned()),
        environment: &environment,
        secrets: &environment,
        ..LoadOptions::default()
    });
    let loaded = loaded
        .and_then(can_run)
        .map_err(|errors| first_of(errors, "silverback check"))?;
    terminal::verbose(format_args!(
        "settings of the running node: {}",
        prefix.settings_file().display()
    ));
    tell(&loaded);
    let left_out = former.filter(|_| declared(&loaded.config).is_none());
    Ok((loaded.config, left_out))
}

/// Loads file and environment; the errors are all there are.
pub(crate) fn load_with_environment(
    conf_file: Option<PathBuf>,
    prefix: Option<PathBuf>,
    unresolved: Unresolved,
) -> Result<Loaded, Vec<ConfError>> {
    let environment = environment();
    tell_environment(&environment);
    if conf_file.is_none() {
        let places = DEFAULT_FILES.join(" and ");
        terminal::verbose(format_args!("looking for a configuration file at {places}"));
    }
    let default_files = DEFAULT_FILES.map(PathBuf::from);
    conf::load(&LoadOptions {
        conf_file,
        prefix,
        environment: &environment,
        secrets: &environment,
        default_files: &default_files,
        unresolved,
        ..LoadOptions::default()
    })
}

/// The environment of this process.
pub(crate) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)))
        .collect()
}

/// The prefix a command is about. Named on the command line, nothing else needs to be valid; and
/// what the environment says of other keys never does.
pub(crate) fn prefix(arguments: &PrefixArguments) -> Result<Prefix> {
    if let Some(path) = &arguments.prefix {
        return Ok(Prefix::new(&absolute(path)?));
    }
    let secrets = environment();
    let mut environment = secrets.clone();
    environment.retain(|(name, _)| {
        ENVIRONMENT_PREFIXES
            .iter()
            .any(|p| *name == format!("{p}PREFIX"))
    });
    let default_files = DEFAULT_FILES.map(PathBuf::from);
    let loaded = conf::load(&LoadOptions {
        environment: &environment,
        secrets: &secrets,
        default_files: &default_files,
        unresolved: Unresolved::Warn,
        ..LoadOptions::default()
    });
    let loaded = loaded
        .map_err(|errors| first_of(errors, "silverback check"))
        .context("cannot tell the prefix; name it with -p")?;
    Ok(Prefix::new(&loaded.config.prefix))
}

/// The prefix of a command that takes `-c`.
pub(crate) fn prefix_of(node: &NodeArguments) -> Result<Prefix> {
    match &node.conf {
        Some(_) => Ok(Prefix::new(&read(node)?.prefix)),
        None => prefix(&node.prefix),
    }
}

/// The declarative configuration that the settings name. Kong prefers the text over the file.
pub(crate) fn declared(config: &NodeConfig) -> Option<Declared> {
    let text = config.declarative_config_string.clone().map(Declared::Text);
    text.or_else(|| config.declarative_config.clone().map(Declared::File))
}

/// What the settings say of entities.
pub(crate) fn rules(config: &NodeConfig) -> Rules {
    Rules {
        router_flavor: config.router_flavor,
        plugins: config
            .plugins
            .iter()
            .filter_map(|name| plugin::find(name))
            .map(|p| p.name)
            .collect(),
        wasm: config.wasm,
    }
}

/// A path that stays right when the working directory changes.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("unusable path {}", path.display()))
}

/// A warning that names the settings that were given and have no effect yet, if there are any. It
/// holds no values: they may be secrets.
pub(crate) fn without_effect(config: &NodeConfig) -> Option<String> {
    let names = config.without_effect();
    let list = names.join(", ");
    (!names.is_empty()).then(|| format!("these settings have no effect in this version: {list}"))
}

/// Every setting as text.
pub(crate) fn values(config: &NodeConfig) -> BTreeMap<String, String> {
    let dump = conf::dump(config);
    let pairs = dump.lines().filter_map(|l| l.split_once(" = "));
    pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn tell(loaded: &Loaded) {
    for warning in &loaded.warnings {
        terminal::warn(warning);
    }
    match &loaded.file {
        Some(file) => terminal::verbose(format_args!("configuration file: {}", file.display())),
        None => terminal::verbose("configuration file: none"),
    }
    terminal::verbose(format_args!("prefix: {}", loaded.config.prefix.display()));
    if terminal::is_debug() {
        conf::display(&loaded.config)
            .iter()
            .for_each(terminal::debug);
    }
}

fn tell_environment(environment: &[(String, String)]) {
    if !terminal::is_debug() {
        return;
    }
    for (name, value) in environment {
        let key = ENVIRONMENT_PREFIXES
            .iter()
            .find_map(|p| name.strip_prefix(p));
        if let Some(key) = key {
            let row = conf::find(&key.to_ascii_lowercase());
            let is_secret = row.is_some_and(|row| row.masked);
            let value = if is_secret { conf::MASK } else { value };
            terminal::debug(format_args!("environment variable {name} = {value}"));
        }
    }
}

/// One error as one line; the command that shows the others is named.
pub(crate) fn first_of(errors: Vec<ConfError>, see_all: &str) -> anyhow::Error {
    let further = errors.len().saturating_sub(1);
    match errors.into_iter().next() {
        None => anyhow!("the configuration is not valid"),
        Some(first) if further == 0 => first.into(),
        Some(first) => {
            let text = crate::log::told(&first.into());
            anyhow!("{text} (and {further} further errors: `{see_all}` shows them)")
        }
    }
}
