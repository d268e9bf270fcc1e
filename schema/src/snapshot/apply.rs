//! A full configuration into the store: entities, lookup keys, children, the compiled router, meta.
//!
//! Everything is sorted first. An empty database is filled by appending; otherwise old and new
//! records are walked side by side and only differences are written, so that a configuration that is
//! sent again costs no pages.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::candidate::{self, Filed};
use super::encode::{self, Encode};
use super::error::{Damaged, Place, StoreError};
use super::gate::Pass;
use super::keys;
use super::layout::{self, Link};
use super::lmdb::{LmdbError, ReadTxn, Records, WriteTxn};
use super::record::{self, Encoder};
use super::segment::{self, DIRECTORY_KEY, Directory};
use super::store::{Applied, Source};
use super::view::{Counts, Meta};
use super::{FORMAT_VERSION, reader};
use crate::declarative::Config;
use crate::entity::{Entity, EntityKind, Route, Target};
use crate::generated as fbs;

/// One write: the version it starts from, and the transaction.
pub(super) struct Transaction<'e> {
    // The base ends before its pass is handed back.
    pub(super) base: ReadTxn,
    pub(super) _pass: Pass,
    pub(super) write: WriteTxn<'e>,
    /// Whether the version it starts from is known to be sound.
    pub(super) is_verified: bool,
}

/// Why a write failed: what the store can mend by growing the map, and the rest.
#[derive(Debug)]
pub(super) enum Failure {
    Lmdb(LmdbError),
    Store(StoreError),
}

impl From<LmdbError> for Failure {
    fn from(error: LmdbError) -> Self {
        Self::Lmdb(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Damaged> for Failure {
    fn from(damaged: Damaged) -> Self {
        Self::Store(damaged.into())
    }
}

/// Ids are random or hashes already.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
}

pub(super) type Ids = HashSet<Uuid, BuildHasherDefault<IdHasher>>;

/// Replaces everything by `config`.
pub(super) fn apply(
    transaction: Transaction<'_>,
    config: &Config,
    source: Source<'_>,
) -> Result<Applied, Failure> {
    let Transaction {
        base,
        _pass,
        mut write,
        is_verified,
    } = transaction;
    if !is_verified {
        // Damaged keys would mislead a comparison; a full configuration mends everything.
        write.clear()?;
    }
    let mut writer = FullWriter {
        base,
        is_compared: is_verified,
        write,
        encoder: Encoder::new(),
        content: 0,
        counts: Counts::default(),
        records_changed: 0,
    };
    let parts = Parts::new(config);
    writer.entities(&parts)?;
    writer.target_lists(&config.targets)?;
    writer.keys(&parts)?;
    writer.children(&parts)?;
    writer.router(config)?;
    writer.finish(config, source)
}

/// A configuration by kind.
struct Parts<'c> {
    config: &'c Config,
    /// By the kind's position; those with a type of their own are empty.
    entities: Vec<Vec<&'c Entity>>,
}

impl<'c> Parts<'c> {
    fn new(config: &'c Config) -> Self {
        let mut entities = vec![Vec::new(); EntityKind::all().count()];
        for entity in &config.entities {
            entities[entity.kind.index()].push(entity);
        }
        Self { config, entities }
    }

    fn of(&self, kind: EntityKind) -> Box<dyn Iterator<Item = &'c dyn Encode> + '_> {
        fn each<E: Encode>(entities: &[E]) -> Box<dyn Iterator<Item = &dyn Encode> + '_> {
            Box::new(entities.iter().map(|entity| -> &dyn Encode { entity }))
        }
        match kind {
            EntityKind::SERVICES => each(&self.config.services),
            EntityKind::ROUTES => each(&self.config.routes),
            EntityKind::UPSTREAMS => each(&self.config.upstreams),
            EntityKind::TARGETS => each(&self.config.targets),
            _ => {
                let entities = self.entities[kind.index()].iter();
                Box::new(entities.map(|entity| *entity as &dyn Encode))
            }
        }
    }
}

