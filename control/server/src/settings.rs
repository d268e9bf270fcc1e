//! From the command line to a node configuration.
//!
//! The only place that hands the process environment to the reader of `kong.conf`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use silverback_cluster::agent::Declared;
use silverback_schema::conf::{self, ConfError, LoadOptions, Loaded, NodeConfig};

use crate::{
    cli::{NodeArguments, PrefixArguments, Verbosity},
    prefix::Prefix,
};

/// Where Kong looks for its file when none is named.
const DEFAULT_FILES: [&str; 2] = ["/etc/kong/kong.conf", "/etc/kong.conf"];

/// Loads file, environment and command line, and prints the warnings.
pub(crate) fn load(node: &NodeArguments, verbosity: Verbosity) -> Result<NodeConfig> {
    let loaded = load_with_environment(node.conf.clone(), node.prefix.prefix.clone())
        .map_err(|errors| first_of(errors, "silverback check"))?;
    tell(&loaded, verbosity);
    Ok(loaded.config)
}

/// Loads what the last `start`, `run` or `reload` left in the prefix; the environment does not
/// count, as with Kong.
pub(crate) fn load_prepared(prefix: &Prefix) -> Result<NodeConfig> {
    let options = LoadOptions {
        conf_file: Some(prefix.settings_file()),
        prefix: Some(prefix.path().to_owned()),
        ..LoadOptions::default()
    };
    conf::load(&options)
        .map(|l| l.config)
        .map_err(|errors| first_of(errors, "silverback start"))
}

/// What a reload without a file goes by: the settings left in the prefix, under the environment.
pub(crate) fn load_for_reload(
    prefix: &Prefix,
    node: &NodeArguments,
    verbosity: Verbosity,
) -> Result<NodeConfig> {
    let file = node.conf.clone().unwrap_or_else(|| prefix.settings_file());
    let loaded = load_with_environment(Some(file), Some(prefix.path().to_owned()))
        .map_err(|errors| first_of(errors, "silverback check"))?;
    tell(&loaded, verbosity);
    Ok(loaded.config)
}

/// Loads file and environment; the errors are all there are.
pub(crate) fn load_with_environment(
    conf_file: Option<PathBuf>,
    prefix: Option<PathBuf>,
) -> Result<Loaded, Vec<ConfError>> {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)))
        .collect();
    let default_files = DEFAULT_FILES.map(PathBuf::from);
    conf::load(&LoadOptions {
        conf_file,
        prefix,
        environment: &environment,
        default_files: &default_files,
    })
}

/// The prefix a command is about. Named on the command line, nothing else needs to be valid.
pub(crate) fn prefix(arguments: &PrefixArguments) -> Result<Prefix> {
    if let Some(path) = &arguments.prefix {
        return Ok(Prefix::new(&absolute(path)?));
    }
    let loaded = load_with_environment(None, None)
        .map_err(|errors| first_of(errors, "silverback check"))
        .context("cannot tell the prefix; name it with -p")?;
    Ok(Prefix::new(&loaded.config.prefix))
}

/// The declarative configuration that the settings name. Kong prefers the text over the file.
pub(crate) fn declared(config: &NodeConfig) -> Option<Declared> {
    let text = config.declarative_config_string.clone().map(Declared::Text);
    text.or_else(|| config.declarative_config.clone().map(Declared::File))
}

/// A path that stays right when the working directory changes.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("unusable path {}", path.display()))
}

/// The keys with a row in the table whose parts are not built yet.
const UNUSED: [&str; 4] = [
    "admin_access_log",
    "admin_error_log",
    "proxy_access_log",
    "status_listen",
];

/// A warning that names the settings that were given and have no effect yet, if there are any. It
/// holds no values: they may be secrets.
pub(crate) fn without_effect(config: &NodeConfig) -> Option<String> {
    let defaults = conf::load(&LoadOptions {
        prefix: Some(config.prefix.clone()),
        ..LoadOptions::default()
    });
    let usual = values(&defaults.ok()?.config);
    let given = values(config);
    let is_idle = |key: &str| {
        given
            .get(key)
            .is_some_and(|v| v != "off" && usual.get(key) != Some(v))
    };
    let idle = UNUSED.into_iter().filter(|key| is_idle(key));
    let names: Vec<&str> = idle
        .chain(config.other.iter().map(|o| o.name.as_str()))
        .collect();
    let list = names.join(", ");
    (!names.is_empty()).then(|| format!("these settings have no effect in this version: {list}"))
}

/// Every setting as text.
pub(crate) fn values(config: &NodeConfig) -> BTreeMap<String, String> {
    let dump = conf::dump(config);
    let pairs = dump.lines().filter_map(|l| l.split_once(" = "));
    pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn tell(loaded: &Loaded, verbosity: Verbosity) {
    for warning in &loaded.warnings {
        crate::log::warn_on_terminal(warning);
    }
    if verbosity.is_verbose() {
        match &loaded.file {
            Some(file) => println!("reading config file at {}", file.display()),
            None => println!("no config file found, defaults and environment are used"),
        }
        println!("prefix in use: {}", loaded.config.prefix.display());
    }
    if verbosity.is_debug() {
        for line in conf::dump(&loaded.config).lines().filter(|l| !is_secret(l)) {
            println!("{line}");
        }
    }
}

/// The keys whose values are never shown.
fn is_secret(line: &str) -> bool {
    const SECRETS: [&str; 4] = [
        "declarative_config_string",
        "pg_password",
        "pg_ro_password",
        "proxy_server",
    ];
    let key = line.split('=').next().unwrap_or_default().trim();
    SECRETS.contains(&key) || key.ends_with("_cert_key")
}

/// One error as one line; the command that shows the others is named.
fn first_of(errors: Vec<ConfError>, see_all: &str) -> anyhow::Error {
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
