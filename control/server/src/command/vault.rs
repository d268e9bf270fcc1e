//! `silverback vault get`: what a reference means, by the settings of the prefix or of the file.
//!
//! Source: `kong/cmd/vault.lua`. Deviation: Vault entities are not looked at, only strategies are.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use anyhow::{Context, Result};
use silverback_schema::{
    conf::{NodeConfig, Unresolved},
    vault::{self, Vaults, env::Env},
};

use crate::{
    cli::{NodeArguments, VaultGetArguments},
    command::or_gone,
    prefix::Prefix,
    settings,
};

pub(super) fn get(arguments: &VaultGetArguments) -> Result<()> {
    let text = &arguments.reference;
    let reference = match vault::is_reference(text) {
        true => text.clone(),
        false => format!("{{vault://{text}}}"),
    };
    let config = load(&arguments.node)?;
    let environment: HashMap<String, String> = settings::environment().into_iter().collect();
    let vaults = Vaults {
        enabled: &config.vaults,
        env: Env {
            prefix: config.vault_env_prefix.as_deref(),
            variables: &|name| environment.get(name).cloned(),
        },
    };
    let secret = vaults.resolve(&reference);
    let secret = secret.with_context(|| format!("cannot get {reference}"))?;
    or_gone(writeln!(io::stdout(), "{secret}"))
}

/// The settings that a node left in the prefix, or those that one would start with.
fn load(node: &NodeArguments) -> Result<NodeConfig> {
    let read = |conf_file, prefix| {
        settings::load_with_environment(conf_file, prefix, Unresolved::Warn)
            .map(|loaded| loaded.config)
            .map_err(|errors| settings::first_of(errors, "silverback check"))
    };
    let config = read(node.conf.clone(), node.prefix.prefix.clone())?;
    let prefix = Prefix::new(&config.prefix);
    let left = prefix.settings_file();
    match node.conf.is_none() && left.exists() {
        true => read(Some(left), Some(config.prefix)),
        false => Ok(config),
    }
}
