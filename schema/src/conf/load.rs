//! From the sources to a configuration, or to all that is wrong with them.

use std::path::PathBuf;

use super::draft::Draft;
use super::node::NodeConfig;
use super::source::{self, LoadOptions};
use super::{ConfError, rule};

/// What was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: NodeConfig,
    /// What the user should know, one sentence each.
    pub warnings: Vec<String>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// Reads the file and lays the environment and the command line over it.
///
/// # Errors
/// Every value that does not fit, or the file that cannot be read. A value that this version
/// cannot run is none: see [`NodeConfig::unsupported`].
pub fn load(options: &LoadOptions<'_>) -> Result<Loaded, Vec<ConfError>> {
    let mut warnings = Vec::new();
    let written = source::read(options, &mut warnings).map_err(|error| vec![error])?;
    let file = written.file.clone();
    let mut draft = Draft::new(written, options);
    rule::check(&mut draft);
    warnings.append(&mut draft.warnings);
    if draft.errors.is_empty() {
        Ok(Loaded {
            config: NodeConfig::from_draft(draft),
            warnings,
            file,
        })
    } else {
        Err(draft.errors)
    }
}
