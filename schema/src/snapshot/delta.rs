//! Changes to a configuration: only the records and router segments they touch are written.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::apply::{
    Failure, Transaction, applied, compile, dangling, exists, next_meta, put_directory, put_meta,
    rejected, taken, target_order,
};
use super::candidate::Filed;
use super::encode::{self, Encode};
use super::error::{Damage, Damaged, Place, StoreError};
use super::layout::{self, Link};
use super::lmdb::{LmdbError, ReadTxn, WriteTxn, damaged};
use super::record::{self, Encoder};
use super::segment::{self, DIRECTORY_KEY, Directory, Edit, Segment, Segments};
use super::store::{Applied, Source};
use super::stored::Stored;
use super::view::{Counts, Meta, RouteView, ServiceView, TargetView};
use super::{keys, reader};
use crate::entity::{Entity, EntityKind, Route, Service, Target, Upstream};
use crate::generated as fbs;

/// What changes between two configurations. Deletions are done first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// Services.
    pub services: Changes<Service>,
    /// Routes.
    pub routes: Changes<Route>,
    /// Upstreams.
    pub upstreams: Changes<Upstream>,
    /// Targets.
    pub targets: Changes<Target>,
    /// Entities of all other kinds.
    pub entities: EntityChanges,
}

/// Changes to the kinds of entities without a type of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityChanges {
    /// Entities that are new or replaced.
    pub upsert: Vec<Entity>,
    /// Entities that go; one that is not there is no error.
    pub delete: Vec<(EntityKind, Uuid)>,
}

impl Delta {
    fn upserts(&self) -> Vec<&dyn Encode> {
        fn each<E: Encode>(entities: &[E]) -> impl Iterator<Item = &dyn Encode> {
            entities.iter().map(|entity| -> &dyn Encode { entity })
        }
        each(&self.services.upsert)
            .chain(each(&self.routes.upsert))
            .chain(each(&self.upstreams.upsert))
            .chain(each(&self.targets.upsert))
            .chain(each(&self.entities.upsert))
            .collect()
    }

    fn deletes(&self) -> Vec<(EntityKind, Uuid)> {
        let typed = [
            (EntityKind::SERVICES, &self.services.delete),
            (EntityKind::ROUTES, &self.routes.delete),
            (EntityKind::UPSTREAMS, &self.upstreams.delete),
            (EntityKind::TARGETS, &self.targets.delete),
        ];
        let typed = typed
            .into_iter()
            .flat_map(|(kind, ids)| ids.iter().map(move |id| (kind, *id)));
        typed.chain(self.entities.delete.iter().copied()).collect()
    }
}

/// Changes to one kind of entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes<E> {
    /// Entities that are new or replaced.
    pub upsert: Vec<E>,
    /// Entities that go; one that is not there is no error.
    pub delete: Vec<Uuid>,
}

impl<E> Default for Changes<E> {
    fn default() -> Self {
        Self {
            upsert: Vec::new(),
            delete: Vec::new(),
        }
    }
}

/// Applies a delta.
pub(super) fn apply(
    transaction: Transaction<'_>,
    delta: &Delta,
    source: Source<'_>,
) -> Result<Applied, Failure> {
    let Transaction {
        base,
        _pass,
        write,
        is_verified: _,
    } = transaction;
    let before = reader::meta(&base)?.unwrap_or_default();
    let mut writer = DeltaWriter {
        base,
        write,
        encoder: Encoder::new(),
        content: before.content,
        records_changed: 0,
        counts: before.counts,
        target_lists: BTreeSet::new(),
    };
    let affected = writer.affected_routes(delta)?;
    let mut edits = writer.edits(&affected, false)?;
    let (upserts, deletes) = (delta.upserts(), delta.deletes());
    check_twins(&upserts)?;
    writer.write_entities(&upserts, &deletes)?;
    writer.write_target_lists()?;
    writer.check_references(&upserts, &deletes)?;
    edits.extend(writer.edits(&affected, true)?);
    writer.edit_router(edits)?;
    writer.finish(&before, source)
}

struct DeltaWriter<'e> {
    base: ReadTxn,
    write: WriteTxn<'e>,
    encoder: Encoder,
    content: u128,
    records_changed: u64,
    counts: Counts,
    /// Upstreams whose targets changed.
    target_lists: BTreeSet<Uuid>,
}

