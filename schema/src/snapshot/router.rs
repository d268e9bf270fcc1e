//! The compiled router as a reader sees it: the directory, segments, candidates.
//!
//! Positions inside a record are bounds-checked on every access, so that even a record that fits its
//! checksum but lies cannot make a shard panic.

use flatbuffers::{ForwardsUOffset, Vector};
use uuid::Uuid;

use super::candidate::{HostKind, OTHER_METHODS, address_bits, network_mask};
use super::error::Damage;
use super::segment::{NO_PARENT, head};
use crate::generated as fbs;

type Texts<'a> = Vector<'a, ForwardsUOffset<&'a str>>;

/// The directory: which segment a key lies in, and what earlier segments hold for it.
#[derive(Clone, Copy)]
pub struct DirectoryView<'a> {
    keys: &'a [u8],
    spans: Vector<'a, fbs::Span>,
    heads: Vector<'a, u64>,
    ancestors: Vector<'a, fbs::Ancestor>,
    kinds: Vector<'a, fbs::Kind>,
    candidates: u64,
    path_candidates: u64,
}

/// A position in the directory.
#[derive(Clone, Copy, Debug)]
pub struct SpanView<'a> {
    /// A text not after any key of the segment and after every earlier key.
    pub separator: &'a [u8],
    /// The segment's id.
    pub segment: u32,
    /// Number of keys in it.
    pub entries: u32,
    pub(super) position: usize,
    ancestor_start: u32,
    ancestor_count: u32,
}

impl SpanView<'_> {
    /// Whether earlier segments hold keys that the separator starts with.
    pub fn has_ancestors(&self) -> bool {
        self.ancestor_count > 0
    }
}

/// What exists under one kind of host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindView {
    /// Number of keys.
    pub entries: u32,
    /// Bytes of the shortest host text.
    pub host_min: usize,
    /// Bytes of the longest host text.
    pub host_max: usize,
    /// No candidate has a higher priority.
    pub priority: u64,
}

impl<'a> DirectoryView<'a> {
    pub(super) fn new(table: fbs::Directory<'a>) -> Self {
        Self {
            keys: table.keys().bytes(),
            spans: table.spans(),
            heads: table.heads(),
            ancestors: table.ancestors(),
            kinds: table.kinds(),
            candidates: table.candidates(),
            path_candidates: table.path_candidates(),
        }
    }

    /// Number of segments.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are no routes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of candidates in all segments.
    pub fn candidates(&self) -> u64 {
        self.candidates
    }

    /// Whether any route looks at the path.
    pub fn uses_paths(&self) -> bool {
        self.path_candidates > 0
    }

    /// Bytes of the separators, and number of ancestors listed: the directory's weight.
    pub fn size(&self) -> (usize, usize) {
        (self.keys.len(), self.ancestors.len())
    }

    /// What exists under a kind of host.
    pub fn kind(&self, kind: HostKind) -> Option<KindView> {
        let at = kind as usize;
        let kind = (at < self.kinds.len()).then(|| self.kinds.get(at))?;
        (kind.entries() > 0).then(|| KindView {
            entries: kind.entries(),
            host_min: kind.host_min() as usize,
            host_max: kind.host_max() as usize,
            priority: kind.priority(),
        })
    }

    /// The segments in key order.
    pub fn spans(&self) -> impl Iterator<Item = Result<SpanView<'a>, Damage>> + '_ {
        (0..self.len()).map(|at| self.span(at))
    }

