//! Tests of the configuration reader.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn from_file(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Vec<ConfError>> {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("kong.conf");
    fs::write(&path, text).expect("a scratch file");
    let environment = environment(variables);
    load(&LoadOptions {
        conf_file: Some(path),
        environment: &environment,
        ..Default::default()
    })
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Loaded, Vec<ConfError>> {
    let environment = environment(variables);
    load(&LoadOptions {
        environment: &environment,
        ..Default::default()
    })
}

fn only_error(result: Result<Loaded, Vec<ConfError>>) -> String {
    let errors = result.expect_err("must be refused");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].to_string()
}

#[test]
fn defaults_alone_are_a_configuration() {
    let loaded = from_environment(&[]).expect("defaults");
    assert_eq!(loaded.config.prefix, PathBuf::from("/usr/local/kong/"));
    assert_eq!(loaded.config.proxy_listen.len(), 2);
    assert!(loaded.config.proxy_listen[1].ssl && loaded.config.proxy_listen[0].http2);
    assert_eq!(loaded.config.proxy_listen[0].backlog, 16384);
    assert_eq!(loaded.config.lmdb_map_size, 2 << 30);
    assert_eq!(loaded.config.headers.0, 0b1011_1111);
    assert_eq!(
        loaded.config.proxy_access_log,
        LogTarget::File {
            path: "/usr/local/kong/logs/access.log".into(),
            format: None
        }
    );
    assert_eq!(
        loaded.config.upstream_keepalive_idle_timeout,
        Duration::from_secs(60)
    );
    assert!(loaded.warnings.is_empty() && loaded.file.is_none());
}

#[test]
fn each_source_wins_over_the_one_before() {
    let text = "log_level = info\nnginx-daemon = off\nlog_level = warn\n";
    let loaded = from_file(text, &[]).expect("file");
    assert_eq!(loaded.config.log_level, LogLevel::Warn);
    assert!(!loaded.config.nginx_daemon);
    let loaded = from_file(text, &[("KONG_LOG_LEVEL", "crit")]).expect("kong");
    assert_eq!(loaded.config.log_level, LogLevel::Crit);
    let both = [
        ("SILVERBACK_LOG_LEVEL", "debug"),
        ("KONG_LOG_LEVEL", "crit"),
    ];
    assert_eq!(
        from_file(text, &both).expect("both").config.log_level,
        LogLevel::Debug
    );
}

#[test]
fn the_prefix_of_the_command_line_wins() {
    let environment = environment(&[("KONG_PREFIX", "/a")]);
    let prefix = Some(PathBuf::from("/b"));
    let options = LoadOptions {
        prefix,
        environment: &environment,
        ..Default::default()
    };
    let config = load(&options).expect("loads").config;
    assert_eq!(config.prefix, PathBuf::from("/b"));
    assert_eq!(
        config.lmdb_environment_path,
        PathBuf::from("/b/dbless.lmdb")
    );
}

#[test]
fn the_file_grammar_is_penlights() {
    let text = "; comment\r\n  # comment\nproxy_listen = 127.0.0.1:80, \\\n# inside\n  [::1]:81 ssl # end\n\
        declarative_config_string = a\\#b = c;d # rest\n";
    let loaded = from_file(text, &[]).expect("loads");
    assert_eq!(loaded.config.proxy_listen.len(), 2);
    assert_eq!(
        loaded.config.declarative_config_string.as_deref(),
        Some("a#b = c;d")
    );
}

#[test]
fn lines_without_effect_are_warned_of() {
    let loaded = from_file("log_level: debug\n[x]\nlog_level = bad\n", &[]).expect("loads");
    assert_eq!(loaded.config.log_level, LogLevel::Notice);
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("kong.conf:1: "));
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_name() {
    let loaded = from_file("log_levle = debug\nenforce_rbac = on\n", &[]).expect("loads");
    assert_eq!(loaded.warnings.len(), 2);
    let typo = loaded
        .warnings
        .iter()
        .find(|warning| warning.contains("log_levle"));
    assert!(
        typo.is_some_and(|warning| warning.contains("'log_level'")),
        "{:?}",
        loaded.warnings
    );
    let service = [
        ("KONG_PROXY_SERVICE_HOST", "10.0.0.1"),
        ("KONG_PORT", "tcp://10.0.0.1:80"),
    ];
    assert!(
        from_environment(&service)
            .expect("loads")
            .warnings
            .is_empty()
    );
}

#[test]
fn keys_without_effect_are_listed() {
    let text = "pg_host = db\nnginx_http_gzip = on\nplugins = bundled\n";
    let other = from_file(text, &[]).expect("loads").config.other;
    let names: Vec<_> = other.iter().map(|other| other.name.as_str()).collect();
    assert_eq!(names, ["nginx_http_gzip", "pg_host", "plugins"]);
}

