//! File grammar, sources and their precedence, names that are no keys.

use super::*;

fn log_level(loaded: Result<Loaded, Vec<ConfError>>) -> LogLevel {
    loaded.expect("loads").config.log_level
}

/// conf-cli-ops 10.4
/// conf-cli-ops 10.11
#[test]
fn each_source_wins_over_the_one_before() {
    let text = "log_level = info\nnginx-daemon = off\nlog_level = warn\n";
    let loaded = from_file(text, &[]).expect("file");
    assert_eq!(loaded.config.log_level, LogLevel::Warn);
    assert!(!loaded.config.nginx_daemon);
    assert_eq!(
        log_level(from_file(text, &[("KONG_LOG_LEVEL", "crit")])),
        LogLevel::Crit
    );
    let both = [
        ("SILVERBACK_LOG_LEVEL", "debug"),
        ("KONG_LOG_LEVEL", "crit"),
    ];
    assert_eq!(log_level(from_file(text, &both)), LogLevel::Debug);
}

/// conf-cli-ops 10.5
#[test]
fn the_prefix_of_the_command_line_wins() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = directory.path().join("kong.conf");
    fs::write(&file, "prefix = /c\n").expect("a scratch file");
    let options = LoadOptions {
        conf_file: Some(file),
        prefix: Some(PathBuf::from("/b")),
        environment: &pairs(&[("KONG_PREFIX", "/a")]),
        ..Default::default()
    };
    let config = load(&options).expect("loads").config;
    assert_eq!(config.prefix, Path::new("/b"));
    assert_eq!(config.lmdb_environment_path, Path::new("/b/dbless.lmdb"));
}

/// conf-cli-ops 10.3
#[test]
fn the_first_default_file_that_exists_is_the_only_one_read() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let files = ["none", "first", "second"].map(|name| directory.path().join(name));
    fs::write(&files[1], "log_level = info\n").expect("a scratch file");
    fs::write(&files[2], "log_level = warn\nnginx_daemon = off\n").expect("a scratch file");
    let options = LoadOptions {
        default_files: &files,
        ..Default::default()
    };
    let loaded = load(&options).expect("loads");
    assert_eq!(loaded.file.as_deref(), Some(files[1].as_path()));
    assert_eq!(loaded.config.log_level, LogLevel::Info);
    assert!(loaded.config.nginx_daemon);
}

/// conf-cli-ops 10.2
#[test]
fn a_named_file_must_exist() {
    let options = LoadOptions {
        conf_file: Some("/nonexistent/x.conf".into()),
        ..Default::default()
    };
    let errors = load(&options).expect_err("refused");
    assert!(
        matches!(&errors[..], [ConfError::Unreadable { .. }]),
        "{errors:?}"
    );
    assert!(
        errors[0].to_string().contains("/nonexistent/x.conf"),
        "{errors:?}"
    );
}

/// conf-cli-ops 10.6
/// conf-cli-ops 10.9
/// conf-cli-ops 10.10
#[test]
fn the_file_grammar_is_penlights() {
    let text = "; comment\r\n  # comment\ndatabase = postgres # note\npg-host = x\n\
        proxy_listen = 127.0.0.1:80, \\\n# inside\n  [::1]:81 ssl # end\n\
        declarative_config_string = a\\#b = c;d # rest\n";
    let config = from_file(text, &[]).expect("loads").config;
    assert_eq!(config.database, Database::Postgres);
    assert_eq!(
        config.setting("pg_host").and_then(|s| s.text.as_deref()),
        Some("x")
    );
    assert_eq!(config.proxy_listen.len(), 2);
    assert_eq!(
        config.declarative_config_string.as_deref(),
        Some("a#b = c;d")
    );
}

/// conf-cli-ops 10.7
/// conf-cli-ops 10.8
#[test]
fn only_the_file_needs_an_escape_for_a_number_sign() {
    let password = |loaded: Result<Loaded, Vec<ConfError>>| {
        let config = loaded.expect("loads").config;
        config
            .setting("pg_password")
            .and_then(|setting| setting.text.clone())
    };
    assert_eq!(
        password(from_file("pg_password = a\\#b# c\n", &[])).as_deref(),
        Some("a#b")
    );
    assert_eq!(
        password(with(&[("pg_password", "a#b")])).as_deref(),
        Some("a#b")
    );
}

#[test]
fn numbers_keep_their_text() {
    let config = from_file("pg_password = 0123\n", &[])
        .expect("loads")
        .config;
    assert_eq!(
        config
            .setting("pg_password")
            .and_then(|s| s.text.as_deref()),
        Some("0123")
    );
}

#[test]
fn lines_without_effect_are_warned_of() {
    let loaded = from_file("log_level: debug\n[x]\nlog_level = bad\n", &[]).expect("loads");
    assert_eq!(loaded.config.log_level, LogLevel::Notice);
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(
        loaded.warnings[0].contains("kong.conf:1: "),
        "{:?}",
        loaded.warnings
    );
}

/// Here with a warning, which Kong does not give.
/// conf-cli-ops 10.12
/// conf-cli-ops 10.13
#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_name() {
    let unknown = [("KONG_UNKNOWN_THING", "1")];
    let loaded = from_file("log_levle = debug\n", &unknown).expect("loads");
    assert_warned(&loaded, &["kong.conf:1", "'log_levle'", "'log_level'"]);
    assert_warned(&loaded, &["KONG_UNKNOWN_THING", "'unknown_thing'"]);
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
}

