//! `silverback check`: every error of a configuration file, and of the declarative file it names.

use std::path::Path;

use anyhow::{Result, bail};

use silverback_cluster::agent::warnings;
use silverback_schema::conf::{ConfError, Unresolved};

use crate::{access_log, log, settings, terminal};

pub(super) fn check(file: &Path) -> Result<()> {
    if let Err(e) = std::fs::metadata(file) {
        bail!(
            "there is no configuration file {}: {e}; name the one to check",
            file.display()
        );
    }
    let loaded = settings::load_with_environment(Some(file.to_owned()), None, Unresolved::Warn);
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(errors) => {
            tell(errors);
            bail!(
                "configuration at {} is not valid; correct what is named above",
                file.display()
            );
        }
    };
    loaded
        .warnings
        .iter()
        .chain(&settings::without_effect(&loaded.config))
        .for_each(|w| terminal::warn(w));
    access_log::check(&loaded.config)?;
    let reasons = loaded.config.unsupported();
    if !reasons.is_empty() {
        tell(reasons);
        bail!(
            "configuration at {} is valid, but this version cannot run it",
            file.display()
        );
    }
    if let Some(declared) = settings::declared(&loaded.config) {
        let config = declared.read()?;
        warnings(&config).iter().for_each(|w| terminal::warn(w));
    }
    terminal::say(format_args!("configuration at {} is valid", file.display()));
    Ok(())
}

fn tell(errors: Vec<ConfError>) {
    for error in errors {
        terminal::error(&log::told(&error.into()));
    }
}
