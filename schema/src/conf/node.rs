//! The typed node configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::bundle::{self, Bundle};
use super::check;
use super::draft::Draft;
use super::headers::{ResponseHeaders, UpstreamHeaders};
use super::kind;
use super::listener::Listener;
use super::log::{ErrorLogFormat, LogLevel, LogTarget};
use super::setting::Settings;

/// nginx's `client_max_body_size` when its directive is erased, bytes.
const BODY_BYTES_MAX_NGINX: u64 = 1 << 20;
/// nginx's `keepalive_requests` when its directive is erased.
const KEEPALIVE_REQUESTS_NGINX: u32 = 1000;

/// Everything a node needs to know before it starts, references resolved. Never changes once
/// loaded. Keys without a field here are reached by [`NodeConfig::setting`].
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// Working directory, absolute.
    pub prefix: PathBuf,
    /// Role of this node.
    pub role: Role,
    /// Least severity that is logged.
    pub log_level: LogLevel,
    /// Form of error log lines.
    pub error_log_format: ErrorLogFormat,
    /// Declaration of a format for access logs: its name and its text.
    pub nginx_http_log_format: Option<String>,
    /// Access log of the proxy.
    pub proxy_access_log: LogTarget,
    /// Error log of the proxy and of the process.
    pub proxy_error_log: LogTarget,
    /// Access log of the Admin API.
    pub admin_access_log: LogTarget,
    /// Error log of the Admin API.
    pub admin_error_log: LogTarget,
    /// Access log of the Status API.
    pub status_access_log: LogTarget,
    /// Error log of the Status API.
    pub status_error_log: LogTarget,
    /// Proxy listeners; empty: off.
    pub proxy_listen: Vec<Listener>,
    /// Stream proxy listeners; empty: off.
    pub stream_listen: Vec<Listener>,
    /// Admin API listeners; empty: off.
    pub admin_listen: Vec<Listener>,
    /// Status API listeners; empty: off.
    pub status_listen: Vec<Listener>,
    /// Kong Manager listeners; empty: off.
    pub admin_gui_listen: Vec<Listener>,
    /// Listeners for data planes; empty: off.
    pub cluster_listen: Vec<Listener>,
    /// Number of shards.
    pub nginx_worker_processes: WorkerCount,
    /// Whether start goes to the background.
    pub nginx_daemon: bool,
    /// Certificates of the proxy: files, PEM, or base64 of it; the next field holds their keys.
    pub ssl_cert: Vec<String>,
    /// Keys of `ssl_cert`, in the same order.
    pub ssl_cert_key: Vec<String>,
    /// Certificates of the Admin API.
    pub admin_ssl_cert: Vec<String>,
    /// Keys of `admin_ssl_cert`, in the same order.
    pub admin_ssl_cert_key: Vec<String>,
    /// Certificates of the Status API.
    pub status_ssl_cert: Vec<String>,
    /// Keys of `status_ssl_cert`, in the same order.
    pub status_ssl_cert_key: Vec<String>,
    /// Response headers that may be added.
    pub headers: ResponseHeaders,
    /// Request headers that may be added.
    pub headers_upstream: UpstreamHeaders,
    /// Type of an error body when the request names none.
    pub error_default_type: String,
    /// Peers whose forwarded headers are believed: addresses, ranges, `unix:`.
    pub trusted_ips: Vec<String>,
    /// Ports `(published, listening)` for the port that forwarded headers name.
    pub port_maps: Vec<(u16, u16)>,
    /// Idle upstream connections kept for each pool; 0: none.
    pub upstream_keepalive_pool_size: u32,
    /// Requests for each upstream connection; 0: no limit.
    pub upstream_keepalive_max_requests: u32,
    /// Idle time of an upstream connection; zero: no limit.
    pub upstream_keepalive_idle_timeout: Duration,
    /// Requests for each client connection.
    pub nginx_http_keepalive_requests: u32,
    /// Largest request body of the proxy, bytes; 0: no limit.
    pub nginx_http_client_max_body_size: u64,
    /// Largest request body of the Admin API, bytes; 0: no limit.
    pub nginx_admin_client_max_body_size: u64,
    /// Plugins that may be configured, sorted.
    pub plugins: Vec<String>,
    /// Vault strategies that may be used, sorted.
    pub vaults: Vec<String>,
    /// Text before the names that the env vault looks up.
    pub vault_env_prefix: Option<String>,
    /// Where the configuration lives.
    pub database: Database,
    /// Declarative file, absolute.
    pub declarative_config: Option<PathBuf>,
    /// Declarative text.
    pub declarative_config_string: Option<String>,
    /// Directory of the configuration store, absolute.
    pub lmdb_environment_path: PathBuf,
    /// Least size of the configuration store, bytes.
    pub lmdb_map_size: u64,
    /// Size of each of Kong's entity caches, bytes.
    pub mem_cache_size: u64,
    /// Router engine.
    pub router_flavor: RouterFlavor,
    /// Whether the newer DNS client is wanted.
    pub new_dns_client: bool,
    /// Whether WebAssembly filters are wanted.
    pub wasm: bool,
    /// Id of this node; `None`: it is chosen.
    pub node_id: Option<Uuid>,
    /// Injected directives by the names of their keys, references resolved.
    pub(super) directives: BTreeMap<String, String>,
    /// Every key by its name.
    pub(super) settings: Settings,
}

