//! A version held for reading: what a shard works from.
//!
//! Until the whole file has been verified, every record is verified on access; afterwards reads go
//! straight to the page cache. A snapshot pins its pages: drop it when [`super::Store::epoch`]
//! changes.

use std::cell::RefCell;

use super::error::{Damage, Damaged, Place};
use super::gate::Pass;
use super::lmdb::{ReadTxn, damaged};
use super::router::{DirectoryView, SegmentView, SpanView};
use super::segment::DIRECTORY_KEY;
use super::view::{
    self, Counts, Meta, RouteView, ServiceView, TargetListView, TargetView, UpstreamView,
};
use super::{FORMAT_VERSION, json, keys, layout, record};
use crate::entity::EntityKind;
use crate::generated as fbs;
use flatbuffers::{Follow, Verifiable};
use uuid::Uuid;

/// Positions in one block of [`Found`].
const BLOCK: usize = 256;

type Block = [Option<&'static [u8]>; BLOCK];

/// By position in the directory: values of segments that were found, and verified if need be. It
/// grows by blocks as segments are used, so that taking a new version costs the same at any size.
#[derive(Default)]
struct Found {
    blocks: Vec<Option<Box<Block>>>,
}

impl Found {
    fn get(&self, position: usize) -> Option<&'static [u8]> {
        self.blocks.get(position / BLOCK)?.as_ref()?[position % BLOCK]
    }

    fn insert(&mut self, position: usize, value: &'static [u8]) {
        let block = position / BLOCK;
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, None);
        }
        let values = self.blocks[block].get_or_insert_with(|| Box::new([None; BLOCK]));
        values[position % BLOCK] = Some(value);
    }
}

