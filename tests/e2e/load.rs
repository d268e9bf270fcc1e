//! Reloads under load lose no request and give no wrong answer.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use silverback_tests::{Gateway, Upstream, gateway::declarative, http::Connection};

const RELOADS: u64 = 200;
const CONNECTIONS: usize = 8;

/// Which configurations an answer may come from: those between the last that was surely running when
/// the request was sent, and the last that had begun when the answer came.
struct Versions {
    running: AtomicU64,
    begun: AtomicU64,
    is_over: AtomicBool,
}

fn configuration(upstream: &Upstream, version: u64) -> String {
    // Another number of other routes each time, so that records move.
    let paths: Vec<String> = (0..version % 17)
        .map(|n| format!("/other/{version}/{n}"))
        .collect();
    let to = format!("/version/{version}");
    let mut routes = vec![("/v", upstream.port, to.as_str())];
    routes.extend(paths.iter().map(|p| (p.as_str(), upstream.port, "/other")));
    declarative(&routes)
}

fn ask_on_and_on(port: u16, versions: &Versions) -> u64 {
    let mut connection = Connection::open(port).expect("it serves");
    let mut answers = 0;
    while !versions.is_over.load(Ordering::SeqCst) {
        let oldest = versions.running.load(Ordering::SeqCst);
        let answer = connection.get("/v", &[]).expect("no request is lost");
        let newest = versions.begun.load(Ordering::SeqCst);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let path = answer.json()["path"].as_str().expect("a text").to_owned();
        let version: u64 = path
            .strip_prefix("/version/")
            .and_then(|v| v.parse().ok())
            .unwrap_or_else(|| panic!("a wrong answer: {path}"));
        assert!(
            (oldest..=newest).contains(&version),
            "version {version} answered, though {oldest} was running and {newest} had begun"
        );
        answers += 1;
        if answer.header("connection") == Some("close") {
            // Told to, after as many requests as one connection may carry.
            connection = Connection::open(port).expect("it serves");
        }
    }
    answers
}

// conf-cli-ops 10.119
#[test]
fn reloads_under_load_lose_and_falsify_nothing() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&configuration(&upstream, 0));
    let versions = Versions {
        running: AtomicU64::new(0),
        begun: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    };
    let port = gateway.proxy_port;
    thread::scope(|scope| {
        let askers: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| ask_on_and_on(port, &versions)))
            .collect();
        for version in 1..=RELOADS {
            gateway.declare(&configuration(&upstream, version));
            versions.begun.store(version, Ordering::SeqCst);
            gateway.reload();
            versions.running.store(version, Ordering::SeqCst);
        }
        versions.is_over.store(true, Ordering::SeqCst);
        let answers: Vec<u64> = askers
            .into_iter()
            .map(|a| a.join().expect("every answer was right"))
            .collect();
        assert!(
            answers.iter().all(|n| *n > 0),
            "every connection was served: {answers:?}"
        );
    });
}
