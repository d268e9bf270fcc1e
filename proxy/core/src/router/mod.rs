//! Finds the route of a request in the snapshot's compiled router.
//!
//! Semantics: Kong 3.9's flavor `traditional_compatible` for HTTP, in the order that its gateway is
//! observed to use. Owns nothing but scratch: candidates, keys and conditions are read in place from
//! the snapshot, and a lookup allocates nothing once its buffers have grown.
//!
//! The structure that is searched is described in `schema/adr/0001-compiled-segmented-router.md`.

mod condition;
mod regexes;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use silverback_schema::snapshot::router::{
    CandidateView, DirectoryView, EntryView, SegmentView, SpanView,
};
use silverback_schema::snapshot::{Damage, Damaged, HostKind, Snapshot, common_prefix, method_bit};
use uuid::Uuid;

pub use regexes::RegexCache;

/// What matching looks at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// As sent: methods are compared with regard to case.
    pub method: &'a [u8],
    /// Raw Host without its port: hosts are compared with regard to case.
    pub host: &'a [u8],
    /// The Host header's port, else the listener's.
    pub port: u16,
    /// Normalised path.
    pub path: &'a [u8],
    /// Whether the connection is TLS.
    pub https: bool,
    /// TLS server name.
    pub sni: Option<&'a str>,
    /// Client address.
    pub source: SocketAddr,
    /// Local address.
    pub destination: SocketAddr,
    /// Request headers.
    pub headers: &'a dyn Headers,
}

/// The request's headers, as far as matching is concerned.
pub trait Headers {
    /// Calls `f` with each value of a header until `f` returns true. `name` is lower case; `_` and
    /// `-` are the same in it.
    fn for_each_value(&self, name: &str, f: &mut dyn FnMut(&[u8]) -> bool);
}

/// A route that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The route.
    pub route: Uuid,
    /// Bytes of the path covered by the matched prefix or regex; 0 when not matched by path.
    pub prefix_len: usize,
    /// Whether the route matched by path.
    pub by_path: bool,
}

/// A shard's router: caches and scratch buffers.
#[derive(Debug, Default)]
pub struct Router {
    regexes: RegexCache,
    key: Vec<u8>,
    lower: String,
}

impl Router {
    /// A router with nothing cached.
    pub fn new() -> Self {
        Self::default()
    }

    /// The best route for a request.
    ///
    /// # Errors
    /// When a record of the router is damaged.
    pub fn find(
        &mut self,
        snapshot: &Snapshot,
        request: &Request<'_>,
    ) -> Result<Option<Match>, Damaged> {
        let Some(directory) = snapshot.directory() else {
            return Ok(None);
        };
        let path = std::str::from_utf8(request.path);
        if path.is_err() && directory.uses_paths() {
            // Kong's engine takes text only, and gives up on the whole request.
            return Ok(None);
        }
        let mut search = Search {
            snapshot,
            directory,
            request,
            path: path.unwrap_or_default(),
            method_bit: method_bit(request.method),
            router: self,
            host_bytes: 0,
            best: None,
        };
        search.hosts()?;
        Ok(search.best.map(|(_, found)| found))
    }
}

type Rank = (u64, u64, u64, std::cmp::Reverse<u16>);

/// One lookup.
struct Search<'s> {
    snapshot: &'s Snapshot,
    directory: DirectoryView<'s>,
    request: &'s Request<'s>,
    path: &'s str,
    method_bit: u16,
    router: &'s mut Router,
    /// Bytes of the key in front of the path.
    host_bytes: usize,
    best: Option<(Rank, Match)>,
}

impl<'s> Search<'s> {
    /// Every host text that a route for this host can be filed under.
    fn hosts(&mut self) -> Result<(), Damaged> {
        let host = self.request.host;
        // A zero byte ends the host in a key; no configured host has one.
        if memchr::memchr(0, host).is_none() {
            self.host(HostKind::Exact, host)?;
            if self.has(HostKind::Suffix) || self.has(HostKind::Prefix) {
                for dot in memchr::memchr_iter(b'.', host) {
                    self.host(HostKind::Suffix, &host[dot..])?;
                    self.host(HostKind::Prefix, &host[..=dot])?;
                }
            }
        }
        self.host(HostKind::None, b"")
    }

    fn has(&self, kind: HostKind) -> bool {
        self.directory.kind(kind).is_some()
    }

