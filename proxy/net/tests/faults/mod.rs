//! What clients, upstreams and jobs do wrong or at the wrong moment, and what must come of it.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use silverback_proxy::{Full, Job, JobQueue, Resolved};
use silverback_schema::snapshot::StoreOptions;

use crate::harness::{DRIVERS, Gateway, Upstream, config, eventually, ok};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// The configuration with a service of that host name.
fn by_name(name: &str, port: u16) -> String {
    config(port, "").replace("host: 127.0.0.1", &format!("host: {name}"))
}

/// Answers each question with the loopback address, when `before` returns.
struct Gate<F> {
    before: F,
    ttl: Duration,
    is_blocking: bool,
}

impl<F: Fn() + Send + Sync + Clone + 'static> JobQueue for Gate<F> {
    fn submit(&self, job: Job) -> Result<(), Full> {
        let Job::Resolve { port, reply, .. } = job;
        let (before, ttl) = (self.before.clone(), self.ttl);
        let answer = move || {
            before();
            reply.send(Ok(Resolved {
                addresses: vec![SocketAddr::from(([127, 0, 0, 1], port))],
                ttl,
            }));
        };
        if self.is_blocking {
            answer();
        } else {
            thread::spawn(answer);
        }
        Ok(())
    }
}

#[test]
fn a_panic_ends_its_exchange_only() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("alive"));
        let yaml = format!(
            "{}- name: p\n  host: panic.test\n  routes:\n  - name: p\n    paths: [/panic]\n",
            config(upstream.port, "")
        );
        let gateway = Gateway::start(driver, &yaml);
        let mut other = gateway.connect();
        assert_eq!(other.get("/").text(), "alive");
        for _ in 0..3 {
            let mut unlucky = gateway.connect();
            // With a body that nobody reads: the answer must arrive all the same.
            unlucky.send(
                "POST /panic HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nonly a part",
            );
            let response = unlucky.response();
            assert_eq!(response.status, 500);
            assert_eq!(response.header("connection"), Some("close"));
            assert!(unlucky.is_closed());
            assert_eq!(other.get("/").text(), "alive");
        }
        let stats = gateway.proxy.as_ref().expect("it runs").stats();
        eventually("the connections are counted out", || {
            let stats = stats();
            (stats.active, stats.writing, stats.reading) == (1, 0, 0)
        });
    }
}

#[test]
fn an_interim_response_does_not_spoil_the_next_try() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, number| {
            while connection.request().is_some() {
                connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
                if number == 0 {
                    return;
                }
                connection.send(&ok("second try"));
            }
        });
        let more = "  retries: 1\n  read_timeout: 2000\n";
        let gateway = Gateway::start(driver, &config(upstream.port, more));
        let response = gateway.connect().get("/");
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "second try")
        );
        let heads = upstream.requests.lock().expect("no panic");
        assert_eq!(heads.len(), 2);
        assert_eq!(heads[0], heads[1]);
    }
}