impl DeltaWriter<'_> {
    /// Routes whose candidates may change: those named, and those of services switched on or off.
    fn affected_routes(&self, delta: &Delta) -> Result<BTreeSet<Uuid>, Failure> {
        let upserted = delta.routes.upsert.iter().map(|route| route.id);
        let mut affected: BTreeSet<_> = upserted.chain(delta.routes.delete.clone()).collect();
        let enabled = delta
            .services
            .upsert
            .iter()
            .map(|service| (service.id, service.enabled));
        let gone = delta.services.delete.iter().map(|id| (*id, false));
        for (id, is_enabled) in enabled.chain(gone) {
            let was_enabled = stored_service(self.base.get(Place::Services, id.as_bytes())?, id)?
                .is_some_and(|service| service.enabled());
            if is_enabled != was_enabled {
                let prefix = keys::children(link(EntityKind::ROUTES, "service"), id);
                for record in self.base.scan(Place::Children, &prefix)? {
                    affected.extend(keys::id(record?.0));
                }
            }
        }
        Ok(affected)
    }

    /// The candidates of the affected routes: before the change (`is_added` false) or after it.
    fn edits(&self, affected: &BTreeSet<Uuid>, is_added: bool) -> Result<Vec<Edit>, Failure> {
        let mut filed = Vec::new();
        for id in affected {
            let value = self.value(Place::Routes, *id, is_added)?;
            let Some(route) = stored_route(value, *id)? else {
                continue;
            };
            let service = match route.service() {
                Some(service) => {
                    stored_service(self.value(Place::Services, service, is_added)?, service)?
                }
                None => None,
            };
            let is_enabled = route.service().is_none() || service.is_some_and(|s| s.enabled());
            compile(&route.to_entity(), is_enabled, &mut filed)?;
        }
        Ok(filed
            .into_iter()
            .map(|filed| Edit { filed, is_added })
            .collect())
    }

    fn value(&self, place: Place, id: Uuid, is_after: bool) -> Result<Option<&[u8]>, Damaged> {
        if is_after {
            self.write.get(place, id.as_bytes())
        } else {
            self.base.get(place, id.as_bytes())
        }
    }

    /// What goes or is replaced gives up its keys first, so that they can change hands.
    fn write_entities(
        &mut self,
        upserts: &[&dyn Encode],
        deletes: &[(EntityKind, Uuid)],
    ) -> Result<(), Failure> {
        for (kind, id) in deletes {
            if self.take_out(*kind, *id)? {
                let key = keys::entity(*kind, *id);
                self.write.delete(layout::place(*kind), &key)?;
                self.records_changed += 1;
            }
        }
        let mut changed = Vec::with_capacity(upserts.len());
        for entity in upserts {
            let (kind, id) = (entity.kind(), entity.id());
            let value = entity.encode(&mut self.encoder);
            let key = keys::entity(kind, id);
            if self.write.get(layout::place(kind), &key)? != Some(value) {
                self.take_out(kind, id)?;
                changed.push(*entity);
            }
        }
        changed.into_iter().try_for_each(|entity| self.put(entity))
    }

    /// Takes a stored entity out of count, content sum, keys and children; whether there is one.
    fn take_out(&mut self, kind: EntityKind, id: Uuid) -> Result<bool, Failure> {
        let (place, key) = (layout::place(kind), keys::entity(kind, id));
        let Some(value) = self.write.get(place, &key)? else {
            return Ok(false);
        };
        let stored = Stored::read(kind, value).map_err(|damage| damaged(place, &key, damage))?;
        let stored = stored.as_encode();
        self.content = self.content.wrapping_sub(record::content(value));
        self.counts.add(kind, -1);
        for link in layout::unique(kind) {
            if let Some(text) = stored.unique(link.field) {
                let key = keys::unique(link, &keys::text(text));
                self.write.delete(Place::Keys, &key)?;
            }
        }
        for link in layout::references(kind) {
            if let Some(parent) = stored.reference(link.field) {
                let key = keys::child(link, parent, id);
                self.write.delete(Place::Children, &key)?;
            }
        }
        self.note_target(stored);
        Ok(true)
    }

    fn put(&mut self, entity: &dyn Encode) -> Result<(), Failure> {
        let (kind, id) = (entity.kind(), entity.id());
        let value = entity.encode(&mut self.encoder);
        self.content = self.content.wrapping_add(record::content(value));
        self.counts.add(kind, 1);
        self.records_changed += 1;
        let place = layout::place(kind);
        self.write.put(place, &keys::entity(kind, id), value)?;
        for link in layout::unique(kind) {
            if let Some(text) = entity.unique(link.field) {
                let key = keys::unique(link, &keys::text(text));
                if self.write.get(Place::Keys, &key)?.is_some() {
                    return Err(taken(entity, link).into());
                }
                let value = keys::reference(&key, id);
                self.write.put(Place::Keys, &key, &value)?;
            }
        }
        for link in layout::references(kind) {
            if let Some(parent) = entity.reference(link.field) {
                let key = keys::child(link, parent, id);
                let value = keys::child_value(&key);
                self.write.put(Place::Children, &key, &value)?;
            }
        }
        self.note_target(entity);
        Ok(())
    }

    /// Remembers that the list of a target's upstream changes.
    fn note_target(&mut self, entity: &dyn Encode) {
        if entity.kind() == EntityKind::TARGETS {
            self.target_lists.extend(entity.reference("upstream"));
        }
    }

    fn write_target_lists(&mut self) -> Result<(), Failure> {
        let upstreams = std::mem::take(&mut self.target_lists);
        upstreams
            .into_iter()
            .try_for_each(|upstream| self.write_target_list(upstream))
    }

    fn write_target_list(&mut self, upstream: Uuid) -> Result<(), Failure> {
        let mut targets = Vec::new();
        let prefix = keys::children(link(EntityKind::TARGETS, "upstream"), upstream);
        for record in self.write.scan(Place::Children, &prefix)? {
            let Some(id) = keys::id(record?.0) else {
                continue;
            };
            let value = self.write.get(Place::Targets, id.as_bytes())?;
            let target = stored_target(value, id)?;
            targets.push(
                target
                    .ok_or_else(|| missing(Place::Targets, id))?
                    .to_entity(),
            );
        }
        if targets.is_empty() {
            self.write
                .delete(Place::UpstreamTargets, upstream.as_bytes())?;
            return Ok(());
        }
        targets.sort_unstable_by_key(target_order);
        let targets: Vec<_> = targets.iter().collect();
        let value = encode::target_list(&mut self.encoder, upstream, &targets);
        Ok(self
            .write
            .put(Place::UpstreamTargets, upstream.as_bytes(), value)?)
    }

    /// What was added must refer to what exists; what went must not be referred to.
    fn check_references(
        &self,
        upserts: &[&dyn Encode],
        deletes: &[(EntityKind, Uuid)],
    ) -> Result<(), Failure> {
        for entity in upserts {
            for link in layout::references(entity.kind()) {
                if let Some(parent) = entity.reference(link.field)
                    && !exists(&self.write, link, parent)?
                {
                    return Err(dangling(link, parent, entity.id()).into());
                }
            }
        }
        deletes
            .iter()
            .try_for_each(|(kind, id)| self.must_be_free(*kind, *id))
    }

    fn must_be_free(&self, kind: EntityKind, id: Uuid) -> Result<(), Failure> {
        let found = self
            .write
            .get(layout::place(kind), &keys::entity(kind, id))?;
        if found.is_some() {
            return Ok(());
        }
        for link in layout::references_to(kind) {
            let mut children = self
                .write
                .scan(Place::Children, &keys::children(link, id))?;
            let child = children.next().transpose()?;
            if let Some(child) = child.and_then(|(key, _)| keys::id(key)) {
                let child_kind = link.kind.name();
                let reason = format!("it cannot go while {child_kind} {child} refers to it");
                return Err(rejected(kind, id, reason).into());
            }
        }
        Ok(())
    }

    fn edit_router(&mut self, edits: Vec<Edit>) -> Result<(), Failure> {
        let edits = without_pairs(edits);
        let mut directory = self.directory()?;
        if edits.is_empty() && directory != Directory::new() {
            return Ok(());
        }
        let Self {
            write,
            encoder,
            records_changed,
            ..
        } = self;
        let mut segments = StoredSegments {
            write,
            encoder,
            records_changed,
        };
        segment::edit(&mut directory, edits, &mut segments).map_err(|error| match error {
            EditError::Failure(failure) => failure,
            EditError::Damage(damage) => {
                damaged(Place::Router, &DIRECTORY_KEY.to_be_bytes(), damage).into()
            }
        })?;
        put_directory(&mut self.write, &mut self.encoder, &directory)
    }

    fn directory(&self) -> Result<Directory, Failure> {
        let key = DIRECTORY_KEY.to_be_bytes();
        let Some(value) = self.base.get(Place::Router, &key)? else {
            return Ok(Directory::new());
        };
        let decoded = record::checked::<fbs::Directory<'_>>(value)
            .and_then(|table| segment::decode_directory(&table));
        Ok(decoded.map_err(|damage| damaged(Place::Router, &key, damage))?)
    }

    fn finish(mut self, before: &Meta, source: Source<'_>) -> Result<Applied, Failure> {
        let meta = Meta {
            counts: self.counts,
            ..next_meta(before, self.content, source)
        };
        put_meta(&mut self.write, &mut self.encoder, &meta)?;
        drop(self.base);
        self.write.commit()?;
        Ok(applied(meta, self.records_changed))
    }
}