    fn span(&self, at: usize) -> Result<SpanView<'a>, Damage> {
        let span = self.spans.get(at);
        Ok(SpanView {
            separator: slice(self.keys, span.key_start(), span.key_length())?,
            segment: span.segment(),
            entries: span.entries(),
            position: at,
            ancestor_start: span.ancestor_start(),
            ancestor_count: span.ancestor_count(),
        })
    }

    /// The segment that holds `key`, or the last key before it.
    ///
    /// # Errors
    /// When the directory contradicts itself.
    pub fn find(&self, key: &[u8]) -> Result<Option<SpanView<'a>>, Damage> {
        let kind = usize::from(*key.first().ok_or(Damage::Inconsistent)?);
        if kind >= self.kinds.len() || self.heads.len() != self.spans.len() {
            return Err(Damage::Inconsistent);
        }
        let kind = self.kinds.get(kind);
        let end = (kind.span_end() as usize).min(self.spans.len());
        let start = (kind.span_start() as usize).min(end);
        let found = search((start, end), kind.skip() as usize, key, self.heads, |at| {
            Ok(self.span(at)?.separator)
        })?;
        found.checked_sub(1).map(|at| self.span(at)).transpose()
    }

    /// Lengths of the keys of earlier segments that the separator starts with, longest first, each
    /// with the best priority filed under it.
    pub fn ancestors(&self, span: &SpanView<'a>) -> impl Iterator<Item = (usize, u64)> + 'a {
        let start = span.ancestor_start as usize;
        let end = (start + span.ancestor_count as usize).min(self.ancestors.len());
        let ancestors = self.ancestors;
        (start..end).rev().map(move |at| {
            let ancestor = ancestors.get(at);
            (ancestor.length() as usize, ancestor.priority())
        })
    }
}

/// A segment: a run of keys and their candidates.
#[derive(Clone, Copy)]
pub struct SegmentView<'a> {
    keys: &'a [u8],
    skip: usize,
    heads: Vector<'a, u64>,
    entries: Vector<'a, fbs::Entry>,
    // Looked up when needed: each vector's length is one more cold line of memory.
    table: fbs::Segment<'a>,
}

/// One key of a segment.
#[derive(Clone, Copy, Debug)]
pub struct EntryView<'a> {
    /// The key.
    pub key: &'a [u8],
    parent: u32,
    first: u32,
    count: u32,
}

impl<'a> SegmentView<'a> {
    pub(super) fn new(table: fbs::Segment<'a>) -> Self {
        Self {
            keys: table.keys().bytes(),
            skip: table.skip() as usize,
            heads: table.heads(),
            entries: table.entries(),
            table,
        }
    }

    /// The last entry whose key is not after `key`.
    ///
    /// # Errors
    /// When the segment contradicts itself.
    pub fn find(&self, key: &[u8]) -> Result<Option<EntryView<'a>>, Damage> {
        if self.heads.len() != self.entries.len() {
            return Err(Damage::Inconsistent);
        }
        let found = search((0, self.entries.len()), self.skip, key, self.heads, |at| {
            self.key(at)
        })?;
        let Some(at) = found.checked_sub(1) else {
            return Ok(None);
        };
        // Most keys have one candidate: its line is under way while the entry's is awaited.
        let candidates = self.table.candidates();
        if at < candidates.len() {
            let candidate = &candidates.get(at).0;
            std::hint::black_box(candidate[0] ^ candidate[candidate.len() - 1]);
        }
        self.entry(at).map(Some)
    }

    fn key(&self, at: usize) -> Result<&'a [u8], Damage> {
        let entry = self.entries.get(at);
        slice(self.keys, entry.key_start(), entry.key_length())
    }

    fn entry(&self, at: usize) -> Result<EntryView<'a>, Damage> {
        let entry = self.entries.get(at);
        Ok(EntryView {
            key: slice(self.keys, entry.key_start(), entry.key_length())?,
            parent: entry.parent(),
            first: entry.first(),
            count: entry.count(),
        })
    }

    /// The longest key of this segment that `entry` starts with, apart from itself.
    pub fn parent(&self, entry: &EntryView<'a>) -> Result<Option<EntryView<'a>>, Damage> {
        if entry.parent == NO_PARENT {
            return Ok(None);
        }
        let at = entry.parent as usize;
        let parent = if at < self.entries.len() {
            self.entry(at)?
        } else {
            entry_loop()?
        };
        // Strictly shorter: a chain of parents ends.
        if parent.key.len() < entry.key.len() {
            Ok(Some(parent))
        } else {
            entry_loop()
        }
    }

    /// The candidates of an entry, best first.
    pub fn candidates(
        &self,
        entry: &EntryView<'a>,
    ) -> impl Iterator<Item = CandidateView<'a>> + use<'a> {
        let (segment, candidates) = (self.table, self.table.candidates());
        let start = (entry.first as usize).min(candidates.len());
        let end = (start + entry.count as usize).min(candidates.len());
        (start..end).map(move |at| CandidateView {
            candidate: candidates.get(at),
            segment,
        })
    }
}