/// One immutable version of the configuration.
pub struct Snapshot {
    // Declared before the transaction that it points into, so that it goes first.
    directory: Option<DirectoryView<'static>>,
    segments: RefCell<Found>,
    meta: Meta,
    is_verified: bool,
    pub(super) txn: ReadTxn,
    // Declared last: the pass is handed back after the transaction ended.
    _pass: Pass,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.meta.version)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(super) fn new(txn: ReadTxn, pass: Pass, is_verified: bool) -> Result<Self, Damaged> {
        let meta = meta(&txn)?;
        let mut snapshot = Self {
            directory: None,
            segments: RefCell::default(),
            meta: meta.unwrap_or_default(),
            is_verified,
            txn,
            _pass: pass,
        };
        snapshot.directory = snapshot.load_directory()?;
        Ok(snapshot)
    }

    #[allow(unsafe_code)]
    fn load_directory(&self) -> Result<Option<DirectoryView<'static>>, Damaged> {
        let key = DIRECTORY_KEY.to_be_bytes();
        let directory = self.table::<fbs::Directory<'_>>(Place::Router, &key)?;
        Ok(directory.map(|(table, _)| {
            let view = DirectoryView::new(table);
            // SAFETY: the view points into the map, which stays as it is for as long as the read
            // transaction is open; `directory()` gives it out for the life of `self` only, and the
            // transaction is dropped after it.
            unsafe { std::mem::transmute::<DirectoryView<'_>, DirectoryView<'static>>(view) }
        }))
    }

    /// A table by its key, with the content hash.
    #[allow(unsafe_code)]
    fn table<'s, T>(&'s self, place: Place, key: &[u8]) -> Result<Option<(T::Inner, u64)>, Damaged>
    where
        T: Follow<'s> + Verifiable + 's,
    {
        let Some(value) = self.txn.get(place, key)? else {
            return Ok(None);
        };
        if self.is_verified {
            // SAFETY: `verify_all` has seen this version's records, or this process wrote them.
            let table = unsafe { record::trusted::<T>(value) };
            return Ok(Some((table, record::checksum(value))));
        }
        let table = record::checked::<T>(value).map_err(|damage| damaged(place, key, damage))?;
        Ok(Some((table, record::checksum(value))))
    }

    /// The version's number; 0: nothing was ever applied.
    pub fn version(&self) -> u64 {
        self.meta.version
    }

    /// What is known of the version as a whole.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The service of that id.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn service(&self, id: &Uuid) -> Result<Option<ServiceView<'_>>, Damaged> {
        let found = self.table::<fbs::Service<'_>>(Place::Services, id.as_bytes())?;
        Ok(found.map(|(table, hash)| ServiceView::new(table, hash)))
    }

    /// The route of that id.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn route(&self, id: &Uuid) -> Result<Option<RouteView<'_>>, Damaged> {
        let found = self.table::<fbs::Route<'_>>(Place::Routes, id.as_bytes())?;
        Ok(found.map(|(table, hash)| RouteView::new(table, hash)))
    }

    /// The upstream of that id.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn upstream(&self, id: &Uuid) -> Result<Option<UpstreamView<'_>>, Damaged> {
        let found = self.table::<fbs::Upstream<'_>>(Place::Upstreams, id.as_bytes())?;
        Ok(found.map(|(table, hash)| UpstreamView::new(table, hash)))
    }

    /// The target of that id.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn target(&self, id: &Uuid) -> Result<Option<TargetView<'_>>, Damaged> {
        let found = self.table::<fbs::Target<'_>>(Place::Targets, id.as_bytes())?;
        Ok(found.map(|(table, hash)| TargetView::new(table, hash)))
    }

    /// The upstream that services name by this host.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn upstream_by_name(&self, name: &str) -> Result<Option<UpstreamView<'_>>, Damaged> {
        let Some(id) = self.find(EntityKind::UPSTREAMS, "name", name)? else {
            return Ok(None);
        };
        match self.upstream(&id)? {
            Some(upstream) => Ok(Some(upstream)),
            None => Err(damaged(Place::Upstreams, id.as_bytes(), Damage::Missing)),
        }
    }

    /// The targets of an upstream, as a balancer needs them; `None`: it has none.
    ///
    /// # Errors
    /// When the record is damaged.
    pub fn targets_of(&self, upstream: &Uuid) -> Result<Option<TargetListView<'_>>, Damaged> {
        let found =
            self.table::<fbs::TargetList<'_>>(Place::UpstreamTargets, upstream.as_bytes())?;
        Ok(found.map(|(table, hash)| TargetListView::new(table, hash)))
    }

    /// All services in id order.
    ///
    /// # Errors
    /// When the records cannot be read; each item may be damaged by itself.
    pub fn services(
        &self,
    ) -> Result<impl Iterator<Item = Result<ServiceView<'_>, Damaged>>, Damaged> {
        self.tables::<fbs::Service<'_>, _>(Place::Services, ServiceView::new)
    }

    /// All routes in id order.
    ///
    /// # Errors
    /// As [`Self::services`].
    pub fn routes(&self) -> Result<impl Iterator<Item = Result<RouteView<'_>, Damaged>>, Damaged> {
        self.tables::<fbs::Route<'_>, _>(Place::Routes, RouteView::new)
    }

    /// All upstreams in id order.
    ///
    /// # Errors
    /// As [`Self::services`].
    pub fn upstreams(
        &self,
    ) -> Result<impl Iterator<Item = Result<UpstreamView<'_>, Damaged>>, Damaged> {
        self.tables::<fbs::Upstream<'_>, _>(Place::Upstreams, UpstreamView::new)
    }

    /// All targets in id order.
    ///
    /// # Errors
    /// As [`Self::services`].
    pub fn targets(
        &self,
    ) -> Result<impl Iterator<Item = Result<TargetView<'_>, Damaged>>, Damaged> {
        self.tables::<fbs::Target<'_>, _>(Place::Targets, TargetView::new)
    }

    fn tables<'s, T, V>(
        &'s self,
        place: Place,
        view: impl Fn(T::Inner, u64) -> V + 's,
    ) -> Result<impl Iterator<Item = Result<V, Damaged>> + 's, Damaged>
    where
        T: Follow<'s> + Verifiable + 's,
    {
        let records = self.txn.scan(place, &[])?;
        Ok(records.map(move |record| {
            let (key, value) = record?;
            let table =
                record::checked::<T>(value).map_err(|damage| damaged(place, key, damage))?;
            Ok(view(table, record::checksum(value)))
        }))
    }

    /// The router's directory; `None`: nothing was ever applied.
    pub fn directory(&self) -> Option<DirectoryView<'_>> {
        self.directory
    }

    /// A segment that the directory names.
    ///
    /// # Errors
    /// When it is damaged or missing.
    #[allow(unsafe_code)]
    pub fn segment(&self, span: &SpanView<'_>) -> Result<SegmentView<'_>, Damaged> {
        let known = self.segments.borrow().get(span.position);
        let value = match known {
            Some(value) => value,
            None => self.load_segment(span)?,
        };
        super::router::fetch(value);
        // SAFETY: `load_segment` gives verified values only, and remembers no other.
        Ok(SegmentView::new(unsafe {
            record::trusted::<fbs::Segment<'_>>(value)
        }))
    }

    /// The value of a segment, verified if need be, and remembered: a search in the database for
    /// each lookup would cost as much as all the rest.
    #[cold]
    #[allow(unsafe_code)]
    fn load_segment(&self, span: &SpanView<'_>) -> Result<&[u8], Damaged> {
        let key = span.segment.to_be_bytes();
        let value = self.txn.get(Place::Router, &key)?;
        let value = value.ok_or_else(|| damaged(Place::Router, &key, Damage::Missing))?;
        if !self.is_verified {
            record::checked::<fbs::Segment<'_>>(value)
                .map_err(|damage| damaged(Place::Router, &key, damage))?;
        }
        // SAFETY: the value stays in the map for as long as the transaction is open, and `segment`
        // gives it out for the life of `self` only.
        let kept = unsafe { std::mem::transmute::<&[u8], &'static [u8]>(value) };
        self.segments.borrow_mut().insert(span.position, kept);
        Ok(value)
    }

    /// The report of a router record that contradicts itself.
    pub fn router_damage(&self, segment: u32, damage: Damage) -> Damaged {
        damaged(Place::Router, &segment.to_be_bytes(), damage)
    }

    /// Verifies every record of this version.
    pub(super) fn verify(&self) -> Result<(), Damaged> {
        self.verify_place::<fbs::Meta<'_>>(Place::Meta, |_, _| true)?;
        self.verify_place::<fbs::Service<'_>>(Place::Services, |t, key| is_key(t.id(), key))?;
        self.verify_place::<fbs::Route<'_>>(Place::Routes, |t, key| is_key(t.id(), key))?;
        self.verify_place::<fbs::Upstream<'_>>(Place::Upstreams, |t, key| is_key(t.id(), key))?;
        self.verify_place::<fbs::Target<'_>>(Place::Targets, |t, key| is_key(t.id(), key))?;
        self.verify_place::<fbs::TargetList<'_>>(Place::UpstreamTargets, |t, key| {
            is_key(t.upstream(), key)
        })?;
        self.verify_lookups()?;
        self.verify_entities()?;
        self.verify_router()
    }

    /// Lookup keys and children.
    fn verify_lookups(&self) -> Result<(), Damaged> {
        for record in self.txn.scan(Place::Keys, &[])? {
            let (key, value) = record?;
            keys::referred(key, value).map_err(|damage| damaged(Place::Keys, key, damage))?;
        }
        for record in self.txn.scan(Place::Children, &[])? {
            let (key, value) = record?;
            if value != keys::child_value(key) {
                return Err(damaged(Place::Children, key, Damage::Checksum));
            }
        }
        Ok(())
    }

    /// Entities of the kinds without a type of their own, and the number of those of each kind.
    fn verify_entities(&self) -> Result<(), Damaged> {
        let mut counts = Counts::default();
        for record in self.txn.scan(Place::Entities, &[])? {
            let (key, value) = record?;
            let entity = record::checked::<fbs::Entity<'_>>(value).and_then(|table| {
                if json::is_object(table.json()) {
                    view::entity(&table)
                } else {
                    Err(Damage::Format)
                }
            });
            let entity = entity.map_err(|damage| damaged(Place::Entities, key, damage))?;
            if *keys::entity(entity.kind, entity.id) != *key {
                return Err(damaged(Place::Entities, key, Damage::Inconsistent));
            }
            counts.add(entity.kind, 1);
        }
        for kind in EntityKind::all() {
            let place = layout::place(kind);
            let found = match place {
                Place::Entities => counts.of(kind),
                _ => self.txn.len(place),
            };
            if found != self.meta.counts.of(kind) {
                return Err(damaged(place, &keys::of_kind(kind), Damage::Missing));
            }
        }
        Ok(())
    }

    fn verify_place<'s, T>(
        &'s self,
        place: Place,
        fits: impl Fn(&T::Inner, &[u8]) -> bool,
    ) -> Result<(), Damaged>
    where
        T: Follow<'s> + Verifiable + 's,
    {
        for record in self.txn.scan(place, &[])? {
            let (key, value) = record?;
            let table =
                record::checked::<T>(value).map_err(|damage| damaged(place, key, damage))?;
            if !fits(&table, key) {
                return Err(damaged(place, key, Damage::Inconsistent));
            }
        }
        Ok(())
    }

    fn verify_router(&self) -> Result<(), Damaged> {
        let Some(directory) = self.directory() else {
            return match self.meta.version {
                0 => Ok(()),
                _ => Err(damaged(
                    Place::Router,
                    &DIRECTORY_KEY.to_be_bytes(),
                    Damage::Missing,
                )),
            };
        };
        for span in directory.spans() {
            let span = span.map_err(|damage| self.router_damage(DIRECTORY_KEY, damage))?;
            let key = span.segment.to_be_bytes();
            let value = self.txn.get(Place::Router, &key)?;
            let value = value.ok_or_else(|| damaged(Place::Router, &key, Damage::Missing))?;
            let table = record::checked::<fbs::Segment<'_>>(value)
                .map_err(|damage| damaged(Place::Router, &key, damage))?;
            if table.id() != span.segment {
                return Err(damaged(Place::Router, &key, Damage::Inconsistent));
            }
        }
        Ok(())
    }
}

