//! References as values.

use super::*;

fn load_with(
    keys: &[(&str, &str)],
    secrets: &[(&str, &str)],
    unresolved: Unresolved,
) -> Result<Loaded, Vec<ConfError>> {
    load(&LoadOptions {
        environment: &variables(keys),
        secrets: &pairs(secrets),
        unresolved,
        ..Default::default()
    })
}

fn resolved(keys: &[(&str, &str)], secrets: &[(&str, &str)]) -> NodeConfig {
    let loaded = load_with(keys, secrets, Unresolved::Refuse);
    loaded
        .unwrap_or_else(|errors| panic!("{keys:?}: {errors:?}"))
        .config
}

fn refused(keys: &[(&str, &str)], secrets: &[(&str, &str)]) -> String {
    let errors = load_with(keys, secrets, Unresolved::Refuse).expect_err("refused");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].to_string()
}

/// conf-cli-ops 10.152
/// conf-cli-ops 10.153
#[test]
fn a_secret_is_used_and_only_its_reference_is_kept() {
    let keys = [
        ("declarative_config_string", "{vault://env/my-text}"),
        ("pg_database", "{vault://env/my-db}"),
        ("pg_password", "{vault://env/pw}"),
    ];
    let config = resolved(
        &keys,
        &[
            ("MY_TEXT", "x-secret"),
            ("MY_DB", "db-secret"),
            ("PW", "pw-secret"),
        ],
    );
    assert_eq!(
        config.declarative_config_string.as_deref(),
        Some("x-secret")
    );
    let shown = config.effective();
    assert_eq!(shown["pg_database"], "{vault://env/my-db}");
    assert_eq!(shown["pg_password"], "******");
    let dumped = dump(&config);
    assert!(
        dumped.contains("pg_password = {vault://env/pw}"),
        "{dumped}"
    );
    for text in [dumped, display(&config).join("\n"), format!("{shown:?}")] {
        assert!(
            !text.contains("secret\"") && !text.contains("-secret"),
            "{text}"
        );
    }
}

/// conf-cli-ops 10.154
#[test]
fn a_secret_is_typed_after_it_was_resolved() {
    let keys = [
        ("pg_port", "{vault://env/pg-port}"),
        ("log_level", "{vault://env/level}"),
        ("upstream_keepalive_pool_size", "{vault://env/size}"),
        ("proxy_listen", "{vault://env/listen}, 127.0.0.1:2"),
    ];
    let secrets = [
        ("PG_PORT", "5432"),
        ("LEVEL", "warn"),
        ("SIZE", "7"),
        ("LISTEN", "[::1]:1 ssl"),
    ];
    let config = resolved(&keys, &secrets);
    assert_eq!(config.log_level, LogLevel::Warn);
    assert_eq!(config.upstream_keepalive_pool_size, 7);
    assert_eq!(config.proxy_listen.len(), 2);
    let error = refused(&[("pg_port", "{vault://env/x}")], &[("X", "hidden")]);
    assert!(
        error.contains("{vault://env/x}") && error.contains("a number"),
        "{error}"
    );
    assert!(!error.contains("hidden"), "{error}");
}

#[test]
fn a_directive_may_be_a_secret() {
    let keys = [
        ("nginx_http_x", "{vault://env/x}"),
        ("nginx_http_keepalive_requests", "{vault://env/n}"),
    ];
    let config = resolved(&keys, &[("X", "a b"), ("N", "7")]);
    let http: Vec<_> = config.directives("nginx_http_").collect();
    assert!(
        http.contains(&("x", "a b")) && http.contains(&("keepalive_requests", "7")),
        "{http:?}"
    );
}

#[test]
fn a_secret_with_commas_stays_one_element() {
    let keys = [("plugins", "cors, {vault://env/more}")];
    assert_eq!(resolved(&keys, &[("MORE", "a,b")]).plugins, ["a,b", "cors"]);
}

/// conf-cli-ops 10.155
#[test]
fn a_reference_without_secret_names_itself_key_and_element() {
    let error = refused(&[("pg_user", "{vault://env/none}")], &[]);
    for part in [
        "KONG_PG_USER",
        "pg_user",
        "{vault://env/none}",
        "NONE is not set",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = refused(&[("trusted_ips", "::1,{vault://env/none}")], &[]);
    assert!(error.contains("trusted_ips (element 2)"), "{error}");
}

/// conf-cli-ops 10.88
/// conf-cli-ops 10.96
#[test]
fn a_command_that_needs_no_secret_is_only_warned() {
    let keys = [
        ("log_level", "{vault://env/none}"),
        ("proxy_listen", "{vault://env/none}"),
        ("trusted_ips", "::1,{vault://env/none}"),
    ];
    let loaded = load_with(&keys, &[], Unresolved::Warn).expect("loads");
    assert_eq!(loaded.config.log_level, LogLevel::Notice);
    assert_eq!(loaded.config.proxy_listen.len(), 2);
    assert_eq!(loaded.config.trusted_ips, ["::1"]);
    assert_eq!(loaded.warnings.len(), 3, "{:?}", loaded.warnings);
    assert!(dump(&loaded.config).contains("log_level = {vault://env/none}"));
}

/// conf-cli-ops 10.157
#[test]
fn the_prefix_of_the_env_vault_is_a_key() {
    let keys = [
        ("vault_env_prefix", "SECRETS_"),
        ("log_level", "{vault://env/x}"),
    ];
    assert_eq!(
        resolved(&keys, &[("SECRETS_X", "crit")]).log_level,
        LogLevel::Crit
    );
}

/// conf-cli-ops 10.160
#[test]
fn each_fault_of_a_reference_stops_a_start_with_its_reason() {
    let faults = [
        "{vault://env}",
        "{vault://env/}",
        "{vault://env/////}",
        "{vault://env/x#y}",
    ];
    let mut reasons: Vec<_> = faults
        .iter()
        .map(|text| refused(&[("pg_user", text)], &[]).replace(text, ""))
        .collect();
    reasons.dedup();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
}

#[test]
fn only_an_enabled_vault_resolves() {
    let reference = ("pg_user", "{vault://env/x}");
    let error = refused(&[reference, ("vaults", "off")], &[("X", "y")]);
    assert!(error.contains("no vault \"env\""), "{error}");
    let error = refused(&[("pg_user", "{vault://none/x}")], &[]);
    assert!(error.contains("no vault \"none\""), "{error}");
}

#[test]
fn what_says_how_to_resolve_is_never_resolved() {
    let keys = [("vault_x_token", "{vault://env/none}")];
    let config = resolved(&keys, &[]);
    let setting = config
        .setting("vault_x_token")
        .and_then(|setting| setting.text.as_deref());
    assert_eq!(setting, Some("{vault://env/none}"));
}

#[test]
fn a_reference_inside_other_text_is_text() {
    let config = resolved(
        &[("declarative_config_string", "a {vault://env/none}")],
        &[],
    );
    assert_eq!(
        config.declarative_config_string.as_deref(),
        Some("a {vault://env/none}")
    );
}