/// Refuses a delta that brings an entity twice: which one is meant cannot be known.
fn check_twins(upserts: &[&dyn Encode]) -> Result<(), StoreError> {
    let mut ids = BTreeSet::new();
    let twin = upserts
        .iter()
        .find(|entity| !ids.insert((entity.kind(), entity.id())));
    match twin {
        Some(twin) => {
            let reason = "it is there twice".into();
            Err(rejected(twin.kind(), twin.id(), reason))
        }
        None => Ok(()),
    }
}

/// A reference that the store itself goes by.
fn link(kind: EntityKind, field: &str) -> &'static Link {
    layout::reference(kind, field).expect("routes and targets have these references")
}

/// Edits without those that take away and add the same candidate.
fn without_pairs(mut edits: Vec<Edit>) -> Vec<Edit> {
    let rank = |filed: &Filed| (filed.key.clone(), filed.candidate.rank());
    edits.sort_by_cached_key(|edit| rank(&edit.filed));
    let mut kept: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match kept.last() {
            Some(last) if last.filed == edit.filed && last.is_added != edit.is_added => {
                kept.pop();
            }
            _ => kept.push(edit),
        }
    }
    kept
}

struct StoredSegments<'s, 'e> {
    write: &'s mut WriteTxn<'e>,
    encoder: &'s mut Encoder,
    records_changed: &'s mut u64,
}

