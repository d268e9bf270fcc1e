//! Trusted certificates, Lua, and the node's id.

use super::super::{check, kind::Kind, range};
use super::{Key, core, ignored, useful};

const TEXT: Kind = Kind::Text(check::none);

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("lua_ssl_trusted_certificate", Kind::List(check::trusted_certificates),
        "Authorities for outgoing TLS: system, files, PEM, or base64 of PEM.").default("system"),
    core("lua_ssl_verify_depth", Kind::Number(range::ANY), "Length of the chains they verify.").default("1"),
    useful("lua_ssl_protocols", TEXT, "TLS versions of internal clients.").default("TLSv1.2 TLSv1.3"),
    ignored("lua_package_path", TEXT, "Where Lua finds modules.").default("./?.lua;./?/init.lua;"),
    ignored("lua_package_cpath", TEXT, "Where Lua finds modules in C."),
    ignored("lua_socket_pool_size", Kind::Number(range::ANY), "Connections that Lua keeps.").default("256"),
    useful("untrusted_lua", Kind::OneOf(&["on", "off", "sandbox"]), "What Lua code in a configuration may do.")
        .default("sandbox"),
    useful("untrusted_lua_sandbox_requires", Kind::List(check::any), "Modules in the sandbox."),
    useful("untrusted_lua_sandbox_environment", Kind::List(check::any), "Globals in the sandbox."),
    ignored("openresty_path", TEXT, "Installation of OpenResty."),
    core("node_id", Kind::Text(check::uuid), "Id of this node; unset, it is chosen.")
        .deprecated("leave it out: a node chooses its id").works(),
];
