//! Roles, and how control plane and data plane meet.

use super::super::{check, kind::Kind, listener::Subsystem, pem::Material, range};
use super::{Key, core, ignored, useful};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("role", Kind::OneOf(&["traditional", "control_plane", "data_plane"]), "Role of this node.")
        .default("traditional").works(),
    core("cluster_mtls", Kind::OneOf(&["shared", "pki"]), "How the planes prove who they are.").default("shared"),
    core("cluster_cert", Kind::Pem(Material::Certificate), "Certificate between the planes."),
    core("cluster_cert_key", Kind::Pem(Material::PrivateKey), "Key of that certificate.").masked(),
    core("cluster_ca_cert", Kind::Pem(Material::Certificate),
        "Authority that signed the peers' certificates, with pki."),
    core("cluster_server_name", Kind::Text(check::none), "Server name that a data plane sends, with pki."),
    core("cluster_control_plane", Kind::Text(check::none), "Address of the control plane, host:port.")
        .default("127.0.0.1:8005"),
    useful("cluster_max_payload", Kind::Number(range::at_least(4_194_304.0)),
        "Largest compressed configuration between the planes, bytes.").default("16777216"),
    useful("cluster_dp_labels", Kind::List(check::labels), "Labels key:value that a data plane announces."),
    core("cluster_listen", Kind::Listeners(Subsystem::Http), "Addresses for data planes; TLS always.")
        .default("0.0.0.0:8005"),
    useful("cluster_data_plane_purge_delay", Kind::Number(range::at_least(60.0)),
        "Seconds after which a data plane that is gone is forgotten.").default("1209600"),
    useful("cluster_ocsp", Kind::OneOf(&["on", "off", "optional"]),
        "Whether a control plane asks if a data plane's certificate was revoked.").default("off"),
    useful("cluster_use_proxy", Kind::Switch, "Whether a data plane goes through proxy_server.").default("off"),
    useful("cluster_rpc", Kind::Switch, "The JSON-RPC channel between the planes.").default("off"),
    useful("cluster_incremental_sync", Kind::Switch, "Configuration by differences; needs cluster_rpc.")
        .default("off"),
    ignored("cluster_cjson", Kind::Switch, "Which JSON library a data plane uses.").default("off"),
];
