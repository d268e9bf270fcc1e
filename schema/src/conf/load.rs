//! Finding the file, laying the sources over each other, and typing the result.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use super::key::{self, Key, Kind};
use super::listener::{self, Listener};
use super::node::{
    LogLevel, LogTarget, NodeConfig, OtherSetting, ResponseHeaders, Role, RouterFlavor, WorkerCount,
};
use super::{ConfError, Origin, suggest, syntax};

/// Largest file that is read, bytes.
const FILE_BYTES_MAX: usize = 16 << 20;
/// Longest time a number of seconds may mean: a century.
const SECONDS_MAX: f64 = 100.0 * 365.0 * 86_400.0;
/// Prefixes of environment variables; the later wins.
const ENVIRONMENT_PREFIXES: [&str; 2] = ["KONG_", "SILVERBACK_"];
/// Variables that Kong reads for other purposes, lower case without prefix.
const ENVIRONMENT_NOT_KEYS: &[&str] = &[
    "vault_rotation_interval",
    "lua_path_override",
    "nginx_conf_check",
    "process_secrets_http",
    "process_secrets_stream",
    "datadog_agent_host",
    "datadog_agent_port",
];

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions<'a> {
    /// The file named on the command line; it must exist.
    pub conf_file: Option<PathBuf>,
    /// The prefix named on the command line; wins over everything.
    pub prefix: Option<PathBuf>,
    /// The environment, names and values.
    pub environment: &'a [(String, String)],
    /// Files tried in order when none is named; the first that exists is used.
    pub default_files: &'a [PathBuf],
}

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

/// A text with its origin; `None`: set to nothing, which erases the default.
struct Setting {
    text: Option<String>,
    origin: Origin,
}

/// Reads the file and lays the environment and the command line over it.
///
/// # Errors
/// Every value that does not fit, or the file that cannot be read.
pub fn load(options: &LoadOptions<'_>) -> Result<Loaded, Vec<ConfError>> {
    let mut warnings = Vec::new();
    let mut settings = HashMap::new();
    let file = match &options.conf_file {
        Some(path) => Some(path.clone()),
        None => options
            .default_files
            .iter()
            .find(|path| path.exists())
            .cloned(),
    };
    if let Some(path) = &file {
        read_file(path, &mut settings, &mut warnings).map_err(|error| vec![error])?;
    }
    read_environment(options.environment, &mut settings);
    if let Some(prefix) = &options.prefix {
        let text = prefix.to_string_lossy().into_owned();
        settings.insert(
            "prefix".into(),
            Setting {
                text: Some(text),
                origin: Origin::CommandLine,
            },
        );
    }
    warn_of_unknown_keys(&settings, &mut warnings);
    let mut reader = Reader {
        settings,
        errors: Vec::new(),
    };
    let config = reader.node_config();
    if reader.errors.is_empty() {
        Ok(Loaded {
            config,
            warnings,
            file,
        })
    } else {
        Err(reader.errors)
    }
}

