//! The table of keys: one row each, and the names of all others that Kong knows.
//!
//! The table alone feeds defaults, checks, the default file and the dump.

use super::node::LogLevel;

/// One key with effect.
#[derive(Debug)]
pub struct Key {
    /// Name in the file; upper case after `KONG_` in the environment.
    pub name: &'static str,
    /// What a value may be.
    pub kind: Kind,
    /// Text used when nobody sets the key; `None`: it stays unset.
    pub default: Option<&'static str>,
    /// One line for people.
    pub doc: &'static str,
    /// Whether a reload applies a change; others need a restart.
    pub reloadable: bool,
    /// The key behind this alias: when both are set, that one wins.
    pub alias_of: Option<&'static str>,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A path.
    Path,
    /// A log file with an optional format name, `off`, or `syslog:`.
    Log,
    /// `on` or `off`.
    Switch,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Integer {
        /// Least value.
        min: u32,
        /// Greatest value.
        max: u32,
    },
    /// Seconds, with fraction.
    Seconds,
    /// A size with an optional suffix.
    Bytes,
    /// `auto` or a count.
    Workers,
    /// A list of listeners.
    Listeners,
    /// A list of response header tokens.
    Headers,
}

const PROXY_LISTEN: &str =
    "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport backlog=16384";
const ADMIN_LISTEN: &str =
    "127.0.0.1:8001 reuseport backlog=16384, 127.0.0.1:8444 http2 ssl reuseport backlog=16384";

const fn row(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    reloadable: bool,
    alias_of: Option<&'static str>,
    doc: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        doc,
        reloadable,
        alias_of,
    }
}

/// Every key with effect, in the order of Kong's default file.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    row("prefix", Kind::Path, Some("/usr/local/kong/"), false, None,
        "Working directory: process id, sockets, logs, certificates, generated files."),
    row("role", Kind::OneOf(&["traditional"]), Some("traditional"), false, None,
        "Role of this node."),
    row("log_level", Kind::OneOf(LogLevel::NAMES), Some("notice"), true, None,
        "Least severity that is written to the error logs."),
    row("proxy_access_log", Kind::Log, Some("logs/access.log"), false, None,
        "Access log of the proxy, relative to the prefix, with an optional format name; off disables it."),
    row("proxy_error_log", Kind::Log, Some("logs/error.log"), false, None,
        "Error log of the proxy and of the process."),
    row("admin_access_log", Kind::Log, Some("logs/admin_access.log"), false, None,
        "Access log of the Admin API; off disables it."),
    row("admin_error_log", Kind::Log, Some("logs/error.log"), false, None,
        "Error log of the Admin API."),
    row("proxy_listen", Kind::Listeners, Some(PROXY_LISTEN), false, None,
        "Addresses of the proxy, or off."),
    row("admin_listen", Kind::Listeners, Some(ADMIN_LISTEN), false, None,
        "Addresses of the Admin API, or off."),
    row("status_listen", Kind::Listeners, Some("127.0.0.1:8007 reuseport backlog=16384"), false, None,
        "Addresses of the Status API, or off."),
    row("nginx_worker_processes", Kind::Workers, Some("auto"), false, Some("nginx_main_worker_processes"),
        "Number of shards, one pinned thread each; auto is one for each core."),
    row("nginx_daemon", Kind::Switch, Some("on"), false, Some("nginx_main_daemon"),
        "Whether start goes to the background."),
    row("headers", Kind::Headers, Some("server_tokens, latency_tokens, X-Kong-Request-Id"), false, None,
        "Response headers that the proxy and the Admin API may add; off for none."),
    row("upstream_keepalive_pool_size", Kind::Integer { min: 0, max: u32::MAX }, Some("512"), false, None,
        "Idle connections kept for each address, port and server name; 0 keeps none."),
    row("upstream_keepalive_max_requests", Kind::Integer { min: 0, max: u32::MAX }, Some("10000"), false, None,
        "Requests after which an upstream connection is closed; 0 is no limit."),
    row("upstream_keepalive_idle_timeout", Kind::Seconds, Some("60"), false, None,
        "Seconds after which an idle upstream connection is closed; 0 is never."),
    row("nginx_http_keepalive_requests", Kind::Integer { min: 0, max: u32::MAX }, Some("10000"), false, None,
        "Requests after which a client connection is closed."),
    row("database", Kind::OneOf(&["off"]), Some("off"), false, None,
        "Where the configuration lives: off is memory and the file below."),
    row("declarative_config", Kind::Path, None, true, None,
        "Declarative configuration file, YAML or JSON."),
    row("declarative_config_string", Kind::Text, None, true, None,
        "Declarative configuration as text, YAML or JSON."),
    row("lmdb_environment_path", Kind::Path, Some("dbless.lmdb"), false, None,
        "Directory of the configuration store, relative to the prefix."),
    row("lmdb_map_size", Kind::Bytes, Some("2048m"), false, None,
        "Size of the configuration store; here the least size, it grows when needed."),
    row("router_flavor", Kind::OneOf(&["traditional_compatible"]), Some("traditional_compatible"), false, None,
        "Router engine."),
];

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether Kong knows the key although it has no effect here.
pub(super) fn is_other(name: &str) -> bool {
    OTHER_KEYS.binary_search(&name).is_ok()
        || FAMILIES
            .iter()
            .any(|family| name.len() > family.len() && name.starts_with(family))
}

