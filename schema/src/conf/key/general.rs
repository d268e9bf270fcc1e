//! Prefix, logs, vault strategies, tracing, plugins, error bodies.

use super::super::{check, kind::Kind, log::LogLevel, range};
use super::{Key, core, ignored, useful};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("prefix", Kind::Path, "Working directory: process id, sockets, logs, certificates, generated files.")
        .default("/usr/local/kong/").works(),
    core("log_level", Kind::OneOf(LogLevel::NAMES), "Least severity that is written to the error logs.")
        .default("notice").works().reloadable(),
    core("proxy_access_log", Kind::Log,
        "Access log of the proxy, relative to the prefix, with an optional format name; off disables it.")
        .default("logs/access.log").works(),
    core("proxy_error_log", Kind::Log, "Error log of the proxy and of the process.")
        .default("logs/error.log").works(),
    useful("proxy_stream_access_log", Kind::Log, "Access log of the stream proxy, with a format name.")
        .default("logs/access.log basic"),
    useful("proxy_stream_error_log", Kind::Log, "Error log of the stream proxy.").default("logs/error.log"),
    core("admin_access_log", Kind::Log, "Access log of the Admin API; off disables it.")
        .default("logs/admin_access.log").works(),
    core("admin_error_log", Kind::Log, "Error log of the Admin API.").default("logs/error.log"),
    useful("status_access_log", Kind::Log, "Access log of the Status API; off disables it.").default("off").works(),
    useful("status_error_log", Kind::Log, "Error log of the Status API.").default("logs/status_error.log"),
    core("vaults", Kind::List(check::any), "Vault strategies: bundled (which is env), off, or names.")
        .default("bundled").works(),
    useful("opentelemetry_tracing", Kind::List(check::tracing), "What makes spans.")
        .default("off").alias_of("tracing_instrumentations").deprecated("use tracing_instrumentations"),
    useful("tracing_instrumentations", Kind::List(check::tracing), "What makes spans: off, all, or names.")
        .default("off"),
    useful("opentelemetry_tracing_sampling_rate", Kind::Number(range::SHARE), "Share of requests that are traced.")
        .default("0.01").alias_of("tracing_sampling_rate").deprecated("use tracing_sampling_rate"),
    useful("tracing_sampling_rate", Kind::Number(range::SHARE), "Share of requests that are traced, 0 to 1.")
        .default("0.01"),
    core("plugins", Kind::List(check::any), "Plugins that may be configured: bundled, off, or names.")
        .default("bundled").works(),
    ignored("dedicated_config_processing", Kind::Switch, "A process of its own for configuration work.")
        .default("on"),
    useful("pluginserver_names", Kind::List(check::any),
        "External plugin servers; pluginserver_<name>_socket, _start_cmd and _query_cmd describe each."),
    core("port_maps", Kind::List(check::port_maps),
        "Pairs published:listening, for the port that forwarded headers name."),
    ignored("anonymous_reports", Kind::Switch, "Telemetry of Kong; nothing is ever sent.").default("on"),
    useful("proxy_server", Kind::Text(check::proxy_server), "URL of a forward proxy for parts that can use one.")
        .masked(),
    useful("proxy_server_ssl_verify", Kind::Switch, "Whether the certificate of that proxy is verified.")
        .default("on"),
    useful("error_template_html", Kind::Path, "File with the HTML body of the gateway's own errors."),
    useful("error_template_json", Kind::Path, "File with the JSON body of the gateway's own errors."),
    useful("error_template_xml", Kind::Path, "File with the XML body of the gateway's own errors."),
    useful("error_template_plain", Kind::Path, "File with the plain body of the gateway's own errors."),
];
