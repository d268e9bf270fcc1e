//! Certificates, keys and suites.

use super::*;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\nMA==\n-----END EC PRIVATE KEY-----";
/// Base64 of `CERTIFICATE`.
const CERTIFICATE_BASE64: &str =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQ==";

/// conf-cli-ops 10.50
#[test]
fn a_cipher_suite_is_one_of_five() {
    for suite in ["modern", "intermediate", "old", "fips", "custom"] {
        config(&[("ssl_cipher_suite", suite)]);
    }
    assert_refused(&[("ssl_cipher_suite", "foo")], &["\"foo\"", "modern"]);
}

/// conf-cli-ops 10.51
#[test]
fn a_certificate_needs_its_key_where_tls_is_served() {
    let servers = [
        ("ssl_cert", "ssl_cert_key", "proxy_listen"),
        ("admin_ssl_cert", "admin_ssl_cert_key", "admin_listen"),
        ("status_ssl_cert", "status_ssl_cert_key", "status_listen"),
        (
            "admin_gui_ssl_cert",
            "admin_gui_ssl_cert_key",
            "admin_gui_listen",
        ),
    ];
    for (cert, key, listen) in servers {
        let tls = (listen, "127.0.0.1:1 ssl");
        assert_refused(
            &[tls, (cert, CERTIFICATE)],
            &[cert, &format!("{key} is missing")],
        );
        assert_refused(&[tls, (key, KEY)], &[&format!("{cert} is missing")]);
        config(&[tls, (cert, CERTIFICATE), (key, KEY)]);
        config(&[(listen, "127.0.0.1:1"), (cert, CERTIFICATE)]);
    }
    let stream = [
        ("proxy_listen", "off"),
        ("stream_listen", "127.0.0.1:1 ssl"),
    ];
    assert_refused(
        &[stream[0], stream[1], ("ssl_cert", CERTIFICATE)],
        &["ssl_cert_key is missing"],
    );
}

/// conf-cli-ops 10.52
#[test]
fn as_many_keys_as_certificates() {
    let two = format!("{CERTIFICATE},{CERTIFICATE}");
    assert_refused(
        &[("ssl_cert", &two), ("ssl_cert_key", KEY)],
        &["2 of ssl_cert", "1 of ssl_cert_key"],
    );
}

/// conf-cli-ops 10.53
#[test]
fn files_pem_and_base64_are_the_same() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = directory.path().join("a.crt");
    fs::write(&file, CERTIFICATE).expect("a scratch file");
    let path = file.display().to_string();
    let url = CERTIFICATE_BASE64.replace('+', "-").replace('/', "_");
    for text in [
        CERTIFICATE,
        CERTIFICATE_BASE64,
        &url,
        url.trim_end_matches('='),
        &path,
    ] {
        config(&[("ssl_cert", text), ("ssl_cert_key", KEY)]);
    }
    let bad = [
        ("/nonexistent/a.crt", "/nonexistent/a.crt"),
        (KEY, "holds no certificate"),
        ("gibberish", "neither a file, nor PEM text, nor base64"),
    ];
    for (text, reason) in bad {
        let keys = [("ssl_cert", text), ("ssl_cert_key", KEY)];
        assert_refused(&keys, &["ssl_cert", "failed loading certificate", reason]);
    }
}

#[test]
fn a_key_is_never_shown() {
    let errors = errors(&[("ssl_cert", CERTIFICATE), ("ssl_cert_key", "s3cr3t")]);
    assert!(
        errors[0].contains("ssl_cert_key = \"******\""),
        "{errors:?}"
    );
    assert!(!errors[0].contains("s3cr3t"), "{errors:?}");
}

#[test]
fn a_client_certificate_needs_its_key_when_it_is_sent() {
    let cert = ("client_ssl_cert", CERTIFICATE);
    assert_refused(
        &[("client_ssl", "on"), cert],
        &["client_ssl_cert_key is missing"],
    );
    config(&[("client_ssl", "on"), cert, ("client_ssl_cert_key", KEY)]);
    config(&[("client_ssl", "on")]);
    config(&[("client_ssl", "off"), cert]);
}

/// conf-cli-ops 10.55
#[test]
fn trusted_certificates_are_the_systems_or_loadable() {
    config(&[("lua_ssl_trusted_certificate", "system")]);
    config(&[(
        "lua_ssl_trusted_certificate",
        &format!("system, {CERTIFICATE}"),
    )]);
    let missing = ("lua_ssl_trusted_certificate", "/nonexistent/ca.crt");
    assert_refused(&[missing], &["/nonexistent/ca.crt"]);
}

#[test]
fn groups_are_named_or_loadable() {
    config(&[
        ("ssl_dhparam", "ffdhe2048"),
        ("nginx_http_ssl_dhparam", "ffdhe3072"),
    ]);
    assert_refused(
        &[("ssl_dhparam", "/nonexistent/dh.pem")],
        &["/nonexistent/dh.pem"],
    );
    assert_refused(
        &[("nginx_stream_ssl_dhparam", "/nonexistent/dh.pem")],
        &["no such file"],
    );
}

#[test]
fn a_relative_certificate_that_exists_becomes_absolute() {
    // Tests run in the crate's directory.
    let config = config(&[
        ("cluster_cert", "Cargo.toml"),
        ("cluster_ca_cert", "none.crt"),
    ]);
    let text = |key| {
        config
            .setting(key)
            .and_then(|setting| setting.text.clone())
            .expect(key)
    };
    assert!(Path::new(&text("cluster_cert")).is_absolute());
    assert_eq!(text("cluster_ca_cert"), "none.crt");
}
