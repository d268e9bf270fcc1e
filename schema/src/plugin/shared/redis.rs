//! The record `redis` and its flat spellings of old (`kong/tools/redis/schema.lua`).

use crate::entity::shared::{BOOLEAN, PORT, SNI};
use crate::field::{Check, Conditional, Default, Deprecation, EntityCheck, Expand, Field, Kind};
use crate::field::{Match, Record, Shorthand, Type};

use super::{HOST, STRING, TIMEOUT};

/// `redis`: where counters live.
pub(crate) const REDIS: Field =
    Field::record("redis", &RECORD).description("The Redis server that keeps the data.");

static RECORD: Record = Record::new(&FIELDS);

/// Its fields, for records that have more.
pub(crate) const FIELDS: [Field; 9] = [
    HOSTNAME,
    PORT_NUMBER,
    DURATION,
    USERNAME,
    PASSWORD,
    DATABASE,
    SSL,
    SSL_VERIFY,
    SERVER_NAME,
];

const HOSTNAME: Field = Field::new("host", HOST).description("Host name or address of the server.");
const PORT_NUMBER: Field = Field::new("port", PORT)
    .default(Default::Integer(6379))
    .description("Port of the server.");
const DURATION: Field = Field::new("timeout", TIMEOUT)
    .default(Default::Integer(2000))
    .description("Longest wait for connecting, sending and receiving, in milliseconds.");
const USERNAME: Field = Field::new("username", STRING)
    .referenceable()
    .description("User of Redis 6 and later; without it only the password is sent.");
const PASSWORD: Field = Field::new("password", PASSWORD_TYPE)
    .encrypted()
    .referenceable()
    .description("Password; without it no AUTH is sent.");
const DATABASE: Field = Field::new("database", Type::new(Kind::Integer))
    .default(Default::Integer(0))
    .description("Number of the database.");
const SSL: Field = Field::new("ssl", BOOLEAN)
    .default(Default::Boolean(false))
    .description("Whether to speak TLS to the server.");
const SSL_VERIFY: Field = Field::new("ssl_verify", BOOLEAN)
    .default(Default::Boolean(false))
    .description("Whether to verify the server's certificate.");
const SERVER_NAME: Field =
    Field::new("server_name", SNI).description("Server name of the TLS handshake.");

/// A password, which may be empty.
pub(crate) const PASSWORD_TYPE: Type = Type::with(Kind::String, &[Check::LenMin(0)]);

/// The flat spellings: moved into `redis`, and shown beside it.
pub(crate) static SHORTHANDS: &[Shorthand] = &[
    flat("redis_host", STRING, &["redis", "host"], &HOST_MOVED),
    flat(
        "redis_port",
        Type::new(Kind::Integer),
        &["redis", "port"],
        &PORT_MOVED,
    ),
    flat(
        "redis_password",
        PASSWORD_TYPE,
        &["redis", "password"],
        &PASSWORD_MOVED,
    ),
    flat(
        "redis_username",
        STRING,
        &["redis", "username"],
        &USERNAME_MOVED,
    ),
    flat("redis_ssl", BOOLEAN, &["redis", "ssl"], &SSL_MOVED),
    flat(
        "redis_ssl_verify",
        BOOLEAN,
        &["redis", "ssl_verify"],
        &SSL_VERIFY_MOVED,
    ),
    flat(
        "redis_server_name",
        STRING,
        &["redis", "server_name"],
        &SERVER_NAME_MOVED,
    ),
    flat(
        "redis_timeout",
        Type::new(Kind::Integer),
        &["redis", "timeout"],
        &TIMEOUT_MOVED,
    ),
    flat(
        "redis_database",
        Type::new(Kind::Integer),
        &["redis", "database"],
        &DATABASE_MOVED,
    ),
];

static HOST_MOVED: Deprecation = moved("use `redis.host`", &[&["redis", "host"]]);
static PORT_MOVED: Deprecation = moved("use `redis.port`", &[&["redis", "port"]]);
static PASSWORD_MOVED: Deprecation = moved("use `redis.password`", &[&["redis", "password"]]);
static USERNAME_MOVED: Deprecation = moved("use `redis.username`", &[&["redis", "username"]]);
static SSL_MOVED: Deprecation = moved("use `redis.ssl`", &[&["redis", "ssl"]]);
static SSL_VERIFY_MOVED: Deprecation = moved("use `redis.ssl_verify`", &[&["redis", "ssl_verify"]]);
static SERVER_NAME_MOVED: Deprecation =
    moved("use `redis.server_name`", &[&["redis", "server_name"]]);
static TIMEOUT_MOVED: Deprecation = moved("use `redis.timeout`", &[&["redis", "timeout"]]);
static DATABASE_MOVED: Deprecation = moved("use `redis.database`", &[&["redis", "database"]]);

/// A spelling that moved to a path and goes with Kong 4.0.
pub(crate) const fn flat(
    name: &'static str,
    ty: Type,
    path: &'static [&'static str],
    deprecation: &'static Deprecation,
) -> Shorthand {
    Shorthand {
        name,
        ty,
        expand: Expand::To(path),
        deprecation: Some(deprecation),
    }
}

/// That a spelling moved.
pub(crate) const fn moved(
    message: &'static str,
    replaced_with: &'static [&'static [&'static str]],
) -> Deprecation {
    Deprecation {
        message,
        removal_in_version: "4.0",
        replaced_with,
        old_default: Default::None,
    }
}

/// That policy `redis` needs a field.
pub(crate) const fn needed(field: &'static str) -> EntityCheck {
    let is_redis = Match::Equals("redis");
    EntityCheck::Conditional(Conditional::new(
        "config.policy",
        is_redis,
        field,
        Match::Required,
    ))
}