/// Why an edit of the router failed.
enum EditError {
    Failure(Failure),
    Damage(Damage),
}

impl From<Damage> for EditError {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<LmdbError> for EditError {
    fn from(error: LmdbError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Damaged> for EditError {
    fn from(damaged: Damaged) -> Self {
        Self::Failure(damaged.into())
    }
}

impl Segments for StoredSegments<'_, '_> {
    type Error = EditError;

    fn load(&mut self, id: u32) -> Result<Segment, EditError> {
        let key = id.to_be_bytes();
        let value = self.write.get(Place::Router, &key)?;
        let value = value.ok_or_else(|| damaged(Place::Router, &key, Damage::Missing))?;
        let decoded = record::checked::<fbs::Segment<'_>>(value)
            .and_then(|table| segment::decode_segment(&table));
        Ok(decoded.map_err(|damage| damaged(Place::Router, &key, damage))?)
    }

    fn store(&mut self, id: u32, segment: &Segment) -> Result<(), EditError> {
        *self.records_changed += 1;
        let value = segment::encode_segment(self.encoder, id, segment);
        Ok(self.write.put(Place::Router, &id.to_be_bytes(), value)?)
    }

    fn remove(&mut self, id: u32) -> Result<(), EditError> {
        *self.records_changed += 1;
        self.write.delete(Place::Router, &id.to_be_bytes())?;
        Ok(())
    }
}

fn missing(place: Place, id: Uuid) -> StoreError {
    damaged(place, id.as_bytes(), Damage::Missing).into()
}

macro_rules! stored {
    ($name:ident, $table:ident, $view:ident, $place:ident) => {
        fn $name(value: Option<&[u8]>, id: Uuid) -> Result<Option<$view<'_>>, Damaged> {
            let Some(value) = value else { return Ok(None) };
            let table = record::checked::<fbs::$table<'_>>(value)
                .map_err(|damage| damaged(Place::$place, id.as_bytes(), damage))?;
            Ok(Some($view::new(table, record::checksum(value))))
        }
    };
}

stored!(stored_service, Service, ServiceView, Services);
stored!(stored_route, Route, RouteView, Routes);
stored!(stored_target, Target, TargetView, Targets);
