//! Instructions of a router lookup, of a head's parsing and of one exchange through the sans-io
//! core, counted under callgrind: repeatable where wall time is not.
//!
//! Needs valgrind and `gungraun-runner` of the same release as the crate (`cargo install
//! gungraun-runner`); without them the bench says so and ends.

// What the macros of the framework write.
#![allow(missing_docs, unused_qualifications, clippy::disallowed_methods)]

use std::hint::black_box;
use std::process::Command;

use gungraun::{library_benchmark, library_benchmark_group};
use silverback_benches::exchange::{self, Exchange};
use silverback_benches::{Shape, request, store, targets};
use silverback_core::http1::head::with_request;
use silverback_core::router::Router;
use silverback_schema::snapshot::{Snapshot, Store};
use tempfile::TempDir;

/// A store and everything else that a lookup needs, so that only the lookup is counted.
struct Ready {
    snapshot: Snapshot,
    router: Router,
    target: (String, String),
    _store: (TempDir, Store),
}

fn ready(shape: Shape, total: usize) -> Ready {
    let store = store(shape, total);
    let snapshot = store.1.reader().expect("a snapshot");
    let target = targets(shape, total, 2).remove(1);
    let mut router = Router::new();
    // The first lookup grows the buffers.
    let found = router.find(&snapshot, &request(&target.0, &target.1));
    assert!(found.expect("sound records").is_some());
    Ready {
        snapshot,
        router,
        target,
        _store: store,
    }
}

#[library_benchmark]
#[bench::hosts_10(ready(Shape::Hosts, 10))]
#[bench::hosts_10_000(ready(Shape::Hosts, 10_000))]
#[bench::paths_10(ready(Shape::Paths, 10))]
#[bench::paths_10_000(ready(Shape::Paths, 10_000))]
#[bench::hosts_and_paths_10_000(ready(Shape::HostsAndPaths, 10_000))]
fn lookup(mut ready: Ready) -> Ready {
    let (host, path) = &ready.target;
    let found = ready.router.find(&ready.snapshot, &request(host, path));
    black_box(found).expect("sound records");
    // Handed back, so that taking it down is not counted.
    ready
}

/// An engine whose plans are made and whose buffers have grown.
fn warm() -> Exchange {
    let mut exchange = Exchange::new(1_000);
    for _ in 0..4 {
        exchange.run(exchange::REQUEST);
        exchange.run(exchange::BROWSER_REQUEST);
    }
    exchange
}

#[library_benchmark]
#[bench::wrk(warm(), exchange::REQUEST)]
#[bench::browser(warm(), exchange::BROWSER_REQUEST)]
fn one_exchange(mut exchange: Exchange, request: &[u8]) -> Exchange {
    black_box(exchange.run(black_box(request)));
    exchange
}

#[library_benchmark]
#[bench::wrk(exchange::REQUEST)]
#[bench::browser(exchange::BROWSER_REQUEST)]
fn request_head(head: &[u8]) -> usize {
    let fields = with_request(black_box(head), |head| head.headers.len());
    fields.ok().flatten().unwrap_or_default()
}

library_benchmark_group!(name = lookups; benchmarks = lookup);
library_benchmark_group!(name = exchanges; benchmarks = one_exchange, request_head);

mod counted {
    use super::{exchanges, lookups};

    gungraun::main!(library_benchmark_groups = lookups, exchanges);

    pub(super) fn run() {
        main();
    }
}

fn main() {
    // The runner calls this program again, for one bench and with an empty environment.
    if std::env::args().any(|argument| argument.starts_with("--gungraun")) {
        return counted::run();
    }
    let is_runner_there = option_env!("GUNGRAUN_RUNNER").is_some() || runs("gungraun-runner");
    if !runs("valgrind") {
        eprintln!("skipped: valgrind is not installed");
    } else if !is_runner_there {
        eprintln!("skipped: gungraun-runner is not installed (cargo install gungraun-runner)");
    } else {
        counted::run();
    }
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
