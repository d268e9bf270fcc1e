//! `silverback check`: every error of a configuration file, and of the declarative file it names.

use std::path::Path;

use anyhow::{Result, bail};

use silverback_cluster::agent::ineffective;

use crate::{log, settings};

pub(super) fn check(file: &Path) -> Result<()> {
    if let Err(e) = std::fs::metadata(file) {
        bail!(
            "there is no configuration file {}: {e}; name the one to check",
            file.display()
        );
    }
    let loaded = match settings::load_with_environment(Some(file.to_owned()), None) {
        Ok(loaded) => loaded,
        Err(errors) => {
            for error in errors {
                eprintln!("[error] {}", log::told(&error.into()));
            }
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
        .for_each(|w| log::warn_on_terminal(w));
    if let Some(declared) = settings::declared(&loaded.config) {
        let config = declared.read()?;
        ineffective(&config)
            .iter()
            .for_each(|w| log::warn_on_terminal(w));
    }
    println!("configuration at {} is valid", file.display());
    Ok(())
}
