//! Certificates and their keys, wherever a server or a client needs them.

use super::super::draft::Draft;
use super::super::pem::{self, Material};

/// Listener lists and the keys with their certificates.
const SERVERS: [(&[&str], &str, &str); 4] = [
    (
        &["proxy_listen", "stream_listen"],
        "ssl_cert",
        "ssl_cert_key",
    ),
    (&["admin_listen"], "admin_ssl_cert", "admin_ssl_cert_key"),
    (&["status_listen"], "status_ssl_cert", "status_ssl_cert_key"),
    (
        &["admin_gui_listen"],
        "admin_gui_ssl_cert",
        "admin_gui_ssl_cert_key",
    ),
];

pub(super) fn check(draft: &mut Draft) {
    for (listens, cert, key) in SERVERS {
        let listeners = listens.iter().flat_map(|name| draft.listeners(name));
        if listeners.into_iter().any(|listener| listener.ssl) {
            pairs(draft, cert, key);
        }
    }
    if draft.switch("client_ssl") {
        client(draft);
    }
}

/// As many keys as certificates, all of them loadable.
fn pairs(draft: &mut Draft, cert: &str, key: &str) {
    let counts = (draft.list(cert).len(), draft.list(key).len());
    match counts {
        (0, 0) => return,
        (_, 0) => return draft.refuse(cert, format!("{key} is missing")),
        (0, _) => return draft.refuse(key, format!("{cert} is missing")),
        (certs, keys) if certs != keys => {
            draft.refuse(
                cert,
                format!("there are {certs} of {cert}, but {keys} of {key}"),
            );
        }
        _ => {}
    }
    for (name, material) in [(cert, Material::Certificate), (key, Material::PrivateKey)] {
        for text in draft.list(name).to_vec() {
            if let Err(problem) = pem::check(&text, material) {
                draft.refuse(name, problem);
            }
        }
    }
}

fn client(draft: &mut Draft) {
    let pair = [
        (
            "client_ssl_cert",
            Material::Certificate,
            "client_ssl_cert_key",
        ),
        (
            "client_ssl_cert_key",
            Material::PrivateKey,
            "client_ssl_cert",
        ),
    ];
    for (name, material, other) in pair {
        let Some(text) = draft.text(name) else {
            continue;
        };
        let outcome = pem::check(text, material);
        if draft.text(other).is_none() {
            draft.refuse(name, format!("{other} is missing"));
        }
        if let Err(problem) = outcome {
            draft.refuse(name, problem);
        }
    }
}