fn entry_loop<T>() -> Result<T, Damage> {
    Err(Damage::Inconsistent)
}

/// One way in which a route can match.
#[derive(Clone, Copy)]
pub struct CandidateView<'a> {
    candidate: &'a fbs::Candidate,
    segment: fbs::Segment<'a>,
}

impl<'a> CandidateView<'a> {
    /// Larger wins.
    pub fn priority(&self) -> u64 {
        self.candidate.priority()
    }

    /// The order of candidates that match the same request; larger wins.
    pub fn rank(&self) -> (u64, u64, u64, std::cmp::Reverse<u16>) {
        let candidate = self.candidate;
        let path = std::cmp::Reverse(candidate.path());
        (
            candidate.priority(),
            candidate.match_hi(),
            candidate.match_lo(),
            path,
        )
    }

    /// The route.
    pub fn route(&self) -> Uuid {
        Uuid::from_u64_pair(self.candidate.route_hi(), self.candidate.route_lo())
    }

    /// The port that the host was configured with.
    pub fn port(&self) -> Option<u16> {
        match self.candidate.port() {
            0 => None,
            port => Some(port),
        }
    }

    /// Whether a method is accepted; `bit` is [`super::method_bit`] of `method`.
    pub fn accepts_method(&self, bit: u16, method: &[u8]) -> bool {
        let methods = self.candidate.methods();
        if methods == 0 {
            return true;
        }
        if bit != OTHER_METHODS || methods & OTHER_METHODS == 0 {
            return methods & bit != 0;
        }
        let Ok(Some(condition)) = self.condition() else {
            return false;
        };
        condition.methods().any(|name| name.as_bytes() == method)
    }

    /// The pattern that the path must match, where there is one.
    pub fn regex(&self) -> Result<Option<&'a str>, Damage> {
        let Some(at) = (self.candidate.regex() as usize).checked_sub(1) else {
            return Ok(None);
        };
        let regexes = self.segment.regexes();
        if at < regexes.len() {
            Ok(Some(regexes.get(at)))
        } else {
            entry_loop()
        }
    }

    /// The rarer conditions, where there are any.
    pub fn condition(&self) -> Result<Option<ConditionView<'a>>, Damage> {
        let Some(at) = (self.candidate.condition() as usize).checked_sub(1) else {
            return Ok(None);
        };
        let conditions = self.segment.conditions();
        if at < conditions.len() {
            Ok(Some(ConditionView {
                table: conditions.get(at),
            }))
        } else {
            entry_loop()
        }
    }
}

/// The rarer conditions of a candidate. All that ask something must hold.
#[derive(Clone, Copy)]
pub struct ConditionView<'a> {
    table: fbs::Condition<'a>,
}

impl<'a> ConditionView<'a> {
    fn methods(&self) -> impl Iterator<Item = &'a str> {
        texts(self.table.methods())
    }

    /// The header conditions.
    pub fn headers(&self) -> impl Iterator<Item = HeaderTestView<'a>> {
        self.table
            .headers()
            .into_iter()
            .flatten()
            .map(|table| HeaderTestView { table })
    }

    /// The TLS server names, one of which must fit on a TLS connection; empty: any.
    pub fn snis(&self) -> impl Iterator<Item = &'a str> {
        texts(self.table.snis())
    }

    /// Whether the client's address is accepted.
    pub fn accepts_source(&self, address: std::net::SocketAddr) -> bool {
        accepts(self.table.sources(), address)
    }

    /// Whether the local address is accepted.
    pub fn accepts_destination(&self, address: std::net::SocketAddr) -> bool {
        accepts(self.table.destinations(), address)
    }
}