/// That a unique text is another entity's already.
pub(super) fn taken(entity: &dyn Encode, link: &Link) -> StoreError {
    let text = entity.unique(link.field).unwrap_or_default();
    let reason = format!("the {} {text} is taken by another one", link.field);
    rejected(link.kind, entity.id(), reason)
}

/// That something referred to is not there.
pub(super) fn dangling(link: &Link, parent: Uuid, child: Uuid) -> StoreError {
    let reason = format!("there is no {} {parent}", link.field);
    rejected(link.kind, child, reason)
}

pub(super) fn rejected(kind: EntityKind, id: Uuid, reason: String) -> StoreError {
    let entity = kind.name();
    StoreError::Rejected { entity, id, reason }
}

/// The order of a balancer's list.
pub(super) fn target_order(target: &Target) -> (i64, Uuid) {
    (target.created_at, target.id)
}

/// The compiled candidates of a route, unless its service is disabled.
pub(super) fn compile(
    route: &Route,
    is_enabled: bool,
    filed: &mut Vec<Filed>,
) -> Result<(), StoreError> {
    if !is_enabled {
        return Ok(());
    }
    candidate::compile(route, filed)
        .map_err(|reason| rejected(EntityKind::ROUTES, route.id, reason))
}

struct FullWriter<'e> {
    base: ReadTxn,
    /// Whether records are compared with those of the base; else the databases are empty.
    is_compared: bool,
    write: WriteTxn<'e>,
    encoder: Encoder,
    content: u128,
    counts: Counts,
    records_changed: u64,
}

