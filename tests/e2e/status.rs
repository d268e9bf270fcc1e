//! The Status API, and what of the Admin API goes with it: readiness, draining, counters, the log
//! level, the limit of bodies. The numbers are those of Kong's behaviours.

use std::net::TcpStream;

use silverback_tests::{
    Gateway, Upstream,
    gateway::{declarative, show},
    http::{Connection, Response},
    port,
};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const YAML: [(&str, &str); 1] = [("Content-Type", "text/yaml")];

/// A node with a Status API.
struct Node {
    gateway: Gateway,
    status_port: u16,
}

impl Node {
    fn started(declared: &str, further: &str) -> Self {
        let (gateway, status_port) = (Gateway::new(declared), port::free());
        gateway.set(&format!(
            "status_listen = 127.0.0.1:{status_port}\n{further}"
        ));
        let output = gateway.run("start");
        assert!(output.status.success(), "start failed: {}", show(&output));
        Self {
            gateway,
            status_port,
        }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let connection = Connection::open(self.status_port);
        let answer = connection.and_then(|mut c| c.request(method, path, headers, body.as_bytes()));
        answer.unwrap_or_else(|e| panic!("no answer to {method} {path} of the Status API: {e}"))
    }

    fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[], "")
    }

    /// Status and message of `/status/ready`.
    fn ready(&self) -> (u16, String) {
        let answer = self.get("/status/ready");
        let message = answer.json()["message"].as_str().map(str::to_owned);
        (answer.status, message.expect("a text"))
    }

    fn hash(&self) -> String {
        let status = self.get("/status").json();
        let hash = status["configuration_hash"].as_str();
        hash.unwrap_or_else(|| panic!("no hash in {status}"))
            .to_owned()
    }

    fn drain(&self) {
        let told = self.ask("POST", "/status/ready", &JSON, r#"{"status":"draining"}"#);
        assert_eq!((told.status, told.text()), (204, String::new()));
        assert_eq!(self.ready(), (503, "draining".to_owned()));
    }
}

fn one_route(upstream: &Upstream) -> String {
    declarative(&[("/", upstream.port, "/")])
}

// conf-cli-ops 10.131
#[test]
fn status_has_seven_counters_and_the_hash() {
    let node = Node::started(&declarative(&[]), "");
    let status = node.get("/status");
    assert_eq!(status.status, 200);
    let status = status.json();
    let server = status["server"].as_object().expect("an object");
    assert_eq!(server.len(), 7, "{status}");
    for name in [
        "connections_accepted",
        "connections_active",
        "connections_handled",
        "connections_reading",
        "connections_waiting",
        "connections_writing",
        "total_requests",
    ] {
        assert!(server[name].is_u64(), "{name}: {status}");
    }
    assert!(status.get("database").is_none(), "{status}");
    let same = node.gateway.admin("GET", "/status", &[], b"").json();
    assert_eq!(same["configuration_hash"], status["configuration_hash"]);
}

// conf-cli-ops 10.132
// conf-cli-ops 10.133
#[test]
fn a_node_is_ready_from_its_first_configuration_on() {
    const ZEROS: &str = "00000000000000000000000000000000";
    let upstream = Upstream::start("one");
    let node = Node::started(&declarative(&[]), "");
    let empty = "no configuration available (empty configuration present)";
    assert_eq!(node.hash(), ZEROS);
    assert_eq!(node.ready(), (503, empty.to_owned()));
    let post = |yaml: &str| {
        let answer = node
            .gateway
            .admin("POST", "/config", &YAML, yaml.as_bytes());
        answer.status
    };
    let wrong = "_format_version: '3.0'\nservices: [{name: s}]\n";
    assert_eq!(post(wrong), 400);
    assert_eq!((node.hash(), node.ready().0), (ZEROS.to_owned(), 503));
    assert_eq!(post(&one_route(&upstream)), 201);
    let hash = node.hash();
    assert!(hash.len() == 32 && hash != ZEROS, "{hash}");
    assert_eq!(node.ready(), (200, "ready".to_owned()));
    assert_eq!(post(wrong), 400);
    assert_eq!((node.hash(), node.ready().0), (hash, 200));
}

