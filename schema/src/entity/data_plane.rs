//! A data plane that a control plane has seen
//! (`kong/db/schema/entities/clustering_data_planes.lua`).

use super::shared::{STRING, UUID};
use crate::field::{Check, Default, Field, Kind, Record, Schema, Type, host, text};

const TIME: Type = Type::with(Kind::Integer, &[Check::Timestamp]);

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "clustering_data_planes",
    &[
        Field::new("id", UUID)
            .required()
            .description("Id of the node."),
        Field::new("last_seen", TIME)
            .auto()
            .description("When it was last heard of, Unix seconds."),
        Field::new("updated_at", TIME)
            .auto()
            .description("When this entry last changed, Unix seconds."),
        Field::new("ip", Type::with(Kind::String, &[Check::Text(host::ip)]))
            .required()
            .description("Its address."),
        Field::new(
            "config_hash",
            Type::with(Kind::String, &[Check::LenEq(CONFIG_HASH_CHARS)]),
        )
        .description("Hash of the configuration it has."),
        Field::new(
            "hostname",
            Type::with(Kind::String, &[Check::Text(host::without_port)]),
        )
        .required()
        .description("Its host name."),
        Field::new(
            "version",
            Type::with(Kind::String, &[Check::Text(text::semantic_version)]),
        )
        .description("Its version."),
        Field::new(
            "sync_status",
            Type::with(Kind::String, &[Check::OneOf(SYNC_STATUSES)]),
        )
        .required()
        .default(Default::String("unknown"))
        .description("Whether it can take the configuration, and why not."),
        Field::new("labels", Type::new(Kind::Map(&STRING, &STRING)))
            .description("Labels that the node gave itself."),
        Field::record("cert_details", &CERT_DETAILS).description("About its certificate."),
        Field::new("rpc_capabilities", Type::new(Kind::Set(&STRING)))
            .description("Calls that it answers."),
    ],
)
.path(None)
.ttl()
.not_exported();

const CONFIG_HASH_CHARS: usize = 32;

const SYNC_STATUSES: &[&str] = &[
    "unknown",
    "normal",
    "kong_version_incompatible",
    "plugin_set_incompatible",
    "plugin_version_incompatible",
    "filter_set_incompatible",
];

static CERT_DETAILS: Record = Record::new(&[Field::new(
    "expiry_timestamp",
    Type::with(Kind::Number, &[Check::Timestamp]),
)
.description("When the certificate ends, Unix seconds.")]);
