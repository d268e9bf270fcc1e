//! One exchange through the sans-io core, ready to be repeated.

use std::net::SocketAddr;

use silverback_core::exchange::{Downstream, Engine, Latency, RequestId};
use silverback_core::http1::response::ResponseHeaders;
use silverback_schema::declarative;
use silverback_schema::snapshot::{Snapshot, Source, Store, StoreOptions};
use tempfile::TempDir;

/// A request as wrk sends it.
pub const REQUEST: &[u8] = b"GET /api/v1/resource-7/item HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n";

/// A request as a browser sends it.
pub const BROWSER_REQUEST: &[u8] = b"GET /api/v1/resource-7/page.html?from=start HTTP/1.1\r\n\
Host: shop.example.com\r\n\
Connection: keep-alive\r\n\
sec-ch-ua: \"Chromium\";v=\"150\", \"Not.A/Brand\";v=\"8\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n\
Sec-Fetch-Site: none\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Dest: document\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-US,en;q=0.9\r\n\
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";

/// An answer as a web server sends it.
pub const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
Server: nginx\r\n\
Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n\
Content-Type: text/html\r\n\
Content-Length: 1024\r\n\
Last-Modified: Mon, 02 Nov 2026 12:00:00 GMT\r\n\
Connection: keep-alive\r\n\
ETag: \"6543abcd-400\"\r\n\
Accept-Ranges: bytes\r\n\r\n";

const REQUEST_ID: &RequestId = b"0123456789abcdef0123456789abcdef";

/// An engine with a snapshot, and the buffers that an exchange reuses.
pub struct Exchange {
    engine: Engine,
    snapshot: Snapshot,
    downstream: Downstream,
    head: Vec<u8>,
    // Dropped last: the snapshot reads its files.
    _store: (Store, TempDir),
}

impl Exchange {
    /// A service with as many routes, `/api/v1/resource-N`.
    ///
    /// # Panics
    /// When the store cannot be made.
    pub fn new(routes: usize) -> Self {
        let routes: String = (0..routes)
            .map(|number| format!("  - name: r{number}\n    paths: [/api/v1/resource-{number}]\n"))
            .collect();
        let yaml = format!(
            "_format_version: '3.0'\nservices:\n- name: s\n  url: http://127.0.0.1:9000/srv\n  \
             routes:\n{routes}"
        );
        let config = declarative::parse(yaml.as_bytes(), None, &declarative::Options::default())
            .expect("the fixture is valid");
        let folder = TempDir::new().expect("a scratch folder");
        let path = folder.path().join("dbless.lmdb");
        let store = Store::open(&path, &StoreOptions::default())
            .expect("a store")
            .store;
        store
            .apply(&config, Source::default())
            .expect("the fixture is stored");
        store.verify_all().expect("the records are sound");
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            engine: Engine::new(ResponseHeaders::default(), 0),
            snapshot: store.reader().expect("a reader"),
            downstream: Downstream::new(loopback(50_000), loopback(8_000)),
            head: Vec::new(),
            _store: (store, folder),
        }
    }

    /// One exchange; returns the lengths of the two heads that were written.
    ///
    /// # Panics
    /// When the request is not forwarded.
    pub fn run(&mut self, request: &[u8]) -> (usize, usize) {
        let begun = self
            .engine
            .begin(
                Some(&self.snapshot),
                &self.downstream,
                request,
                REQUEST_ID,
                &mut self.head,
            )
            .expect("the head is whole");
        let upstream_head = self.head.len();
        assert!(upstream_head > 0, "the request is forwarded");
        let latency = Latency {
            upstream_ms: 1,
            proxy_ms: 0,
        };
        let responded = self
            .engine
            .respond(&begun, RESPONSE, latency, REQUEST_ID, &mut self.head)
            .expect("the answer is sound")
            .expect("the head is whole");
        debug_assert_eq!(responded.status, 200);
        (upstream_head, self.head.len())
    }
}
