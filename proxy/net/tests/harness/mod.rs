//! A running data plane over a scratch store, upstreams that behave as told, and a client that
//! shows what it got.

#![allow(
    dead_code,
    reason = "each test binary uses a part of it; some parts are used by one only"
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use silverback_proxy::{
    AccessLogConfig, DriverChoice, Full, Job, JobQueue, KeepaliveConfig, ListenAddress, Proxy,
    ProxyConfig, ResolveError, Resolved, ResponseHeaders,
};
use silverback_schema::{
    declarative,
    snapshot::{Source, Store, StoreOptions},
};
use tempfile::TempDir;

/// Longest wait for anything in these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Both drivers; a test body runs on each.
pub(crate) const DRIVERS: [DriverChoice; 2] = [DriverChoice::Best, DriverChoice::Epoll];

/// A running data plane.
pub(crate) struct Gateway {
    pub proxy: Option<Proxy>,
    pub address: SocketAddr,
    pub store: Arc<Store>,
    _prefix: TempDir,
}

/// Resolves the names that tests use, at once; panics on the shard for `panic.test`.
struct Names;

impl JobQueue for Names {
    fn submit(&self, job: Job) -> Result<(), Full> {
        let Job::Resolve { name, port, reply } = job;
        assert_ne!(name, "panic.test", "a panic on the shard");
        thread::spawn(move || {
            reply.send(match name.as_str() {
                "loopback.test" => Ok(Resolved {
                    addresses: vec![SocketAddr::from(([127, 0, 0, 1], port))],
                    ttl: Duration::from_secs(1),
                }),
                "broken.test" => Err(ResolveError::Failed("server failure".to_owned())),
                _ => Err(ResolveError::NotFound),
            });
        });
        Ok(())
    }
}

impl Gateway {
    /// Serves the configuration, which is YAML, with one shard.
    pub(crate) fn start(driver: DriverChoice, yaml: &str) -> Self {
        Self::start_with(driver, yaml, Arc::new(Names))
    }

    /// The same with other ears for its jobs.
    pub(crate) fn start_with(driver: DriverChoice, yaml: &str, jobs: Arc<dyn JobQueue>) -> Self {
        Self::start_on(&StoreOptions::default(), driver, yaml, jobs, None)
    }

    /// A gateway with an access log.
    pub(crate) fn start_logging(driver: DriverChoice, yaml: &str, log: AccessLogConfig) -> Self {
        let options = StoreOptions::default();
        Self::start_on(&options, driver, yaml, Arc::new(Names), Some(log))
    }

    /// A gateway that resolves the tests' names, over a store of these options.
    pub(crate) fn start_small(options: &StoreOptions, driver: DriverChoice, yaml: &str) -> Self {
        Self::start_on(options, driver, yaml, Arc::new(Names), None)
    }

    fn start_on(
        options: &StoreOptions,
        driver: DriverChoice,
        yaml: &str,
        jobs: Arc<dyn JobQueue>,
        access_log: Option<AccessLogConfig>,
    ) -> Self {
        let prefix = TempDir::new().expect("a scratch folder");
        let path = prefix.path().join("dbless.lmdb");
        let store = Arc::new(Store::open(&path, options).expect("a store").store);
        apply(&store, yaml);
        let config = ProxyConfig {
            listeners: vec![ListenAddress {
                address: ([127, 0, 0, 1], 0).into(),
                backlog: 128,
            }],
            shards: 1,
            pin: false,
            driver,
            upstream_keepalive: KeepaliveConfig {
                pool_size: 16,
                requests_max: 10_000,
                idle_timeout: Duration::from_secs(60),
            },
            client_requests_max: 10_000,
            response_headers: ResponseHeaders::default(),
            access_log,
            drain_timeout: Duration::from_secs(5),
        };
        let proxy = Proxy::start(config, Arc::clone(&store), jobs).expect("it starts");
        store.set_waker(Box::new(proxy.wake()));
        let address = proxy.addresses()[0];
        Self {
            proxy: Some(proxy),
            address,
            store,
            _prefix: prefix,
        }
    }

    /// Replaces the configuration.
    pub(crate) fn apply(&self, yaml: &str) {
        apply(&self.store, yaml);
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(proxy) = self.proxy.take() {
            proxy.stop();
            proxy.join().expect("the shards end in order");
        }
    }
}

fn apply(store: &Store, yaml: &str) {
    let config = declarative::parse(yaml.as_bytes(), None, &declarative::Options::default())
        .expect("a valid configuration");
    store
        .apply(&config, Source::default())
        .expect("the configuration is stored");
}

/// One service to `port` with route `/`, and more lines for the service.
pub(crate) fn config(port: u16, more: &str) -> String {
    format!(
        "_format_version: '3.0'\nservices:\n- name: s\n  host: 127.0.0.1\n  port: {port}\n{more}  \
         routes:\n  - name: r\n    paths: [/]\n    strip_path: false\n"
    )
}

