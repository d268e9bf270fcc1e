//! An upstream: a virtual host name with targets and a balancing algorithm
//! (`kong/db/schema/entities/upstreams.lua`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::shared::{
    BOOLEAN, CREATED_AT, HEADER_NAME, ID, PATH, SNI, STRING, TAGS, UPDATED_AT, boolean, integer,
    list_json, reference, reference_json, string, strings, switch, uuid, with_exact,
};
use crate::field::{
    Check, Conditional, Default, EntityCheck, Errors, Field, Kind, Match, Record, Row, Schema,
    Type, host, text,
};

/// A validated upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Primary key.
    pub id: Uuid,
    /// Endpoint key: the host name by which services refer to it.
    pub name: String,
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// What is hashed to choose a target.
    pub hash_on: HashInput,
    /// What is hashed when the request has no `hash_on`.
    pub hash_fallback: HashInput,
    /// Header of `hash_on`.
    pub hash_on_header: Option<String>,
    /// Header of `hash_fallback`.
    pub hash_fallback_header: Option<String>,
    /// Cookie of either.
    pub hash_on_cookie: Option<String>,
    /// Path of the cookie when the proxy sets it.
    pub hash_on_cookie_path: String,
    /// Query argument of `hash_on`.
    pub hash_on_query_arg: Option<String>,
    /// Query argument of `hash_fallback`.
    pub hash_fallback_query_arg: Option<String>,
    /// Capture of the route's regex, of `hash_on`.
    pub hash_on_uri_capture: Option<String>,
    /// Capture of the route's regex, of `hash_fallback`.
    pub hash_fallback_uri_capture: Option<String>,
    /// Size of the hashing ring.
    pub slots: u32,
    /// Health checks: Kong's tree, validated and with every default.
    pub healthchecks: Value,
    /// Host header sent to the targets instead of their own names.
    pub host_header: Option<String>,
    /// Certificate shown to the targets.
    pub client_certificate: Option<Uuid>,
    /// Whether the name of an SRV record goes upstream as Host.
    pub use_srv_name: bool,
    /// Free labels.
    pub tags: Vec<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// The fields, as a JSON object, that Kong shows differently than the typed ones would.
    pub exact: Option<Box<str>>,
}

/// How a target is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Weighted round-robin.
    #[default]
    RoundRobin,
    /// Fewest open connections per weight.
    LeastConnections,
    /// A ring of hashes.
    ConsistentHashing,
    /// Lowest moving average of the latency.
    Latency,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [
        Self::RoundRobin,
        Self::LeastConnections,
        Self::ConsistentHashing,
        Self::Latency,
    ];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastConnections => "least-connections",
            Self::ConsistentHashing => "consistent-hashing",
            Self::Latency => "latency",
        }
    }

    /// The algorithm of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// What is hashed to choose a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashInput {
    /// Nothing: no hashing.
    #[default]
    None,
    /// The consumer.
    Consumer,
    /// The client's address.
    Ip,
    /// A header.
    Header,
    /// A cookie, set when missing.
    Cookie,
    /// The request path.
    Path,
    /// A query argument.
    QueryArg,
    /// A capture of the route's regex.
    UriCapture,
}

impl HashInput {
    /// Every input, in the order of Kong's message.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Consumer,
        Self::Ip,
        Self::Header,
        Self::Cookie,
        Self::Path,
        Self::QueryArg,
        Self::UriCapture,
    ];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Consumer => "consumer",
            Self::Ip => "ip",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Path => "path",
            Self::QueryArg => "query_arg",
            Self::UriCapture => "uri_capture",
        }
    }

    /// The input of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|input| input.name() == name)
    }
}

/// Size of the hashing ring of an upstream that says nothing.
const SLOTS: u32 = 10_000;

