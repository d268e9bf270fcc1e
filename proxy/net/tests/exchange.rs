//! Exchanges over real sockets, on io_uring and on epoll.

mod faults;
mod harness;

use std::{
    io::Write,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use harness::{DRIVERS, Gateway, Upstream, config, eventually, ok};

#[test]
fn requests_of_one_connection_share_an_upstream_connection() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("hello"));
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        for _ in 0..5 {
            let response = client.get("/x?y=1");
            assert_eq!((response.status, response.text().as_str()), (200, "hello"));
            assert_eq!(response.header("connection"), Some("keep-alive"));
        }
        assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
        let heads = upstream.requests.lock().expect("no panic");
        assert!(
            heads[0].starts_with("GET /x?y=1 HTTP/1.1\r\n"),
            "{}",
            heads[0]
        );
        assert!(
            heads[0].contains("X-Forwarded-For: 127.0.0.1\r\n"),
            "{}",
            heads[0]
        );
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            while let Some((head, _)) = connection.request() {
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                connection.send(&ok(&path));
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let one = |n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.send(&(0..50).map(one).collect::<String>());
        for n in 0..50 {
            assert_eq!(client.response().text(), format!("/{n}"));
        }
    }
}

#[test]
fn bodies_of_any_size_and_framing_arrive_whole_in_both_directions() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            while let Some((head, body)) = connection.request() {
                let is_chunked = head.contains("Transfer-Encoding: chunked");
                let answer = if is_chunked {
                    body
                } else {
                    echo_chunked(&body)
                };
                if is_chunked {
                    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                }
                connection.send(&answer);
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        for size in [0_usize, 1, 100, 2_047, 2_048, 65_536, 1_000_000] {
            let body: String = (0..size)
                .map(|at| char::from(b"abcdefghijklmnopqrstuvw"[at % 23]))
                .collect();
            let head = "POST / HTTP/1.1\r\nHost: a\r\n";
            client.send(&format!("{head}Content-Length: {size}\r\n\r\n"));
            client
                .stream
                .write_all(body.as_bytes())
                .expect("the body is taken");
            assert_eq!(client.response().text(), body, "length, {size} bytes");
            if size > 0 {
                client.send(&format!(
                    "{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n"
                ));
                client
                    .stream
                    .write_all(body.as_bytes())
                    .expect("the body is taken");
                client.send("\r\n0\r\n\r\n");
                assert_eq!(client.response().text(), body, "chunked, {size} bytes");
            }
        }
    }
}

/// A chunked response with this body, in chunks of odd sizes.
fn echo_chunked(body: &[u8]) -> Vec<u8> {
    let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in body.chunks(7_001) {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

#[test]
fn a_body_that_ends_with_the_upstream_s_close_is_framed_for_the_client() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            connection.request();
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n");
            connection.send(&[b'x'; 200_000]);
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        for _ in 0..2 {
            let response = client.get("/");
            assert_eq!(response.header("transfer-encoding"), Some("chunked"));
            assert_eq!(response.body.len(), 200_000);
        }
    }
}

#[test]
fn an_old_client_gets_chunks_unwrapped_and_a_close() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            connection.request();
            connection.send(&echo_chunked(&[b'y'; 50_000]));
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let response = client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").response();
        assert_eq!(response.header("transfer-encoding"), None);
        assert_eq!(response.header("connection"), Some("close"));
        assert_eq!(response.body, [b'y'; 50_000]);
    }
}

#[test]
fn head_and_bodiless_statuses_keep_their_length_but_have_no_body() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            while let Some((head, _)) = connection.request() {
                connection.send(match head.starts_with("HEAD") {
                    true => b"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n".as_slice(),
                    false => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 42\r\n\r\n",
                });
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        let response = client.response_to("HEAD");
        assert_eq!(
            (response.status, response.header("content-length")),
            (200, Some("42"))
        );
        let response = client.get("/");
        assert_eq!(
            (response.status, response.header("content-length")),
            (304, Some("42"))
        );
    }
}

#[test]
fn the_client_is_told_to_continue_and_interim_responses_are_not_passed() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            while connection.request().is_some() {
                connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
                connection.send(&ok("done"));
            }
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        );
        assert_eq!(client.response().status, 100);
        let response = client.send("hi").response();
        assert_eq!((response.status, response.text().as_str()), (200, "done"));
    }
}

#[test]
fn a_kept_connection_that_died_is_replaced_unseen() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            connection.request();
            connection.send(&ok("once"));
        });
        let gateway = Gateway::start(driver, &config(upstream.port, "  retries: 0\n"));
        let mut client = gateway.connect();
        for _ in 0..20 {
            assert_eq!(client.get("/").status, 200);
        }
        assert_eq!(upstream.connections.load(Ordering::SeqCst), 20);
    }
}

#[test]
fn a_refusing_target_is_passed_over() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("alive"));
        let yaml = format!(
            "_format_version: '3.0'\nupstreams:\n- name: u\n  targets:\n  - target: 127.0.0.1:{}\n  \
             - target: 127.0.0.1:{}\nservices:\n- name: s\n  host: u\n  routes:\n  - name: r\n    \
             paths: [/]\n",
            Upstream::closed_port(),
            upstream.port
        );
        let gateway = Gateway::start(driver, &yaml);
        let mut client = gateway.connect();
        for _ in 0..6 {
            assert_eq!(client.get("/").text(), "alive");
        }
    }
}

