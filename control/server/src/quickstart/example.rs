//! The example routes, and the requests that show them.

use super::Ports;

/// One thing to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example {
    /// What it shows.
    pub(super) what: &'static str,
    /// Where it goes.
    pub(super) to: Side,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// A Host header other than the address.
    pub(super) host: Option<&'static str>,
    /// How often it is sent, on one connection.
    pub(super) times: usize,
    /// Status of the answers.
    pub(super) status: u16,
    /// What each answer's body contains.
    pub(super) contains: &'static [&'static str],
    /// What the bodies together contain.
    pub(super) together: &'static [&'static str],
}

/// Which listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Proxy,
    Admin,
}

impl Side {
    pub(super) fn port(self, ports: Ports) -> u16 {
        match self {
            Self::Proxy => ports.proxy,
            Self::Admin => ports.admin,
        }
    }
}

impl Example {
    const PLAIN: Self = Self {
        what: "",
        to: Side::Proxy,
        method: "GET",
        path: "/",
        host: None,
        times: 1,
        status: 200,
        contains: &[],
        together: &[],
    };

    /// The command line that sends it.
    pub(super) fn curl(&self, ports: Ports) -> String {
        let mut line = "curl -i".to_owned();
        if self.method != "GET" {
            line += &format!(" -X {}", self.method);
        }
        if let Some(host) = self.host {
            line += &format!(" -H 'Host: {host}'");
        }
        let url = format!(" 'http://127.0.0.1:{}{}'", self.to.port(ports), self.path);
        line + &url.repeat(self.times)
    }
}

/// Everything to try, in the order of a tour.
pub(super) fn all() -> Vec<Example> {
    let plain = Example::PLAIN;
    vec![
        Example {
            what: "by path: /echo is taken off, the rest goes to the upstream",
            path: "/echo/hello?name=you",
            contains: &[
                r#""path": "/hello?name=you""#,
                r#""x-forwarded-path": "/echo/hello""#,
            ],
            ..plain
        },
        Example {
            what: "by path, kept as it is (strip_path: false)",
            path: "/kept/hello",
            contains: &[r#""path": "/kept/hello""#],
            ..plain
        },
        Example {
            what: "by host, and the upstream sees it too (preserve_host: true)",
            path: "/anything",
            host: Some("demo.example"),
            contains: &[r#""host": "demo.example""#],
            ..plain
        },
        Example {
            what: "by method: only POST finds this route",
            method: "POST",
            path: "/submit",
            contains: &[r#""method": "POST""#],
            ..plain
        },
        Example {
            what: "two targets in turn: blue, green",
            path: "/balanced",
            times: 2,
            together: &[r#""upstream": "blue""#, r#""upstream": "green""#],
            ..plain
        },
        Example {
            what: "no route",
            path: "/nothing",
            status: 404,
            contains: &["no Route matched with those values"],
            ..plain
        },
        Example {
            what: "how the node is",
            to: Side::Admin,
            path: "/status",
            contains: &["total_requests", "configuration_hash"],
            ..plain
        },
    ]
}

/// `kong.yml` of the demonstration.
pub(super) fn declarative(ports: Ports) -> String {
    let Ports { blue, green, .. } = ports;
    format!(
        r#"# Example routes of `silverback quickstart`; written again at each of its starts.
_format_version: "3.0"
_transform: true

services:
- name: demo
  url: http://127.0.0.1:{blue}
  routes:
  - name: echo              # /echo/hello goes to the upstream as /hello
    paths: [/echo]
  - name: kept              # /kept/hello stays /kept/hello
    paths: [/kept]
    strip_path: false
  - name: by-host           # any path, for this host only
    hosts: [demo.example]
    preserve_host: true
  - name: post-only
    paths: [/submit]
    methods: [POST]
  - name: page              # HTML, a stylesheet and a picture for the browser
    paths: [/page]
    strip_path: false

- name: balanced
  host: demo.upstream       # the upstream below
  routes:
  - name: balanced
    paths: [/balanced]

upstreams:
- name: demo.upstream
  targets:
  - target: 127.0.0.1:{blue}
    weight: 100
  - target: 127.0.0.1:{green}
    weight: 100
"#
    )
}
