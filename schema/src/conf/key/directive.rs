//! Directives of nginx that have a default of Kong's, or a translation here.

use super::super::{check, kind::Kind, range};
use super::{Key, core, ignored, useful};

const TEXT: Kind = Kind::Text(check::none);

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    useful("nginx_main_worker_rlimit_nofile", TEXT,
        "Open files of a worker; auto follows ulimit -n.").default("auto"),
    useful("nginx_events_worker_connections", TEXT,
        "Connections of a worker; auto follows ulimit -n.").default("auto"),
    ignored("nginx_events_multi_accept", Kind::OnOff,
        "Whether a wake-up accepts more than one connection.").default("on"),
    ignored("nginx_http_client_header_buffer_size", Kind::Bytes, "First buffer of a request head."),
    core("nginx_http_large_client_header_buffers", TEXT, "Number and size of further buffers of a request head."),
    core("nginx_http_client_max_body_size", Kind::Bytes,
        "Largest request body of the proxy; 0 is no limit.").default("0"),
    core("nginx_admin_client_max_body_size", Kind::Bytes,
        "Largest request body of the Admin API; 0 is no limit. Kong: 10m, too little for a large configuration.")
        .default("1g").works(),
    useful("nginx_http_charset", TEXT, "Charset added to a textual Content-Type that has none.").default("UTF-8"),
    useful("nginx_http_client_body_buffer_size", Kind::Bytes, "Memory for a request body before it goes to disk.")
        .default("8k"),
    ignored("nginx_admin_client_body_buffer_size", Kind::Bytes, "The same for the Admin API.").default("10m"),
    ignored("nginx_http_lua_regex_match_limit", Kind::Number(range::ANY),
        "Steps of one PCRE match.").default("100000"),
    ignored("nginx_http_lua_regex_cache_max_entries", Kind::Number(range::ANY), "Compiled regexes that Lua keeps.")
        .default("8192"),
    core("nginx_http_keepalive_requests", Kind::Number(range::COUNT),
        "Requests after which a client connection is closed.").default("10000").works(),
    core("nginx_main_daemon", Kind::OnOff, "Whether start goes to the background.").default("on").works(),
    useful("nginx_main_user", TEXT, "User and group of the workers.").default("kong kong"),
    useful("nginx_main_worker_processes", Kind::Workers, "Number of shards.").default("auto").works(),
    core("nginx_proxy_real_ip_header", TEXT, "Header that holds the client's address, or proxy_protocol.")
        .default("X-Real-IP"),
    core("nginx_proxy_real_ip_recursive", Kind::OnOff, "Whether trusted addresses in that header are skipped.")
        .default("off"),
    useful("nginx_http_log_format", TEXT, "Name and text of an access log format.").works(),
    useful("nginx_stream_log_format", TEXT, "Name and text of an access log format of the stream proxy."),
    useful("nginx_http_ssl_protocols", TEXT, "TLS versions of the http listeners; by default those of the suite."),
    useful("nginx_stream_ssl_protocols", TEXT, "TLS versions of the stream listeners."),
    ignored("nginx_http_ssl_prefer_server_ciphers", Kind::OnOff, "Cipher preference of the http listeners."),
    ignored("nginx_stream_ssl_prefer_server_ciphers", Kind::OnOff, "Cipher preference of the stream listeners."),
    ignored("nginx_http_ssl_dhparam", Kind::Text(check::dhparam_file), "Diffie-Hellman group of the http listeners."),
    ignored("nginx_stream_ssl_dhparam", Kind::Text(check::dhparam_file),
        "Diffie-Hellman group of the stream listeners."),
    ignored("nginx_http_ssl_session_tickets", Kind::OnOff, "Session tickets of the http listeners."),
    ignored("nginx_stream_ssl_session_tickets", Kind::OnOff, "Session tickets of the stream listeners."),
    ignored("nginx_http_ssl_session_timeout", Kind::Time, "Session lifetime of the http listeners."),
    ignored("nginx_stream_ssl_session_timeout", Kind::Time, "Session lifetime of the stream listeners."),
    ignored("nginx_http_ssl_conf_command", TEXT, "OpenSSL command for the http listeners."),
    ignored("nginx_http_proxy_ssl_conf_command", TEXT, "OpenSSL command for upstream connections."),
    ignored("nginx_http_lua_ssl_conf_command", TEXT, "OpenSSL command for Lua's connections."),
    ignored("nginx_http_grpc_ssl_conf_command", TEXT, "OpenSSL command for gRPC upstream connections."),
    ignored("nginx_stream_ssl_conf_command", TEXT, "OpenSSL command for the stream listeners."),
    ignored("nginx_stream_proxy_ssl_conf_command", TEXT, "OpenSSL command for stream upstream connections."),
    ignored("nginx_stream_lua_ssl_conf_command", TEXT, "OpenSSL command for Lua's stream connections."),
    useful("nginx_http_lua_ssl_protocols", TEXT, "TLS versions of internal clients; by default lua_ssl_protocols."),
    useful("nginx_stream_lua_ssl_protocols", TEXT, "The same in the stream proxy."),
];
