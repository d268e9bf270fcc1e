//! Where the configuration lives: Postgres, or memory and a declarative file; and its caches.

use super::super::{check, kind::Kind, range};
use super::{Key, core, useful};

const TEXT: Kind = Kind::Text(check::none);
const NUMBER: Kind = Kind::Number(range::ANY);
const COUNT: Kind = Kind::Number(range::COUNT);

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("database", Kind::OneOf(&["postgres", "cassandra", "off"]),
        "Where the configuration lives: postgres, or off for memory and the file below. Kong's default is postgres.")
        .default("off").works(),
    core("pg_host", TEXT, "Host of the Postgres server.").default("127.0.0.1"),
    core("pg_port", NUMBER, "Its port.").default("5432"),
    core("pg_timeout", NUMBER, "Milliseconds for connecting, reading and writing.").default("5000"),
    core("pg_user", TEXT, "User.").default("kong"),
    core("pg_password", TEXT, "Password.").masked(),
    core("pg_database", TEXT, "Name of the database.").default("kong"),
    core("pg_schema", TEXT, "Schema; unset, the server's current one."),
    core("pg_ssl", Kind::Switch, "Whether TLS is tried.").default("off"),
    core("pg_ssl_verify", Kind::Switch, "Whether the server's certificate is verified.").default("off"),
    useful("pg_max_concurrent_queries", COUNT, "Queries at a time; 0 is no limit.").default("0"),
    useful("pg_semaphore_timeout", COUNT, "Milliseconds to wait for a turn.").default("60000"),
    useful("pg_keepalive_timeout", COUNT, "Milliseconds an idle connection is kept."),
    useful("pg_pool_size", COUNT, "Connections kept."),
    useful("pg_backlog", COUNT, "Queries that wait when all connections are busy."),
    useful("pg_ro_host", TEXT, "Host for reads; it makes a read-only connection."),
    useful("pg_ro_port", NUMBER, "Port for reads."),
    useful("pg_ro_timeout", NUMBER, "Milliseconds for reads."),
    useful("pg_ro_user", TEXT, "User for reads."),
    useful("pg_ro_password", TEXT, "Password for reads.").masked(),
    useful("pg_ro_database", TEXT, "Name of the database for reads."),
    useful("pg_ro_schema", TEXT, "Schema for reads."),
    useful("pg_ro_ssl", Kind::Switch, "Whether TLS is tried for reads."),
    useful("pg_ro_ssl_verify", Kind::Switch, "Whether the certificate of the server for reads is verified."),
    useful("pg_ro_max_concurrent_queries", COUNT, "Reads at a time."),
    useful("pg_ro_semaphore_timeout", COUNT, "Milliseconds a read waits for a turn."),
    useful("pg_ro_keepalive_timeout", COUNT, "Milliseconds an idle connection for reads is kept."),
    useful("pg_ro_pool_size", COUNT, "Connections kept for reads."),
    useful("pg_ro_backlog", COUNT, "Reads that wait when all connections are busy."),
    useful("_debug_pg_ttl_cleanup_interval", NUMBER, "Seconds between sweeps of expired rows.").default("300"),
    core("declarative_config", Kind::Path, "Declarative configuration file, YAML or JSON.").works().reloadable(),
    core("declarative_config_string", TEXT, "Declarative configuration as text, YAML or JSON.")
        .works().reloadable().masked(),
    core("lmdb_environment_path", TEXT, "Directory of the configuration store, relative to the prefix.")
        .default("dbless.lmdb").works(),
    useful("lmdb_map_size", Kind::Bytes, "Size of the configuration store; here the least size, it grows when needed.")
        .default("2048m").works(),
    core("db_update_frequency", NUMBER, "Seconds between looks for what other nodes changed.").default("5"),
    useful("db_update_propagation", NUMBER, "Seconds by which replicas may lag.").default("0"),
    useful("db_cache_ttl", NUMBER, "Seconds an entity is cached; 0 is for ever.").default("0"),
    useful("db_cache_neg_ttl", NUMBER, "Seconds the absence of an entity is cached; unset, db_cache_ttl."),
    useful("db_resurrect_ttl", NUMBER, "Seconds a stale entity serves while the database is down; Kong never reads it.")
        .default("30"),
    useful("db_cache_warmup_entities", Kind::List(check::any), "Entities that are loaded before the first request.")
        .default("services"),
];
