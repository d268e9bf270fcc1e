//! `config db_export`, and what a load says of deprecated fields.

use std::{fs, os::unix::fs::PermissionsExt};

use silverback_tests::{Gateway, gateway::show};

/// Every load sets when an entity was last changed.
fn without_change_times(yaml: &str) -> String {
    let lines = yaml
        .lines()
        .filter(|line| !line.starts_with("  updated_at: "));
    lines.collect::<Vec<_>>().join("\n")
}

// conf-cli-ops 10.105
// conf-cli-ops 10.106
#[test]
fn an_export_gives_a_second_node_the_same_entities() {
    let declared = "_format_version: '3.0'\n\
        services: [{name: s, url: 'http://h/p', routes: [{paths: [/a]}, {name: b, paths: [/b]}], \
        plugins: [{name: rate-limiting, config: {minute: 5, redis_host: old.test}}]}]\n\
        consumers: [{username: c, keyauth_credentials: [{key: k}], \
        basicauth_credentials: [{username: u, password: 'p: #'}]}]\n\
        upstreams: [{name: u, hash_on: header, hash_on_header: x, targets: [{target: 'a.test:1'}]}]\n\
        key_sets: [{name: ks}]\nvaults: [{name: env, prefix: my-env}]\n";
    let first = Gateway::started(declared);
    let export = first.prefix().with_file_name("export.yml");
    let run = |arguments: &[&str]| {
        let mut command = first.command(arguments);
        command.arg(&export).output().expect("the binary runs")
    };
    let prefix = first.prefix();
    let prefix = prefix.to_str().expect("a text");
    let exported = run(&["config", "-p", prefix, "db_export"]);
    assert!(exported.status.success(), "{}", show(&exported));
    let meta = fs::metadata(&export).expect("written");
    let mode = meta.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&export).expect("text");

    let again = run(&["config", "-p", prefix, "db_export"]);
    assert_eq!(again.status.code(), Some(1), "{}", show(&again));
    assert_eq!(fs::read_to_string(&export).expect("text"), text);
    let parsed = run(&["config", "parse"]);
    assert!(parsed.status.success(), "{}", show(&parsed));
    // Old names of fields stand beside the new ones there, and need no advice.
    assert!(!show(&parsed).contains("removal"), "{}", show(&parsed));

    let second = Gateway::started(&text);
    let config = |node: &Gateway| {
        let shown = node.admin("GET", "/config", &[], b"").json();
        shown["config"].as_str().expect("a text").to_owned()
    };
    assert_eq!(config(&first), text);
    assert_eq!(
        without_change_times(&config(&second)),
        without_change_times(&text)
    );
}

#[test]
fn a_deprecated_field_is_named_at_each_load() {
    let plugins: Vec<String> = (0..5)
        .map(|n| {
            format!(
                "{{name: rate-limiting, instance_name: p{n}, config: {{minute: 5, policy: redis, \
                 redis_host: 'h'}}}}"
            )
        })
        .collect();
    let services: String = plugins
        .iter()
        .map(|plugin| format!("- {{host: h, plugins: [{plugin}]}}\n"))
        .collect();
    let declared = format!("_format_version: '3.0'\nservices:\n{services}");
    let node = Gateway::started(&declared);
    let advice = "services[1].plugins[1].config.redis_host, services[2].plugins[1].config.redis_host, \
                  services[3].plugins[1].config.redis_host and 2 more: ";
    let log = node.log();
    let line = log.lines().find(|line| line.contains(advice));
    let line = line.unwrap_or_else(|| panic!("no warning in: {log}"));
    assert!(line.contains("[warn]") && line.contains("4.0"), "{line}");
    let mut parsed = node.command(&["config", "parse"]);
    let parsed = parsed.arg(node.declarative_file()).output();
    let parsed = parsed.expect("the binary runs");
    assert!(parsed.status.success(), "{}", show(&parsed));
    assert!(show(&parsed).contains(advice), "{}", show(&parsed));
}
