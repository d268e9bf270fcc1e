//! Rules of the roles.

use super::*;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----";
const PAIR: [(&str, &str); 2] = [("cluster_cert", CERTIFICATE), ("cluster_cert_key", KEY)];

fn plane<'a>(role: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut keys = vec![("role", role)];
    keys.extend(PAIR);
    keys.extend_from_slice(more);
    keys
}

/// conf-cli-ops 10.41
#[test]
fn a_control_plane_needs_database_listeners_and_certificate() {
    let config = config(&plane("control_plane", &[]));
    assert_eq!(
        (config.role, config.database),
        (Role::ControlPlane, Database::Postgres)
    );
    assert_eq!(config.unsupported().len(), 2);
    for key in ["database", "admin_listen", "cluster_listen"] {
        assert_refused(&plane("control_plane", &[(key, "off")])[..], &[key, "role"]);
    }
    let bare = errors(&[("role", "control_plane")]);
    assert_eq!(bare.len(), 2, "{bare:?}");
    assert!(
        bare[0].contains("cluster_cert") && bare[1].contains("cluster_cert_key"),
        "{bare:?}"
    );
}

/// conf-cli-ops 10.42
#[test]
fn a_data_plane_has_no_database_and_serves() {
    assert_eq!(config(&plane("data_plane", &[])).role, Role::DataPlane);
    assert_refused(
        &plane("data_plane", &[("database", "postgres")]),
        &["database", "role"],
    );
    assert_refused(
        &plane("data_plane", &[("proxy_listen", "off")]),
        &["proxy_listen", "role"],
    );
}

/// conf-cli-ops 10.43
/// conf-cli-ops 10.44
#[test]
fn pki_needs_an_authority_on_the_control_plane() {
    let pki = ("cluster_mtls", "pki");
    assert_refused(&plane("control_plane", &[pki]), &["cluster_ca_cert"]);
    config(&plane(
        "control_plane",
        &[pki, ("cluster_ca_cert", CERTIFICATE)],
    ));
    config(&plane("data_plane", &[pki]));
    assert_refused(&[("cluster_mtls", "pki_check_cn")], &["shared, pki"]);
}

/// conf-cli-ops 10.45
#[test]
fn labels_are_for_data_planes() {
    for role in ["traditional", "control_plane"] {
        assert_refused(
            &plane(role, &[("cluster_dp_labels", "a:b")]),
            &["cluster_dp_labels", "role"],
        );
    }
    let label = |text| plane("data_plane", &[("cluster_dp_labels", text)]);
    let long = format!("a:{}", "x".repeat(64));
    let eleven = ["a:b"; 11].join(",");
    config(&label("a:b,Region.x:eu-west:1"));
    config(&label(&long[..65]));
    let bad = [
        ("kong_x:b", "begin with kong"),
        (&eleven, "11 labels"),
        (&long, "1 to 63"),
        ("a", "key:value"),
        ("a:", "1 to 63"),
        ("_a:b", "\"_a\""),
        ("a:b b", "\"b b\""),
    ];
    for (text, reason) in bad {
        assert_refused(&label(text), &["cluster_dp_labels", reason]);
    }
}

/// conf-cli-ops 10.46
#[test]
fn only_a_data_plane_goes_through_a_forward_proxy() {
    let on = ("cluster_use_proxy", "on");
    assert_refused(&plane("data_plane", &[on]), &["proxy_server"]);
    config(&plane("data_plane", &[on, ("proxy_server", "http://p:1")]));
    assert_refused(
        &plane("control_plane", &[on]),
        &["cluster_use_proxy", "role"],
    );
}

#[test]
fn incremental_sync_without_rpc_is_a_warning() {
    let loaded = loaded(&[("cluster_incremental_sync", "on")]);
    assert_warned(&loaded, &["cluster_incremental_sync", "cluster_rpc"]);
}
