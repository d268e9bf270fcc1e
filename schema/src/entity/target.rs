//! A target: one address behind an upstream (`kong/db/schema/entities/targets.lua`).

use serde_json::{Value, json};
use uuid::Uuid;

use super::shared::{
    CREATED_AT_MS, ID, TAGS, UPDATED_AT_MS, integer, list_json, reference_json, string, strings,
    uuid, with_exact,
};
use crate::field::host::HostPort;
use crate::field::{Check, Default, Field, Kind, Row, Schema, Type, host};

/// A validated target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Primary key.
    pub id: Uuid,
    /// The upstream it belongs to.
    pub upstream: Uuid,
    /// Host name or IP literal, with a port after validation (Kong's default is 8000).
    pub target: String,
    /// Share of the requests; 0 takes it out of rotation. 0 to 65535.
    pub weight: u16,
    /// Free labels.
    pub tags: Vec<String>,
    /// Unix seconds with fraction, in milliseconds.
    pub created_at: i64,
    /// The same.
    pub updated_at: i64,
    /// The fields, as a JSON object, that Kong shows differently than the typed ones would.
    pub exact: Option<Box<str>>,
}

/// Port of a target that names none.
const PORT_DEFAULT: u16 = 8000;
/// Weight of a target that names none.
const WEIGHT_DEFAULT: u16 = 100;

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "targets",
    &[
        ID,
        CREATED_AT_MS,
        UPDATED_AT_MS,
        Field::new("upstream", Type::new(Kind::Foreign("upstreams")))
            .required()
            .description("The upstream."),
        Field::new(
            "target",
            Type::with(Kind::String, &[Check::Text(host::target)]),
        )
        .required()
        .description("Host name or address, with a port."),
        Field::new(
            "weight",
            Type::with(Kind::Integer, &[Check::Between(0, 65_535)]),
        )
        .default(Default::Integer(WEIGHT_DEFAULT as i64))
        .description("Share of the requests; 0 gives none."),
        Field::new("tags", TAGS).description("Free labels."),
    ],
)
.endpoint_key("target")
.cache_key(&["upstream", "target"])
.path(None)
.nested_path("targets");

/// `host:port` in Kong's normal form; the text itself if it is none.
pub fn normal_target(text: &str) -> String {
    HostPort::parse(text).map_or_else(
        |_| text.to_owned(),
        |parsed| format!("{}:{}", parsed.host, parsed.port.unwrap_or(PORT_DEFAULT)),
    )
}

impl Target {
    /// Types a validated row. `id`, `upstream` and `now_ms` (Unix milliseconds) stand in for what
    /// it leaves out or for what its place in a file says.
    pub fn from_row(mut row: Row, id: Uuid, upstream: Uuid, now_ms: i64) -> Self {
        let exact = row.exact(|_, _| false);
        Self {
            id: uuid(&row.take("id")).unwrap_or(id),
            created_at: milliseconds(&row.take("created_at")).unwrap_or(now_ms),
            updated_at: now_ms,
            upstream,
            target: normal_target(&string(row.take("target")).unwrap_or_default()),
            weight: integer(&row.take("weight"), WEIGHT_DEFAULT),
            tags: strings(row.take("tags")),
            exact,
        }
    }

    /// The entity as Kong shows it.
    pub fn to_json(&self) -> Value {
        let json = json!({
            "id": self.id.to_string(),
            "created_at": seconds(self.created_at),
            "updated_at": seconds(self.updated_at),
            "upstream": reference_json(Some(self.upstream)),
            "target": self.target,
            "weight": self.weight,
            "tags": list_json(&self.tags),
        });
        with_exact(json, self.exact.as_deref())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates; times are far smaller"
)]
fn milliseconds(seconds: &Value) -> Option<i64> {
    seconds
        .as_f64()
        .map(|seconds| (seconds * 1000.0).round() as i64)
}

#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