impl FullWriter<'_> {
    /// The records of all entities.
    fn entities(&mut self, parts: &Parts<'_>) -> Result<(), Failure> {
        // The kinds that share a database follow each other in its order.
        let mut kinds = layout::kinds_by_name();
        kinds.sort_by_key(|kind| layout::place(*kind) as usize);
        for kinds in kinds.chunk_by(|left, right| layout::place(*left) == layout::place(*right)) {
            let mut merge = Merge::new(
                self.is_compared.then_some(&self.base),
                layout::place(kinds[0]),
                &mut self.write,
            )?;
            for kind in kinds {
                for (id, entity) in sorted_by_id(*kind, parts.of(*kind))? {
                    let value = entity.encode(&mut self.encoder);
                    self.content = self.content.wrapping_add(record::content(value));
                    self.counts.add(*kind, 1);
                    merge.put(&keys::entity(*kind, id), value)?;
                }
            }
            self.records_changed += merge.finish()?;
        }
        Ok(())
    }

    fn target_lists(&mut self, targets: &[Target]) -> Result<(), Failure> {
        let mut sorted: Vec<_> = targets.iter().collect();
        sorted.sort_unstable_by_key(|target| (target.upstream, target_order(target)));
        let mut merge = Merge::new(
            self.is_compared.then_some(&self.base),
            Place::UpstreamTargets,
            &mut self.write,
        )?;
        for targets in sorted.chunk_by(|left, right| left.upstream == right.upstream) {
            let upstream = targets[0].upstream;
            let value = encode::target_list(&mut self.encoder, upstream, targets);
            merge.put(upstream.as_bytes(), value)?;
        }
        self.records_changed += merge.finish()?;
        Ok(())
    }

    /// The lookup keys of all unique fields.
    fn keys(&mut self, parts: &Parts<'_>) -> Result<(), Failure> {
        let mut merge = Merge::new(
            self.is_compared.then_some(&self.base),
            Place::Keys,
            &mut self.write,
        )?;
        for link in layout::kinds_by_name().into_iter().flat_map(layout::unique) {
            let mut sorted = Vec::new();
            for entity in parts.of(link.kind) {
                let text = entity.unique(link.field);
                sorted.extend(text.map(|text| (keys::text(text), entity)));
            }
            sorted.sort_unstable_by(|left, right| left.0.cmp(&right.0));
            if let Some([_, (_, twin)]) = sorted.array_windows().find(|[(a, _), (b, _)]| a == b) {
                return Err(taken(*twin, link).into());
            }
            for (text, entity) in sorted {
                let key = keys::unique(link, &text);
                merge.put(&key, &keys::reference(&key, entity.id()))?;
            }
        }
        self.records_changed += merge.finish()?;
        Ok(())
    }

    /// The children of all references, once what is referred to was seen to be there.
    fn children(&mut self, parts: &Parts<'_>) -> Result<(), Failure> {
        let mut merge = Merge::new(
            self.is_compared.then_some(&self.base),
            Place::Children,
            &mut self.write,
        )?;
        let kinds = layout::kinds_by_name();
        for link in kinds.into_iter().flat_map(layout::references) {
            let mut sorted = Vec::new();
            for entity in parts.of(link.kind) {
                let parent = entity.reference(link.field);
                sorted.extend(parent.map(|parent| (parent, entity.id())));
            }
            sorted.sort_unstable();
            for children in sorted.chunk_by(|left, right| left.0 == right.0) {
                let (parent, first) = children[0];
                if !exists(merge.write, link, parent)? {
                    return Err(dangling(link, parent, first).into());
                }
                for (parent, id) in children {
                    let key = keys::child(link, *parent, *id);
                    merge.put(&key, &keys::child_value(&key))?;
                }
            }
        }
        self.records_changed += merge.finish()?;
        Ok(())
    }

    fn router(&mut self, config: &Config) -> Result<(), Failure> {
        let enabled = config.services.iter().filter(|service| service.enabled);
        let enabled: Ids = enabled.map(|service| service.id).collect();
        let mut filed = Vec::with_capacity(config.routes.len());
        for route in &config.routes {
            let is_enabled = route
                .service
                .is_none_or(|service| enabled.contains(&service));
            compile(route, is_enabled, &mut filed)?;
        }
        let Self {
            base,
            is_compared,
            write,
            encoder,
            records_changed,
            ..
        } = self;
        let mut merge = Merge::new(is_compared.then_some(&*base), Place::Router, write)?;
        // The directory is key 0, but known only after the segments.
        merge.keep(&DIRECTORY_KEY.to_be_bytes())?;
        let directory = segment::build(filed, |id, segment| {
            merge.put(
                &id.to_be_bytes(),
                segment::encode_segment(encoder, id, &segment),
            )
        })?;
        *records_changed += merge.finish()?;
        put_directory(write, encoder, &directory)
    }

    fn finish(mut self, config: &Config, source: Source<'_>) -> Result<Applied, Failure> {
        let before = reader::meta(&self.base).ok().flatten().unwrap_or_default();
        let own_hash = (!config.hash.is_empty()).then_some(config.hash.as_str());
        let source = Source {
            config_hash: source.config_hash.or(own_hash),
            ..source
        };
        let meta = Meta {
            counts: self.counts,
            ..next_meta(&before, self.content, source)
        };
        put_meta(&mut self.write, &mut self.encoder, &meta)?;
        drop(self.base);
        self.write.commit()?;
        Ok(applied(meta, self.records_changed))
    }
}

/// The entities of a kind in id order.
fn sorted_by_id<'c>(
    kind: EntityKind,
    entities: impl Iterator<Item = &'c dyn Encode>,
) -> Result<Vec<(Uuid, &'c dyn Encode)>, StoreError> {
    let mut sorted: Vec<_> = entities.map(|entity| (entity.id(), entity)).collect();
    sorted.sort_unstable_by_key(|(id, _)| *id);
    match sorted.array_windows().find(|[(a, _), (b, _)]| a == b) {
        Some([(id, _), _]) => Err(rejected(kind, *id, "it is there twice".into())),
        None => Ok(sorted),
    }
}

/// Whether what a reference names is there. What no program describes yet cannot be asked for.
pub(super) fn exists(write: &WriteTxn<'_>, link: &Link, parent: Uuid) -> Result<bool, Damaged> {
    let Some(kind) = link.parent else {
        return Ok(true);
    };
    let found = write.get(layout::place(kind), &keys::entity(kind, parent))?;
    Ok(found.is_some())
}