/// A client's connection.
pub(crate) struct Client {
    pub stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, text: &str) -> &mut Self {
        self.stream
            .write_all(text.as_bytes())
            .expect("the gateway takes bytes");
        self
    }

    /// A GET and its answer.
    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n"))
            .response()
    }

    /// Receives one response to a request that was not HEAD.
    pub(crate) fn response(&mut self) -> Response {
        self.response_to("GET")
    }

    pub(crate) fn response_to(&mut self, method: &str) -> Response {
        let end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at;
            }
            assert!(
                self.fill(),
                "closed within a head: {:?}",
                String::from_utf8_lossy(&self.received)
            );
        };
        let head = String::from_utf8(self.received[..end].to_vec()).expect("a head is text");
        self.received.drain(..end + 4);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .expect("a status");
        let mut response = Response {
            status,
            head,
            body: Vec::new(),
        };
        let has_body = method != "HEAD" && !matches!(status, 100..=199 | 204 | 304);
        if has_body {
            response.body = self.body(&response);
        }
        response
    }

    fn body(&mut self, response: &Response) -> Vec<u8> {
        if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().expect("a length");
            while self.received.len() < length {
                assert!(self.fill(), "closed within a body");
            }
            return self.received.drain(..length).collect();
        }
        if response.header("transfer-encoding") == Some("chunked") {
            return self.chunks();
        }
        while self.fill() {}
        std::mem::take(&mut self.received)
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = find(&self.received, b"\r\n") {
                    break at;
                }
                assert!(self.fill(), "closed within a chunk's length");
            };
            let text = String::from_utf8_lossy(&self.received[..line]).into_owned();
            let size = usize::from_str_radix(&text, 16).expect("a chunk size");
            while self.received.len() < line + 2 + size + 2 {
                assert!(self.fill(), "closed within a chunk");
            }
            body.extend_from_slice(&self.received[line + 2..line + 2 + size]);
            self.received.drain(..line + 2 + size + 2);
            if size == 0 {
                return body;
            }
        }
    }

    /// Whether the gateway has closed and nothing is left.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.received.is_empty() && !self.fill()
    }

    /// Receives more. False: closed.
    fn fill(&mut self) -> bool {
        let mut piece = [0; 64 * 1024];
        let count = match self.stream.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return self.fill(),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing received in time: {error}"),
        };
        self.received.extend_from_slice(&piece[..count]);
        count > 0
    }
}

/// An upstream: each connection is handled by a closure on its own thread.
pub(crate) struct Upstream {
    pub port: u16,
    pub connections: Arc<AtomicUsize>,
    /// Request heads as received, in order.
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// `behave` is called with each connection and its number, from 0.
    pub(crate) fn start(
        behave: impl Fn(&mut UpstreamConnection, usize) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (counter, heads, behave) = (
            Arc::clone(&connections),
            Arc::clone(&requests),
            Arc::new(behave),
        );
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let (behave, heads) = (Arc::clone(&behave), Arc::clone(&heads));
                thread::spawn(move || {
                    let mut connection = UpstreamConnection {
                        stream,
                        received: Vec::new(),
                        heads,
                    };
                    behave(&mut connection, number);
                });
            }
        });
        Self {
            port,
            connections,
            requests,
        }
    }

    /// Answers every request with these bytes, over connections that stay open.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |connection, _| {
            while connection.request().is_some() {
                connection.send(&answer);
            }
        })
    }

    /// A port where nobody listens.
    pub(crate) fn closed_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    }
}

/// The upstream's end of a connection.
pub(crate) struct UpstreamConnection {
    pub stream: TcpStream,
    received: Vec<u8>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl UpstreamConnection {
    /// Receives a request with its body; `None` when the gateway closed.
    pub(crate) fn request(&mut self) -> Option<(String, Vec<u8>)> {
        let end = loop {
            match find(&self.received, b"\r\n\r\n") {
                Some(at) => break at,
                None => self.fill()?,
            }
        };
        let head = String::from_utf8_lossy(&self.received[..end]).into_owned();
        self.received.drain(..end + 4);
        self.heads.lock().expect("no panic").push(head.clone());
        let lower = head.to_ascii_lowercase();
        if lower.contains("transfer-encoding: chunked") {
            while find(&self.received, b"0\r\n\r\n").is_none() {
                self.fill()?;
            }
            return Some((head, std::mem::take(&mut self.received)));
        }
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |value| value.trim().parse().expect("a length"));
        while self.received.len() < length {
            self.fill()?;
        }
        let body = self.received.drain(..length).collect();
        Some((head, body))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // The gateway may be gone already, when a test ends.
        let _ = self.stream.write_all(bytes);
    }

    fn fill(&mut self) -> Option<()> {
        let mut piece = [0; 64 * 1024];
        let count = self.stream.read(&mut piece).ok()?;
        self.received.extend_from_slice(&piece[..count]);
        (count > 0).then_some(())
    }
}

/// A response with a length.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Waits until `is_so`, or fails.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        thread::yield_now();
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