#[test]
fn a_response_that_nobody_asked_for_is_never_an_answer() {
    for driver in DRIVERS {
        let (go, wait) = mpsc::sync_channel::<()>(16);
        let (done, is_done) = mpsc::sync_channel::<()>(16);
        let wait = Mutex::new(wait);
        let upstream = Upstream::start(move |connection, number| {
            connection.request();
            connection.send(&ok(&format!("asked {number}")));
            if number == 0 {
                let _ = wait.lock().expect("no panic").recv();
                connection.send(&ok("not asked for"));
                let _ = done.send(());
            }
            while connection.request().is_some() {
                connection.send(&ok("asked again"));
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let start = Instant::now();
        assert_eq!(client.get("/").text(), "asked 0");
        go.send(()).expect("the upstream waits");
        is_done.recv().expect("the upstream runs");
        eventually("it counts as idle", || start.elapsed().as_millis() > 10);
        assert_eq!(client.get("/").text(), "asked 1");
    }
}

#[test]
fn requests_that_cannot_be_repeated_do_not_meet_dead_connections() {
    for driver in DRIVERS {
        let (closed, is_closed) = mpsc::sync_channel::<()>(16);
        let upstream = Upstream::start(move |connection, _| {
            connection.request();
            connection.send(&ok("once"));
            let _ = connection.stream.shutdown(std::net::Shutdown::Both);
            let _ = closed.send(());
        });
        let gateway = Gateway::start(driver, &config(upstream.port, "  retries: 0\n"));
        let mut client = gateway.connect();
        for round in 0..20 {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
            assert_eq!(client.response().status, 200, "round {round}");
            is_closed.recv().expect("the upstream runs");
        }
    }
}

#[test]
fn an_answer_that_comes_before_the_body_s_end_reaches_the_client() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            let mut some = [0; 1024];
            let _ = connection.stream.read(&mut some);
            connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\n\r\ntoo much");
            // Closing with unread bytes resets the connection.
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let mut sender = client.stream.try_clone().expect("a second handle");
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
        let sending = thread::spawn(move || {
            // The gateway stops reading at some time.
            while sender.write_all(&[b'x'; 65_536]).is_ok() {}
        });
        let response = client.response();
        assert_eq!(
            (response.status, response.text().as_str()),
            (413, "too much")
        );
        assert_eq!(response.header("connection"), Some("close"));
        sending.join().expect("the client sends");
    }
}

#[test]
fn an_answer_is_not_lost_when_more_was_sent_than_is_read() {
    for driver in DRIVERS {
        let body = "x".repeat(3_000_000);
        let upstream = Upstream::answering(ok(&body));
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        client.send(&format!("{last}{}", GET.repeat(100)));
        let response = client.response();
        assert_eq!(response.body.len(), body.len());
        assert!(client.is_closed());
    }
}

#[test]
fn a_client_that_sends_nothing_more_is_still_answered() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("all the same"));
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        client.send(&GET.repeat(2));
        client
            .stream
            .shutdown(std::net::Shutdown::Write)
            .expect("it is open");
        for _ in 0..2 {
            assert_eq!(client.response().text(), "all the same");
        }
        assert!(client.is_closed());
    }
}

#[test]
fn a_client_that_vanishes_leaves_no_half_read_upstream_connection() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, number| {
            while connection.request().is_some() {
                let size = if number == 0 { 30_000_000 } else { 5 };
                connection.send(&ok(&"x".repeat(size)));
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        client.send(GET);
        let mut some = [0; 1024];
        client.stream.read_exact(&mut some).expect("a first piece");
        drop(client);
        let stats = gateway.proxy.as_ref().expect("it runs").stats();
        eventually("the exchange ends", || stats().active == 0);
        assert_eq!(gateway.connect().get("/").text(), "xxxxx");
        assert_eq!(upstream.connections.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn requests_behind_bodies_are_not_taken_for_bodies() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            while let Some((head, body)) = connection.request() {
                let line = head.lines().next().unwrap_or_default();
                connection.send(&ok(&format!("{line} {}", String::from_utf8_lossy(&body))));
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        client.send(
            "PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\
             PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n\
             PUT /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n\
             GET /4 HTTP/1.1\r\nHost: a\r\n\r\n",
        );
        assert_eq!(client.response().text(), "PUT /1 HTTP/1.1 hi");
        assert_eq!(
            client.response().text(),
            "PUT /2 HTTP/1.1 2\r\nho\r\n0\r\n\r\n"
        );
        assert_eq!(client.response().text(), "PUT /3 HTTP/1.1 ");
        assert_eq!(client.response().text(), "GET /4 HTTP/1.1 ");
    }
}

#[test]
fn an_old_client_that_asks_keeps_its_connection() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("old"));
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        for _ in 0..3 {
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            let response = client.response();
            assert_eq!(response.header("connection"), Some("keep-alive"));
            assert_eq!(response.text(), "old");
        }
    }
}

#[test]
fn tiny_chunks_are_unwrapped_in_linear_time() {
    for driver in DRIVERS {
        let count = 1_000_000;
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        answer.extend_from_slice("1\r\nx\r\n".repeat(count).as_bytes());
        answer.extend_from_slice(b"0\r\n\r\n");
        let upstream = Upstream::answering(answer);
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let start = Instant::now();
        let response = client.send("GET / HTTP/1.0\r\n\r\n").response();
        assert_eq!(response.body.len(), count);
        // Quadratic work takes several times as long.
        assert!(
            start.elapsed() < Duration::from_secs(4),
            "{:?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_drain_waits_for_exchanges_that_wait_for_a_name() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("resolved late"));
        let barrier = Arc::new(Barrier::new(2));
        let inside = Arc::clone(&barrier);
        let jobs = Gate {
            before: move || {
                inside.wait(); // the question has been asked
                inside.wait(); // the drain has been ordered
            },
            ttl: Duration::from_secs(60),
            is_blocking: false,
        };
        let yaml = by_name("late.test", upstream.port);
        let mut gateway = Gateway::start_with(driver, &yaml, Arc::new(jobs));
        let mut idle = gateway.connect();
        let mut client = gateway.connect();
        client.send(GET);
        barrier.wait();
        let proxy = gateway.proxy.take().expect("it runs");
        proxy.drain();
        // The order was seen when the idle connection is closed.
        assert!(idle.is_closed());
        barrier.wait();
        let response = client.response();
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "resolved late")
        );
        proxy.join().expect("the shard ends in order");
    }
}