/// Prefixes under which Kong takes any name: directives, plugin servers, vaults.
const FAMILIES: &[&str] = &[
    "nginx_main_",
    "nginx_events_",
    "nginx_http_",
    "nginx_proxy_",
    "nginx_location_",
    "nginx_upstream_",
    "nginx_admin_",
    "nginx_status_",
    "nginx_stream_",
    "nginx_sproxy_",
    "nginx_supstream_",
    "nginx_wasm_",
    "nginx_debug_",
    "pluginserver_",
    "vault_",
];

/// Keys that Kong knows and that have no effect here yet, sorted.
#[rustfmt::skip]
pub static OTHER_KEYS: &[&str] = &[
    "_debug_pg_ttl_cleanup_interval",
    "admin_gui_access_log",
    "admin_gui_api_url",
    "admin_gui_error_log",
    "admin_gui_listen",
    "admin_gui_path",
    "admin_gui_ssl_cert",
    "admin_gui_ssl_cert_key",
    "admin_gui_url",
    "admin_ssl_cert",
    "admin_ssl_cert_key",
    "allow_debug_header",
    "anonymous_reports",
    "client_body_buffer_size",
    "client_ssl",
    "client_ssl_cert",
    "client_ssl_cert_key",
    "cluster_ca_cert",
    "cluster_cert",
    "cluster_cert_key",
    "cluster_cjson",
    "cluster_control_plane",
    "cluster_data_plane_purge_delay",
    "cluster_dp_labels",
    "cluster_incremental_sync",
    "cluster_listen",
    "cluster_max_payload",
    "cluster_mtls",
    "cluster_ocsp",
    "cluster_rpc",
    "cluster_server_name",
    "cluster_use_proxy",
    "db_cache_neg_ttl",
    "db_cache_ttl",
    "db_cache_warmup_entities",
    "db_resurrect_ttl",
    "db_update_frequency",
    "db_update_propagation",
    "debug_ssl_cert",
    "debug_ssl_cert_key",
    "dedicated_config_processing",
    "dns_cache_size",
    "dns_error_ttl",
    "dns_hostsfile",
    "dns_no_sync",
    "dns_not_found_ttl",
    "dns_order",
    "dns_resolver",
    "dns_stale_ttl",
    "dns_valid_ttl",
    "error_default_type",
    "error_template_html",
    "error_template_json",
    "error_template_plain",
    "error_template_xml",
    "headers_upstream",
    "host_ports",
    "kic",
    "lua_max_post_args",
    "lua_max_req_headers",
    "lua_max_resp_headers",
    "lua_max_uri_args",
    "lua_package_cpath",
    "lua_package_path",
    "lua_socket_pool_size",
    "lua_ssl_protocols",
    "lua_ssl_trusted_certificate",
    "lua_ssl_verify_depth",
    "mem_cache_size",
    "new_dns_client",
    "nginx_admin_client_body_buffer_size",
    "nginx_admin_client_max_body_size",
    "nginx_events_multi_accept",
    "nginx_events_worker_connections",
    "nginx_http_charset",
    "nginx_http_client_body_buffer_size",
    "nginx_http_client_header_buffer_size",
    "nginx_http_client_max_body_size",
    "nginx_http_grpc_ssl_conf_command",
    "nginx_http_large_client_header_buffers",
    "nginx_http_lua_regex_cache_max_entries",
    "nginx_http_lua_regex_match_limit",
    "nginx_http_lua_ssl_conf_command",
    "nginx_http_lua_ssl_protocols",
    "nginx_http_proxy_ssl_conf_command",
    "nginx_http_ssl_conf_command",
    "nginx_http_ssl_dhparam",
    "nginx_http_ssl_prefer_server_ciphers",
    "nginx_http_ssl_protocols",
    "nginx_http_ssl_session_tickets",
    "nginx_http_ssl_session_timeout",
    "nginx_main_user",
    "nginx_main_worker_rlimit_nofile",
    "nginx_proxy_real_ip_header",
    "nginx_proxy_real_ip_recursive",
    "nginx_stream_lua_ssl_conf_command",
    "nginx_stream_lua_ssl_protocols",
    "nginx_stream_proxy_ssl_conf_command",
    "nginx_stream_ssl_conf_command",
    "nginx_stream_ssl_dhparam",
    "nginx_stream_ssl_prefer_server_ciphers",
    "nginx_stream_ssl_protocols",
    "nginx_stream_ssl_session_tickets",
    "nginx_stream_ssl_session_timeout",
    "nginx_user",
    "node_id",
    "openresty_path",
    "opentelemetry_tracing",
    "opentelemetry_tracing_sampling_rate",
    "pg_backlog",
    "pg_database",
    "pg_host",
    "pg_keepalive_timeout",
    "pg_max_concurrent_queries",
    "pg_password",
    "pg_pool_size",
    "pg_port",
    "pg_ro_backlog",
    "pg_ro_database",
    "pg_ro_host",
    "pg_ro_keepalive_timeout",
    "pg_ro_max_concurrent_queries",
    "pg_ro_password",
    "pg_ro_pool_size",
    "pg_ro_port",
    "pg_ro_schema",
    "pg_ro_semaphore_timeout",
    "pg_ro_ssl",
    "pg_ro_ssl_verify",
    "pg_ro_timeout",
    "pg_ro_user",
    "pg_schema",
    "pg_semaphore_timeout",
    "pg_ssl",
    "pg_ssl_verify",
    "pg_timeout",
    "pg_user",
    "plugins",
    "pluginserver_names",
    "port_maps",
    "proxy_server",
    "proxy_server_ssl_verify",
    "proxy_stream_access_log",
    "proxy_stream_error_log",
    "real_ip_header",
    "real_ip_recursive",
    "request_debug",
    "request_debug_token",
    "resolver_address",
    "resolver_error_ttl",
    "resolver_family",
    "resolver_hosts_file",
    "resolver_lru_cache_size",
    "resolver_mem_cache_size",
    "resolver_stale_ttl",
    "resolver_valid_ttl",
    "ssl_cert",
    "ssl_cert_key",
    "ssl_cipher_suite",
    "ssl_ciphers",
    "ssl_dhparam",
    "ssl_prefer_server_ciphers",
    "ssl_protocols",
    "ssl_session_cache_size",
    "ssl_session_tickets",
    "ssl_session_timeout",
    "status_access_log",
    "status_error_log",
    "status_ssl_cert",
    "status_ssl_cert_key",
    "stream_listen",
    "tracing_instrumentations",
    "tracing_sampling_rate",
    "trusted_ips",
    "untrusted_lua",
    "untrusted_lua_sandbox_environment",
    "untrusted_lua_sandbox_requires",
    "vault_env_prefix",
    "vaults",
    "wasm",
    "wasm_dynamic_module",
    "wasm_filters",
    "wasm_filters_path",
    "worker_consistency",
    "worker_events_max_payload",
    "worker_state_update_frequency",
];
