//! The configuration and the table as text and JSON.

use std::env;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn dumped_again(config: &NodeConfig) -> NodeConfig {
    from_file(&dump(config), &[]).expect("a dump loads").config
}

/// Compares a committed file with what the table says.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, not of a node"
)]
fn assert_committed(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&path, text).expect("the repository is writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is behind the table: UPDATE_PAGES=1 cargo test -p silverback-schema conf::tests::text",
        path.display()
    );
}

#[test]
fn the_committed_default_file_follows_the_table() {
    assert_committed("../packaging/kong.conf.default", &default_file());
}

#[test]
fn the_committed_reference_page_follows_the_table() {
    assert_committed("conf.md", &reference_page());
}

#[test]
fn names_are_unique_and_aliases_lead_to_rows() {
    let mut names: Vec<_> = keys().map(|key| key.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for key in keys() {
        assert!(
            key.alias_of.is_none_or(|real| find(real).is_some()),
            "{}",
            key.name
        );
        assert!(
            key.doc.ends_with('.') && !key.doc.contains('\n'),
            "{}",
            key.name
        );
    }
}

#[test]
fn the_default_file_changes_nothing() {
    let commented = default_file();
    assert_eq!(
        from_file(&commented, &[]).expect("loads").config,
        config(&[])
    );
    let plain: String = commented
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .filter(|line| !line.starts_with(' '))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(from_file(&plain, &[]).expect("loads").config, config(&[]));
}

#[test]
fn the_help_names_the_keys_that_matter_most() {
    let help = help();
    for name in ["prefix", "proxy_listen", "declarative_config"] {
        assert!(help.contains(&format!("\n  {name}")), "{help}");
    }
    assert!(!help.contains("lua_package_path"), "{help}");
}

#[test]
fn the_effective_configuration_is_typed_as_kongs() {
    let shown = config(&[
        ("pg_password", "hide"),
        ("status_ssl_cert_key", "hide"),
        ("tracing_sampling_rate", "0.5"),
        ("nginx_http_gzip", "on"),
    ])
    .effective();
    let expected = [
        ("prefix", json!("/usr/local/kong")),
        ("pg_port", json!(5432)),
        ("tracing_sampling_rate", json!(0.5)),
        ("pg_ssl", json!(false)),
        ("pg_ro_ssl", json!(false)),
        ("request_debug", json!(true)),
        ("nginx_daemon", json!("on")),
        ("nginx_main_daemon", json!("on")),
        ("nginx_http_keepalive_requests", json!("10000")),
        ("nginx_http_gzip", json!("on")),
        ("plugins", json!(["bundled"])),
        ("dns_order", json!(["LAST", "SRV", "A", "CNAME"])),
        (
            "headers",
            json!(["server_tokens", "latency_tokens", "x-kong-request-id"]),
        ),
        ("trusted_ips", json!({})),
        ("stream_listen", json!(["off"])),
        ("pg_password", json!("******")),
        ("status_ssl_cert_key", json!("******")),
        ("ssl_cert_key", json!("******")),
        ("mem_cache_size", json!("128m")),
    ];
    for (key, value) in expected {
        assert_eq!(shown.get(key), Some(&value), "{key}");
    }
    for key in [
        "pg_schema",
        "node_id",
        "cluster_cert_key",
        "declarative_config_string",
    ] {
        assert!(!shown.contains_key(key), "{key}: {:?}", shown.get(key));
    }
}

/// conf-cli-ops 10.86
#[test]
fn what_is_displayed_is_sorted_and_masks_secrets() {
    let lines = display(&config(&[
        ("pg_password", "hide"),
        ("cluster_cert_key", "hide"),
    ]));
    assert!(lines.is_sorted(), "{lines:?}");
    assert!(
        lines.contains(&"pg_password = ******".to_owned()),
        "{lines:?}"
    );
    assert!(lines.iter().all(|line| !line.contains("hide")), "{lines:?}");
}

#[test]
fn a_dump_lets_the_environment_set_an_alias() {
    let text = dump(&config(&[("nginx_worker_processes", "2")]));
    for name in [
        "KONG_NGINX_WORKER_PROCESSES",
        "KONG_NGINX_MAIN_WORKER_PROCESSES",
    ] {
        let loaded = from_file(&text, &[(name, "3")]).expect("loads");
        assert_eq!(
            loaded.config.nginx_worker_processes,
            WorkerCount::Count(3),
            "{name}"
        );
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }
}

#[test]
fn a_dump_keeps_what_was_erased() {
    let config = config(&[
        ("proxy_access_log", ""),
        ("nginx_http_charset", ""),
        ("nginx_http_x", ""),
    ]);
    assert_eq!(dumped_again(&config), config);
}

/// A key and a text that fits it.
fn setting() -> impl Strategy<Value = (&'static str, String)> {
    let words = keys().map(|key| match key.kind {
        Kind::Switch | Kind::OnOff => (key.name, vec!["on", "off"]),
        Kind::OneOf(words) if key.name != "role" && key.name != "database" => {
            (key.name, words.to_vec())
        }
        Kind::Bytes => (key.name, vec!["1", "2k", "3M"]),
        Kind::Time => (key.name, vec!["1s", "1h 5m"]),
        Kind::Workers => (key.name, vec!["auto", "7"]),
        Kind::Log => (
            key.name,
            vec!["off", "", "/dev/stdout", "syslog:server=1.2.3.4", "a.log"],
        ),
        Kind::Path => (key.name, vec!["relative/x", "/absolute//x/"]),
        Kind::Listeners(_) => (
            key.name,
            vec![
                "off",
                "[::1]:1 reuseport",
                "*:2 bind, 1.2.3.4:5 so_keepalive=:1:",
            ],
        ),
        Kind::Number(range) if range.contains(1.0) => (key.name, vec!["1"]),
        Kind::Number(_) => (key.name, vec!["9999999"]),
        _ => (key.name, vec![]),
    });
    let choices: Vec<(&'static str, String)> = words
        .filter(|(name, _)| *name != "wasm" && *name != "cluster_use_proxy")
        .flat_map(|(name, texts)| texts.into_iter().map(move |text| (name, text.to_owned())))
        .collect();
    prop::sample::select(choices)
}

proptest! {
    #[test]
    fn a_dump_loads_as_the_same_configuration(
        settings in prop::collection::vec(setting(), 0..20),
        text in "[ -~\n\r\\\\#=;é]{0,40}",
        other in "[ -~\n\\\\#]{0,20}",
        idle in 0u64..10_000_000,
    ) {
        let idle = Duration::from_millis(idle).as_secs_f64().to_string();
        let mut keys: Vec<(&str, &str)> =
            settings.iter().map(|(name, text)| (*name, text.as_str())).collect();
        keys.extend([
            ("declarative_config_string", text.as_str()),
            ("pg_password", &other),
            ("nginx_http_x", &other),
            ("upstream_keepalive_idle_timeout", &idle),
        ]);
        let references = [text.trim(), other.trim()].iter().any(|text| crate::vault::is_reference(text));
        prop_assume!(!references);
        let config = config(&keys);
        prop_assert_eq!(dumped_again(&config), config);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n\\\\#=\\[\\]é]{0,200}") {
        let _ = from_file(&text, &[]);
    }

    #[test]
    fn no_value_makes_the_reader_panic(index in 0..keys().count(), text in "[ -~é{}/:,]{0,60}") {
        let name = keys().nth(index).map(|key| key.name).expect("in range");
        let _ = with(&[(name, &text)]);
    }
}
