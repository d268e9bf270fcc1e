//! Kong's entities as typed values, one file each.
//!
//! Field names, defaults and rules are Kong 3.9's (`kong/db/schema/entities/*.lua`). A value of
//! these types has passed validation; untrusted input becomes one only through
//! [`crate::declarative`]. Each entity's file holds its fields as data (`SCHEMA`), the conversion
//! of a validated row, and Kong's JSON of it.
//!
//! Services, routes, upstreams and targets are typed, because the data plane reads their fields;
//! null in a field with a default reads as that default, and an empty list as an absent one. What
//! Kong would show nevertheless is kept beside (`exact`). All others are an [`Entity`].

pub mod ca_certificate;
pub mod certificate;
pub mod consumer;
pub mod data_plane;
pub mod expression;
pub mod filter_chain;
pub mod key;
pub mod key_set;
mod kind;
pub mod parameter;
pub(crate) mod pem;
pub mod plugin;
mod protocol;
pub mod route;
pub mod service;
pub(crate) mod shared;
pub mod sni;
pub mod target;
pub mod upstream;
pub mod vault;
pub mod workspace;

#[cfg(test)]
mod core_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod test_kinds;
#[cfg(test)]
mod tests;

pub use kind::EntityKind;
pub use protocol::{Protocol, Protocols};
pub use route::{CidrPort, HeaderMatch, PathHandling, Route};
pub use service::Service;
pub use target::Target;
pub use upstream::{Algorithm, HashInput, Upstream};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::field::Schema;

/// A validated entity of a kind that has no type of its own (all but services, routes, upstreams
/// and targets).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Primary key.
    pub id: Uuid,
    /// The fields that refer to others, with the ids; null ones are left out.
    pub references: Vec<(&'static str, Uuid)>,
    /// A JSON object: every other field, as Kong shows it.
    pub json: Box<str>,
}

impl Entity {
    /// The entity as Kong shows it: every field, in the schema's order, and the old names of
    /// fields that still count. `ttl`, if the entity has one, is the Unix time of its end.
    ///
    /// # Panics
    /// If `json` is no object: entities come from validation or a verified record.
    pub fn to_json(&self, schema: &Schema) -> Map<String, Value> {
        self.try_to_json(schema)
            .expect("entities hold JSON objects")
    }

    /// [`Self::to_json`] of a record that was not verified.
    pub(crate) fn try_to_json(&self, schema: &Schema) -> serde_json::Result<Map<String, Value>> {
        let mut fields: Map<String, Value> = serde_json::from_str(&self.json)?;
        let value = |name: &'static str| {
            let reference = self.references.iter().find(|(field, _)| *field == name);
            match reference {
                Some((_, id)) => serde_json::json!({ "id": id.to_string() }),
                None => fields.swap_remove(name).unwrap_or(Value::Null),
            }
        };
        let names = schema.fields.iter().map(|field| field.name);
        let pairs = names.zip(schema.fields.iter().map(|field| field.name).map(value));
        let mut row: Map<String, Value> = pairs
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if let Some(ttl) = fields.swap_remove("ttl") {
            row.insert("ttl".to_owned(), ttl);
        }
        schema.add_old_names(&mut row);
        Ok(row)
    }
}
