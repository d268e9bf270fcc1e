//! Where a node's declarative configuration is written: `declarative_config` (a file) or
//! `declarative_config_string` (text in the node configuration).
//!
//! Limit: a file longer than [`FILE_BYTES_MAX`] is refused before it is read.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use silverback_schema::declarative::{self, Config, Format, Invalid, Options};

/// Longest declarative file: the longest text that is parsed.
pub const FILE_BYTES_MAX: u64 = declarative::TEXT_BYTES_MAX as u64;

/// A declarative configuration that can be read again at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// A YAML or JSON file.
    File(PathBuf),
    /// YAML or JSON text.
    Text(String),
}

/// Why a declarative configuration could not be used. The texts name the file or setting.
#[derive(Debug, thiserror::Error)]
pub enum DeclaredError {
    /// The file could not be read.
    #[error("cannot read the declarative configuration {}: {source}; check `declarative_config`", path.display())]
    Unreadable {
        /// As configured.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The content was refused.
    #[error(
        "the declarative configuration {place} is refused: {invalid}; correct it and try again"
    )]
    Invalid {
        /// The file, or the name of the setting.
        place: String,
        /// What is wrong where.
        invalid: Box<Invalid>,
    },
}

impl Declared {
    /// The file's path, or the setting's name: for messages.
    pub fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Text(_) => "in `declarative_config_string`".to_owned(),
        }
    }

    /// Reads and validates it by the rules of a node without configuration. Blocks: not for the
    /// runtime's thread.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or its content is no valid configuration.
    pub fn read(&self) -> Result<Config, DeclaredError> {
        self.read_with(&Options::default())
    }

    /// The same with options.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or its content is no valid configuration.
    pub fn read_with(&self, options: &Options<'_>) -> Result<Config, DeclaredError> {
        let refused = |invalid| DeclaredError::Invalid {
            place: self.place(),
            invalid: Box::new(invalid),
        };
        match self {
            Self::Text(text) => declarative::parse(text.as_bytes(), None, options).map_err(refused),
            Self::File(path) => {
                let text = read_file(path).map_err(|source| DeclaredError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
                let format = Format::of_file(path).map_err(refused)?;
                declarative::parse(&text, Some(format), options).map_err(refused)
            }
        }
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut text = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // One byte more than allowed tells a file that is too long from one that just fits; a pipe
    // has no length to ask for.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "longer than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}
