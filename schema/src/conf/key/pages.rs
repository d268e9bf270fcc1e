//! Kong Manager, the pages for the browser.

use super::super::{check, kind::Kind, listener::Subsystem, pem::Material};
use super::{Key, useful};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    useful("admin_gui_listen", Kind::Listeners(Subsystem::Http), "Addresses of Kong Manager, or off.")
        .default("0.0.0.0:8002, 0.0.0.0:8445 ssl"),
    useful("admin_gui_url", Kind::List(check::urls), "Where browsers reach it; the Admin API lets these origins in."),
    useful("admin_gui_path", Kind::Text(check::gui_path), "Path it is served under.").default("/"),
    useful("admin_gui_api_url", Kind::Text(check::none), "Where browsers reach the Admin API."),
    useful("admin_gui_ssl_cert", Kind::Pems(Material::Certificate), "Its certificates."),
    useful("admin_gui_ssl_cert_key", Kind::Pems(Material::PrivateKey), "Their keys, in the same order.").masked(),
    useful("admin_gui_access_log", Kind::Log, "Its access log.").default("logs/admin_gui_access.log"),
    useful("admin_gui_error_log", Kind::Log, "Its error log.").default("logs/admin_gui_error.log"),
];
