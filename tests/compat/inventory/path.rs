//! The paths of `admin_paths.tsv`, asked of a node without database: each is there, and OPTIONS
//! tells Kong's methods.

use std::io;

use silverback_tests::Gateway;
use silverback_tests::gateway::declarative;
use silverback_tests::http::{Connection, Response};
use silverback_tests::port;

use super::field::UNKNOWN;
use super::{Breaches, assert_excepted, rows};

/// Paths with other methods.
pub(super) const METHODS: &str = "paths";
/// Paths that Kong does not have.
pub(super) const OWN: &str = "own_paths";
/// Collections that do not answer an empty list.
pub(super) const LISTS: &str = "lists";

/// The methods of a collection of entities.
const COLLECTION: &str = "GET, HEAD, OPTIONS, POST";

/// A listener that is asked.
struct Listener {
    /// Its word in the table.
    api: &'static str,
    port: u16,
}

impl Listener {
    fn ask(&self, method: &str, path: &str) -> Response {
        let answer: io::Result<Response> =
            Connection::open(self.port).and_then(|mut c| c.request(method, path, &[], b""));
        answer.unwrap_or_else(|e| panic!("no answer to {method} {path} of {}: {e}", self.api))
    }
}

/// A node with both listeners and no entity.
fn node() -> (Gateway, [Listener; 2]) {
    let gateway = Gateway::new(&declarative(&[]));
    let status = port::free();
    gateway.set(&format!("status_listen = 127.0.0.1:{status}"));
    let output = gateway.run("start");
    assert!(output.status.success(), "{output:?}");
    let listener = |api, port| Listener { api, port };
    let listeners = [
        listener("admin", gateway.admin_port),
        listener("status", status),
    ];
    (gateway, listeners)
}

fn paths() -> Vec<[String; 3]> {
    let paths = rows("admin_paths.tsv", ["api", "path", "methods"]);
    assert!(paths.len() > 140, "only {} paths are read", paths.len());
    paths
}

/// The path with a key for each parameter: any key will do, as methods are looked at first.
fn with_keys(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part.starts_with('{') {
        true => "6e2d2ed8-c3a5-4ef5-9b0e-0d8f0d3a7c11",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What OPTIONS says otherwise than Kong; no methods: there is no such path.
fn breach(listener: &Listener, pattern: &str, methods: &str) -> Option<String> {
    let answer = listener.ask("OPTIONS", &with_keys(pattern));
    let allow = answer.header("allow").unwrap_or_default();
    let (status, wanted) = match methods {
        "" => (404, ""),
        UNKNOWN => (204, allow),
        methods => (204, methods),
    };
    let is_as_wanted = answer.status == status && allow == wanted;
    (!is_as_wanted).then(|| format!("{} {allow:?} instead of {wanted:?}", answer.status))
}

#[test]
fn every_path_of_kong_allows_kongs_methods() {
    let (_gateway, listeners) = node();
    let paths = paths();
    let mut breaches = Breaches::new();
    for listener in &listeners {
        for [_, pattern, methods] in paths.iter().filter(|[api, ..]| api == listener.api) {
            if let Some(breach) = breach(listener, pattern, methods) {
                breaches.insert(format!("{} {pattern}", listener.api), breach);
            }
        }
    }
    assert_excepted(METHODS, &breaches);
}

#[test]
fn every_listed_path_is_kongs() {
    let (_gateway, [admin, _]) = node();
    let paths = paths();
    let listed = admin.ask("GET", "/endpoints").json();
    let listed = listed["data"].as_array().expect("a list of paths");
    let mut breaches = Breaches::new();
    for pattern in listed.iter().filter_map(|pattern| pattern.as_str()) {
        let is_kongs = |[api, path, methods]: &[String; 3]| {
            api == admin.api && path == pattern && !methods.is_empty()
        };
        if !paths.iter().any(is_kongs) {
            breaches.insert(pattern.to_owned(), "Kong has no such path".to_owned());
        }
    }
    assert_excepted(OWN, &breaches);
}

#[test]
fn every_collection_is_an_empty_list() {
    let (_gateway, [admin, _]) = node();
    let mut breaches = Breaches::new();
    let is_collection = |[api, path, methods]: &[String; 3]| {
        api == admin.api && methods == COLLECTION && path.matches('/').count() == 1
    };
    for [_, path, _] in paths().iter().filter(|path| is_collection(path)) {
        let answer = admin.ask("GET", path);
        let expected = serde_json::json!({ "data": [], "next": null });
        if answer.status != 200 || answer.json() != expected {
            breaches.insert(path.clone(), format!("{} {}", answer.status, answer.text()));
        }
    }
    assert_excepted(LISTS, &breaches);
}
