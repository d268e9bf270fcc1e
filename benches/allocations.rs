//! Allocations per kept-alive request on a shard that logs it, in steady state: none. Runs as a bench and as a
//! test; fails when there is one.

#![allow(clippy::print_stdout)] // the figure is the answer

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use silverback_core::access_log::Formats;
use silverback_proxy::{
    AccessLogConfig, DriverChoice, Full, Job, JobQueue, KeepaliveConfig, ListenAddress, LogFile,
    Proxy, ProxyConfig, ResponseHeaders,
};
use silverback_schema::declarative;
use silverback_schema::snapshot::{Source, Store, StoreOptions};

/// Requests before counting: pools fill, plans are made, tables grow.
const WARM_UP: usize = 2_000;

/// Requests that are counted.
const COUNTED: usize = 20_000;

/// Allocations on threads other than the test's own.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

#[allow(unsafe_code)] // the trait of allocators is unsafe
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn count() {
    if !IS_OURS.try_with(Cell::get).unwrap_or(true) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct NoJobs;

impl JobQueue for NoJobs {
    fn submit(&self, _: Job) -> Result<(), Full> {
        Err(Full)
    }
}

fn main() {
    // Only the shard's thread is left to be counted.
    IS_OURS.set(true);
    let upstream = upstream();
    let folder = tempfile::TempDir::new().expect("a scratch folder");
    let path = folder.path().join("dbless.lmdb");
    let store = Store::open(&path, &StoreOptions::default())
        .expect("a store")
        .store;
    let yaml = format!(
        "_format_version: '3.0'\nservices:\n- name: s\n  url: http://{upstream}/\n  routes:\n  \
         - name: r\n    paths: [/]\n"
    );
    let config = declarative::parse(yaml.as_bytes(), None, &declarative::Options::default())
        .expect("a valid configuration");
    store
        .apply(&config, Source::default())
        .expect("it is stored");
    let log = LogFile::open(&folder.path().join("access.log")).expect("a log");
    let access_log = AccessLogConfig {
        format: Formats::default()
            .find("kong_log_format")
            .expect("built in"),
        file: log.sender().clone(),
    };
    let config = proxy_config(access_log);
    let proxy = Proxy::start(config, Arc::new(store), Arc::new(NoJobs)).expect("it starts");
    let mut client = TcpStream::connect(proxy.addresses()[0]).expect("a connection");
    for _ in 0..WARM_UP {
        request(&mut client);
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..COUNTED {
        request(&mut client);
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("allocations in {COUNTED} kept-alive requests on a shard: {allocations}");
    drop(client);
    proxy.stop();
    proxy.join().expect("the shard ends in order");
    assert!(log.finish(Duration::from_secs(20)), "the log is written");
    let lines = std::fs::read(folder.path().join("access.log")).expect("a log");
    let lines = lines.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, WARM_UP + COUNTED, "each request has a line");
    assert_eq!(allocations, 0, "a kept-alive request allocates nothing");
}

fn proxy_config(access_log: AccessLogConfig) -> ProxyConfig {
    ProxyConfig {
        listeners: vec![ListenAddress {
            address: ([127, 0, 0, 1], 0).into(),
            backlog: 16,
        }],
        shards: 1,
        pin: false,
        driver: DriverChoice::Best,
        upstream_keepalive: KeepaliveConfig {
            pool_size: 8,
            requests_max: 0,
            idle_timeout: Duration::from_secs(60),
        },
        client_requests_max: u64::MAX,
        response_headers: ResponseHeaders::default(),
        access_log: Some(access_log),
        drain_timeout: Duration::from_secs(1),
    }
}

/// An upstream that answers every request with 1 KiB.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        IS_OURS.set(true);
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n".to_vec();
        answer.resize(answer.len() + 1024, b'x');
        let (mut stream, _) = listener.accept().expect("the gateway connects");
        let mut head = [0; 4096];
        while stream.read(&mut head).is_ok_and(|count| count > 0) {
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    });
    address
}

fn request(client: &mut TcpStream) {
    client
        .write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect("it is sent");
    let mut answer = [0; 4096];
    let mut len = 0;
    while !answer[..len].ends_with(&[b'x'; 1024]) {
        let count = client.read(&mut answer[len..]).expect("an answer");
        assert!(count > 0, "the gateway closed");
        len += count;
    }
}
