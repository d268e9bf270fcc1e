//! Fixtures shared by the benches: configurations of three shapes, stores, requests.

mod cpu_time;
pub mod exchange;

use std::net::{Ipv4Addr, SocketAddr};

use silverback_core::router::{Headers, Request};
use silverback_schema::declarative::Config;
use silverback_schema::entity::{PathHandling, Protocol, Protocols, Route, Service};
use silverback_schema::snapshot::{Source, Store, StoreOptions};
use tempfile::TempDir;
use uuid::Uuid;

pub use cpu_time::CpuTime;

/// How the routes of a configuration differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A host each, no path.
    Hosts,
    /// A path each, no host.
    Paths,
    /// As many paths under each of as many hosts.
    HostsAndPaths,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 3] = [Self::Hosts, Self::Paths, Self::HostsAndPaths];

    /// For labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Paths => "paths",
            Self::HostsAndPaths => "hosts_and_paths",
        }
    }

    /// Host and path of route `number` of `total`.
    pub fn texts(self, number: usize, total: usize) -> (Option<String>, Option<String>) {
        let side = total.isqrt().max(1);
        let host = |number| format!("tenant-{number}.example.com");
        let path = |number| format!("/api/v1/resource-{number}");
        match self {
            Self::Hosts => (Some(host(number)), None),
            Self::Paths => (None, Some(path(number))),
            Self::HostsAndPaths => (Some(host(number / side)), Some(path(number % side))),
        }
    }
}

/// The one service that all routes have.
const SERVICE: Uuid = Uuid::from_u128(0x5e41_1ce0);

/// A configuration of `total` routes.
pub fn config(shape: Shape, total: usize) -> Config {
    let routes = (0..total)
        .map(|number| route(shape, number, total))
        .collect();
    Config {
        services: vec![service()],
        routes,
        ..Config::default()
    }
}

/// Route `number` of `total`. Ids are spread as random ones are.
pub fn route(shape: Shape, number: usize, total: usize) -> Route {
    let (host, path) = shape.texts(number, total);
    let spread = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Route {
        id: Uuid::from_u128(spread),
        name: Some(format!("route-{number}")),
        protocols: Protocols::HTTP,
        methods: Vec::new(),
        hosts: host.into_iter().collect(),
        paths: path.into_iter().collect(),
        headers: Vec::new(),
        snis: Vec::new(),
        sources: Vec::new(),
        destinations: Vec::new(),
        https_redirect_status_code: 426,
        regex_priority: 0,
        strip_path: true,
        path_handling: PathHandling::V0,
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        service: Some(SERVICE),
        tags: Vec::new(),
        created_at: 1_700_000_000,
        updated_at: 1_700_000_000,
        expression: None,
        priority: 0,
        exact: None,
    }
}

fn service() -> Service {
    Service {
        id: SERVICE,
        name: Some("service".into()),
        protocol: Protocol::Http,
        host: "127.0.0.1".into(),
        port: 8080,
        path: None,
        retries: 5,
        connect_timeout: 60_000,
        write_timeout: 60_000,
        read_timeout: 60_000,
        enabled: true,
        tls_verify: None,
        tls_verify_depth: None,
        ca_certificates: Vec::new(),
        client_certificate: None,
        tags: Vec::new(),
        created_at: 1_700_000_000,
        updated_at: 1_700_000_000,
        exact: None,
    }
}

/// A store with nothing in it, in a scratch directory.
///
/// # Panics
/// When the scratch directory cannot be used.
pub fn empty_store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = open(&dir);
    (dir, store)
}

/// Opens the store of a scratch directory.
///
/// # Panics
/// When it cannot be opened.
pub fn open(dir: &TempDir) -> Store {
    let path = dir.path().join("dbless.lmdb");
    Store::open(&path, &StoreOptions::default())
        .expect("a store")
        .store
}

/// A store with a configuration of `total` routes.
///
/// # Panics
/// When the configuration cannot be applied.
pub fn store(shape: Shape, total: usize) -> (TempDir, Store) {
    let (dir, store) = empty_store();
    store
        .apply(&config(shape, total), Source::default())
        .expect("a sound configuration");
    (dir, store)
}

/// No headers.
struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each_value(&self, _name: &str, _f: &mut dyn FnMut(&[u8]) -> bool) {}
}

/// A GET request.
pub fn request<'a>(host: &'a str, path: &'a str) -> Request<'a> {
    Request {
        method: b"GET",
        host: host.as_bytes(),
        port: 8000,
        path: path.as_bytes(),
        https: false,
        sni: None,
        source: SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)),
        destination: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
        headers: &NoHeaders,
    }
}

/// Hosts and paths of requests that hit routes all over a configuration, in no order.
pub fn targets(shape: Shape, total: usize, count: usize) -> Vec<(String, String)> {
    let number = |at: usize| at.wrapping_mul(2_654_435_761) % total;
    let texts = |at| shape.texts(number(at), total);
    (0..count)
        .map(|at| {
            let (host, path) = texts(at);
            (
                host.unwrap_or_else(|| "any.test".into()),
                format!("{}/item", path.unwrap_or_default()),
            )
        })
        .collect()
}