impl NodeConfig {
    /// The fields of a draft without errors.
    pub(super) fn from_draft(draft: Draft) -> Self {
        let prefix = draft.path("prefix").unwrap_or_else(|| PathBuf::from("/"));
        let lmdb = draft.text("lmdb_environment_path").unwrap_or("dbless.lmdb");
        Self {
            role: draft.word("role", Role::ALL, Role::name),
            log_level: draft.word("log_level", LogLevel::ALL, LogLevel::name),
            error_log_format: draft.word(
                "error_log_format",
                ErrorLogFormat::ALL,
                ErrorLogFormat::name,
            ),
            nginx_http_log_format: draft.text("nginx_http_log_format").map(str::to_owned),
            proxy_access_log: draft.log("proxy_access_log", &prefix),
            proxy_error_log: draft.log("proxy_error_log", &prefix),
            admin_access_log: draft.log("admin_access_log", &prefix),
            admin_error_log: draft.log("admin_error_log", &prefix),
            status_access_log: draft.log("status_access_log", &prefix),
            status_error_log: draft.log("status_error_log", &prefix),
            proxy_listen: draft.listeners("proxy_listen"),
            stream_listen: draft.listeners("stream_listen"),
            admin_listen: draft.listeners("admin_listen"),
            status_listen: draft.listeners("status_listen"),
            admin_gui_listen: draft.listeners("admin_gui_listen"),
            cluster_listen: draft.listeners("cluster_listen"),
            nginx_worker_processes: draft
                .text("nginx_main_worker_processes")
                .and_then(WorkerCount::parse)
                .unwrap_or(WorkerCount::Auto),
            nginx_daemon: draft.text("nginx_main_daemon") != Some("off"),
            ssl_cert: draft.list("ssl_cert").to_vec(),
            ssl_cert_key: draft.list("ssl_cert_key").to_vec(),
            admin_ssl_cert: draft.list("admin_ssl_cert").to_vec(),
            admin_ssl_cert_key: draft.list("admin_ssl_cert_key").to_vec(),
            status_ssl_cert: draft.list("status_ssl_cert").to_vec(),
            status_ssl_cert_key: draft.list("status_ssl_cert_key").to_vec(),
            headers: ResponseHeaders::parse(draft.list("headers")).unwrap_or_default(),
            headers_upstream: UpstreamHeaders::parse(draft.list("headers_upstream")),
            error_default_type: draft
                .text("error_default_type")
                .unwrap_or_default()
                .to_owned(),
            trusted_ips: draft.list("trusted_ips").to_vec(),
            port_maps: draft
                .list("port_maps")
                .iter()
                .filter_map(|pair| check::port_map(pair))
                .collect(),
            upstream_keepalive_pool_size: draft
                .count("upstream_keepalive_pool_size")
                .unwrap_or_default(),
            upstream_keepalive_max_requests: draft
                .count("upstream_keepalive_max_requests")
                .unwrap_or_default(),
            upstream_keepalive_idle_timeout: draft.seconds("upstream_keepalive_idle_timeout"),
            nginx_http_keepalive_requests: draft
                .count("nginx_http_keepalive_requests")
                .unwrap_or(KEEPALIVE_REQUESTS_NGINX),
            nginx_http_client_max_body_size: draft
                .bytes("nginx_http_client_max_body_size")
                .unwrap_or(BODY_BYTES_MAX_NGINX),
            nginx_admin_client_max_body_size: draft
                .bytes("nginx_admin_client_max_body_size")
                .unwrap_or(BODY_BYTES_MAX_NGINX),
            plugins: bundle::enabled(draft.list("plugins"), Bundle::Plugins),
            vaults: bundle::enabled(draft.list("vaults"), Bundle::Vaults),
            vault_env_prefix: draft.text("vault_env_prefix").map(str::to_owned),
            database: draft.word("database", Database::ALL, Database::name),
            declarative_config: draft.path("declarative_config"),
            declarative_config_string: draft.text("declarative_config_string").map(str::to_owned),
            lmdb_environment_path: prefix.join(lmdb),
            lmdb_map_size: draft.bytes("lmdb_map_size").unwrap_or_default(),
            mem_cache_size: draft.bytes("mem_cache_size").unwrap_or_default(),
            router_flavor: draft.word("router_flavor", RouterFlavor::ALL, RouterFlavor::name),
            new_dns_client: draft.switch("new_dns_client"),
            wasm: draft.switch("wasm"),
            node_id: draft
                .text("node_id")
                .and_then(|text| Uuid::try_parse(text).ok()),
            directives: draft.directives(),
            settings: draft.settings,
            prefix,
        }
    }
}