/// The label of the version after `before`.
pub(super) fn next_meta(before: &Meta, content: u128, source: Source<'_>) -> Meta {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Meta {
        version: before.version + 1,
        silverback_version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: source
            .config_hash
            .map_or_else(|| format!("{content:032x}"), str::to_owned),
        source: source.name.to_owned(),
        written_at: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        content,
        ..before.clone()
    }
}

pub(super) fn applied(meta: Meta, records_changed: u64) -> Applied {
    Applied {
        version: meta.version,
        routes: meta.counts.of(EntityKind::ROUTES),
        config_hash: meta.config_hash,
        records_changed,
    }
}

pub(super) fn put_meta(
    write: &mut WriteTxn<'_>,
    encoder: &mut Encoder,
    meta: &Meta,
) -> Result<(), Failure> {
    let b = &mut encoder.builder;
    let counts: Vec<_> = meta
        .counts
        .iter()
        .map(|(kind, count)| {
            let name = b.create_string(kind.name());
            let args = fbs::KindCountArgs {
                kind: Some(name),
                count,
                layout: layout::hash(kind),
            };
            fbs::KindCount::create(b, &args)
        })
        .collect();
    let args = fbs::MetaArgs {
        format_version: FORMAT_VERSION,
        silverback_version: Some(b.create_string(&meta.silverback_version)),
        version: meta.version,
        written_at: meta.written_at,
        source: Some(b.create_string(&meta.source)),
        config_hash: Some(b.create_string(&meta.config_hash)),
        content: Some(&record::id(Uuid::from_u128(meta.content))),
        counts: Some(b.create_vector(&counts)),
    };
    let root = fbs::Meta::create(b, &args);
    Ok(write.put(Place::Meta, keys::META, encoder.seal(root))?)
}

pub(super) fn put_directory(
    write: &mut WriteTxn<'_>,
    encoder: &mut Encoder,
    directory: &Directory,
) -> Result<(), Failure> {
    let value = segment::encode_directory(encoder, directory);
    Ok(write.put(Place::Router, &DIRECTORY_KEY.to_be_bytes(), value)?)
}

/// Makes a database hold exactly the records that are put, in ascending key order.
struct Merge<'m, 'e> {
    place: Place,
    old: std::iter::Peekable<std::iter::Flatten<std::option::IntoIter<Records<'m>>>>,
    is_empty: bool,
    write: &'m mut WriteTxn<'e>,
    changed: u64,
}

impl<'m, 'e> Merge<'m, 'e> {
    /// `base`: the version that the database is at; `None`: it is empty.
    fn new(
        base: Option<&'m ReadTxn>,
        place: Place,
        write: &'m mut WriteTxn<'e>,
    ) -> Result<Self, Failure> {
        let is_empty = base.is_none_or(|base| base.len(place) == 0);
        let old = base.map(|base| base.scan(place, &[])).transpose()?;
        Ok(Self {
            place,
            old: old.into_iter().flatten().peekable(),
            is_empty,
            write,
            changed: 0,
        })
    }

    /// Removes the old records before `key`; the old value of `key`, where there is one.
    fn advance(&mut self, key: &[u8]) -> Result<Option<&'m [u8]>, Failure> {
        while let Some(record) = self
            .old
            .next_if(|r| r.as_ref().map_or(true, |r| r.0 <= key))
        {
            let (old_key, value) = record?;
            if old_key == key {
                return Ok(Some(value));
            }
            self.write.delete(self.place, old_key)?;
            self.changed += 1;
        }
        Ok(None)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        if self.is_empty {
            self.changed += 1;
            return Ok(self.write.append(self.place, key, value)?);
        }
        if self.advance(key)? != Some(value) {
            self.write.put(self.place, key, value)?;
            self.changed += 1;
        }
        Ok(())
    }

    /// Leaves the record under `key` as it is.
    fn keep(&mut self, key: &[u8]) -> Result<(), Failure> {
        self.advance(key).map(|_| ())
    }

    /// Removes the rest; how many records were written or removed.
    fn finish(mut self) -> Result<u64, Failure> {
        for record in self.old.by_ref() {
            self.write.delete(self.place, record?.0)?;
            self.changed += 1;
        }
        Ok(self.changed)
    }
}
