//! Listeners, workers, TLS, headers, and connections to upstreams.

use super::super::{check, kind::Kind, listener::Subsystem, pem::Material, range};
use super::{Key, core, ignored, useful};

const PROXY_LISTEN: &str =
    "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport backlog=16384";
const ADMIN_LISTEN: &str =
    "127.0.0.1:8001 reuseport backlog=16384, 127.0.0.1:8444 http2 ssl reuseport backlog=16384";

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("proxy_listen", Kind::Listeners(Subsystem::Http), "Addresses of the proxy, or off.")
        .default(PROXY_LISTEN).works(),
    core("stream_listen", Kind::Listeners(Subsystem::Stream), "Addresses of the stream proxy (TCP, TLS, UDP), or off.")
        .default("off"),
    core("admin_listen", Kind::Listeners(Subsystem::Http), "Addresses of the Admin API, or off.")
        .default(ADMIN_LISTEN).works(),
    core("status_listen", Kind::Listeners(Subsystem::Http), "Addresses of the Status API, or off.")
        .default("127.0.0.1:8007 reuseport backlog=16384").works(),
    useful("nginx_user", Kind::Text(check::none), "User and group of the workers.")
        .default("kong kong").alias_of("nginx_main_user"),
    useful("nginx_worker_processes", Kind::Workers,
        "Number of shards, one thread each; auto is one for each core, pinned to it.")
        .default("auto").works().alias_of("nginx_main_worker_processes"),
    core("nginx_daemon", Kind::OnOff, "Whether start goes to the background.")
        .default("on").works().alias_of("nginx_main_daemon"),
    ignored("mem_cache_size", Kind::Bytes, "Size of each of Kong's entity caches.").default("128m"),
    core("ssl_cipher_suite", Kind::OneOf(&["modern", "intermediate", "old", "fips", "custom"]),
        "TLS profile of all listeners; custom takes the four keys below.").default("intermediate"),
    core("ssl_ciphers", Kind::Text(check::none), "Ciphers of the custom suite."),
    core("ssl_protocols", Kind::Text(check::none), "Protocol versions of the custom suite.").default("TLSv1.2 TLSv1.3"),
    useful("ssl_prefer_server_ciphers", Kind::OnOff, "Whether the custom suite prefers its own order.").default("on"),
    useful("ssl_dhparam", Kind::Text(check::dhparam), "Diffie-Hellman group: a name, a file, or its PEM text."),
    useful("ssl_session_tickets", Kind::OnOff, "Session tickets up to TLS 1.2.").default("on"),
    useful("ssl_session_timeout", Kind::Time, "Time in which a TLS session can be resumed.").default("1d"),
    ignored("ssl_session_cache_size", Kind::Bytes, "Size of the TLS session cache.").default("10m"),
    core("ssl_cert", Kind::Pems(Material::Certificate), "Certificates of the proxy: files, PEM, or base64 of PEM."),
    core("ssl_cert_key", Kind::Pems(Material::PrivateKey), "Their keys, in the same order.").masked(),
    core("client_ssl", Kind::Switch, "Whether upstreams are shown a client certificate.").default("off"),
    core("client_ssl_cert", Kind::Pem(Material::Certificate), "That certificate."),
    core("client_ssl_cert_key", Kind::Pem(Material::PrivateKey), "Its key.").masked(),
    core("admin_ssl_cert", Kind::Pems(Material::Certificate), "Certificates of the Admin API."),
    core("admin_ssl_cert_key", Kind::Pems(Material::PrivateKey), "Their keys, in the same order.").masked(),
    core("status_ssl_cert", Kind::Pems(Material::Certificate), "Certificates of the Status API."),
    core("status_ssl_cert_key", Kind::Pems(Material::PrivateKey), "Their keys, in the same order.").masked(),
    ignored("debug_ssl_cert", Kind::Text(check::none), "Named in Kong's documentation only."),
    ignored("debug_ssl_cert_key", Kind::Text(check::none), "Named in Kong's documentation only.").masked(),
    core("headers", Kind::List(check::headers),
        "Response headers that the proxy and the Admin API may add; off for none.")
        .default("server_tokens, latency_tokens, X-Kong-Request-Id").works(),
    core("headers_upstream", Kind::List(check::headers_upstream),
        "Request headers that the proxy may add: X-Kong-Request-Id, or off.").default("X-Kong-Request-Id"),
    core("trusted_ips", Kind::List(check::trusted_ips),
        "Peers whose forwarded headers are believed: addresses, ranges, unix:."),
    core("real_ip_header", Kind::Text(check::none), "Header that holds the client's address, or proxy_protocol.")
        .default("X-Real-IP").alias_of("nginx_proxy_real_ip_header"),
    core("real_ip_recursive", Kind::OnOff, "Whether trusted addresses in that header are skipped.")
        .default("off").alias_of("nginx_proxy_real_ip_recursive"),
    core("error_default_type", Kind::OneOf(&["application/json", "application/xml", "text/html", "text/plain"]),
        "Type of an error body when the request names none.").default("text/plain"),
    core("upstream_keepalive_pool_size", Kind::Number(range::COUNT),
        "Idle connections kept for each address, port and server name; 0 keeps none.").default("512").works(),
    useful("upstream_keepalive_max_requests", Kind::Number(range::COUNT),
        "Requests after which an upstream connection is closed; 0 is no limit.").default("10000").works(),
    useful("upstream_keepalive_idle_timeout", Kind::Number(range::SECONDS),
        "Seconds after which an idle upstream connection is closed; 0 is never.").default("60").works(),
    useful("allow_debug_header", Kind::Switch,
        "Whether a Kong-Debug request header makes the response name route and service.").default("off"),
    ignored("client_body_buffer_size", Kind::Bytes, "Kong knows it and does nothing with it.").default("8k"),
    ignored("worker_events_max_payload", Kind::Number(range::ANY), "Largest event between Kong's workers, bytes.")
        .default("65535"),
    ignored("host_ports", Kind::Text(check::none), "Kong's computed form of port_maps."),
    ignored("kic", Kind::Switch, "Marks a node of Kong's ingress controller.").default("off"),
];