fn read_file(
    path: &Path,
    settings: &mut HashMap<String, Setting>,
    warnings: &mut Vec<String>,
) -> Result<(), ConfError> {
    let not_text = |problem| ConfError::NotText {
        path: path.to_owned(),
        problem,
    };
    let unreadable = |source: io::Error| ConfError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = fs::read(path).map_err(unreadable)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(not_text("larger than 16 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| not_text("not UTF-8 text"))?;
    let (assignments, notes) = syntax::parse(&text);
    for (line, note) in notes {
        warnings.push(format!("{}:{line}: {note}", path.display()));
    }
    for assignment in assignments {
        let origin = Origin::File {
            path: path.to_owned(),
            line: assignment.line,
        };
        let text = Some(assignment.value).filter(|value| !value.is_empty());
        settings.insert(assignment.key, Setting { text, origin });
    }
    Ok(())
}

fn read_environment(environment: &[(String, String)], settings: &mut HashMap<String, Setting>) {
    for prefix in ENVIRONMENT_PREFIXES {
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix(prefix) else {
                continue;
            };
            let key = name.to_ascii_lowercase();
            if name.bytes().any(|byte| byte.is_ascii_lowercase()) || is_foreign_variable(&key) {
                continue;
            }
            let text = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            settings.insert(
                key,
                Setting {
                    text,
                    origin: Origin::Environment(variable.clone()),
                },
            );
        }
    }
}

/// Whether a variable is no key although it carries the prefix: those that Kong reads for other
/// purposes, and those that Kubernetes sets for a service named `kong` or `kong-…`.
fn is_foreign_variable(key: &str) -> bool {
    let known = key::find(key).is_some() || key::is_other(key);
    !known
        && (ENVIRONMENT_NOT_KEYS.contains(&key)
            || key.starts_with("emmy_debugger")
            || key.ends_with("_file")
            || key.starts_with("service_")
            || key.contains("_service_host")
            || key.contains("_service_port")
            || key.starts_with("port_")
            || key == "port"
            || key.ends_with("_port")
            || key.contains("_tcp_")
            || key.ends_with("_tcp"))
}

fn warn_of_unknown_keys(settings: &HashMap<String, Setting>, warnings: &mut Vec<String>) {
    let mut unknown: Vec<_> = settings
        .iter()
        .filter(|(name, _)| key::find(name).is_none() && !key::is_other(name))
        .map(|(name, setting)| {
            let hint = suggest::nearest(name).map_or(String::new(), |near| {
                format!("; the nearest known key is '{near}'")
            });
            format!("{}: unknown key '{name}' is ignored{hint}", setting.origin)
        })
        .collect();
    unknown.sort();
    warnings.append(&mut unknown);
}

/// Types one key after the other and collects what does not fit.
struct Reader {
    settings: HashMap<String, Setting>,
    errors: Vec<ConfError>,
}

impl Reader {
    fn node_config(&mut self) -> NodeConfig {
        let prefix = self.path("prefix").unwrap_or_else(|| PathBuf::from("/"));
        self.one_of("role");
        self.one_of("database");
        self.one_of("router_flavor");
        let lmdb = self
            .text("lmdb_environment_path")
            .unwrap_or_else(|| "dbless.lmdb".into());
        NodeConfig {
            role: Role::Traditional,
            log_level: self
                .one_of("log_level")
                .and_then(|name| LogLevel::from_name(&name))
                .unwrap_or(LogLevel::Notice),
            proxy_access_log: self.log("proxy_access_log", &prefix),
            proxy_error_log: self.log("proxy_error_log", &prefix),
            admin_access_log: self.log("admin_access_log", &prefix),
            admin_error_log: self.log("admin_error_log", &prefix),
            proxy_listen: self.listeners("proxy_listen"),
            admin_listen: self.listeners("admin_listen"),
            status_listen: self.listeners("status_listen"),
            nginx_worker_processes: self
                .typed("nginx_worker_processes", WorkerCount::parse)
                .unwrap_or(WorkerCount::Auto),
            nginx_daemon: self.typed("nginx_daemon", parse_switch).unwrap_or(true),
            headers: self.headers(),
            upstream_keepalive_pool_size: self.integer("upstream_keepalive_pool_size"),
            upstream_keepalive_max_requests: self.integer("upstream_keepalive_max_requests"),
            upstream_keepalive_idle_timeout: self
                .typed("upstream_keepalive_idle_timeout", parse_seconds)
                .unwrap_or_default(),
            nginx_http_keepalive_requests: self.integer("nginx_http_keepalive_requests"),
            declarative_config: self.path("declarative_config"),
            declarative_config_string: self.text("declarative_config_string"),
            lmdb_environment_path: prefix.join(lmdb),
            lmdb_map_size: self.typed("lmdb_map_size", parse_bytes).unwrap_or_default(),
            router_flavor: RouterFlavor::TraditionalCompatible,
            other: self.other(),
            prefix,
        }
    }

    /// The row, the text and the origin that count for `name`: those of the key behind an alias if
    /// the user set it.
    fn raw(&self, name: &str) -> (&'static Key, Option<String>, Origin) {
        let row = key::find(name).expect("only names of the table are asked for");
        let setting = row
            .alias_of
            .and_then(|real| self.settings.get(real))
            .or_else(|| self.settings.get(name));
        match setting {
            Some(setting) => (row, setting.text.clone(), setting.origin.clone()),
            None => (row, row.default.map(str::to_owned), Origin::Default),
        }
    }

    /// The text of a key; a vault reference is refused, because it would be taken literally.
    fn text(&mut self, name: &str) -> Option<String> {
        let (row, text, origin) = self.raw(name);
        let text = text?;
        if text.starts_with("{vault://") {
            let expected =
                "vault references are not resolved by this version: set the value".into();
            self.errors.push(ConfError::Value {
                key: row.name,
                value: text,
                origin,
                expected,
            });
            return None;
        }
        Some(text)
    }

    fn refuse(&mut self, name: &str, expected: String) {
        let (row, text, origin) = self.raw(name);
        let value = text.unwrap_or_default();
        self.errors.push(ConfError::Value {
            key: row.name,
            value,
            origin,
            expected,
        });
    }

    /// A value by `parse`; an erased one is refused, for such a key must have a value.
    fn typed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let before = self.errors.len();
        let parsed = self.text(name).and_then(|text| parse(&text));
        if parsed.is_none() && self.errors.len() == before {
            let (row, _, _) = self.raw(name);
            self.refuse(name, accepted(row));
        }
        parsed
    }

    fn one_of(&mut self, name: &str) -> Option<String> {
        let Some(Key {
            kind: Kind::OneOf(words),
            ..
        }) = key::find(name)
        else {
            return None;
        };
        self.typed(name, |text| words.contains(&text).then(|| text.to_owned()))
    }

    fn integer(&mut self, name: &str) -> u32 {
        let Some(Key {
            kind: Kind::Integer { min, max },
            ..
        }) = key::find(name)
        else {
            return 0;
        };
        let range = *min..=*max;
        self.typed(name, |text| {
            parse_integer(text).filter(|n| range.contains(n))
        })
        .unwrap_or_default()
    }

    fn path(&mut self, name: &str) -> Option<PathBuf> {
        let text = self.text(name)?;
        match path::absolute(&text) {
            Ok(path) => Some(path),
            Err(error) => {
                self.refuse(name, format!("not a usable path: {error}"));
                None
            }
        }
    }

    fn log(&mut self, name: &str, prefix: &Path) -> LogTarget {
        self.text(name)
            .map_or(LogTarget::Off, |text| LogTarget::parse(&text, prefix))
    }

    fn listeners(&mut self, name: &str) -> Vec<Listener> {
        let text = self.text(name).unwrap_or_default();
        listener::parse(&text).unwrap_or_else(|problem| {
            self.refuse(name, format!("{problem}; {}", listener::ACCEPTED));
            Vec::new()
        })
    }

    fn headers(&mut self) -> ResponseHeaders {
        let Some(text) = self.text("headers") else {
            return ResponseHeaders::default();
        };
        ResponseHeaders::parse(&text).unwrap_or_else(|token| {
            let row = key::find("headers").expect("a row of the table");
            self.refuse(
                "headers",
                format!("{token:?} is not known; {}", accepted(row)),
            );
            ResponseHeaders::default()
        })
    }

    fn other(&self) -> Vec<OtherSetting> {
        let replaces_alias = |name: &str| key::KEYS.iter().any(|row| row.alias_of == Some(name));
        let mut other: Vec<_> = self
            .settings
            .iter()
            .filter(|(name, _)| key::find(name).is_none() && key::is_other(name))
            .filter(|(name, _)| !replaces_alias(name))
            .map(|(name, setting)| OtherSetting {
                name: name.clone(),
                value: setting.text.clone().unwrap_or_default(),
            })
            .collect();
        other.sort_by(|left, right| left.name.cmp(&right.name));
        other
    }
}