const HASH_INPUT: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "none",
        "consumer",
        "ip",
        "header",
        "cookie",
        "path",
        "query_arg",
        "uri_capture",
    ])],
);
const COOKIE: Type = Type::with(Kind::String, &[Check::Text(text::cookie_name)]);

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "upstreams",
    &[
        ID,
        CREATED_AT,
        Field::new(
            "name",
            Type::with(Kind::String, &[Check::Text(host::upstream_name)]),
        )
        .required()
        .unique()
        .description("Host name by which services refer to the upstream."),
        UPDATED_AT,
        Field::new(
            "algorithm",
            Type::with(
                Kind::String,
                &[Check::OneOf(&[
                    "consistent-hashing",
                    "least-connections",
                    "round-robin",
                    "latency",
                ])],
            ),
        )
        .default(Default::String("round-robin"))
        .description("How a target is chosen."),
        Field::new("hash_on", HASH_INPUT)
            .default(Default::String("none"))
            .description("What is hashed to choose a target."),
        Field::new("hash_fallback", HASH_INPUT)
            .default(Default::String("none"))
            .description("What is hashed when the request has no hash_on."),
        Field::new("hash_on_header", HEADER_NAME).description("Header of hash_on."),
        Field::new("hash_fallback_header", HEADER_NAME).description("Header of hash_fallback."),
        Field::new("hash_on_cookie", COOKIE).description("Cookie of either."),
        Field::new("hash_on_cookie_path", PATH)
            .default(Default::String("/"))
            .description("Path of the cookie that the proxy sets."),
        Field::new("hash_on_query_arg", STRING).description("Query argument of hash_on."),
        Field::new("hash_fallback_query_arg", STRING)
            .description("Query argument of hash_fallback."),
        Field::new("hash_on_uri_capture", STRING)
            .description("Capture of the route's regex, of hash_on."),
        Field::new("hash_fallback_uri_capture", STRING)
            .description("Capture of the route's regex, of hash_fallback."),
        Field::new(
            "slots",
            Type::with(Kind::Integer, &[Check::Between(10, 65_536)]),
        )
        .default(Default::Integer(SLOTS as i64))
        .description("Size of the hashing ring."),
        Field::record("healthchecks", &HEALTHCHECKS).description("How targets are watched."),
        Field::new("tags", TAGS).description("Free labels."),
        Field::new(
            "host_header",
            Type::with(Kind::String, &[Check::Text(host::with_optional_port)]),
        )
        .description("Host header sent instead of the target's own name."),
        Field::new(
            "client_certificate",
            Type::new(Kind::Foreign("certificates")),
        )
        .description("Certificate shown to the targets."),
        Field::new("use_srv_name", BOOLEAN)
            .default(Default::Boolean(false))
            .description("Whether the name of an SRV record goes on as Host."),
    ],
)
.endpoint_key("name")
.prepare(couple_algorithm_and_hash)
.checks(&[
    needs("hash_on", "header", "hash_on_header"),
    needs("hash_fallback", "header", "hash_fallback_header"),
    needs("hash_on", "cookie", "hash_on_cookie"),
    needs("hash_fallback", "cookie", "hash_on_cookie"),
    fallback("none", &["none"]),
    fallback("cookie", &["none"]),
    fallback(
        "consumer",
        &[
            "none",
            "ip",
            "header",
            "cookie",
            "path",
            "query_arg",
            "uri_capture",
        ],
    ),
    fallback(
        "ip",
        &[
            "none",
            "consumer",
            "header",
            "cookie",
            "path",
            "query_arg",
            "uri_capture",
        ],
    ),
    fallback(
        "path",
        &[
            "none",
            "consumer",
            "header",
            "cookie",
            "query_arg",
            "ip",
            "uri_capture",
        ],
    ),
    EntityCheck::Distinct(&["hash_on_header", "hash_fallback_header"]),
    needs("hash_on", "query_arg", "hash_on_query_arg"),
    needs("hash_fallback", "query_arg", "hash_fallback_query_arg"),
    EntityCheck::Distinct(&["hash_on_query_arg", "hash_fallback_query_arg"]),
    needs("hash_on", "uri_capture", "hash_on_uri_capture"),
    needs("hash_fallback", "uri_capture", "hash_fallback_uri_capture"),
    EntityCheck::Distinct(&["hash_on_uri_capture", "hash_fallback_uri_capture"]),
]);

