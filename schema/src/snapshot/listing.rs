//! Entities of every kind, by name: what the Admin API and exports read of a version, and lookups
//! by unique fields and references.
//!
//! Lists are in id order, and continue after any id, whether it is still there or not.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::{Damage, Damaged, Place};
use super::lmdb::{Records, damaged};
use super::reader::Snapshot;
use super::stored::Stored;
use super::{keys, layout};
use crate::entity::EntityKind;

impl Snapshot {
    /// The entity as Kong shows it.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn entity(
        &self,
        kind: EntityKind,
        id: Uuid,
    ) -> Result<Option<Map<String, Value>>, Damaged> {
        let (place, key) = (layout::place(kind), keys::entity(kind, id));
        let value = self.txn.get(place, &key)?;
        value.map(|value| json(kind, &key, value)).transpose()
    }

    /// The entity that has `text` in a unique field. Of a field that is not unique: nobody.
    ///
    /// # Errors
    /// When the lookup key is damaged.
    pub fn find(&self, kind: EntityKind, field: &str, text: &str) -> Result<Option<Uuid>, Damaged> {
        let Some(link) = layout::unique_field(kind, field) else {
            return Ok(None);
        };
        let key = keys::unique(link, &keys::text(text.into()));
        let Some(value) = self.txn.get(Place::Keys, &key)? else {
            return Ok(None);
        };
        let id = keys::referred(&key, value);
        id.map(Some)
            .map_err(|damage| damaged(Place::Keys, &key, damage))
    }

    /// The ids of a kind, in order; only those after `after`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn ids(
        &self,
        kind: EntityKind,
        after: Option<Uuid>,
    ) -> Result<impl Iterator<Item = Result<Uuid, Damaged>>, Damaged> {
        let after = after.map(|after| keys::entity(kind, after));
        let place = layout::place(kind);
        let records = self
            .txn
            .scan_after(place, &keys::of_kind(kind), after.as_deref())?;
        Ok(records.map(move |record| id(place, record?.0)))
    }

    /// The ids of the entities of a kind whose `field` refers to `parent`, in order; only those
    /// after `after`. Of a field that is no reference: none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn children(
        &self,
        kind: EntityKind,
        field: &str,
        parent: Uuid,
        after: Option<Uuid>,
    ) -> Result<impl Iterator<Item = Result<Uuid, Damaged>>, Damaged> {
        let records = match layout::reference(kind, field) {
            Some(link) => {
                let after = after.map(|after| keys::child(link, parent, after));
                let prefix = keys::children(link, parent);
                let records = self
                    .txn
                    .scan_after(Place::Children, &prefix, after.as_deref())?;
                Some(records)
            }
            None => None,
        };
        Ok(records.into_iter().flatten().map(|record| child(record?)))
    }

    /// The number of entities of a kind.
    pub fn count(&self, kind: EntityKind) -> u64 {
        self.meta().counts.of(kind)
    }

    /// All entities of a kind as Kong shows them, in id order.
    ///
    /// # Errors
    /// When they cannot be read; each item may be damaged by itself.
    pub fn each(
        &self,
        kind: EntityKind,
    ) -> Result<impl Iterator<Item = Result<Map<String, Value>, Damaged>>, Damaged> {
        let records: Records<'_> = self.txn.scan(layout::place(kind), &keys::of_kind(kind))?;
        Ok(records.map(move |record| {
            let (key, value) = record?;
            json(kind, key, value)
        }))
    }
}

fn json(kind: EntityKind, key: &[u8], value: &[u8]) -> Result<Map<String, Value>, Damaged> {
    let json = Stored::read(kind, value).and_then(|stored| stored.to_json());
    json.map_err(|damage| damaged(layout::place(kind), key, damage))
}

fn id(place: Place, key: &[u8]) -> Result<Uuid, Damaged> {
    keys::id(key).ok_or_else(|| damaged(place, key, Damage::Short))
}

fn child((key, value): (&[u8], &[u8])) -> Result<Uuid, Damaged> {
    if value != keys::child_value(key) {
        return Err(damaged(Place::Children, key, Damage::Checksum));
    }
    id(Place::Children, key)
}