/// The sentence that says what a key accepts.
fn accepted(row: &Key) -> String {
    match (row.name, row.kind) {
        ("database", _) => "this version keeps its configuration without a database: set \
            database = off and name a file with declarative_config, or use POST /config"
            .into(),
        ("role", _) => "this version runs traditional nodes only: set role = traditional".into(),
        ("router_flavor", _) => "this version has one router engine: set router_flavor = \
            traditional_compatible"
            .into(),
        (_, Kind::OneOf(words)) => format!("accepted is one of {}", words.join(", ")),
        (_, Kind::Integer { min, max }) => {
            format!("accepted is a whole number from {min} to {max}")
        }
        (_, Kind::Switch) => "accepted is on or off".into(),
        (_, Kind::Seconds) => "accepted is a number of seconds, 0 or more".into(),
        (_, Kind::Bytes) => {
            "accepted is a size in bytes, or with one of the suffixes k, m, g".into()
        }
        (_, Kind::Workers) => format!("accepted is auto or a count from 1 to {}", WorkerCount::MAX),
        (_, Kind::Headers) => {
            "accepted is off, or a list of server_tokens, latency_tokens, Server, \
            Via, X-Kong-Proxy-Latency, X-Kong-Response-Latency, X-Kong-Admin-Latency, \
            X-Kong-Upstream-Latency, X-Kong-Upstream-Status, X-Kong-Request-Id"
                .into()
        }
        (_, Kind::Listeners) => listener::ACCEPTED.into(),
        (_, Kind::Text | Kind::Path | Kind::Log) => "a value is needed".into(),
    }
}

fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// A whole number: decimal, hexadecimal, or a fraction or exponent without remainder.
fn parse_integer(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok();
    }
    text.parse().ok().or_else(|| integral(text.parse().ok()?))
}

fn integral(number: f64) -> Option<u32> {
    let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range, whole"
    )]
    whole.then_some(number as u32)
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=SECONDS_MAX)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

/// nginx's sizes: digits and one of k, m, g.
fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}
