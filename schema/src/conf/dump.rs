//! The configuration as text: the dump of a node and the commented default file.

use std::fmt::Write as _;
use std::time::Duration;

use super::key::{KEYS, Key};
use super::listener::Listener;
use super::node::{LogTarget, NodeConfig, Role, RouterFlavor};
use super::syntax;

/// Columns of a comment in the default file.
const COMMENT_COLUMNS: usize = 78;

/// The configuration as `.kong_env` holds it: every key, absolute paths, one line each. Loading it
/// gives the same configuration. It may hold secrets: write it for its owner only.
pub fn dump(config: &NodeConfig) -> String {
    let mut text = format!("{}\n", syntax::ESCAPED_MARKER);
    let rows = KEYS.iter().map(|row| (row.name, value(config, row)));
    let other = config
        .other
        .iter()
        .map(|other| (other.name.as_str(), Some(other.value.clone())));
    for (name, value) in rows.chain(other) {
        if let Some(value) = value {
            let _ = writeln!(text, "{name} = {}", syntax::escape(&value));
        }
    }
    text
}

/// The text of a key; `None`: not set.
fn value(config: &NodeConfig, row: &Key) -> Option<String> {
    Some(match row.name {
        "prefix" => config.prefix.display().to_string(),
        "role" => match config.role {
            Role::Traditional => "traditional".into(),
        },
        "log_level" => config.log_level.name().into(),
        "proxy_access_log" => log(&config.proxy_access_log),
        "proxy_error_log" => log(&config.proxy_error_log),
        "admin_access_log" => log(&config.admin_access_log),
        "admin_error_log" => log(&config.admin_error_log),
        "proxy_listen" => listeners(&config.proxy_listen),
        "admin_listen" => listeners(&config.admin_listen),
        "status_listen" => listeners(&config.status_listen),
        "nginx_worker_processes" => config.nginx_worker_processes.to_string(),
        "nginx_daemon" => if config.nginx_daemon { "on" } else { "off" }.into(),
        "headers" => config.headers.to_string(),
        "upstream_keepalive_pool_size" => config.upstream_keepalive_pool_size.to_string(),
        "upstream_keepalive_max_requests" => config.upstream_keepalive_max_requests.to_string(),
        "upstream_keepalive_idle_timeout" => seconds(config.upstream_keepalive_idle_timeout),
        "nginx_http_keepalive_requests" => config.nginx_http_keepalive_requests.to_string(),
        "database" => "off".into(),
        "declarative_config" => config.declarative_config.as_ref()?.display().to_string(),
        "declarative_config_string" => config.declarative_config_string.clone()?,
        "lmdb_environment_path" => config.lmdb_environment_path.display().to_string(),
        "lmdb_map_size" => config.lmdb_map_size.to_string(),
        "router_flavor" => match config.router_flavor {
            RouterFlavor::TraditionalCompatible => "traditional_compatible".into(),
        },
        _ => return None,
    })
}

fn log(target: &LogTarget) -> String {
    target.to_string()
}

fn listeners(list: &[Listener]) -> String {
    if list.is_empty() {
        return "off".into();
    }
    list.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

/// The table as a commented file: each key with its line of help and its default.
pub fn default_file() -> String {
    let mut text = String::new();
    for row in KEYS {
        for line in wrap(row.doc) {
            let _ = writeln!(text, "# {line}");
        }
        let when = if row.reloadable { "reload" } else { "restart" };
        let _ = writeln!(text, "# Applied on {when}.");
        let _ = writeln!(
            text,
            "#{} = {}\n",
            row.name,
            row.default.unwrap_or_default()
        );
    }
    text
}

fn wrap(doc: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in doc.split_whitespace() {
        let line = lines.last_mut().expect("starts with one line");
        if !line.is_empty() && line.len() + 1 + word.len() > COMMENT_COLUMNS {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
