//! Which settings and entities a reload goes by.

use std::{fs, process::Output};

use silverback_tests::{
    Gateway, Upstream,
    gateway::{declarative, show, stderr},
};

/// A reload by `-p` alone, with those variables.
fn reload_with(gateway: &Gateway, variables: &[(&str, &str)]) -> Output {
    let mut reload = gateway.command(&["reload", "-p"]);
    reload.arg(gateway.prefix()).envs(variables.iter().copied());
    reload.output().expect("it runs")
}

fn setting(gateway: &Gateway, key: &str) -> Option<String> {
    let settings = fs::read_to_string(gateway.prefix().join(".kong_env")).expect("written");
    let start = format!("{key} = ");
    let line = settings.lines().find_map(|l| l.strip_prefix(&start));
    line.map(str::to_owned)
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", show(output));
}

fn post(gateway: &Gateway, yaml: &str) {
    let kind = [("Content-Type", "text/yaml")];
    let posted = gateway.admin("POST", "/config", &kind, yaml.as_bytes());
    assert_eq!(posted.status, 201, "{}", posted.text());
}

// conf-cli-ops 10.122
#[test]
fn without_a_file_an_edit_is_not_picked_up_but_a_restart_does() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("log_level = info");
    assert_done(&gateway.run("start"));
    gateway.set("log_level = warn");
    assert_done(&reload_with(&gateway, &[]));
    assert_eq!(setting(&gateway, "log_level").as_deref(), Some("info"));
    assert_done(&gateway.run("restart"));
    assert_eq!(setting(&gateway, "log_level").as_deref(), Some("warn"));
}

#[test]
fn the_environment_wins_over_what_the_node_was_started_with() {
    let gateway = Gateway::started(&declarative(&[]));
    let debug = [("KONG_LOG_LEVEL", "debug")];
    assert_done(&reload_with(&gateway, &debug));
    assert_eq!(setting(&gateway, "log_level").as_deref(), Some("debug"));
    // And stays: the former settings lie below the next reload.
    assert_done(&reload_with(&gateway, &[]));
    assert_eq!(setting(&gateway, "log_level").as_deref(), Some("debug"));
}

#[test]
fn a_key_that_left_the_named_file_keeps_its_value() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("log_level = info");
    assert_done(&gateway.run("start"));
    gateway.set("");
    assert_done(&gateway.run("reload"));
    assert_eq!(setting(&gateway, "log_level").as_deref(), Some("info"));
    gateway.set("log_level = warn");
    assert_done(&gateway.run("reload"));
    assert_eq!(setting(&gateway, "log_level").as_deref(), Some("warn"));
}

// conf-cli-ops 10.123
#[test]
fn an_invalid_setting_is_refused_and_the_old_ones_stay() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/kept")]));
    let before = fs::read_to_string(gateway.prefix().join(".kong_env")).expect("written");
    gateway.set("log_level = loud");
    let output = gateway.run("reload");
    assert_eq!(output.status.code(), Some(1), "{}", show(&output));
    let told = stderr(&output);
    assert!(
        told.contains("loud") && told.contains("kong.conf:8"),
        "{told}"
    );
    let after = fs::read_to_string(gateway.prefix().join(".kong_env")).expect("written");
    assert_eq!(after, before);
    assert_eq!(gateway.get("/").json()["path"], "/kept");
}

// conf-cli-ops 10.126
#[test]
fn a_named_declarative_file_replaces_what_was_posted() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/file")]));
    post(&gateway, &declarative(&[("/", upstream.port, "/posted")]));
    assert_eq!(gateway.get("/").json()["path"], "/posted");
    gateway.declare(&declarative(&[("/", upstream.port, "/changed")]));
    assert_done(&gateway.run("reload"));
    assert_eq!(gateway.get("/").json()["path"], "/changed");
}

// conf-cli-ops 10.127
#[test]
fn without_a_declarative_file_what_was_posted_survives_reload_and_restart() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::new("");
    let conf = fs::read_to_string(gateway.conf_file()).expect("written");
    let conf: Vec<&str> = conf
        .lines()
        .filter(|l| !l.starts_with("declarative_config"))
        .collect();
    fs::write(gateway.conf_file(), conf.join("\n")).expect("writable");
    assert_done(&gateway.run("start"));
    post(&gateway, &declarative(&[("/", upstream.port, "/posted")]));
    for command in ["reload", "restart"] {
        assert_done(&gateway.run(command));
        assert_eq!(gateway.get("/").json()["path"], "/posted", "{command}");
    }
}

// conf-cli-ops 10.128
#[test]
fn a_reload_that_does_not_name_the_declarative_file_keeps_what_was_posted() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/file")]));
    post(&gateway, &declarative(&[("/", upstream.port, "/posted")]));
    let output = reload_with(&gateway, &[]);
    assert_done(&output);
    assert_eq!(gateway.get("/").json()["path"], "/posted");
    let file = gateway.declarative_file().display().to_string();
    let told = stderr(&output);
    assert!(
        told.contains("is not read again") && told.contains(&file),
        "{told}"
    );
    assert_eq!(setting(&gateway, "declarative_config"), None);
}
