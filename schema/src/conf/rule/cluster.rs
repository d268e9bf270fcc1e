//! What each role needs, and what it cannot have.

use super::super::draft::Draft;
use super::super::pem::{self, Material};

pub(super) fn check(draft: &mut Draft) {
    match draft.text("role") {
        Some("control_plane") => control_plane(draft),
        Some("data_plane") => data_plane(draft),
        _ => no_labels(draft, "a traditional node"),
    }
    if draft.switch("cluster_incremental_sync") && !draft.switch("cluster_rpc") {
        draft.warn(
            "cluster_incremental_sync",
            "it stays off, since cluster_rpc is off",
        );
    }
}

fn control_plane(draft: &mut Draft) {
    if draft.text("database") == Some("off") {
        draft.refuse("database", "a control plane (role) needs a database");
    }
    for name in ["admin_listen", "cluster_listen"] {
        if is_off(draft, name) {
            draft.refuse(name, "a control plane (role) needs it: name an address");
        }
    }
    if draft.switch("cluster_use_proxy") {
        draft.refuse(
            "cluster_use_proxy",
            "a control plane (role) uses no forward proxy",
        );
    }
    no_labels(draft, "a control plane");
    certificates(draft);
    let is_pki = draft.text("cluster_mtls") == Some("pki");
    if is_pki && draft.text("cluster_ca_cert").is_none() {
        draft.refuse(
            "cluster_mtls",
            "pki needs cluster_ca_cert on a control plane (role)",
        );
    }
}

fn data_plane(draft: &mut Draft) {
    if draft.text("database") == Some("postgres") {
        draft.refuse(
            "database",
            "a data plane (role) has no database: set database = off, its configuration comes \
             from the control plane",
        );
    }
    if is_off(draft, "proxy_listen") {
        draft.refuse(
            "proxy_listen",
            "a data plane (role) needs it: name an address",
        );
    }
    if draft.switch("cluster_use_proxy") && draft.text("proxy_server").is_none() {
        draft.refuse("cluster_use_proxy", "it needs proxy_server");
    }
    certificates(draft);
}

/// Both roles show each other a certificate.
fn certificates(draft: &mut Draft) {
    let pair = [
        ("cluster_cert", Material::Certificate),
        ("cluster_cert_key", Material::PrivateKey),
    ];
    for (name, material) in pair {
        match draft.text(name).map(|text| pem::check(text, material)) {
            Some(Ok(())) => {}
            Some(Err(problem)) => draft.refuse(name, problem),
            None => draft.refuse("role", format!("this role needs {name}")),
        }
    }
    let authority = draft.text("cluster_ca_cert");
    if let Some(Err(problem)) = authority.map(|text| pem::check(text, Material::Certificate)) {
        draft.refuse("cluster_ca_cert", problem);
    }
}

fn no_labels(draft: &mut Draft, role: &str) {
    if !draft.list("cluster_dp_labels").is_empty() {
        draft.refuse(
            "cluster_dp_labels",
            format!("{role} (role) has no labels, a data plane has"),
        );
    }
}

/// A list that does not fit is no second error.
fn is_off(draft: &Draft, name: &str) -> bool {
    draft.list(name).first().is_some_and(|first| first == "off")
}