// conf-cli-ops 10.134
#[test]
fn memory_has_the_unit_and_scale_that_are_asked_for() {
    let node = Node::started(&declarative(&[]), "");
    let memory = |query: &str| {
        let status = node.get(&format!("/status?{query}")).json();
        let memory = &status["memory"];
        let store = memory["lua_shared_dicts"]["dbless.lmdb"]["capacity"].clone();
        (
            store,
            memory["workers_lua_vms"][0]["http_allocated_gc"].clone(),
        )
    };
    let decimals = |value: &serde_json::Value, unit: &str| {
        let text = value.as_str().unwrap_or_else(|| panic!("{value}"));
        let number = text.strip_suffix(unit).unwrap_or_else(|| panic!("{text}"));
        number.split_once('.').map_or(0, |(_, digits)| digits.len())
    };
    let (store, process) = memory("unit=k&scale=4");
    assert_eq!(decimals(&store, " KiB"), 4);
    assert_eq!(decimals(&process, " KiB"), 4);
    assert_eq!(decimals(&memory("").0, " MiB"), 2);
    let (store, process) = memory("unit=b");
    assert!(store.is_u64() && process.is_u64(), "{store} {process}");
    for (query, text) in [
        (
            "unit=x",
            "invalid unit 'x' (expected 'k/K', 'm/M', or 'g/G')",
        ),
        ("scale=-1", "scale must be equal or greater than 0"),
    ] {
        let refused = node.get(&format!("/status?{query}"));
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.json()["message"], text);
    }
}

// conf-cli-ops 10.137
#[test]
fn the_order_to_drain_is_taken_and_others_are_refused() {
    let upstream = Upstream::start("one");
    let node = Node::started(&one_route(&upstream), "");
    for (headers, body) in [
        (&JSON[..], r#"{"status":"ready"}"#),
        (&JSON[..], "{}"),
        (&JSON[..], "{"),
        (&[], ""),
    ] {
        let refused = node.ask("POST", "/status/ready", headers, body);
        assert_eq!(refused.status, 400, "{body:?}: {}", refused.text());
    }
    assert_eq!(node.ready().0, 200);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let told = node.ask("POST", "/status/ready", &form, "status=draining");
    assert_eq!((told.status, node.ready().0), (204, 503));
}

// conf-cli-ops 10.98
#[test]
fn the_command_drain_ends_readiness_and_not_the_traffic() {
    let upstream = Upstream::start("one");
    let node = Node::started(&one_route(&upstream), "");
    assert_eq!(node.ready(), (200, "ready".to_owned()));
    let output = node.gateway.run("drain");
    assert!(output.status.success(), "{}", show(&output));
    assert_eq!(node.ready(), (503, "draining".to_owned()));
    assert_eq!(node.gateway.get("/").status, 200);
}

// conf-cli-ops 10.129
#[test]
fn a_reload_ends_draining() {
    let upstream = Upstream::start("one");
    let node = Node::started(&one_route(&upstream), "");
    node.drain();
    node.gateway.reload();
    assert_eq!(node.ready(), (200, "ready".to_owned()));
}

// conf-cli-ops 10.138
#[test]
fn there_is_nothing_to_tell_of_the_dns_client() {
    let node = Node::started(&declarative(&[]), "");
    let answer = node.get("/status/dns");
    assert_eq!(answer.status, 501);
    let text = "not implemented with the legacy DNS client";
    assert_eq!(answer.json()["message"], text);
}

// conf-cli-ops 10.139
#[test]
fn metrics_tell_of_the_node_without_the_plugin() {
    let upstream = Upstream::start("one");
    let node = Node::started(&one_route(&upstream), "");
    assert_eq!(node.gateway.get("/").status, 200);
    let page = node.get("/metrics");
    assert_eq!(page.status, 200);
    let kind = page.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/plain"), "{kind}");
    let page = page.text();
    assert!(page.contains("\nkong_datastore_reachable 1\n"), "{page}");
    let requests = page
        .lines()
        .find(|l| l.starts_with("kong_nginx_requests_total{"));
    assert!(
        requests.is_some_and(|line| line.ends_with("} 1")),
        "{requests:?}"
    );
    assert!(!page.contains("kong_http_requests_total"), "{page}");
}

// conf-cli-ops 10.140
#[test]
fn targets_and_health_of_an_upstream_can_be_read() {
    let declared = "_format_version: '3.0'\nupstreams:\n- name: u\n  targets:\n  \
                    - target: 127.0.0.1:9001\n    weight: 7\n";
    let node = Node::started(declared, "");
    for path in ["/upstreams/u/targets", "/upstreams/u/targets/all"] {
        let answer = node.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["data"][0]["target"], "127.0.0.1:9001");
    }
    let one = node.get("/upstreams/u/targets/127.0.0.1:9001");
    assert_eq!((one.status, &one.json()["weight"]), (200, &7.into()));
    let health = node.get("/upstreams/u/health").json();
    assert_eq!(health["data"][0]["health"], "HEALTHCHECKS_OFF", "{health}");
    let body = r#"{"target":"a.test"}"#;
    let posted = node.ask("POST", "/upstreams/u/targets", &JSON, body);
    assert_eq!(posted.status, 405, "{}", posted.text());
    assert_eq!(node.get("/upstreams/v/targets").status, 404);
}

