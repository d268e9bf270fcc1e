//! `POST /config` and `GET /status`; the bodies in detail are in `tests/compat`.

use silverback_tests::{
    Gateway, Upstream,
    gateway::{declarative, show, stderr},
};

const YAML: [(&str, &str); 1] = [("Content-Type", "text/yaml")];
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

#[test]
fn the_next_request_meets_a_posted_configuration() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[]));
    for version in 0..50 {
        let yaml = declarative(&[("/", upstream.port, &format!("/{version}"))]);
        let posted = gateway.admin("POST", "/config", &YAML, yaml.as_bytes());
        assert_eq!(posted.status, 201, "{}", posted.text());
        assert_eq!(gateway.get("/").json()["path"], format!("/{version}"));
    }
}

#[test]
fn all_three_forms_are_taken() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[]));
    let yaml = |path| declarative(&[("/", upstream.port, path)]);
    let document = serde_json::json!({
        "_format_version": "3.0",
        "services": [{
            "name": "s",
            "url": format!("http://127.0.0.1:{}/document", upstream.port),
            "routes": [{ "name": "r", "paths": ["/"] }],
        }],
    });
    let field = serde_json::json!({ "config": yaml("/field") });
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"config\"; filename=\"kong.yml\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{}\r\n--b--\r\n",
        yaml("/multipart")
    );
    let multipart_kind = [("Content-Type", "multipart/form-data; boundary=b")];
    for (kind, body, path) in [
        (&JSON, document.to_string(), "/document"),
        (&JSON, field.to_string(), "/field"),
        (&YAML, yaml("/raw"), "/raw"),
        (&multipart_kind, multipart, "/multipart"),
    ] {
        let posted = gateway.admin("POST", "/config", kind, body.as_bytes());
        assert_eq!(posted.status, 201, "{}", posted.text());
        assert_eq!(gateway.get("/").json()["path"], path);
    }
}

#[test]
fn the_same_text_is_not_loaded_twice_with_check_hash() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[]));
    let yaml = declarative(&[("/", upstream.port, "/x")]);
    let post = || {
        gateway
            .admin("POST", "/config?check_hash=1", &YAML, yaml.as_bytes())
            .status
    };
    assert_eq!((post(), post()), (201, 304));
}

#[test]
fn a_refused_configuration_changes_nothing() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/kept")]));
    let hash = gateway.admin("GET", "/status", &[], b"").json()["configuration_hash"].clone();
    let wrong = br#"{"_format_version":"3.0","services":[{"name":"b"}]}"#;
    let refused = gateway.admin("POST", "/config", &JSON, wrong);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["code"], 14);
    assert_eq!(
        refused.json()["fields"]["services"][0]["host"],
        "required field missing"
    );
    assert_eq!(gateway.get("/").json()["path"], "/kept");
    let after = gateway.admin("GET", "/status", &[], b"").json()["configuration_hash"].clone();
    assert_eq!(after, hash);
}

#[test]
fn status_counts_requests() {
    let gateway = Gateway::started(&declarative(&[]));
    for _ in 0..5 {
        gateway.get("/");
    }
    let status = gateway.admin("GET", "/status", &[], b"").json();
    assert_eq!(status["server"]["total_requests"], 5);
    assert_eq!(status["server"]["connections_accepted"], 5);
    let hash = status["configuration_hash"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert_eq!(hash.len(), 32);
}

#[test]
fn unknown_paths_and_methods_get_kongs_bodies() {
    let gateway = Gateway::started(&declarative(&[]));
    let missing = gateway.admin("GET", "/nothing", &[], b"");
    assert_eq!(
        (missing.status, missing.text().as_str()),
        (404, r#"{"message":"Not found"}"#)
    );
    let method = gateway.admin("DELETE", "/config", &[], b"");
    assert_eq!(method.status, 405);
    assert_eq!(method.text(), r#"{"message":"Method not allowed"}"#);
    let kind = gateway.admin("POST", "/config", &[("Content-Type", "text/plain")], b"x");
    assert_eq!(kind.status, 415);
    for header in [
        "server",
        "x-kong-admin-latency",
        "access-control-allow-origin",
    ] {
        assert!(missing.header(header).is_some(), "{header}");
    }
}

#[test]
fn the_dump_shows_what_the_prefix_holds() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/dumped", upstream.port, "/x")]));
    let dump = || {
        let output = gateway
            .command(&["config", "dump", "-p"])
            .arg(gateway.prefix())
            .output();
        let output = output.expect("the binary runs");
        assert!(output.status.success(), "{}", show(&output));
        assert_eq!(stderr(&output), "");
        String::from_utf8(output.stdout).expect("text")
    };
    let while_running = dump();
    assert!(while_running.contains("/dumped"), "{while_running}");
    assert!(gateway.run("stop").status.success());
    assert_eq!(dump(), while_running);
}