    fn beats_best(&self, priority: u64) -> bool {
        self.best
            .as_ref()
            .is_none_or(|((best, ..), _)| priority >= *best)
    }

    fn host(&mut self, kind: HostKind, host: &[u8]) -> Result<(), Damaged> {
        let Some(stored) = self.directory.kind(kind) else {
            return Ok(());
        };
        if host.len() < stored.host_min
            || host.len() > stored.host_max
            || !self.beats_best(stored.priority)
        {
            return Ok(());
        }
        kind.write_key(host, self.request.path, &mut self.router.key);
        self.host_bytes = host.len() + 2;
        let key = std::mem::take(&mut self.router.key);
        let searched = self.keys(&key);
        self.router.key = key;
        searched
    }

    /// Every filed key that `key` starts with, within its host.
    fn keys(&mut self, key: &[u8]) -> Result<(), Damaged> {
        let Some(span) = self.span(key)? else {
            return Ok(());
        };
        let segment = self.snapshot.segment(&span)?;
        let in_segment = |damage| self.snapshot.router_damage(span.segment, damage);
        let mut next = segment.find(key).map_err(in_segment)?;
        let common = next.map_or(0, |entry| common_prefix(entry.key, key));
        while let Some(entry) = next.filter(|entry| {
            // Parents within the host; if not even the host is shared, none of them fits.
            common >= self.host_bytes && entry.key.len() >= self.host_bytes
        }) {
            if entry.key.len() <= common {
                self.entry(&segment, &entry).map_err(in_segment)?;
            }
            next = segment.parent(&entry).map_err(in_segment)?;
        }
        if span.has_ancestors() {
            self.ancestors(key, &span)?;
        }
        Ok(())
    }

    /// The keys of earlier segments that `key` starts with.
    fn ancestors(&mut self, key: &[u8], span: &SpanView<'s>) -> Result<(), Damaged> {
        let common = common_prefix(span.separator, key);
        for (length, priority) in self.directory.ancestors(span) {
            if length > common || length < self.host_bytes || !self.beats_best(priority) {
                continue;
            }
            let ancestor = &key[..length];
            let Some(span) = self.span(ancestor)? else {
                continue;
            };
            let segment = self.snapshot.segment(&span)?;
            let in_segment = |damage| self.snapshot.router_damage(span.segment, damage);
            let entry = segment.find(ancestor).map_err(in_segment)?;
            match entry.filter(|entry| entry.key == ancestor) {
                Some(entry) => self.entry(&segment, &entry).map_err(in_segment)?,
                None => return Err(in_segment(Damage::Inconsistent)),
            }
        }
        Ok(())
    }

    fn span(&self, key: &[u8]) -> Result<Option<SpanView<'s>>, Damaged> {
        self.directory
            .find(key)
            .map_err(|damage| self.snapshot.router_damage(0, damage))
    }

    /// The best candidate under one key.
    fn entry(&mut self, segment: &SegmentView<'s>, entry: &EntryView<'s>) -> Result<(), Damage> {
        for candidate in segment.candidates(entry) {
            let rank = candidate.rank();
            if self.best.as_ref().is_some_and(|(best, _)| *best >= rank) {
                break;
            }
            if let Some(path_bytes) = self.matches(&candidate, entry)? {
                let by_path = path_bytes.is_some();
                let prefix_len = path_bytes.unwrap_or(0);
                let found = Match {
                    route: candidate.route(),
                    prefix_len,
                    by_path,
                };
                self.best = Some((rank, found));
                break;
            }
        }
        Ok(())
    }

    /// `None`: no match. Else the bytes of the path that matched, if the path was looked at.
    fn matches(
        &mut self,
        candidate: &CandidateView<'s>,
        entry: &EntryView<'s>,
    ) -> Result<Option<Option<usize>>, Damage> {
        if !candidate.accepts_method(self.method_bit, self.request.method)
            || candidate
                .port()
                .is_some_and(|port| port != self.request.port)
        {
            return Ok(None);
        }
        if let Some(condition) = candidate.condition()?
            && !condition::holds(&condition, self.request, self.router)
        {
            return Ok(None);
        }
        if let Some(pattern) = candidate.regex()? {
            let found = self.router.regexes.find(pattern, self.path);
            return Ok(found.map(|range| Some(range.len())));
        }
        let prefix_bytes = entry.key.len() - self.host_bytes;
        Ok(Some((prefix_bytes > 0).then_some(prefix_bytes)))
    }
}