fn is_key(id: &fbs::Id, key: &[u8]) -> bool {
    record::uuid(id).as_bytes() == key
}

/// The meta record of a version, where there is one.
pub(super) fn meta(txn: &ReadTxn) -> Result<Option<Meta>, Damaged> {
    let Some(value) = txn.get(Place::Meta, keys::META)? else {
        return Ok(None);
    };
    let table = record::checked::<fbs::Meta<'_>>(value)
        .map_err(|damage| damaged(Place::Meta, keys::META, damage))?;
    Ok(Some(Meta::from_table(&table)))
}

/// Why a version cannot be read by this program although it is sound; `None`: it can.
pub(super) fn foreign(txn: &ReadTxn) -> Result<Option<String>, Damaged> {
    let Some(value) = txn.get(Place::Meta, keys::META)? else {
        return Ok(None);
    };
    let broken = |damage| damaged(Place::Meta, keys::META, damage);
    let format = record::checked::<fbs::Format<'_>>(value).map_err(broken)?;
    if format.version() != FORMAT_VERSION {
        let format = format.version();
        return Ok(Some(format!(
            "its format is {format}, this program reads {FORMAT_VERSION}"
        )));
    }
    let meta = record::checked::<fbs::Meta<'_>>(value).map_err(broken)?;
    let other = meta.counts().iter().find(|stored| {
        let kind = EntityKind::of_name(stored.kind());
        kind.is_none_or(|kind| layout::hash(kind) != stored.layout())
    });
    Ok(other.map(|stored| {
        let kind = stored.kind();
        format!("this program has another format of {kind}")
    }))
}