#[test]
fn variables_that_are_no_keys_are_passed_over() {
    let service = [
        ("proxy_service_host", "10.0.0.1"),
        ("port", "tcp://10.0.0.1:80"),
        ("vault_rotation_interval", "5"),
        ("pg_password_file", "/run/secrets/pg"),
    ];
    assert!(
        loaded(&service).warnings.is_empty(),
        "{:?}",
        loaded(&service).warnings
    );
}

/// conf-cli-ops 10.64
#[test]
fn enterprise_keys_are_one_notice_and_change_nothing() {
    let keys = [
        ("enforce_rbac", "on"),
        ("cluster_telemetry_listen", "0.0.0.0:8006"),
    ];
    let loaded = loaded(&keys);
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert_warned(
        &loaded,
        &["Enterprise", "enforce_rbac", "cluster_telemetry_listen"],
    );
    assert_eq!(loaded.config, config(&[]));
}

/// conf-cli-ops 10.49
#[test]
fn a_deprecated_name_works_and_warns_with_the_new_one() {
    let both = |keys| {
        let loaded: Loaded = loaded(keys);
        let config = loaded.config.clone();
        let text = config
            .setting("tracing_instrumentations")
            .and_then(|s| s.text.clone());
        (loaded, text.expect("it has a value"))
    };
    let (loaded, text) = both(&[("opentelemetry_tracing", "router")]);
    assert_eq!(text, "router");
    assert_warned(
        &loaded,
        &["'opentelemetry_tracing'", "tracing_instrumentations"],
    );
    let keys = [
        ("opentelemetry_tracing", "router"),
        ("tracing_instrumentations", "request"),
    ];
    assert_eq!(both(&keys).1, "request");
    for (key, value) in [
        ("worker_consistency", "eventual"),
        ("privileged_agent", "on"),
    ] {
        assert_warned(&super::loaded(&[(key, value)]), &[key]);
    }
}

#[test]
fn the_real_name_wins_over_its_alias() {
    let text = "nginx_worker_processes = 3\nnginx_main_worker_processes = 5\n";
    let workers = |text| {
        from_file(text, &[])
            .expect("loads")
            .config
            .nginx_worker_processes
    };
    assert_eq!(workers(text), WorkerCount::Count(5));
    assert_eq!(
        workers("nginx_worker_processes = 3\n"),
        WorkerCount::Count(3)
    );
}

#[test]
fn an_empty_text_erases_the_default() {
    let config = config(&[
        ("proxy_access_log", ""),
        ("trusted_ips", ""),
        ("pg_pool_size", ""),
    ]);
    assert_eq!(config.proxy_access_log, LogTarget::Off);
    assert!(config.trusted_ips.is_empty());
}

/// conf-cli-ops 10.20
/// conf-cli-ops 10.21
#[test]
fn an_empty_text_is_refused_where_a_value_is_needed() {
    for key in [
        "log_level",
        "nginx_daemon",
        "lmdb_map_size",
        "pg_timeout",
        "prefix",
    ] {
        assert_refused(&[(key, "")], &[key]);
    }
    assert_refused(
        &[("proxy_listen", "")],
        &["proxy_listen", "ssl, proxy_protocol"],
    );
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let line = format!("# {}\n", "x".repeat(1021));
    let fits = line.repeat((16 << 20) / line.len());
    from_file(&fits, &[]).expect("16 MiB");
    let errors = from_file(&format!("{fits}#"), &[]).expect_err("longer");
    assert!(errors[0].to_string().contains("16 MiB"), "{errors:?}");
}

#[test]
fn a_line_that_is_too_long_is_refused() {
    let line = |length: usize| format!("\npg_user ={}\n", "x".repeat(length - 9));
    from_file(&line(1 << 20), &[]).expect("1 MiB");
    let errors = from_file(&line((1 << 20) + 1), &[]).expect_err("longer");
    assert!(errors[0].to_string().contains("kong.conf:2"), "{errors:?}");
}

#[test]
fn a_base_file_counts_where_the_file_and_the_environment_are_silent() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("a scratch file");
        path
    };
    let keys = [
        ("log_level", "info"),
        ("nginx_worker_processes", "7"),
        ("upstream_keepalive_pool_size", "5"),
        ("declarative_config_string", "left out"),
        ("worker_consistency", "eventual"),
    ];
    let base = write(".kong_env", &dump(&config(&keys)));
    let file = write(
        "kong.conf",
        "log_level = warn\nupstream_keepalive_pool_size = 6\n",
    );
    let loaded = load(&LoadOptions {
        conf_file: Some(file),
        base_file: Some(base),
        base_without: &["declarative_config_string"],
        environment: &variables(&[("upstream_keepalive_pool_size", "9")]),
        ..Default::default()
    });
    let loaded = loaded.expect("loads");
    assert_eq!(loaded.config.log_level, LogLevel::Warn);
    assert_eq!(loaded.config.nginx_worker_processes, WorkerCount::Count(7));
    assert_eq!(loaded.config.upstream_keepalive_pool_size, 9);
    assert_eq!(loaded.config.declarative_config_string, None);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn only_so_many_unknown_keys_are_compared_with_the_known_ones() {
    let compared = name::COMPARED_NAMES_MAX;
    let unknown = |count: usize| -> String {
        let names = (1..count).map(|number| format!("aaaa_{number:09} = 1\n"));
        names.collect::<String>() + "log_levl = 1\n"
    };
    let loaded = |count| from_file(&unknown(count), &[]).expect("loads");
    assert_warned(&loaded(compared), &["'log_levl'", "key is 'log_level'"]);
    assert_warned(&loaded(compared + 1), &["'log_levl'", "there are too many"]);
}
