//! `session`: a cookie stands for the credentials of an earlier request
//! (`kong/plugins/session/schema.lua`, `daos.lua`).
//!
//! `secret` has a random default, the same for every plugin of a node until it restarts: sessions
//! that must outlive a restart, or reach several nodes, need a secret in the configuration.

use std::sync::LazyLock;

use aws_lc_rs::rand;
use serde_json::{Map, Value};

use super::Plugin;
use super::shared::{
    BOOLEAN, INTEGER, NO_CONSUMER, NUMBER, PROTOCOLS, STRING, base64, config, flag,
};
use crate::entity::shared::{CREATED_AT, ID};
use crate::field::{
    Check, Default, Expand, Field, Kind, Record, Schema, Shorthand, Subschema, Type,
};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "session",
    priority: 1900,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[&SESSIONS],
};

static CONFIG: Record = Record::new(&[
    Field::new("secret", STRING)
        .default(Default::Made(secret))
        .encrypted()
        .referenceable()
        .description("Secret from which the keys of cookies are made."),
    Field::new(
        "storage",
        Type::with(Kind::String, &[Check::OneOf(&["cookie", "kong"])]),
    )
    .default(Default::String("cookie"))
    .description("Where a session's data is: in the cookie or on the gateway."),
    text("audience", "default").description("Which sessions belong together."),
    seconds("idling_timeout", 900).description("Longest pause between requests, in seconds."),
    seconds("rolling_timeout", 3600).description("When a session is renewed, in seconds."),
    seconds("absolute_timeout", 86_400).description("When a session ends for good, in seconds."),
    seconds("stale_ttl", 10).description("How long a replaced session is good, in seconds."),
    text("cookie_name", "session").description("Name of the cookie."),
    text("cookie_path", "/").description("Path of the cookie."),
    Field::new("cookie_domain", STRING).description("Domain of the cookie."),
    Field::new(
        "cookie_same_site",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["Strict", "Lax", "None", "Default"])],
        ),
    )
    .default(Default::String("Strict"))
    .description("SameSite of the cookie."),
    flag("cookie_http_only", true).description("Whether scripts do not see the cookie."),
    flag("cookie_secure", true).description("Whether the cookie needs TLS."),
    flag("remember", false).description("Whether a second, lasting cookie is set."),
    text("remember_cookie_name", "remember").description("Name of the lasting cookie."),
    seconds("remember_rolling_timeout", 604_800)
        .description("When the lasting cookie is renewed, in seconds."),
    seconds("remember_absolute_timeout", 2_592_000)
        .description("When the lasting cookie ends for good, in seconds."),
    Field::new("response_headers", HEADERS).description("Facts of the session for the client."),
    Field::new("request_headers", HEADERS).description("Facts of the session for the upstream."),
    flag("read_body_for_logout", false).description("Whether the body may ask for the logout."),
    Field::new(
        "logout_methods",
        Type::new(Kind::Set(&Type::with(
            Kind::String,
            &[Check::OneOf(&["GET", "POST", "DELETE"])],
        ))),
    )
    .default(Default::Strings(&["POST", "DELETE"]))
    .description("Methods that may log out."),
    text("logout_query_arg", "session_logout").description("Query argument that logs out."),
    text("logout_post_arg", "session_logout").description("Body argument that logs out."),
])
.shorthands(&[
    other("cookie_lifetime", NUMBER, |value| {
        member("rolling_timeout", value)
    }),
    other("cookie_idletime", NUMBER, |value| {
        let value = if value.is_null() { 0.into() } else { value };
        member("idling_timeout", value)
    }),
    other("cookie_renew", NUMBER, |_| Map::new()),
    other("cookie_discard", NUMBER, |value| member("stale_ttl", value)),
    other("cookie_samesite", STRING, |value| {
        let value = if value == "off" { "Lax".into() } else { value };
        member("cookie_same_site", value)
    }),
    other("cookie_httponly", BOOLEAN, |value| {
        member("cookie_http_only", value)
    }),
    other("cookie_persistent", BOOLEAN, |value| {
        member("remember", value)
    }),
]);

const HEADERS: Type = Type::new(Kind::Set(&Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "id",
        "audience",
        "subject",
        "timeout",
        "idling-timeout",
        "rolling-timeout",
        "absolute-timeout",
    ])],
)));

/// A stored session.
static SESSIONS: Schema = Schema::new(
    "sessions",
    &[
        ID,
        Field::new("session_id", STRING).required().unique(),
        Field::new("expires", INTEGER),
        Field::new("data", STRING),
        CREATED_AT,
    ],
)
.endpoint_key("session_id")
.cache_key(&["session_id"])
.ttl()
.not_exported();

const fn text(name: &'static str, default: &'static str) -> Field {
    Field::new(name, STRING).default(Default::String(default))
}

const fn seconds(name: &'static str, default: i64) -> Field {
    Field::new(name, NUMBER).default(Default::Integer(default))
}

const fn other(name: &'static str, ty: Type, make: fn(Value) -> Map<String, Value>) -> Shorthand {
    Shorthand {
        name,
        ty,
        expand: Expand::With(make),
        deprecation: None,
    }
}

fn member(name: &str, value: Value) -> Map<String, Value> {
    [(name.to_owned(), value)].into_iter().collect()
}

fn secret() -> Value {
    const RANDOM_BYTES: usize = 33;
    static SECRET: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = [0; RANDOM_BYTES];
        rand::fill(&mut bytes).expect("the system gives random bytes");
        base64(&bytes).replace(['/', '+'], "0")
    });
    SECRET.as_str().into()
}
