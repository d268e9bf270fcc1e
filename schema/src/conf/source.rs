//! From where settings come: the file, the environment, the command line, laid over each other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::name::{self, COMPARED_NAMES_MAX, Name};
use super::setting::{Setting, Settings};
use super::syntax::{self, LINE_BYTES_MAX};
use super::{ConfError, Origin, key};

/// Largest file that is read, bytes.
pub(super) const FILE_BYTES_MAX: u64 = 16 << 20;
/// Prefixes of environment variables; the later wins.
const ENVIRONMENT_PREFIXES: [&str; 2] = ["KONG_", "SILVERBACK_"];

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions<'a> {
    /// The file named on the command line; it must exist.
    pub conf_file: Option<PathBuf>,
    /// A file below that one, which counts where the other is silent: a reload's `.kong_env`.
    pub base_file: Option<PathBuf>,
    /// Keys that the base file does not set, whatever it says of them.
    pub base_without: &'a [&'a str],
    /// The prefix named on the command line; wins over everything.
    pub prefix: Option<PathBuf>,
    /// The environment that sets keys, names and values.
    pub environment: &'a [(String, String)],
    /// The environment in which `{vault://env/…}` references are looked up.
    pub secrets: &'a [(String, String)],
    /// Files tried in order when none is named; the first that exists is used.
    pub default_files: &'a [PathBuf],
    /// What becomes of a reference that cannot be resolved.
    pub unresolved: Unresolved,
}

/// What becomes of a reference that cannot be resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unresolved {
    /// It is an error: for a node that starts.
    #[default]
    Refuse,
    /// It is a warning, and the key has its default: for a command that needs no secret.
    Warn,
}

/// What was written, key by key.
pub(super) struct Written {
    pub(super) settings: Settings,
    pub(super) file: Option<PathBuf>,
}

/// Reads all sources; a later one replaces what an earlier one says of a key.
pub(super) fn read(
    options: &LoadOptions<'_>,
    warnings: &mut Vec<String>,
) -> Result<Written, ConfError> {
    let mut settings = Settings::new();
    let file = match &options.conf_file {
        Some(path) => Some(path.clone()),
        None => {
            let mut candidates = options.default_files.iter();
            candidates.find(|path| path.exists()).cloned()
        }
    };
    let mut dumps = Vec::new();
    for path in options.base_file.iter().chain(&file) {
        if read_file(path, &mut settings, warnings)? {
            dumps.push(path.as_path());
        }
        if options.base_file.as_ref() == Some(path) {
            settings.retain(|name, _| !options.base_without.contains(&name.as_str()));
        }
    }
    read_environment(options.environment, &mut settings);
    if let Some(prefix) = &options.prefix {
        let text = prefix.to_string_lossy();
        settings.insert("prefix".into(), Setting::new(&text, Origin::CommandLine));
    }
    warn_of_names(&settings, warnings);
    settings.retain(|name, _| Name::of(name) == Name::Known);
    warn_of_deprecated(&settings, &dumps, warnings);
    Ok(Written { settings, file })
}

/// Returns whether the file is the dump of a node.
fn read_file(
    path: &Path,
    settings: &mut Settings,
    warnings: &mut Vec<String>,
) -> Result<bool, ConfError> {
    let text = read_text(path)?;
    let parsed = syntax::parse(&text).map_err(|line| ConfError::LineTooLong {
        path: path.to_owned(),
        line,
        bytes_max: LINE_BYTES_MAX,
    })?;
    for (line, note) in parsed.notes {
        warnings.push(format!("{}:{line}: {note}", path.display()));
    }
    for assignment in parsed.assignments {
        let origin = Origin::File {
            path: path.to_owned(),
            line: assignment.line,
        };
        settings.insert(assignment.key, Setting::new(&assignment.value, origin));
    }
    Ok(parsed.is_dump)
}

fn read_text(path: &Path) -> Result<String, ConfError> {
    let not_text = |problem| ConfError::NotText {
        path: path.to_owned(),
        problem,
    };
    let unreadable = |source: io::Error| ConfError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(not_text("larger than 16 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| not_text("not UTF-8 text"))
}

fn read_environment(environment: &[(String, String)], settings: &mut Settings) {
    for prefix in ENVIRONMENT_PREFIXES {
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix(prefix) else {
                continue;
            };
            let key = name.to_ascii_lowercase();
            let is_lower = name.bytes().any(|byte| byte.is_ascii_lowercase());
            if !is_lower && !name::is_foreign_variable(&key) {
                let origin = Origin::Environment(variable.clone());
                settings.insert(key, Setting::new(value.trim(), origin));
            }
        }
    }
}

fn warn_of_names(settings: &Settings, warnings: &mut Vec<String>) {
    let mut enterprise = Vec::new();
    let mut unknown = BTreeMap::new();
    for (name, setting) in settings {
        let advice = match Name::of(name) {
            Name::Known => continue,
            Name::Enterprise => {
                enterprise.push(name.as_str());
                continue;
            }
            Name::Former(later) => format!("Kong ignores it since {later} came; set that"),
            Name::Unknown if unknown.len() >= COMPARED_NAMES_MAX => {
                "there are too many to look for the keys that were meant".to_owned()
            }
            Name::Unknown => match name::nearest(name) {
                Some(near) => format!("the nearest known key is '{near}'"),
                None => "no known key is near".to_owned(),
            },
        };
        let origin = &setting.origin;
        unknown.insert(
            format!("{origin}"),
            format!("{origin}: unknown key '{name}' is ignored; {advice}"),
        );
    }
    warnings.extend(unknown.into_values());
    if !enterprise.is_empty() {
        let names = enterprise.join(", ");
        warnings.push(format!(
            "these keys belong to Kong's Enterprise edition and are ignored: {names}"
        ));
    }
}

/// Warns of what is still understood and should no longer be written. A dump holds every key that
/// has a value, whoever wrote it.
fn warn_of_deprecated(settings: &Settings, dumps: &[&Path], warnings: &mut Vec<String>) {
    let is_dumped = |origin: &Origin| match origin {
        Origin::File { path, .. } => dumps.contains(&path.as_path()),
        _ => false,
    };
    for key in key::keys() {
        let Some(setting) = settings.get(key.name) else {
            continue;
        };
        let is_written = setting.text.is_some() && !is_dumped(&setting.origin);
        if let (Some(instead), true) = (key.deprecated, is_written) {
            let (origin, name) = (&setting.origin, key.name);
            warnings.push(format!("{origin}: '{name}' is deprecated; {instead}"));
        }
    }
}