#[test]
fn a_bad_value_names_origin_key_value_and_what_is_accepted() {
    let error = only_error(from_file("\nlog_level = loud\n", &[]));
    for part in [
        "kong.conf:2",
        "log_level",
        "\"loud\"",
        "debug, info, notice",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = only_error(from_environment(&[("KONG_NGINX_DAEMON", "maybe")]));
    assert!(
        error.contains("KONG_NGINX_DAEMON") && error.contains("on or off"),
        "{error}"
    );
}

#[test]
fn what_this_version_lacks_is_refused_with_advice() {
    let cases = [
        ("KONG_DATABASE", "postgres", "database = off"),
        ("KONG_ROLE", "data_plane", "role = traditional"),
        (
            "KONG_ROUTER_FLAVOR",
            "expressions",
            "traditional_compatible",
        ),
        ("KONG_DECLARATIVE_CONFIG", "{vault://env/x}", "vault"),
    ];
    for (variable, value, advice) in cases {
        let error = only_error(from_environment(&[(variable, value)]));
        assert!(error.contains(advice), "{error}");
    }
}

#[test]
fn every_bad_value_is_reported() {
    let errors = from_file("headers = x\nlmdb_map_size = 1t\nadmin_listen =\n", &[]);
    assert_eq!(errors.expect_err("refused").len(), 3);
}

#[test]
fn a_named_file_must_exist() {
    let options = LoadOptions {
        conf_file: Some("/nonexistent/x".into()),
        ..Default::default()
    };
    let error = load(&options).expect_err("refused");
    assert!(matches!(&error[..], [ConfError::Unreadable { .. }]));
}

#[test]
fn the_real_name_wins_over_its_alias() {
    let text = "nginx_worker_processes = 3\nnginx_main_worker_processes = 5\n";
    let config = from_file(text, &[]).expect("loads").config;
    assert_eq!(config.nginx_worker_processes, WorkerCount::Count(5));
    assert!(config.other.is_empty());
}

#[test]
fn an_empty_log_erases_the_default() {
    let config = from_environment(&[("KONG_PROXY_ACCESS_LOG", "")])
        .expect("loads")
        .config;
    assert_eq!(config.proxy_access_log, LogTarget::Off);
}

#[test]
fn numbers_keep_their_meaning() {
    for (text, number) in [("0x10", 16), ("1e3", 1000), ("007", 7), ("1.0", 1)] {
        let loaded = from_environment(&[("KONG_UPSTREAM_KEEPALIVE_POOL_SIZE", text)]);
        assert_eq!(
            loaded.expect("loads").config.upstream_keepalive_pool_size,
            number
        );
    }
    for text in ["-1", "5 kB", "nan", "1.5", "99999999999"] {
        only_error(from_environment(&[(
            "KONG_UPSTREAM_KEEPALIVE_POOL_SIZE",
            text,
        )]));
    }
}

#[test]
fn listeners_follow_kongs_grammar() {
    let accepted = [
        "off, anything",
        "ssl 127.0.0.1:80",
        "*:80",
        "localhost:0",
        "001.002.003.004:80",
        "[::1]:80 ipv6only=on so_keepalive=30::5 backlog=7",
    ];
    for text in accepted {
        assert!(listener::parse(text).is_ok(), "{text}");
    }
    let refused = [
        "",
        " ",
        "127.0.0.1",
        "8000",
        "unix:/x",
        "1.2.3.4:80 fast",
        "1.2.3.4:80 udp",
        "1.2.3.4:80 backlog=abc",
        "1.2.3.4:80 ssl ssl",
        "1.2.3.4:99999",
        "1.2.3.4:80, off",
        "OFF",
        "::1:80",
        "1.2.3.4:80,",
        "1.2.3.4:80 1.2.3.4:81",
        "1.2.3.256:80",
        "1.2.3.4:80 so_keepalive=1:2",
    ];
    for text in refused {
        assert!(listener::parse(text).is_err(), "{text}");
    }
    assert_eq!(
        listener::parse("001.002.003.004:80").expect("fits")[0]
            .address
            .to_string(),
        "1.2.3.4:80"
    );
}

#[test]
fn header_tokens_are_case_insensitive() {
    let config = from_environment(&[("KONG_HEADERS", "VIA, x-kong-upstream-status")]);
    let headers = config.expect("loads").config.headers;
    let names: Vec<_> = headers.iter().map(ResponseHeader::name).collect();
    assert_eq!(names, ["Via", "X-Kong-Upstream-Status"]);
}

#[test]
fn the_list_of_other_keys_is_sorted_for_binary_search() {
    assert!(OTHER_KEYS.is_sorted());
    assert!(OTHER_KEYS.iter().all(|name| find(name).is_none()));
}

#[test]
fn the_default_file_changes_nothing() {
    let commented = default_file();
    assert_eq!(
        from_file(&commented, &[]).expect("loads").config,
        from_environment(&[]).expect("loads").config
    );
    let plain: String = commented
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .filter(|line| !line.starts_with(' '))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(
        from_file(&plain, &[]).expect("loads").config,
        from_environment(&[]).expect("loads").config
    );
}

fn dumped_again(config: &NodeConfig) -> NodeConfig {
    from_file(&dump(config), &[]).expect("a dump loads").config
}

proptest! {
    #[test]
    fn a_dump_loads_as_the_same_configuration(
        text in "[ -~\n\r\\\\#=;é]{0,40}",
        other in "[ -~\n\\\\#]{0,20}",
        size in any::<u32>(),
        millis in 0u64..10_000_000,
        level in 0usize..8,
        headers in any::<u8>(),
        listen in prop::sample::select(vec!["off", "[::1]:1 ssl", "*:2 deferred http2, 1.2.3.4:5 so_keepalive=:1:"]),
    ) {
        let mut config = from_environment(&[
            ("KONG_DECLARATIVE_CONFIG_STRING", &text),
            ("KONG_PG_PASSWORD", &other),
            ("KONG_PROXY_LISTEN", listen),
            ("KONG_PROXY_ACCESS_LOG", "logs/a.log fmt"),
        ]).expect("loads").config;
        config.upstream_keepalive_pool_size = size;
        config.upstream_keepalive_idle_timeout = Duration::from_millis(millis);
        config.log_level = LogLevel::ALL[level];
        config.headers = ResponseHeaders(headers);
        prop_assert_eq!(dumped_again(&config), config);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n\\\\#=\\[\\]é]{0,200}") {
        let _ = from_file(&text, &[]);
    }
}
