//! The env vault's prefix, the router, and how much of a request plugins see.

use super::super::{check, kind::Kind, range};
use super::{Key, core, useful};

const SEEN: Kind = Kind::Number(range::SEEN);

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("vault_env_prefix", Kind::Text(check::vault_prefix),
        "Text before the names that the env vault looks up.").works(),
    useful("worker_consistency", Kind::OneOf(&["strict", "eventual"]), "When the router is built again.")
        .default("eventual").deprecated("leave it out: eventual is how it works"),
    core("worker_state_update_frequency", Kind::Number(range::POSITIVE),
        "Seconds between looks for changes.").default("5"),
    core("router_flavor", Kind::OneOf(&["traditional", "traditional_compatible", "expressions"]), "Router engine.")
        .default("traditional_compatible").works(),
    useful("lua_max_req_headers", SEEN, "Request headers that plugins see.").default("100"),
    useful("lua_max_resp_headers", SEEN, "Response headers that plugins see.").default("100"),
    useful("lua_max_uri_args", SEEN, "Query arguments that plugins see.").default("100"),
    useful("lua_max_post_args", SEEN, "Form arguments that plugins see.").default("100"),
];
