//! Values of single keys: what fits, and what is said when it does not.

use std::time::Duration;

use super::*;

#[test]
fn defaults_alone_are_a_configuration() {
    let loaded = loaded(&[]);
    let config = &loaded.config;
    assert_eq!(config.prefix, Path::new("/usr/local/kong"));
    assert!(config.proxy_listen[1].ssl && config.proxy_listen[0].http2);
    assert_eq!(config.proxy_listen[0].backlog, 16384);
    assert_eq!(config.lmdb_map_size, 2 << 30);
    assert_eq!(config.headers.0, 0b1011_1111);
    assert!(config.headers_upstream.request_id);
    assert_eq!(
        config.proxy_access_log,
        LogTarget::File {
            path: "/usr/local/kong/logs/access.log".into(),
            format: None
        }
    );
    assert_eq!(
        config.upstream_keepalive_idle_timeout,
        Duration::from_secs(60)
    );
    assert_eq!(config.nginx_admin_client_max_body_size, 1 << 30);
    assert!(
        loaded.warnings.is_empty() && loaded.file.is_none(),
        "{:?}",
        loaded.warnings
    );
    assert!(config.unsupported().is_empty() && config.without_effect().is_empty());
}

/// conf-cli-ops 10.1
#[test]
fn the_default_ports_are_kongs() {
    let config = config(&[]);
    let lists = [
        (&config.proxy_listen, vec!["0.0.0.0:8000", "0.0.0.0:8443"]),
        (
            &config.admin_listen,
            vec!["127.0.0.1:8001", "127.0.0.1:8444"],
        ),
        (
            &config.admin_gui_listen,
            vec!["0.0.0.0:8002", "0.0.0.0:8445"],
        ),
        (&config.status_listen, vec!["127.0.0.1:8007"]),
        (&config.stream_listen, vec![]),
    ];
    for (listeners, expected) in lists {
        let found: Vec<_> = listeners.iter().map(|l| l.address.to_string()).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_bad_value_names_origin_key_value_and_what_is_accepted() {
    let errors = from_file("\nlog_level = loud\n", &[]).expect_err("refused");
    let error = errors[0].to_string();
    for part in [
        "kong.conf:2",
        "log_level",
        "\"loud\"",
        "debug, info, notice",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_refused(
        &[("nginx_daemon", "maybe")],
        &["KONG_NGINX_DAEMON", "on or off"],
    );
}

/// conf-cli-ops 10.19
/// conf-cli-ops 10.22
/// conf-cli-ops 10.23
#[test]
fn a_word_that_is_none_of_the_words_is_refused_with_all_of_them() {
    let levels = "debug, info, notice, warn, error, crit, alert, emerg";
    assert_refused(&[("log_level", "WARN")], &["WARN", levels]);
    assert_refused(
        &[("database", "mysql")],
        &["database", "mysql", "postgres", "off"],
    );
    assert_refused(&[("database", "cassandra")], &["3.4"]);
}

/// conf-cli-ops 10.24
#[test]
fn every_bad_value_is_reported() {
    let keys = [
        ("headers", "x"),
        ("lmdb_map_size", "1t"),
        ("log_level", "x"),
        ("role", "x"),
    ];
    assert_eq!(errors(&keys).len(), 4, "{:?}", errors(&keys));
}

/// Here a malformed switch is an error; Kong takes it as off.
/// conf-cli-ops 10.18
#[test]
fn switches_are_on_or_off() {
    for (text, value) in [
        ("on", true),
        ("true", true),
        ("off", false),
        ("false", false),
    ] {
        assert_eq!(config(&[("wasm", text)]).wasm, value, "{text}");
        config(&[("pg_ssl", text)]);
    }
    for text in ["yes", "1", "ON", "True"] {
        assert_refused(&[("pg_ssl", text)], &["on or off"]);
    }
    assert_refused(&[("nginx_daemon", "true")], &["on or off"]);
}

#[test]
fn numbers_keep_their_meaning() {
    for (text, number) in [("0x10", 16), ("1e3", 1000), ("007", 7), ("1.0", 1)] {
        let config = config(&[("upstream_keepalive_pool_size", text)]);
        assert_eq!(config.upstream_keepalive_pool_size, number);
    }
    for text in ["-1", "5 kB", "nan", "inf", "1.5", "99999999999"] {
        assert_refused(
            &[("upstream_keepalive_pool_size", text)],
            &["whole number from 0"],
        );
    }
}

/// conf-cli-ops 10.35
/// conf-cli-ops 10.36
/// conf-cli-ops 10.37
/// conf-cli-ops 10.38
/// conf-cli-ops 10.39
/// conf-cli-ops 10.40
#[test]
fn numbers_keep_within_their_range() {
    let cases: [(&str, &[&str], &[&str]); 8] = [
        (
            "worker_state_update_frequency",
            &["0.01", "5"],
            &["0", "-1"],
        ),
        ("lua_max_req_headers", &["1", "1000"], &["0", "1001", "1.5"]),
        ("upstream_keepalive_pool_size", &["0"], &["-1"]),
        ("upstream_keepalive_idle_timeout", &["0", "0.5"], &["-1"]),
        ("pg_pool_size", &["0"], &["-1", "0.5"]),
        ("cluster_max_payload", &["4194304"], &["4194303"]),
        ("cluster_data_plane_purge_delay", &["60"], &["59"]),
        ("tracing_sampling_rate", &["0", "1"], &["2", "-0.1"]),
    ];
    for (key, good, bad) in cases {
        for text in good {
            config(&[(key, text)]);
        }
        for text in bad {
            assert_refused(&[(key, text)], &[key, text, "accepted is"]);
        }
    }
}

/// conf-cli-ops 10.25
/// conf-cli-ops 10.27
/// conf-cli-ops 10.31
/// conf-cli-ops 10.32
/// conf-cli-ops 10.34
/// conf-cli-ops 10.48
#[test]
fn elements_that_do_not_fit_are_quoted() {
    let good = [
        ("port_maps", "80:8000,443:8443"),
        ("trusted_ips", "10.0.0.0/8, unix:, ::1, fe80::/10"),
        ("dns_resolver", "1.2.3.4:53,[::1]:53,::1"),
        ("resolver_address", "1.2.3.4"),
        ("dns_order", "a,srv"),
        ("resolver_family", "aaaa"),
        ("tracing_instrumentations", "request,create_span"),
        ("node_id", "0855b320-0dd2-547d-891d-601e9b38647f"),
        ("ssl_session_timeout", "1h 30m"),
        ("admin_gui_url", "https://a.test:8445, http://b.test"),
    ];
    for pair in good {
        config(&[pair]);
    }
    let bad = [
        ("port_maps", "src:dst", "\"src:dst\""),
        ("port_maps", "0:1", "\"0:1\""),
        ("port_maps", "80:8000,1:65536", "\"1:65536\""),
        ("trusted_ips", "foo", "\"foo\""),
        ("trusted_ips", "10.0.0.0/33", "10.0.0.0/33"),
        ("dns_resolver", "ns.example", "\"ns.example\""),
        ("dns_order", "A,CXAME", "\"CXAME\""),
        ("resolver_family", "CNAME", "\"CNAME\""),
        ("tracing_instrumentations", "nonsense", "\"nonsense\""),
        (
            "tracing_instrumentations",
            "off,request",
            "off must stand alone",
        ),
        ("node_id", "foo", "UUID"),
        ("ssl_session_timeout", "1 day", "accepted is a time"),
        ("admin_gui_url", "a.test", "\"a.test\""),
        ("vault_env_prefix", "1x", "no digit first"),
        ("nginx_worker_processes", "0", "auto"),
    ];
    for (key, text, part) in bad {
        let errors = errors(&[(key, text)]);
        assert!(
            errors[0].contains(part) && errors[0].contains(key),
            "{errors:?}"
        );
    }
}

#[test]
fn port_maps_and_body_limits_are_typed() {
    let config = config(&[("port_maps", "80:8000, 443:8443")]);
    assert_eq!(config.port_maps, [(80, 8000), (443, 8443)]);
}

/// The limits themselves; who applies them tests the rest.
/// conf-cli-ops 10.60
/// conf-cli-ops 10.61
#[test]
fn proxy_and_admin_api_have_body_limits_of_their_own() {
    let limits = |key, text| {
        let config = config(&[(key, text)]);
        (
            config.nginx_http_client_max_body_size,
            config.nginx_admin_client_max_body_size,
        )
    };
    assert_eq!(
        limits("nginx_http_client_max_body_size", "1k"),
        (1024, 1 << 30)
    );
    assert_eq!(limits("nginx_admin_client_max_body_size", "1k"), (0, 1024));
    assert_eq!(
        limits("nginx_http_client_max_body_size", "NONE"),
        (1 << 20, 1 << 30)
    );
}

/// conf-cli-ops 10.28
/// conf-cli-ops 10.29
/// conf-cli-ops 10.30
#[test]
fn header_tokens_are_case_insensitive() {
    let names = |text| -> Vec<&str> {
        let headers = config(&[("headers", text)]).headers;
        headers.iter().map(ResponseHeader::name).collect()
    };
    assert_eq!(
        names("VIA, x-kong-upstream-status"),
        ["Via", "X-Kong-Upstream-Status"]
    );
    assert_eq!(names("via, LATENCY_TOKENS").len(), 5);
    assert!(names("off").is_empty());
    assert_refused(&[("headers", "Foo")], &["\"Foo\"", "server_tokens"]);
    let upstream = |text| {
        config(&[("headers_upstream", text)])
            .headers_upstream
            .request_id
    };
    assert!(upstream("x-kong-request-id") && !upstream("off"));
    assert_refused(&[("headers_upstream", "Foo")], &["\"Foo\""]);
}

/// conf-cli-ops 10.14
/// conf-cli-ops 10.15
#[test]
fn plugins_are_bundled_off_or_named() {
    let enabled = |text| config(&[("plugins", text)]).plugins;
    let bundled = enabled("bundled");
    assert!(bundled.contains(&"key-auth".into()) && bundled.is_sorted());
    let mixed = enabled("  foo ,  bundled ");
    assert_eq!(mixed.len(), bundled.len() + 1);
    assert!(mixed.contains(&"foo".into()));
    assert!(enabled("off").is_empty());
    assert_eq!(enabled("cors, cors"), ["cors"]);
}

/// conf-cli-ops 10.16
/// conf-cli-ops 10.17
#[test]
fn what_is_enabled_must_be_installed_for_a_start() {
    for key in ["plugins", "vaults"] {
        let reasons = config(&[(key, "bundled,nosuch")]).unsupported();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        let reason = reasons[0].to_string();
        for part in [key, "\"nosuch\"", "enabled but not installed"] {
            assert!(reason.contains(part), "{reason}");
        }
    }
}

#[test]
fn what_this_version_lacks_is_valid_and_named_apart() {
    let cases = [
        ("database", "postgres", "database = off"),
        ("router_flavor", "traditional", "traditional_compatible"),
        ("router_flavor", "expressions", "traditional_compatible"),
    ];
    for (key, value, advice) in cases {
        let reasons = config(&[(key, value)]).unsupported();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        let reason = reasons[0].to_string();
        for part in [key, value, "this version", advice, "KONG_"] {
            assert!(reason.contains(part), "{reason}");
        }
    }
}

/// conf-cli-ops 10.33
#[test]
fn hosts_files_must_exist() {
    for key in ["dns_hostsfile", "resolver_hosts_file"] {
        assert_refused(&[(key, "/nonexistent/hosts")], &[key, "/nonexistent/hosts"]);
    }
}

/// conf-cli-ops 10.47
#[test]
fn each_fault_of_a_proxy_url_has_its_own_reason() {
    let bad = [
        ("h:80", "scheme is missing"),
        ("cool://h", "\"cool\""),
        ("http://:1", "host is missing"),
        ("http://h/?a=1", "query"),
    ];
    for (url, reason) in bad {
        assert_refused(&[("proxy_server", url)], &[reason, "******"]);
    }
    config(&[("proxy_server", "http://u:p%23@h:1")]);
}

/// conf-cli-ops 10.56
#[test]
fn each_fault_of_a_gui_path_is_an_error() {
    assert_eq!(errors(&[("admin_gui_path", "/a//b!/")]).len(), 3);
    assert_refused(&[("admin_gui_path", "manager")], &["begin with /"]);
    config(&[("admin_gui_path", "/manager-1/x_y")]);
}

/// conf-cli-ops 10.57
#[test]
fn kong_manager_without_an_admin_api_is_a_warning() {
    assert_warned(&loaded(&[("admin_listen", "off")]), &["Kong Manager"]);
    let both = [("admin_listen", "off"), ("admin_gui_listen", "off")];
    assert!(loaded(&both).warnings.is_empty());
}

/// conf-cli-ops 10.58
#[test]
fn filters_need_their_directory_only_when_they_are_on() {
    let path = ("wasm_filters_path", "/nonexistent/filters");
    assert_refused(&[("wasm", "on"), path], &["/nonexistent/filters"]);
    config(&[("wasm", "off"), path]);
    config(&[("wasm", "on")]);
}

/// conf-cli-ops 10.59
#[test]
fn a_plugin_server_needs_a_query_command() {
    let names = ("pluginserver_names", "go-pher");
    assert_refused(&[names], &["\"go-pher\"", "pluginserver_go_pher_query_cmd"]);
    let query = ("pluginserver_go_pher_query_cmd", "x -dump");
    assert_warned(&loaded(&[names, query]), &["\"go-pher\"", "start command"]);
    let start = ("pluginserver_go_pher_start_cmd", "x");
    assert!(loaded(&[names, query, start]).warnings.is_empty());
}

/// conf-cli-ops 10.62
#[test]
fn directives_are_taken_whatever_they_say() {
    let config = config(&[
        ("nginx_proxy_nosuchdirective", "1"),
        ("nginx_http_gzip", "on"),
        ("nginx_http_add_header", "X a"),
        ("nginx_http_charset", "NONE"),
    ]);
    let http: Vec<_> = config.directives("nginx_http_").collect();
    assert!(
        http.contains(&("gzip", "on")) && http.contains(&("add_header", "X a")),
        "{http:?}"
    );
    assert!(http.iter().all(|(name, _)| *name != "charset"), "{http:?}");
    let idle = config.without_effect();
    assert_eq!(
        idle,
        [
            "nginx_http_add_header",
            "nginx_http_gzip",
            "nginx_proxy_nosuchdirective"
        ]
    );
}

/// conf-cli-ops 10.63
#[test]
fn an_access_log_format_must_be_declared() {
    let log = ("proxy_access_log", "logs/a.log mine");
    assert_refused(&[log], &["\"mine\"", "nginx_http_log_format"]);
    let config = config(&[log, ("nginx_http_log_format", "mine '$request_id'")]);
    let format = match config.proxy_access_log {
        LogTarget::File { format, .. } => format,
        other => panic!("{other:?}"),
    };
    assert_eq!(format.as_deref(), Some("mine"));
    super::config(&[("proxy_access_log", "logs/a.log combined")]);
}

#[test]
fn keys_without_effect_are_listed_unless_they_turn_something_off() {
    let keys = [
        ("pg_host", "db"),
        ("status_access_log", "off"),
        ("wasm", "on"),
        ("headers", "off"),
        ("real_ip_header", "X"),
    ];
    assert_eq!(
        config(&keys).without_effect(),
        ["pg_host", "real_ip_header", "wasm"]
    );
}

#[test]
fn a_list_that_is_too_long_is_refused() {
    let list = |length| vec!["::1"; length].join(",");
    config(&[("trusted_ips", &list(LIST_ELEMENTS_MAX))]);
    assert_refused(
        &[("trusted_ips", &list(LIST_ELEMENTS_MAX + 1))],
        &["10000 elements"],
    );
}