fn accepts(nets: Option<Vector<'_, fbs::Net>>, address: std::net::SocketAddr) -> bool {
    let Some(nets) = nets else { return true };
    let (bits, family) = address_bits(address.ip());
    nets.iter().any(|net| {
        let network = u128::from(net.hi()) << 64 | u128::from(net.lo());
        (net.family() == 0
            || net.family() == family && bits & network_mask(family, net.bits()) == network)
            && (!net.has_port() || net.port() == address.port())
    })
}

/// A header condition: one of the values must fit one of the request's, lower-cased.
#[derive(Clone, Copy)]
pub struct HeaderTestView<'a> {
    table: fbs::HeaderTest<'a>,
}

impl<'a> HeaderTestView<'a> {
    /// Lower case, `_` written for `-`.
    pub fn name(&self) -> &'a str {
        self.table.name()
    }

    /// Accepted values, lower case.
    pub fn equals(&self) -> impl Iterator<Item = &'a str> {
        self.table.equals().iter()
    }

    /// Accepted patterns.
    pub fn regexes(&self) -> impl Iterator<Item = &'a str> {
        self.table.regexes().iter()
    }
}

/// How many of the ascending texts from `range.0` up to `range.1` are not after `key`, counted from
/// the start of all texts. They share `skip` bytes; heads decide, and full texts where heads tie.
fn search<'t>(
    range: (usize, usize),
    skip: usize,
    key: &[u8],
    heads: Vector<'_, u64>,
    text_at: impl Fn(usize) -> Result<&'t [u8], Damage>,
) -> Result<usize, Damage> {
    let (start, end) = range;
    if start == end {
        return Ok(start);
    }
    if skip > 0 {
        let shared = text_at(start)?.get(..skip).ok_or(Damage::Inconsistent)?;
        let own = &key[..skip.min(key.len())];
        if own != shared {
            return Ok(if own < shared { start } else { end });
        }
    }
    let wanted = head(key, skip);
    let (mut low, mut high) = tied(heads, range, wanted);
    while low < high {
        let middle = low + (high - low) / 2;
        if text_at(middle)? <= key {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Where a search in a segment begins: the table and the heads behind it.
const SEARCH_BYTES: usize = 704;
const CACHE_LINE_BYTES: usize = 64;

/// Asks the memory for the first lines of a segment at once. A search would come to them one after
/// the other, and wait for each.
pub(super) fn fetch(segment: &[u8]) {
    let lines = segment
        .chunks(CACHE_LINE_BYTES)
        .take(SEARCH_BYTES / CACHE_LINE_BYTES);
    std::hint::black_box(lines.fold(0, |sum: u8, line| sum ^ line[0]));
}

/// Below this many heads all are looked at: memory that is read in order arrives together, while
/// each step of a binary search waits for its own line.
const LINEAR_MAX: usize = 128;

/// The range of heads that equal `wanted`; empty where it would be.
fn tied(heads: Vector<'_, u64>, range: (usize, usize), wanted: u64) -> (usize, usize) {
    let (start, end) = range;
    if end - start <= LINEAR_MAX {
        let bytes = &heads.bytes()[start * 8..end * 8];
        let (chunks, _) = bytes.as_chunks::<8>();
        let (mut below, mut equal) = (0, 0);
        for chunk in chunks {
            let head = u64::from_le_bytes(*chunk);
            below += usize::from(head < wanted);
            equal += usize::from(head == wanted);
        }
        return (start + below, start + below + equal);
    }
    let low = partition(heads, range, |head| head < wanted);
    (low, partition(heads, (low, end), |head| head == wanted))
}

/// The first position in the range whose head does not fit.
fn partition(heads: Vector<'_, u64>, range: (usize, usize), fits: impl Fn(u64) -> bool) -> usize {
    let (mut low, mut high) = range;
    while low < high {
        let middle = low + (high - low) / 2;
        if fits(heads.get(middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn texts<'a>(texts: Option<Texts<'a>>) -> impl Iterator<Item = &'a str> {
    texts.into_iter().flatten()
}

fn slice(bytes: &[u8], start: u32, length: u32) -> Result<&[u8], Damage> {
    let start = start as usize;
    bytes
        .get(start..start + length as usize)
        .ok_or(Damage::Inconsistent)
}
