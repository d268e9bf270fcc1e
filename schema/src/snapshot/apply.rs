//! A full configuration into the store: entities, lookup keys, the compiled router, meta.
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
use super::keys::{self, Child};
use super::lmdb::{LmdbError, ReadTxn, Records, WriteTxn};
use super::record::{self, Encoder};
use super::segment::{self, DIRECTORY_KEY, Directory};
use super::store::{Applied, Source};
use super::view::Meta;
use super::{FORMAT_VERSION, reader};
use crate::declarative::Config;
use crate::entity::{Route, Target};
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
        records_changed: 0,
    };
    let enabled = check_references(config)?;
    writer.entities(Place::Services, "service", &config.services)?;
    writer.entities(Place::Routes, "route", &config.routes)?;
    writer.entities(Place::Upstreams, "upstream", &config.upstreams)?;
    writer.entities(Place::Targets, "target", &config.targets)?;
    writer.target_lists(&config.targets)?;
    writer.upstream_names(config)?;
    writer.children(config)?;
    writer.router(config, &enabled)?;
    writer.finish(config, source)
}

/// Checks that everything referred to exists; the ids of enabled services.
fn check_references(config: &Config) -> Result<Ids, StoreError> {
    let services: Ids = config.services.iter().map(|service| service.id).collect();
    for route in &config.routes {
        if let Some(service) = route.service
            && !services.contains(&service)
        {
            return Err(rejected(
                "route",
                route.id,
                format!("there is no service {service}"),
            ));
        }
    }
    let upstreams: Ids = config
        .upstreams
        .iter()
        .map(|upstream| upstream.id)
        .collect();
    for target in &config.targets {
        if !upstreams.contains(&target.upstream) {
            let reason = format!("there is no upstream {}", target.upstream);
            return Err(rejected("target", target.id, reason));
        }
    }
    Ok(config
        .services
        .iter()
        .filter(|each| each.enabled)
        .map(|each| each.id)
        .collect())
}

pub(super) fn rejected(entity: &'static str, id: Uuid, reason: String) -> StoreError {
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
    candidate::compile(route, filed).map_err(|reason| rejected("route", route.id, reason))
}

struct FullWriter<'e> {
    base: ReadTxn,
    /// Whether records are compared with those of the base; else the databases are empty.
    is_compared: bool,
    write: WriteTxn<'e>,
    encoder: Encoder,
    content: u128,
    records_changed: u64,
}

impl FullWriter<'_> {
    /// All records of one kind of entity.
    fn entities<E: Encode>(
        &mut self,
        place: Place,
        kind: &'static str,
        entities: &[E],
    ) -> Result<(), Failure> {
        let mut sorted: Vec<_> = entities
            .iter()
            .map(|entity| (entity.id(), entity))
            .collect();
        sorted.sort_unstable_by_key(|(id, _)| *id);
        if let Some([(id, _), _]) = sorted.array_windows().find(|[(a, _), (b, _)]| a == b) {
            return Err(rejected(kind, *id, "it is there twice".into()).into());
        }
        let mut merge = Merge::new(
            self.is_compared.then_some(&self.base),
            place,
            &mut self.write,
        )?;
        for (id, entity) in sorted {
            let value = entity.encode(&mut self.encoder);
            self.content = self.content.wrapping_add(record::content(value));
            merge.put(id.as_bytes(), value)?;
        }
        self.records_changed += merge.finish()?;
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

    fn upstream_names(&mut self, config: &Config) -> Result<(), Failure> {
        let mut sorted: Vec<_> = config
            .upstreams
            .iter()
            .map(|upstream| (keys::upstream_name(&upstream.name), upstream))
            .collect();
        sorted.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        if let Some([_, (_, twin)]) = sorted.array_windows().find(|[(a, _), (b, _)]| a == b) {
            let reason = format!("the name {} is taken by another upstream", twin.name);
            return Err(rejected("upstream", twin.id, reason).into());
        }
        let mut merge = Merge::new(
            self.is_compared.then_some(&self.base),
            Place::Keys,
            &mut self.write,
        )?;
        for (key, upstream) in sorted {
            let value = encode::reference(&mut self.encoder, &key, upstream.id);
            merge.put(&key, value)?;
        }
        self.records_changed += merge.finish()?;
        Ok(())
    }

    fn children(&mut self, config: &Config) -> Result<(), Failure> {
        let routes = config.routes.iter();
        let routes =
            routes.filter_map(|route| Some((Child::Route as u8, route.service?, route.id)));
        let targets = config.targets.iter();
        let targets = targets.map(|target| (Child::Target as u8, target.upstream, target.id));
        let mut sorted: Vec<_> = routes.chain(targets).collect();
        sorted.sort_unstable();
        let mut merge = Merge::new(
            self.is_compared.then_some(&self.base),
            Place::Children,
            &mut self.write,
        )?;
        for (kind, parent, id) in sorted {
            let kind = if kind == Child::Route as u8 {
                Child::Route
            } else {
                Child::Target
            };
            let (key, value) = keys::child(kind, parent, id);
            merge.put(&key, &value)?;
        }
        self.records_changed += merge.finish()?;
        Ok(())
    }

    fn router(&mut self, config: &Config, enabled: &Ids) -> Result<(), Failure> {
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
            services: config.services.len() as u64,
            routes: config.routes.len() as u64,
            upstreams: config.upstreams.len() as u64,
            targets: config.targets.len() as u64,
            content: self.content,
            ..next_meta(&before, self.content, source)
        };
        put_meta(&mut self.write, &mut self.encoder, &meta)?;
        drop(self.base);
        self.write.commit()?;
        Ok(applied(meta, self.records_changed))
    }
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
    let Meta {
        version,
        config_hash,
        routes,
        ..
    } = meta;
    Applied {
        version,
        config_hash,
        routes,
        records_changed,
    }
}

pub(super) fn put_meta(
    write: &mut WriteTxn<'_>,
    encoder: &mut Encoder,
    meta: &Meta,
) -> Result<(), Failure> {
    let b = &mut encoder.builder;
    let args = fbs::MetaArgs {
        format_version: FORMAT_VERSION,
        silverback_version: Some(b.create_string(&meta.silverback_version)),
        version: meta.version,
        written_at: meta.written_at,
        source: Some(b.create_string(&meta.source)),
        config_hash: Some(b.create_string(&meta.config_hash)),
        content: Some(&record::id(Uuid::from_u128(meta.content))),
        services: meta.services,
        routes: meta.routes,
        upstreams: meta.upstreams,
        targets: meta.targets,
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
    old: std::iter::Peekable<Records<'m>>,
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
        let old: Records<'m> = match base {
            Some(base) => base.scan(place, &[])?,
            None => Box::new(std::iter::empty()),
        };
        Ok(Self {
            place,
            old: old.peekable(),
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
