//! Requests reach the right upstream; the details are in `tests/compat`.

use silverback_tests::{Gateway, Upstream, gateway::declarative, http::Connection, port};

fn with_rules(upstream: &Upstream) -> Gateway {
    let port = upstream.port;
    Gateway::started(&format!(
        r#"
_format_version: "3.0"
services:
- name: one
  url: http://127.0.0.1:{port}/one
  routes:
  - {{ name: path, paths: [/p] }}
  - {{ name: kept, paths: [/kept], strip_path: false }}
  - {{ name: host, hosts: [h.test], preserve_host: true }}
  - {{ name: method, paths: [/m], methods: [POST] }}
"#
    ))
}

#[test]
fn paths_hosts_and_methods_choose_the_route() {
    let upstream = Upstream::start("one");
    let gateway = with_rules(&upstream);
    assert_eq!(gateway.get("/p/rest?q=1").json()["path"], "/one/rest?q=1");
    assert_eq!(gateway.get("/kept/rest").json()["path"], "/one/kept/rest");
    let by_host = gateway.get_with("/any", &[("Host", "h.test")]).json();
    assert_eq!(by_host["path"], "/one/any");
    assert_eq!(by_host["headers"]["host"], "h.test");
    assert_eq!(gateway.get("/m").status, 404);
    let mut connection = Connection::open(gateway.proxy_port).expect("it serves");
    let posted = connection
        .request("POST", "/m", &[], b"hello")
        .expect("an answer")
        .json();
    assert_eq!(
        (&posted["method"], &posted["body"]),
        (&"POST".into(), &"hello".into())
    );
}

#[test]
fn no_route_is_404_and_no_upstream_is_502() {
    let gateway = Gateway::started(&declarative(&[("/dead", port::free(), "")]));
    let missing = gateway.get("/nothing");
    assert_eq!(missing.status, 404);
    assert_eq!(
        missing.json()["message"],
        "no Route matched with those values"
    );
    assert_eq!(gateway.get("/dead").status, 502);
}

#[test]
fn targets_are_used_by_weight() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let gateway = Gateway::started(&format!(
        r#"
_format_version: "3.0"
services:
- name: s
  host: u.test
  routes: [{{ name: r, paths: [/] }}]
upstreams:
- name: u.test
  targets:
  - {{ target: "127.0.0.1:{}", weight: 30 }}
  - {{ target: "127.0.0.1:{}", weight: 10 }}
"#,
        one.port, two.port
    ));
    // One connection, hence one shard and one wheel.
    let mut connection = Connection::open(gateway.proxy_port).expect("it serves");
    let mut ones = 0;
    for _ in 0..40 {
        let answer = connection.get("/", &[]).expect("an answer").json();
        ones += usize::from(answer["upstream"] == "one");
    }
    assert_eq!(ones, 30);
}

#[test]
fn a_host_name_is_resolved() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&format!(
        "_format_version: \"3.0\"\nservices:\n- name: s\n  url: http://localhost:{}\n  \
         routes: [{{ name: r, paths: [/] }}]\n",
        upstream.port
    ));
    assert_eq!(gateway.get("/x").json()["path"], "/x");
}

#[test]
fn a_malformed_head_gets_400_and_a_closed_connection() {
    let gateway = Gateway::started(&declarative(&[]));
    let mut connection = Connection::open(gateway.proxy_port).expect("it serves");
    connection
        .send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
        .expect("sent");
    assert_eq!(connection.response(false).expect("an answer").status, 400);
    assert!(connection.is_closed().expect("it closes"));
}

// conf-cli-ops 10.149
#[test]
fn headers_that_ask_for_timing_do_not_reach_the_upstream() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/")]));
    let asked = [
        ("X-Kong-Request-Debug", "*"),
        ("X-Kong-Request-Debug-Log", "true"),
        ("X-Kong-Request-Debug-Token", "secret"),
        ("X-Kong-Request-Debugger", "kept"),
    ];
    let seen = gateway.get_with("/", &asked).json()["headers"].clone();
    let seen = seen.as_object().expect("the upstream tells its headers");
    let names: Vec<String> = seen.keys().map(|name| name.to_lowercase()).collect();
    for (name, value) in asked {
        let is_kept = names.contains(&name.to_lowercase());
        assert_eq!(is_kept, value == "kept", "{name}: {names:?}");
    }
}

// conf-cli-ops 10.165
#[test]
fn a_reference_in_a_field_that_takes_none_is_plain_text() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::new(&format!(
        "_format_version: \"3.0\"\nservices:\n- host: 127.0.0.1\n  port: {}\n  routes:\n  \
         - headers: {{secret: [\"{{vault://env/choice}}\"]}}\n",
        upstream.port
    ));
    let start = gateway.prepared("start").env("CHOICE", "secret").output();
    assert!(start.expect("it runs").status.success());
    let status = |value| gateway.get_with("/", &[("Secret", value)]).status;
    assert_eq!(status("{vault://env/choice}"), 200);
    assert_eq!(status("secret"), 404);
}