/// `field` = `input` needs `argument`.
const fn needs(field: &'static str, input: &'static str, argument: &'static str) -> EntityCheck {
    EntityCheck::Conditional(Conditional::new(
        field,
        Match::Equals(input),
        argument,
        Match::Required,
    ))
}

/// `hash_on` = `input` allows these fallbacks only.
const fn fallback(input: &'static str, allowed: &'static [&'static str]) -> EntityCheck {
    EntityCheck::Conditional(Conditional::new(
        "hash_on",
        Match::Equals(input),
        "hash_fallback",
        Match::OneOf(allowed),
    ))
}

/// Setting `algorithm` or `hash_on` changes the other, `algorithm` first.
fn couple_algorithm_and_hash(object: &mut Map<String, Value>) -> Result<(), Errors> {
    for field in ["algorithm", "hash_on"] {
        if object
            .get(field)
            .is_some_and(|value| !value.is_null() && !value.is_string())
        {
            let error = (field.to_owned(), Value::from("expected a string"));
            return Err([error].into_iter().collect());
        }
    }
    let without_hash = matches!(
        object.get("algorithm").and_then(Value::as_str),
        Some("least-connections" | "latency")
    );
    match object.get("hash_on") {
        _ if without_hash => drop(object.insert("hash_on".into(), "none".into())),
        None => {}
        Some(Value::String(input)) => {
            let algorithm = if input == "none" {
                "round-robin"
            } else {
                "consistent-hashing"
            };
            object.insert("algorithm".into(), algorithm.into());
        }
        Some(_) => drop(object.insert("hash_on".into(), "none".into())),
    }
    Ok(())
}

static HEALTHCHECKS: Record = Record::new(&[
    Field::record("active", &ACTIVE),
    Field::record("passive", &PASSIVE),
    Field::new(
        "threshold",
        Type::with(Kind::Number, &[Check::Between(0, 100)]),
    )
    .default(Default::Integer(0)),
]);

static ACTIVE: Record = Record::new(&[
    check_type(),
    seconds("timeout", 1),
    Field::new(
        "concurrency",
        Type::with(Kind::Integer, &[Check::Between(1, 2_147_483_648)]),
    )
    .default(Default::Integer(10)),
    Field::new("http_path", PATH).default(Default::String("/")),
    Field::new("https_sni", SNI),
    switch("https_verify_certificate", true),
    Field::new(
        "headers",
        Type::new(Kind::Map(&HEADER_NAME, &Type::new(Kind::Array(&STRING)))),
    ),
    Field::record("healthy", &ACTIVE_HEALTHY),
    Field::record("unhealthy", &ACTIVE_UNHEALTHY),
]);

static ACTIVE_HEALTHY: Record = Record::new(&[
    seconds("interval", 0),
    statuses(&[200, 302]),
    count("successes"),
]);

static ACTIVE_UNHEALTHY: Record = Record::new(&[
    seconds("interval", 0),
    statuses(&[429, 404, 500, 501, 502, 503, 504, 505]),
    count("tcp_failures"),
    count("timeouts"),
    count("http_failures"),
]);

static PASSIVE: Record = Record::new(&[
    check_type(),
    Field::record("healthy", &PASSIVE_HEALTHY),
    Field::record("unhealthy", &PASSIVE_UNHEALTHY),
]);

static PASSIVE_HEALTHY: Record = Record::new(&[
    statuses(&[
        200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307,
        308,
    ]),
    count("successes"),
]);

static PASSIVE_UNHEALTHY: Record = Record::new(&[
    statuses(&[429, 500, 503]),
    count("tcp_failures"),
    count("timeouts"),
    count("http_failures"),
]);

const fn check_type() -> Field {
    let protocols = &[Check::OneOf(&["tcp", "http", "https", "grpc", "grpcs"])];
    Field::new("type", Type::with(Kind::String, protocols)).default(Default::String("http"))
}

const fn seconds(name: &'static str, default: i64) -> Field {
    Field::new(name, Type::with(Kind::Number, &[Check::Between(0, 65_535)]))
        .default(Default::Integer(default))
}

const fn count(name: &'static str) -> Field {
    Field::new(name, Type::with(Kind::Integer, &[Check::Between(0, 255)]))
        .default(Default::Integer(0))
}

const fn statuses(default: &'static [i64]) -> Field {
    const STATUS: Type = Type::with(Kind::Integer, &[Check::Between(100, 999)]);
    Field::new("http_statuses", Type::new(Kind::Array(&STATUS))).default(Default::Integers(default))
}

impl Upstream {
    /// Types a validated row. `id` and `now` (Unix seconds) stand in for what it leaves out.
    pub fn from_row(mut row: Row, id: Uuid, now: i64) -> Self {
        let hash_input = |value: Value| {
            string(value)
                .and_then(|name| HashInput::from_name(&name))
                .unwrap_or_default()
        };
        let exact = row.exact(|_, _| false);
        Self {
            id: uuid(&row.take("id")).unwrap_or(id),
            created_at: integer(&row.take("created_at"), now),
            updated_at: now,
            name: string(row.take("name")).unwrap_or_default(),
            algorithm: string(row.take("algorithm"))
                .and_then(|name| Algorithm::from_name(&name))
                .unwrap_or_default(),
            hash_on: hash_input(row.take("hash_on")),
            hash_fallback: hash_input(row.take("hash_fallback")),
            hash_on_header: string(row.take("hash_on_header")),
            hash_fallback_header: string(row.take("hash_fallback_header")),
            hash_on_cookie: string(row.take("hash_on_cookie")),
            hash_on_cookie_path: string(row.take("hash_on_cookie_path"))
                .unwrap_or_else(|| "/".into()),
            hash_on_query_arg: string(row.take("hash_on_query_arg")),
            hash_fallback_query_arg: string(row.take("hash_fallback_query_arg")),
            hash_on_uri_capture: string(row.take("hash_on_uri_capture")),
            hash_fallback_uri_capture: string(row.take("hash_fallback_uri_capture")),
            slots: integer(&row.take("slots"), SLOTS),
            healthchecks: row.take("healthchecks"),
            tags: strings(row.take("tags")),
            host_header: string(row.take("host_header")),
            client_certificate: reference(&row.take("client_certificate")),
            use_srv_name: boolean(&row.take("use_srv_name"), false),
            exact,
        }
    }

    /// The entity as Kong shows it.
    pub fn to_json(&self) -> Value {
        let json = json!({
            "id": self.id.to_string(),
            "created_at": self.created_at,
            "name": self.name,
            "updated_at": self.updated_at,
            "algorithm": self.algorithm.name(),
            "hash_on": self.hash_on.name(),
            "hash_fallback": self.hash_fallback.name(),
            "hash_on_header": self.hash_on_header,
            "hash_fallback_header": self.hash_fallback_header,
            "hash_on_cookie": self.hash_on_cookie,
            "hash_on_cookie_path": self.hash_on_cookie_path,
            "hash_on_query_arg": self.hash_on_query_arg,
            "hash_fallback_query_arg": self.hash_fallback_query_arg,
            "hash_on_uri_capture": self.hash_on_uri_capture,
            "hash_fallback_uri_capture": self.hash_fallback_uri_capture,
            "slots": self.slots,
            "healthchecks": self.healthchecks,
            "tags": list_json(&self.tags),
            "host_header": self.host_header,
            "client_certificate": reference_json(self.client_certificate),
            "use_srv_name": self.use_srv_name,
        });
        with_exact(json, self.exact.as_deref())
    }
}