/// Typed looks at a draft's checked values.
impl Draft {
    /// The member of a closed set; the first, its default, if the draft has errors.
    fn word<T: Copy, const N: usize>(
        &self,
        key: &str,
        all: [T; N],
        name: fn(T) -> &'static str,
    ) -> T {
        let text = self.text(key);
        let found = all.into_iter().find(|member| text == Some(name(*member)));
        found.unwrap_or(all[0])
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    fn log(&self, key: &str, prefix: &Path) -> LogTarget {
        let text = self.text(key);
        text.map_or(LogTarget::Off, |text| LogTarget::parse(text, prefix))
    }

    fn bytes(&self, key: &str) -> Option<u64> {
        self.text(key).and_then(kind::parse_bytes)
    }

    fn count(&self, key: &str) -> Option<u32> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the table's range for counts is that of u32"
        )]
        self.number(key).map(|number| number as u32)
    }

    fn seconds(&self, key: &str) -> Duration {
        let seconds = self.number(key).unwrap_or_default();
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

/// Role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Admin API and proxy in one process.
    Traditional,
    /// Admin API and database; it feeds data planes.
    ControlPlane,
    /// Proxy; it is fed by a control plane.
    DataPlane,
}

impl Role {
    const ALL: [Self; 3] = [Self::Traditional, Self::ControlPlane, Self::DataPlane];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traditional => "traditional",
            Self::ControlPlane => "control_plane",
            Self::DataPlane => "data_plane",
        }
    }
}

/// Where the configuration lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// In memory, from a declarative file or a control plane.
    Off,
    /// In Postgres.
    Postgres,
}

impl Database {
    const ALL: [Self; 2] = [Self::Off, Self::Postgres];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Postgres => "postgres",
        }
    }
}

/// Router engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterFlavor {
    /// Kong's default since 3.0.
    TraditionalCompatible,
    /// Kong's only one before 3.0.
    Traditional,
    /// Routes as expressions.
    Expressions,
}

impl RouterFlavor {
    const ALL: [Self; 3] = [
        Self::TraditionalCompatible,
        Self::Traditional,
        Self::Expressions,
    ];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::TraditionalCompatible => "traditional_compatible",
            Self::Traditional => "traditional",
            Self::Expressions => "expressions",
        }
    }
}

/// Number of shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerCount {
    /// One for each core.
    Auto,
    /// That many, 1 to [`WorkerCount::MAX`].
    Count(u16),
}

impl WorkerCount {
    /// Greatest count.
    pub const MAX: u16 = 1024;

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            return Some(Self::Auto);
        }
        let count = text
            .parse()
            .ok()
            .filter(|count| (1..=Self::MAX).contains(count))?;
        Some(Self::Count(count))
    }
}
