//! `acme`: certificates by ACME (`kong/plugins/acme/schema.lua`, `daos.lua`, `reserved_words.lua`).
//!
//! Deviations: `shm_name` may be any name, as there are no dictionaries to be declared; `storage`
//! may be `kong` and `shm` in every role, where Kong refuses `kong` without database (but not on a
//! data plane) and `shm` on a control plane.

use super::Plugin;
use super::shared::redis::{self, flat, moved};
use super::shared::{
    HOST, NO_CONSUMER, NO_ROUTE, NO_SERVICE, NUMBER, PORT, PROTOCOLS_HTTP, STRING,
};
use super::shared::{URL, config, flag};
use crate::entity::shared::{CREATED_AT, ID};
use crate::field::{Check, Conditional, Default, Deprecation, EntityCheck, Field, Kind, Match};
use crate::field::{Record, Schema, Subschema, Type, host};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "acme",
    priority: 1705,
    schema: Subschema {
        fields: &[
            NO_CONSUMER,
            NO_SERVICE,
            NO_ROUTE,
            PROTOCOLS_HTTP,
            config(&CONFIG),
        ],
        entity_checks: &[
            EntityCheck::Conditional(Conditional {
                then_err: Some(
                    "terms of service must be accepted, see https://letsencrypt.org/repository/",
                ),
                ..Conditional::new(
                    "config.api_uri",
                    Match::OneOf(&[
                        "https://acme-v02.api.letsencrypt.org",
                        "https://acme-staging-v02.api.letsencrypt.org",
                    ]),
                    "config.tos_accepted",
                    Match::Is(true),
                )
            }),
            needed_by_redis("config.storage_config.redis.host"),
            needed_by_redis("config.storage_config.redis.port"),
        ],
    },
    entities: &[&STORAGE],
};

const fn needed_by_redis(field: &'static str) -> EntityCheck {
    let is_redis = Match::Equals("redis");
    EntityCheck::Conditional(Conditional::new(
        "config.storage",
        is_redis,
        field,
        Match::Required,
    ))
}

static CONFIG: Record = Record::new(&[
    Field::new(
        "account_email",
        Type::with(Kind::String, &[Check::Match("%w*%p*@+%w*%.?%w*")]),
    )
    .required()
    .encrypted()
    .referenceable()
    .description("Mail address of the account."),
    Field::new("account_key", Type::new(Kind::Record(&ACCOUNT_KEY)))
        .description("A key of the gateway for the account, instead of a new one."),
    Field::new("api_uri", URL)
        .default(Default::String(
            "https://acme-v02.api.letsencrypt.org/directory",
        ))
        .description("Directory of the certificate authority."),
    flag("tos_accepted", false).description("Whether the authority's terms are accepted."),
    Field::new("eab_kid", STRING)
        .encrypted()
        .referenceable()
        .description("Key id of an external account."),
    Field::new("eab_hmac_key", STRING)
        .encrypted()
        .referenceable()
        .description("Key of an external account, base64url."),
    Field::new(
        "cert_type",
        Type::with(Kind::String, &[Check::OneOf(&["rsa", "ecc"])]),
    )
    .default(Default::String("rsa"))
    .description("Kind of the certificates' keys."),
    Field::new(
        "rsa_key_size",
        Type::with(Kind::Number, &[Check::OneOfIntegers(&[2048, 3072, 4096])]),
    )
    .default(Default::Integer(4096))
    .description("Size of RSA keys, in bits."),
    Field::new("renew_threshold_days", NUMBER)
        .default(Default::Integer(14))
        .description("Days before its end when a certificate is renewed."),
    Field::new(
        "domains",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[Check::Text(host::route_host)],
        ))),
    )
    .description("Hosts that get certificates."),
    flag("allow_any_domain", false).description("Whether every host gets a certificate."),
    Field::new("fail_backoff_minutes", NUMBER)
        .default(Default::Integer(5))
        .description("Minutes to wait after a failure."),
    Field::new(
        "storage",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["kong", "shm", "redis", "consul", "vault"])],
        ),
    )
    .default(Default::String("shm"))
    .description("Where keys and certificates are kept."),
    Field::record("storage_config", &STORAGE_CONFIG).description("Settings of each storage."),
    Field::new("preferred_chain", STRING)
        .description("Common name of the issuer whose chain is preferred."),
    flag("enable_ipv4_common_name", true).description("Whether addresses get certificates too."),
]);

static ACCOUNT_KEY: Record = Record::new(&[
    Field::new("key_id", STRING)
        .required()
        .description("Id of the key."),
    Field::new("key_set", STRING).description("The set that has the key."),
]);