// conf-cli-ops 10.141
#[test]
fn other_paths_and_methods_are_refused() {
    let node = Node::started(&declarative(&[]), "");
    for path in ["/", "/services", "/config", "/upstreams", "/upstreams/u"] {
        let missing = node.get(path);
        assert_eq!(missing.status, 404, "{path}");
        assert_eq!(missing.text(), r#"{"message":"Not found"}"#);
    }
    assert_eq!(node.ask("DELETE", "/status", &[], "").status, 405);
    for (path, methods) in [
        ("/status", "GET, HEAD, OPTIONS"),
        ("/status/ready", "GET, HEAD, OPTIONS, POST"),
    ] {
        let options = node.ask("OPTIONS", path, &[], "");
        assert_eq!((options.status, options.text()), (204, String::new()));
        assert_eq!(options.header("allow"), Some(methods), "{path}");
    }
    assert_eq!(node.ask("HEAD", "/status", &[], "").status, 200);
}

// conf-cli-ops 10.143
#[test]
fn a_status_api_that_is_off_has_no_port() {
    let node = Node::started(&declarative(&[]), "status_listen = off");
    let open = TcpStream::connect(("127.0.0.1", node.status_port));
    assert!(open.is_err(), "{open:?}");
    let status = node.gateway.admin("GET", "/status", &[], b"").status;
    assert_eq!(status, 200);
}

// conf-cli-ops 10.147
#[test]
fn the_log_level_is_shown_and_changed_only_where_there_is_a_database() {
    let node = Node::started(&declarative(&[]), "log_level = warn");
    let admin = |method: &str, path: &str| node.gateway.admin(method, path, &[], b"");
    let shown = admin("GET", "/debug/node/log-level");
    assert_eq!(shown.status, 200);
    assert_eq!(shown.json()["message"], "log level: warn");
    for path in [
        "/debug/node/log-level/debug?timeout=2",
        "/debug/cluster/log-level/debug",
    ] {
        let refused = admin("PUT", path);
        assert_eq!(refused.status, 405, "{path}");
        let text = "cannot change log level when not using a database";
        assert_eq!(refused.json()["message"], text);
    }
    let shown = admin("GET", "/debug/node/log-level").json();
    assert_eq!(shown["message"], "log level: warn");
}

// conf-cli-ops 10.61
#[test]
fn the_admin_api_limits_bodies_by_its_own_directive() {
    let upstream = Upstream::start("one");
    let limit = "nginx_admin_client_max_body_size = 1k";
    let node = Node::started(&one_route(&upstream), limit);
    let padding = "#".repeat(2048);
    let long = format!("{}\n{padding}\n", one_route(&upstream));
    let refused = node
        .gateway
        .admin("POST", "/config", &YAML, long.as_bytes());
    assert_eq!(refused.status, 413, "{}", refused.text());
    let short = one_route(&upstream);
    let taken = node
        .gateway
        .admin("POST", "/config", &YAML, short.as_bytes());
    assert_eq!(taken.status, 201, "{}", taken.text());
    let mut proxy = Connection::open(node.gateway.proxy_port).expect("the proxy listens");
    let answer = proxy.request("POST", "/", &YAML, long.as_bytes());
    assert_eq!(answer.expect("an answer").status, 200);
}

// conf-cli-ops 10.163
#[test]
fn a_vault_takes_no_reserved_prefix_and_no_unknown_strategy() {
    let node = Node::started(&declarative(&[]), "");
    for (vault, field, text) in [
        (
            r#"{"name":"env","prefix":"env"}"#,
            "prefix",
            "must not be one of: env",
        ),
        (
            r#"{"name":"hcv","prefix":"mine"}"#,
            "name",
            "vault 'hcv' is not installed",
        ),
    ] {
        let refused = node
            .gateway
            .admin("POST", "/vaults", &JSON, vault.as_bytes());
        assert_eq!(refused.status, 400, "{vault}: {}", refused.text());
        assert_eq!(refused.json()["fields"][field], text, "{}", refused.text());
    }
    let valid = r#"{"name":"env","prefix":"my-env","config":{"prefix":"S_"}}"#;
    let refused = node
        .gateway
        .admin("POST", "/vaults", &JSON, valid.as_bytes());
    assert_eq!(refused.json()["code"], 12, "{}", refused.text());
}

// conf-cli-ops 10.161
#[test]
fn references_in_a_certificate_are_kept_and_shown() {
    let declared = "_format_version: '3.0'\ncertificates:\n\
                    - cert: '{vault://env/no-cert}'\n  key: '{vault://env/no-key}'\n";
    let node = Node::started(declared, "");
    let shown = node.gateway.admin("GET", "/certificates", &[], b"");
    assert_eq!(shown.status, 200);
    let certificate = &shown.json()["data"][0];
    assert_eq!(certificate["cert"], "{vault://env/no-cert}");
    assert_eq!(certificate["key"], "{vault://env/no-key}");
    assert!(!shown.text().contains("$refs"), "{}", shown.text());
}
