//! Which ports a node opens, and what its answers say of it.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use silverback_tests::{
    Gateway, Upstream,
    gateway::{declarative, show},
    http::Connection,
    skip,
};

/// A gateway with these settings and one route, `/`.
fn started(upstream: &Upstream, settings: impl Fn(&Gateway) -> String) -> Gateway {
    let gateway = Gateway::new(&declarative(&[("/", upstream.port, "/")]));
    gateway.set(&settings(&gateway));
    let output = gateway.run("start");
    assert!(output.status.success(), "{}", show(&output));
    gateway
}

// conf-cli-ops 10.65
#[test]
fn a_proxy_that_is_off_opens_no_port_and_the_admin_api_serves() {
    let upstream = Upstream::start("one");
    for further in [false, true] {
        let gateway = started(&upstream, |gateway| match further {
            true => format!("proxy_listen = off, 127.0.0.1:{}", gateway.proxy_port),
            false => "proxy_listen = off".to_owned(),
        });
        assert!(Connection::open(gateway.proxy_port).is_err());
        assert_eq!(gateway.admin("GET", "/status", &[], b"").status, 200);
    }
}

// conf-cli-ops 10.66
#[test]
fn an_admin_api_that_is_off_opens_no_port_and_the_proxy_serves() {
    let upstream = Upstream::start("one");
    let gateway = started(&upstream, |_| "admin_listen = off".to_owned());
    assert!(Connection::open(gateway.admin_port).is_err());
    assert_eq!(gateway.get("/").status, 200);
}

// conf-cli-ops 10.69
#[test]
fn a_listener_may_have_an_ipv6_address() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return skip("a listener on [::1]; needs IPv6");
    }
    let upstream = Upstream::start("one");
    let gateway = started(&upstream, |gateway| {
        format!("proxy_listen = [::1]:{}", gateway.proxy_port)
    });
    let mut stream = TcpStream::connect(("::1", gateway.proxy_port)).expect("it listens");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is text");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(Connection::open(gateway.proxy_port).is_err(), "IPv4 too");
}

// conf-cli-ops 10.28
#[test]
fn answers_say_nothing_of_the_gateway_where_headers_are_off() {
    const RELAYED: [&str; 4] = [
        "via",
        "x-kong-proxy-latency",
        "x-kong-upstream-latency",
        "x-kong-request-id",
    ];
    const OWN: [&str; 2] = ["server", "x-kong-request-id"];
    let upstream = Upstream::start("one");
    for (setting, are_there) in [("", true), ("headers = off", false)] {
        let gateway = started(&upstream, |_| setting.to_owned());
        let answer = gateway.get("/");
        assert_eq!(answer.status, 200, "{}", answer.text());
        for name in RELAYED {
            assert_eq!(
                answer.header(name).is_some(),
                are_there,
                "{setting}: {name}"
            );
        }
        gateway.declare(&declarative(&[]));
        gateway.reload();
        let own = gateway.get("/");
        assert_eq!(own.status, 404, "{}", own.text());
        for name in OWN {
            assert_eq!(own.header(name).is_some(), are_there, "{setting}: {name}");
        }
    }
}