static STORAGE_CONFIG: Record = Record::new(&[
    Field::record("shm", &SHM),
    Field::record("kong", &KONG),
    Field::record("redis", &REDIS),
    Field::record("consul", &CONSUL),
    Field::record("vault", &VAULT),
]);

static SHM: Record = Record::new(&[Field::new("shm_name", STRING)
    .default(Default::String("kong"))
    .description("Name of the dictionary.")]);

static KONG: Record = Record::new(&[]);

static REDIS_FIELDS: [Field; 10] = {
    let [
        host,
        port,
        timeout,
        username,
        password,
        database,
        ssl,
        ssl_verify,
        server_name,
    ] = redis::FIELDS;
    [
        host,
        port,
        timeout,
        username,
        password,
        database,
        ssl,
        ssl_verify,
        server_name,
        Field::record("extra_options", &EXTRA_OPTIONS).description("Settings of this plugin only."),
    ]
};

static REDIS: Record = Record::new(&REDIS_FIELDS).shorthands(&[
    flat("auth", redis::PASSWORD_TYPE, &["password"], &AUTH_MOVED),
    flat(
        "ssl_server_name",
        STRING,
        &["server_name"],
        &SERVER_NAME_MOVED,
    ),
    flat(
        "namespace",
        Type::with(Kind::String, &[Check::LenMin(0)]),
        &["extra_options", "namespace"],
        &NAMESPACE_MOVED,
    ),
    flat(
        "scan_count",
        Type::new(Kind::Integer),
        &["extra_options", "scan_count"],
        &SCAN_COUNT_MOVED,
    ),
]);

static AUTH_MOVED: Deprecation = moved("use `password`", &[&["password"]]);
static SERVER_NAME_MOVED: Deprecation = moved("use `server_name`", &[&["server_name"]]);
static NAMESPACE_MOVED: Deprecation = moved(
    "use `extra_options.namespace`",
    &[&["extra_options", "namespace"]],
);
static SCAN_COUNT_MOVED: Deprecation = moved(
    "use `extra_options.scan_count`",
    &[&["extra_options", "scan_count"]],
);

static EXTRA_OPTIONS: Record = Record::new(&[
    Field::new(
        "namespace",
        Type::with(Kind::String, &[Check::LenMin(0), Check::Text(namespace)]),
    )
    .required()
    .default(Default::String(""))
    .description("Start of every key."),
    Field::new("scan_count", NUMBER)
        .default(Default::Integer(10))
        .description("Keys asked for in one SCAN."),
]);

/// Starts of the keys that the plugin lists.
const RESERVED: [&str; 3] = [
    "kong_acme:renew_config:",
    "kong_acme:renew_last_run",
    "kong_acme:cert_key:",
];

fn namespace(text: &str) -> Result<(), String> {
    match RESERVED.iter().find(|word| text.starts_with(**word)) {
        Some(word) => Err(format!(
            "namespace can't be prefixed with reserved word: {word}"
        )),
        None => Ok(()),
    }
}

const TOKEN: Field = Field::new("token", STRING)
    .referenceable()
    .description("Token of the requests.");

static CONSUL: Record = Record::new(&[
    flag("https", false).description("Whether to speak TLS."),
    Field::new("host", HOST).description("Host name or address of the server."),
    Field::new("port", PORT).description("Port of the server."),
    Field::new("kv_path", STRING).description("Start of every key."),
    Field::new("timeout", NUMBER).description("Longest wait, in milliseconds."),
    TOKEN,
]);

static VAULT: Record = Record::new(&[
    flag("https", false).description("Whether to speak TLS."),
    Field::new("host", HOST).description("Host name or address of the server."),
    Field::new("port", PORT).description("Port of the server."),
    Field::new("kv_path", STRING).description("Start of every key."),
    Field::new("timeout", NUMBER).description("Longest wait, in milliseconds."),
    TOKEN,
    flag("tls_verify", true).description("Whether the server's certificate is verified."),
    Field::new("tls_server_name", STRING).description("Server name of the TLS handshake."),
    Field::new(
        "auth_method",
        Type::with(Kind::String, &[Check::OneOf(&["token", "kubernetes"])]),
    )
    .default(Default::String("token"))
    .description("How requests are authenticated."),
    Field::new("auth_path", STRING).description("Path of the authentication."),
    Field::new("auth_role", STRING).description("Role of the authentication."),
    Field::new("jwt_path", STRING).description("File of the token of Kubernetes."),
]);

/// Keys, certificates and locks of storage `kong`.
static STORAGE: Schema = Schema::new(
    "acme_storage",
    &[
        ID,
        Field::new("key", STRING).required().unique().auto(),
        Field::new("value", STRING).required().auto(),
        CREATED_AT,
    ],
)
.cache_key(&["key"])
.ttl();
