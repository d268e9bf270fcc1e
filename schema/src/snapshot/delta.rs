//! Changes to a configuration: only the records and router segments they touch are written.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::apply::{
    Failure, Transaction, applied, compile, next_meta, put_directory, put_meta, rejected,
    target_order,
};
use super::candidate::Filed;
use super::encode::{self, Encode};
use super::error::{Damage, Damaged, Place, StoreError};
use super::keys::{self, Child};
use super::lmdb::{LmdbError, ReadTxn, WriteTxn, damaged};
use super::reader;
use super::record::{self, Encoder};
use super::segment::{self, DIRECTORY_KEY, Directory, Edit, Segment, Segments};
use super::store::{Applied, Source};
use super::view::{Meta, RouteView, ServiceView, TargetView, UpstreamView};
use crate::entity::{Route, Service, Target, Upstream};
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
        counts: [0; 4],
    };
    let affected = writer.affected_routes(delta)?;
    let mut edits = writer.edits(&affected, false)?;
    writer.write_entities(delta)?;
    writer.check_references(delta)?;
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
    /// How many services, routes, upstreams and targets there are more than before.
    counts: [i64; 4],
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
                for record in self
                    .base
                    .scan(Place::Children, &keys::children(Child::Route, id))?
                {
                    affected.extend(keys::child_id(record?.0));
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

    fn write_entities(&mut self, delta: &Delta) -> Result<(), Failure> {
        self.write_routes(&delta.routes)?;
        self.write_targets(&delta.targets)?;
        self.write_upstreams(&delta.upstreams)?;
        for id in &delta.services.delete {
            self.delete(Place::Services, *id, 0)?;
        }
        for service in &delta.services.upsert {
            self.put(Place::Services, service, 0)?;
        }
        Ok(())
    }

    fn write_routes(&mut self, changes: &Changes<Route>) -> Result<(), Failure> {
        for id in &changes.delete {
            self.unlink_route(*id)?;
            self.delete(Place::Routes, *id, 1)?;
        }
        for route in &changes.upsert {
            self.unlink_route(route.id)?;
            self.put(Place::Routes, route, 1)?;
            if let Some(service) = route.service {
                let (key, value) = keys::child(Child::Route, service, route.id);
                self.write.put(Place::Children, &key, &value)?;
            }
        }
        Ok(())
    }

    /// Takes a stored route off its service's list.
    fn unlink_route(&mut self, id: Uuid) -> Result<(), Failure> {
        let value = self.write.get(Place::Routes, id.as_bytes())?;
        if let Some(service) = stored_route(value, id)?.and_then(|route| route.service()) {
            self.write
                .delete(Place::Children, &keys::child(Child::Route, service, id).0)?;
        }
        Ok(())
    }

    fn write_targets(&mut self, changes: &Changes<Target>) -> Result<(), Failure> {
        let mut upstreams = BTreeSet::new();
        for id in &changes.delete {
            upstreams.extend(self.unlink_target(*id)?);
            self.delete(Place::Targets, *id, 3)?;
        }
        for target in &changes.upsert {
            upstreams.extend(self.unlink_target(target.id)?);
            upstreams.insert(target.upstream);
            self.put(Place::Targets, target, 3)?;
            let (key, value) = keys::child(Child::Target, target.upstream, target.id);
            self.write.put(Place::Children, &key, &value)?;
        }
        upstreams
            .into_iter()
            .try_for_each(|upstream| self.write_target_list(upstream))
    }

    /// Takes a stored target off its upstream's list; the upstream.
    fn unlink_target(&mut self, id: Uuid) -> Result<Option<Uuid>, Failure> {
        let value = self.write.get(Place::Targets, id.as_bytes())?;
        let Some(target) = stored_target(value, id)? else {
            return Ok(None);
        };
        let upstream = target.to_entity().upstream;
        self.write
            .delete(Place::Children, &keys::child(Child::Target, upstream, id).0)?;
        Ok(Some(upstream))
    }

    fn write_target_list(&mut self, upstream: Uuid) -> Result<(), Failure> {
        let mut targets = Vec::new();
        for record in self
            .write
            .scan(Place::Children, &keys::children(Child::Target, upstream))?
        {
            let Some(id) = keys::child_id(record?.0) else {
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

    fn write_upstreams(&mut self, changes: &Changes<Upstream>) -> Result<(), Failure> {
        let upserted = changes.upsert.iter().map(|upstream| upstream.id);
        for id in changes.delete.iter().copied().chain(upserted) {
            let value = self.write.get(Place::Upstreams, id.as_bytes())?;
            if let Some(name) = stored_upstream(value, id)?.map(|it| keys::upstream_name(it.name()))
            {
                self.write.delete(Place::Keys, &name)?;
            }
        }
        for id in &changes.delete {
            self.delete(Place::Upstreams, *id, 2)?;
        }
        for upstream in &changes.upsert {
            self.put(Place::Upstreams, upstream, 2)?;
            let key = keys::upstream_name(&upstream.name);
            if self.write.get(Place::Keys, &key)?.is_some() {
                let reason = format!("the name {} is taken by another upstream", upstream.name);
                return Err(rejected("upstream", upstream.id, reason).into());
            }
            let value = encode::reference(&mut self.encoder, &key, upstream.id);
            self.write.put(Place::Keys, &key, value)?;
        }
        Ok(())
    }

    fn put<E: Encode>(&mut self, place: Place, entity: &E, kind: usize) -> Result<(), Failure> {
        self.forget(place, entity.id(), kind)?;
        let value = entity.encode(&mut self.encoder);
        self.content = self.content.wrapping_add(record::content(value));
        self.counts[kind] += 1;
        self.records_changed += 1;
        Ok(self.write.put(place, entity.id().as_bytes(), value)?)
    }

    fn delete(&mut self, place: Place, id: Uuid, kind: usize) -> Result<(), Failure> {
        if self.forget(place, id, kind)? {
            self.write.delete(place, id.as_bytes())?;
            self.records_changed += 1;
        }
        Ok(())
    }

    /// Takes a stored record out of count and content sum; whether there is one.
    fn forget(&mut self, place: Place, id: Uuid, kind: usize) -> Result<bool, Failure> {
        let Some(value) = self.write.get(place, id.as_bytes())? else {
            return Ok(false);
        };
        self.content = self.content.wrapping_sub(record::content(value));
        self.counts[kind] -= 1;
        Ok(true)
    }

    /// What was added must refer to what exists; what went must not be referred to.
    fn check_references(&self, delta: &Delta) -> Result<(), Failure> {
        for route in &delta.routes.upsert {
            if let Some(service) = route.service {
                self.must_exist(Place::Services, service, ("route", route.id), "service")?;
            }
        }
        for target in &delta.targets.upsert {
            self.must_exist(
                Place::Upstreams,
                target.upstream,
                ("target", target.id),
                "upstream",
            )?;
        }
        for id in &delta.services.delete {
            self.must_be_free(Place::Services, Child::Route, *id, "service")?;
        }
        for id in &delta.upstreams.delete {
            self.must_be_free(Place::Upstreams, Child::Target, *id, "upstream")?;
        }
        Ok(())
    }

    fn must_exist(
        &self,
        place: Place,
        id: Uuid,
        of: (&'static str, Uuid),
        what: &str,
    ) -> Result<(), Failure> {
        match self.write.get(place, id.as_bytes())? {
            Some(_) => Ok(()),
            None => Err(rejected(of.0, of.1, format!("there is no {what} {id}")).into()),
        }
    }

    fn must_be_free(
        &self,
        place: Place,
        kind: Child,
        id: Uuid,
        what: &'static str,
    ) -> Result<(), Failure> {
        if self.write.get(place, id.as_bytes())?.is_some() {
            return Ok(());
        }
        let child = self
            .write
            .scan(Place::Children, &keys::children(kind, id))?
            .next();
        match child.transpose()?.and_then(|(key, _)| keys::child_id(key)) {
            Some(child) => {
                let reason = format!("it cannot go while {child} refers to it");
                Err(rejected(what, id, reason).into())
            }
            None => Ok(()),
        }
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
        let [services, routes, upstreams, targets] = self.counts;
        let meta = Meta {
            services: before.services.saturating_add_signed(services),
            routes: before.routes.saturating_add_signed(routes),
            upstreams: before.upstreams.saturating_add_signed(upstreams),
            targets: before.targets.saturating_add_signed(targets),
            ..next_meta(before, self.content, source)
        };
        put_meta(&mut self.write, &mut self.encoder, &meta)?;
        drop(self.base);
        self.write.commit()?;
        Ok(applied(meta, self.records_changed))
    }
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
stored!(stored_upstream, Upstream, UpstreamView, Upstreams);
stored!(stored_target, Target, TargetView, Targets);