#[test]
fn weights_are_kept_exactly() {
    for driver in DRIVERS {
        let (one, two) = (Upstream::answering(ok("1")), Upstream::answering(ok("2")));
        let yaml = format!(
            "_format_version: '3.0'\nupstreams:\n- name: u\n  targets:\n  - target: 127.0.0.1:{}\n    \
             weight: 30\n  - target: 127.0.0.1:{}\n    weight: 10\nservices:\n- name: s\n  host: u\n  \
             routes:\n  - name: r\n    paths: [/]\n",
            one.port, two.port
        );
        let gateway = Gateway::start(driver, &yaml);
        let mut client = gateway.connect();
        let ones = (0..40).filter(|_| client.get("/").text() == "1").count();
        assert_eq!(ones, 30);
    }
}

#[test]
fn failures_of_the_upstream_have_kong_s_statuses() {
    for driver in DRIVERS {
        let silent = Upstream::start(|connection, _| while connection.request().is_some() {});
        let garbage = Upstream::answering("SSH-2.0-OpenSSH\r\n\r\n");
        let ambiguous = Upstream::answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        );
        let closing = Upstream::start(|connection, _| drop(connection.request()));
        for (port, status) in [
            (Upstream::closed_port(), 502),
            (garbage.port, 502),
            (ambiguous.port, 502),
            (closing.port, 502),
            (silent.port, 504),
        ] {
            let more = "  retries: 1\n  read_timeout: 300\n";
            let gateway = Gateway::start(driver, &config(port, more));
            let response = gateway.connect().get("/");
            assert_eq!(response.status, status, "{}", response.text());
            assert!(
                response.header("x-kong-proxy-latency").is_some(),
                "{}",
                response.head
            );
            assert!(response.header("via").is_some(), "{}", response.head);
        }
    }
}

#[test]
fn an_answer_that_breaks_off_closes_the_client_s_connection() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            connection.request();
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        });
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut client = gateway.connect();
        let mut seen = Vec::new();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        std::io::Read::read_to_end(&mut client.stream, &mut seen).expect("a close in order");
        assert!(
            seen.ends_with(b"only this"),
            "{}",
            String::from_utf8_lossy(&seen)
        );
    }
}

#[test]
fn names_are_resolved_by_the_agent() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("by name"));
        let of = |host: &str| config(upstream.port, "").replace("127.0.0.1", host);
        let gateway = Gateway::start(driver, &of("loopback.test"));
        assert_eq!(gateway.connect().get("/").text(), "by name");
        let heads = upstream.requests.lock().expect("no panic").clone();
        assert!(heads[0].contains(&format!("Host: loopback.test:{}\r\n", upstream.port)));
        gateway.apply(&of("missing.test"));
        let response = gateway.connect().get("/");
        assert_eq!(response.status, 503);
        assert!(
            response.text().contains("name resolution failed"),
            "{}",
            response.text()
        );
        gateway.apply(&of("broken.test"));
        let response = gateway.connect().get("/");
        assert_eq!(response.status, 500);
        assert!(
            response.text().contains("server failure"),
            "{}",
            response.text()
        );
    }
}

#[test]
fn malformed_requests_get_400_and_a_close() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("never"));
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        for request in [
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            "get / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(),
            "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
            "\x16\x03\x01\x02\x00\x01 and no line end ever".to_owned(),
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
                "x".repeat(40_000)
            ),
        ] {
            let mut client = gateway.connect();
            let response = client.send(&request).response();
            assert_eq!(
                response.status,
                400,
                "{:?}",
                &request[..request.len().min(60)]
            );
            assert_eq!(response.header("connection"), Some("close"));
            assert!(client.is_closed());
        }
        assert_eq!(upstream.connections.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn a_new_configuration_is_served_at_the_next_request() {
    for driver in DRIVERS {
        let (one, two) = (Upstream::answering(ok("1")), Upstream::answering(ok("2")));
        let gateway = Gateway::start(driver, &config(one.port, ""));
        let mut client = gateway.connect();
        for round in 0..50 {
            let (port, text) = if round % 2 == 0 {
                (two.port, "2")
            } else {
                (one.port, "1")
            };
            gateway.apply(&config(port, ""));
            assert_eq!(client.get("/").text(), text, "round {round}");
        }
        gateway.apply("_format_version: '3.0'\n");
        assert_eq!(client.get("/").status, 404);
    }
}

#[test]
fn a_drain_finishes_what_runs_and_closes_what_is_idle() {
    for driver in DRIVERS {
        let (release, held) = std::sync::mpsc::sync_channel::<()>(16);
        let held = std::sync::Mutex::new(held);
        let upstream = Upstream::start(move |connection, _| {
            connection.request();
            let _ = held.lock().expect("no panic").recv();
            connection.send(&ok("finished"));
        });
        let mut gateway = Gateway::start(driver, &config(upstream.port, ""));
        let mut idle = gateway.connect();
        assert_eq!(
            idle.send("GET / HTTP/1.0\r\n\r\n".replace("GET", "get").as_str())
                .response()
                .status,
            400
        );
        let mut idle = gateway.connect();
        let mut busy = gateway.connect();
        busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        eventually("the request arrives", || {
            !upstream.requests.lock().expect("no panic").is_empty()
        });
        let proxy = gateway.proxy.take().expect("it runs");
        proxy.drain();
        assert!(idle.is_closed());
        release.send(()).expect("the upstream waits");
        let response = busy.response();
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "finished")
        );
        assert!(busy.is_closed());
        proxy.join().expect("the shard ends in order");
    }
}

#[test]
fn a_slow_head_is_cut_off_and_deadlines_do_not_fire_early() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| while connection.request().is_some() {});
        let more = "  retries: 0\n  read_timeout: 700\n";
        let gateway = Gateway::start(driver, &config(upstream.port, more));
        let start = Instant::now();
        assert_eq!(gateway.connect().get("/").status, 504);
        assert!(
            start.elapsed() >= Duration::from_millis(700),
            "{:?}",
            start.elapsed()
        );
    }
}
