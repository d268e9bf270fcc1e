//! References in `kong.conf`, and `vault get`. A line `conf-cli-ops 10.N` names the numbered
//! behaviour of Kong that a test pins.

use std::fs;

use silverback_tests::{
    Gateway,
    gateway::{declarative, show, stderr},
};

/// Runs `vault get` with one variable; status and stdout, or the error.
fn vault_get(gateway: &Gateway, variable: (&str, &str), reference: &str) -> Result<String, String> {
    let mut command = gateway.command(&["vault", "get", reference, "-c"]);
    command.arg(gateway.conf_file()).env(variable.0, variable.1);
    let output = command.output().expect("the binary runs");
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Some(1) => Err(stderr(&output)),
        _ => panic!("{}", show(&output)),
    }
}

/// conf-cli-ops 10.117
#[test]
fn vault_get_prints_the_secret() {
    let gateway = Gateway::new(&declarative(&[]));
    let get = |reference| vault_get(&gateway, ("TEST", r#"{"a":"hello"}"#), reference);
    assert_eq!(get("env/test/a").as_deref(), Ok("hello\n"));
    assert_eq!(get("{vault://env/test/a}").as_deref(), Ok("hello\n"));
    let faults = [
        ("env/none", "value not found"),
        ("none/x", "\"none\""),
        ("env", "no path"),
    ];
    for (reference, reason) in faults {
        let error = get(reference).expect_err(reference);
        assert!(error.contains(reason), "{reference}: {error}");
    }
    let bare = gateway
        .command(&["vault", "get"])
        .output()
        .expect("the binary runs");
    assert_eq!(bare.status.code(), Some(1), "{}", show(&bare));
}

/// conf-cli-ops 10.155
/// conf-cli-ops 10.88
#[test]
fn a_node_starts_only_with_its_secrets_and_stops_without() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("log_level = {vault://env/level}");
    let refused = gateway.run("start");
    assert_eq!(refused.status.code(), Some(1), "{}", show(&refused));
    let told = stderr(&refused);
    assert!(
        told.contains("{vault://env/level}") && told.contains("log_level"),
        "{told}"
    );
    let started = gateway.prepared("start").env("LEVEL", "info").output();
    let started = started.expect("the binary runs");
    assert!(started.status.success(), "{}", show(&started));
    let kept = fs::read_to_string(gateway.prefix().join(".kong_env")).expect("start leaves it");
    assert!(kept.contains("log_level = {vault://env/level}"), "{kept}");
    let stopped = gateway.run("stop");
    assert!(stopped.status.success(), "{}", show(&stopped));
}

#[test]
fn what_cannot_be_run_is_told_apart_from_what_is_wrong() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("database = postgres");
    let check = gateway
        .command(&["check", "kong.conf"])
        .output()
        .expect("the binary runs");
    let told = stderr(&check);
    assert_eq!(check.status.code(), Some(1), "{}", show(&check));
    for part in [
        "kong.conf:8",
        "this version",
        "database = off",
        "is valid, but",
    ] {
        assert!(told.contains(part), "{part:?} is missing in: {told}");
    }
    let start = gateway.run("start");
    assert_eq!(start.status.code(), Some(1), "{}", show(&start));
    assert!(
        stderr(&start).contains("database = off"),
        "{}",
        show(&start)
    );
}