#[test]
fn a_drain_answers_the_requests_of_connections_not_yet_accepted() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("in time"));
        let barrier = Arc::new(Barrier::new(2));
        let inside = Arc::clone(&barrier);
        let jobs = Gate {
            before: move || {
                inside.wait(); // the shard stands still
                inside.wait(); // the others have connected and the drain has been ordered
            },
            ttl: Duration::from_secs(60),
            is_blocking: true,
        };
        let yaml = format!(
            "{}- name: n\n  host: still.test\n  port: {}\n  routes:\n  - name: n\n    paths: [/n]\n",
            config(upstream.port, ""),
            upstream.port
        );
        let mut gateway = Gateway::start_with(driver, &yaml, Arc::new(jobs));
        let mut first = gateway.connect();
        first.send("GET /n HTTP/1.1\r\nHost: a\r\n\r\n");
        barrier.wait();
        let mut others: Vec<_> = (0..20).map(|_| gateway.connect()).collect();
        for other in &mut others {
            other.send(GET);
        }
        let proxy = gateway.proxy.take().expect("it runs");
        proxy.drain();
        barrier.wait();
        assert_eq!(first.response().text(), "in time");
        for other in &mut others {
            assert_eq!(other.response().text(), "in time");
            assert!(other.is_closed());
        }
        proxy.join().expect("the shard ends in order");
    }
}

/// The configuration with so many routes more.
fn with_routes(port: u16, count: usize) -> String {
    use std::fmt::Write as _;
    let mut yaml = config(port, "");
    for number in 0..count {
        write!(yaml, "  - name: r{number}\n    paths: [/r{number}]\n").expect("memory");
    }
    yaml
}

#[test]
fn the_map_grows_while_shards_are_idle_and_after_they_have_ended() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("x"));
        let options = StoreOptions {
            map_bytes: 1 << 20,
            grow_patience: Duration::from_secs(2),
        };
        let mut gateway = Gateway::start_small(&options, driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        assert_eq!(client.get("/").status, 200);
        let bytes_at_first = gateway.store.map_usage().0;
        gateway.apply(&with_routes(upstream.port, 2_000));
        let bytes_while_idle = gateway.store.map_usage().0;
        assert!(bytes_while_idle > bytes_at_first);
        assert_eq!(client.get("/r1999").status, 200);
        let proxy = gateway.proxy.take().expect("it runs");
        proxy.stop();
        assert!(client.is_closed());
        proxy.join().expect("the shard ends in order");
        gateway.apply(&with_routes(upstream.port, 10_000));
        assert!(gateway.store.map_usage().0 > bytes_while_idle);
    }
}

#[test]
fn an_expired_name_is_asked_for_once_while_others_use_the_old_answer() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("old address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let (release, held) = mpsc::sync_channel::<()>(16);
        let held = Arc::new(Mutex::new(held));
        let counter = Arc::clone(&asked);
        let jobs = Gate {
            before: move || {
                if counter.fetch_add(1, Ordering::SeqCst) > 0 {
                    let _ = held.lock().expect("no panic").recv();
                }
            },
            ttl: Duration::ZERO,
            is_blocking: false,
        };
        let yaml = by_name("busy.test", upstream.port);
        let gateway = Gateway::start_with(driver, &yaml, Arc::new(jobs));
        let start = Instant::now();
        assert_eq!(gateway.connect().get("/").text(), "old address");
        eventually("the answer expires", || start.elapsed().as_millis() > 50);
        let mut asking = gateway.connect();
        asking.send(GET);
        eventually("it asks again", || asked.load(Ordering::SeqCst) == 2);
        for _ in 0..5 {
            assert_eq!(gateway.connect().get("/").text(), "old address");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        release.send(()).expect("the question waits");
        assert_eq!(asking.response().text(), "old address");
    }
}
