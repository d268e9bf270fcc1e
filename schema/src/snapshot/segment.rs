//! Segments and their directory on the writer's side: built, cut, edited, encoded.
//!
//! All keys form one sorted sequence, cut into segments as the leaves of a B+tree are. See
//! `schema/adr/0001-compiled-segmented-router.md` for the structure and why ancestors are inherited.

use std::collections::HashMap;
use std::sync::Arc;

use flatbuffers::FlatBufferBuilder;

use super::candidate::{Candidate, Condition, Filed, HostKind, Net};
use super::error::Damage;
use super::record::Encoder;
use crate::generated as fbs;

/// The key of the directory in the database `router`.
pub(super) const DIRECTORY_KEY: u32 = 0;
/// Entries of a freshly built segment; leaves room to grow.
const SEGMENT_ENTRIES_NEW: usize = 28;
/// A segment with more entries is split.
const SEGMENT_ENTRIES_MAX: usize = 56;
/// A segment with fewer entries is merged with a neighbour.
const SEGMENT_ENTRIES_MIN: usize = 7;
/// A segment whose entries weigh more than this many bytes is cut earlier.
const SEGMENT_BYTES_MAX: usize = 64 * 1024;
/// What a candidate weighs besides its texts.
const CANDIDATE_BYTES: usize = 64;
/// `parent` of an entry that has none in its segment.
pub(super) const NO_PARENT: u32 = u32::MAX;

/// One key and its candidates, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Vec<u8>,
    pub(super) candidates: Vec<Candidate>,
}

impl Entry {
    fn priority(&self) -> u64 {
        self.candidates.first().map_or(0, |best| best.priority)
    }

    fn bytes(&self) -> usize {
        self.key.len() + self.candidates.iter().map(candidate_bytes).sum::<usize>()
    }
}

fn candidate_bytes(candidate: &Candidate) -> usize {
    CANDIDATE_BYTES + candidate.regex.as_ref().map_or(0, |regex| regex.len())
}

/// A segment in the writer's hands.
#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    pub(super) entries: Vec<Entry>,
}

/// What the directory says of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// A text after every earlier key and not after the segment's first one. Empty for the first.
    pub(super) separator: Vec<u8>,
    pub(super) segment: u32,
    pub(super) entries: u32,
    /// Lengths of the earlier keys that the separator starts with, and their best priority.
    pub(super) ancestors: Vec<(u32, u64)>,
}

/// Statistics of one kind of host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) entries: u32,
    pub(super) host_min: u32,
    pub(super) host_max: u32,
    pub(super) priority: u64,
}

/// The directory in the writer's hands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) next_segment: u32,
    pub(super) spans: Vec<Span>,
    pub(super) kinds: [Kind; HostKind::COUNT],
    pub(super) candidates: u64,
    pub(super) path_candidates: u64,
}

impl Directory {
    pub(super) fn new() -> Self {
        Self {
            next_segment: DIRECTORY_KEY + 1,
            ..Self::default()
        }
    }

    /// A segment id never used before.
    fn allocate(&mut self) -> u32 {
        let id = self.next_segment;
        self.next_segment += 1;
        id
    }

    /// The position of the segment in which `key` belongs, if there is any segment.
    fn position(&self, key: &[u8]) -> Option<usize> {
        self.spans
            .partition_point(|span| span.separator.as_slice() <= key)
            .checked_sub(1)
    }

    fn count_candidate(&mut self, key: &[u8], candidate: &Candidate, by: i64) {
        self.candidates = self.candidates.saturating_add_signed(by);
        if candidate.regex.is_some() || !path_of(key).is_empty() {
            self.path_candidates = self.path_candidates.saturating_add_signed(by);
        }
        if by > 0 {
            let kind = &mut self.kinds[kind_of(key)];
            kind.priority = kind.priority.max(candidate.priority);
        }
    }

    fn count_entry(&mut self, key: &[u8], by: i32) {
        let kind = &mut self.kinds[kind_of(key)];
        if by > 0 {
            let host = length(key.len() - path_of(key).len() - 2);
            kind.host_min = if kind.entries == 0 {
                host
            } else {
                kind.host_min.min(host)
            };
            kind.host_max = kind.host_max.max(host);
        }
        kind.entries = kind.entries.saturating_add_signed(by);
    }

    /// Tells the segments after `position` that the best priority of an earlier key changed.
    fn inherit(&mut self, position: usize, key: &[u8], priority: Option<u64>) {
        let key_length = length(key.len());
        let later = self.spans.iter_mut().skip(position + 1);
        for span in later.take_while(|span| span.separator.starts_with(key)) {
            let at = span
                .ancestors
                .binary_search_by_key(&key_length, |(length, _)| *length);
            match (at, priority) {
                (Ok(at), Some(priority)) => span.ancestors[at].1 = priority,
                (Ok(at), None) => drop(span.ancestors.remove(at)),
                (Err(at), Some(priority)) => span.ancestors.insert(at, (key_length, priority)),
                (Err(_), None) => {}
            }
        }
    }
}

fn kind_of(key: &[u8]) -> usize {
    usize::from(key[0]) % HostKind::COUNT
}

/// The path part of a key.
fn path_of(key: &[u8]) -> &[u8] {
    let host_end = key
        .iter()
        .skip(1)
        .position(|byte| *byte == 0)
        .map_or(key.len(), |at| at + 2);
    &key[host_end..]
}

/// A length or position as the format stores it; a record above 4 GiB cannot exist in FlatBuffers.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The shortest text that is after `before` and not after `first`.
fn separator(before: &[u8], first: &[u8]) -> Vec<u8> {
    let common = common_prefix(before, first);
    first[..(common + 1).min(first.len())].to_vec()
}

/// How many bytes two texts share at their start.
pub fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let (left_words, _) = left.as_chunks::<8>();
    let (right_words, _) = right.as_chunks::<8>();
    for (at, (left, right)) in left_words.iter().zip(right_words).enumerate() {
        let difference = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if difference != 0 {
            return at * 8 + (difference.trailing_zeros() / 8) as usize;
        }
    }
    let words = left_words.len().min(right_words.len()) * 8;
    let rest = left[words..].iter().zip(&right[words..]);
    words + rest.take_while(|(left, right)| left == right).count()
}

/// The 8 bytes of a text after `skip`, as a number that orders as they do; zero-filled.
pub(super) fn head(text: &[u8], skip: usize) -> u64 {
    let rest = text.get(skip..).unwrap_or_default();
    match rest.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(bytes)
        }
    }
}

/// Cuts the complete sorted list into segments, handing each to `put`.
pub(super) fn build<E>(
    mut filed: Vec<Filed>,
    mut put: impl FnMut(u32, Segment) -> Result<(), E>,
) -> Result<Directory, E> {
    filed.sort_unstable_by(|left, right| {
        left.key
            .cmp(&right.key)
            .then_with(|| left.candidate.rank().cmp(&right.candidate.rank()))
    });
    let mut directory = Directory::new();
    let mut builder = Builder::default();
    for filed in filed {
        directory.count_candidate(&filed.key, &filed.candidate, 1);
        if builder
            .segment
            .entries
            .last()
            .is_some_and(|entry| entry.key == filed.key)
        {
            builder.bytes += candidate_bytes(&filed.candidate);
            let last = builder
                .segment
                .entries
                .last_mut()
                .expect("is_some_and saw it");
            last.candidates.push(filed.candidate);
            continue;
        }
        directory.count_entry(&filed.key, 1);
        if builder.is_full() {
            let (span, segment) = builder.finish(&mut directory, &filed.key);
            put(span.segment, segment)?;
            directory.spans.push(span);
        }
        let entry = Entry {
            key: filed.key,
            candidates: vec![filed.candidate],
        };
        builder.bytes += entry.bytes();
        builder.segment.entries.push(entry);
    }
    if !builder.segment.entries.is_empty() {
        let (span, segment) = builder.finish(&mut directory, &[]);
        put(span.segment, segment)?;
        directory.spans.push(span);
    }
    Ok(directory)
}

/// The state of [`build`]: the segment being filled and the ancestors of its separator.
#[derive(Default)]
struct Builder {
    segment: Segment,
    bytes: usize,
    separator: Vec<u8>,
    ancestors: Vec<(u32, u64)>,
}

impl Builder {
    fn is_full(&self) -> bool {
        self.segment.entries.len() >= SEGMENT_ENTRIES_NEW || self.bytes >= SEGMENT_BYTES_MAX
    }

    /// Closes the segment; the next one begins with `next`.
    fn finish(&mut self, directory: &mut Directory, next: &[u8]) -> (Span, Segment) {
        let segment = std::mem::take(&mut self.segment);
        let last = segment
            .entries
            .last()
            .map_or(&[][..], |entry| entry.key.as_slice());
        let next_separator = separator(last, next);
        let next_ancestors = ancestors(
            &self.separator,
            &self.ancestors,
            &segment.entries,
            &next_separator,
        );
        self.bytes = 0;
        let span = Span {
            segment: directory.allocate(),
            entries: length(segment.entries.len()),
            separator: std::mem::replace(&mut self.separator, next_separator),
            ancestors: std::mem::replace(&mut self.ancestors, next_ancestors),
        };
        (span, segment)
    }
}

/// The keys that `separator` starts with: of those that the segment before it, which begins at
/// `before`, inherited, and of that segment's own.
fn ancestors(
    before: &[u8],
    inherited: &[(u32, u64)],
    entries: &[Entry],
    separator: &[u8],
) -> Vec<(u32, u64)> {
    let common = length(common_prefix(before, separator));
    let kept = inherited
        .iter()
        .filter(|(length, _)| *length <= common)
        .copied();
    let own = entries
        .iter()
        .filter(|entry| separator.starts_with(&entry.key))
        .map(|entry| (length(entry.key.len()), entry.priority()));
    kept.chain(own).collect()
}

/// A change to the router: a candidate filed or taken away.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) filed: Filed,
    pub(super) is_added: bool,
}

/// What [`edit`] reads from and writes to.
pub(super) trait Segments {
    /// Why it fails.
    type Error: From<Damage>;
    /// The segment of that id.
    fn load(&mut self, id: u32) -> Result<Segment, Self::Error>;
    /// Stores a segment.
    fn store(&mut self, id: u32, segment: &Segment) -> Result<(), Self::Error>;
    /// Removes a segment.
    fn remove(&mut self, id: u32) -> Result<(), Self::Error>;
}

/// Applies edits to the segments they fall into, and to no other.
pub(super) fn edit<S: Segments>(
    directory: &mut Directory,
    mut edits: Vec<Edit>,
    segments: &mut S,
) -> Result<(), S::Error> {
    if directory.spans.is_empty() && !edits.is_empty() {
        let segment = directory.allocate();
        directory.spans.push(Span {
            segment,
            ..Span::default()
        });
        segments.store(segment, &Segment::default())?;
    }
    edits.sort_by(|left, right| left.filed.key.cmp(&right.filed.key));
    // From the last segment to the first, so that splits and merges leave the positions before
    // them alone.
    while let Some(last) = edits.last() {
        let position = directory
            .position(&last.filed.key)
            .ok_or(Damage::Inconsistent)?;
        let separator = &directory.spans[position].separator;
        let first = edits.partition_point(|edit| edit.filed.key.as_slice() < separator.as_slice());
        let batch = edits.split_off(first);
        edit_segment(directory, position, batch, segments)?;
    }
    Ok(())
}

/// Applies a batch of edits to one segment, then splits or merges it if need be.
fn edit_segment<S: Segments>(
    directory: &mut Directory,
    position: usize,
    batch: Vec<Edit>,
    segments: &mut S,
) -> Result<(), S::Error> {
    let mut segment = segments.load(directory.spans[position].segment)?;
    for edit in batch {
        edit_entry(directory, position, &mut segment, edit)?;
    }
    if segment.entries.len() < SEGMENT_ENTRIES_MIN && directory.spans.len() > 1 {
        return merge(directory, position, segment, segments);
    }
    split(directory, position, segment, segments)
}

/// Applies one edit.
fn edit_entry(
    directory: &mut Directory,
    position: usize,
    segment: &mut Segment,
    edit: Edit,
) -> Result<(), Damage> {
    let Filed { key, candidate } = edit.filed;
    directory.count_candidate(&key, &candidate, if edit.is_added { 1 } else { -1 });
    let found = segment
        .entries
        .binary_search_by(|entry| entry.key.as_slice().cmp(&key));
    let at = match (found, edit.is_added) {
        (Ok(at), _) => at,
        (Err(at), true) => {
            directory.count_entry(&key, 1);
            segment.entries.insert(
                at,
                Entry {
                    key: key.clone(),
                    candidates: Vec::new(),
                },
            );
            at
        }
        (Err(_), false) => return Err(Damage::Inconsistent),
    };
    let entry = &mut segment.entries[at];
    let before = entry.candidates.first().map(|best| best.priority);
    if edit.is_added {
        let place = entry
            .candidates
            .partition_point(|each| each.rank() < candidate.rank());
        entry.candidates.insert(place, candidate);
    } else {
        let same = entry.candidates.iter().position(|each| *each == candidate);
        entry.candidates.remove(same.ok_or(Damage::Inconsistent)?);
    }
    let after = entry.candidates.first().map(|best| best.priority);
    if after.is_none() {
        directory.count_entry(&key, -1);
        segment.entries.remove(at);
    }
    if before != after {
        directory.inherit(position, &key, after);
    }
    Ok(())
}

/// Stores a segment, in several pieces if it has grown too large.
fn split<S: Segments>(
    directory: &mut Directory,
    position: usize,
    mut segment: Segment,
    segments: &mut S,
) -> Result<(), S::Error> {
    let mut pieces = Vec::new();
    while let Some(at) = cut(&segment.entries) {
        let rest = Segment {
            entries: segment.entries.split_off(at),
        };
        let last = segment
            .entries
            .last()
            .map_or(&[][..], |entry| entry.key.as_slice());
        let span = &directory.spans[position + pieces.len()];
        let separator = separator(last, &rest.entries[0].key);
        let ancestors = ancestors(
            &span.separator,
            &span.ancestors,
            &segment.entries,
            &separator,
        );
        let id = directory.allocate();
        pieces.push(std::mem::replace(&mut segment, rest));
        let span = Span {
            separator,
            segment: id,
            entries: 0,
            ancestors,
        };
        directory.spans.insert(position + pieces.len(), span);
    }
    pieces.push(segment);
    for (span, piece) in directory.spans[position..].iter_mut().zip(&pieces) {
        span.entries = length(piece.entries.len());
        segments.store(span.segment, piece)?;
    }
    Ok(())
}

/// Where a segment that is too large should be cut for the first time.
fn cut(entries: &[Entry]) -> Option<usize> {
    if entries.len() > SEGMENT_ENTRIES_MAX {
        return Some(SEGMENT_ENTRIES_NEW);
    }
    let mut bytes = 0;
    let over = entries.iter().position(|entry| {
        bytes += entry.bytes();
        bytes > SEGMENT_BYTES_MAX * 2
    })?;
    Some((over / 2).max(1)).filter(|at| *at < entries.len())
}

/// Joins a segment that has become small with a neighbour.
fn merge<S: Segments>(
    directory: &mut Directory,
    position: usize,
    segment: Segment,
    segments: &mut S,
) -> Result<(), S::Error> {
    let (left, mut joined, right) = if position + 1 < directory.spans.len() {
        (
            position,
            segment,
            segments.load(directory.spans[position + 1].segment)?,
        )
    } else {
        (
            position - 1,
            segments.load(directory.spans[position - 1].segment)?,
            segment,
        )
    };
    joined.entries.extend(right.entries);
    let gone = directory.spans.remove(left + 1);
    segments.remove(gone.segment)?;
    split(directory, left, joined, segments)
}

/// Encodes a segment.
pub(super) fn encode_segment<'e>(encoder: &'e mut Encoder, id: u32, segment: &Segment) -> &'e [u8] {
    let mut keys = Vec::new();
    let mut entries = Vec::with_capacity(segment.entries.len());
    let mut heads = Vec::with_capacity(segment.entries.len());
    let mut candidates = Vec::with_capacity(segment.entries.len());
    let mut texts = Texts::default();
    let skip = match segment.entries.as_slice() {
        [first, .., last] => common_prefix(&first.key, &last.key),
        _ => 0,
    };
    let mut open: Vec<(u32, &[u8])> = Vec::new();
    for (at, entry) in segment.entries.iter().enumerate() {
        while open
            .last()
            .is_some_and(|(_, key)| !entry.key.starts_with(key))
        {
            open.pop();
        }
        let parent = open.last().map_or(NO_PARENT, |(parent, _)| *parent);
        open.push((length(at), &entry.key));
        heads.push(head(&entry.key, skip));
        entries.push(fbs::Entry::new(
            length(keys.len()),
            length(entry.key.len()),
            parent,
            length(candidates.len()),
            length(entry.candidates.len()),
        ));
        keys.extend_from_slice(&entry.key);
        candidates.extend(entry.candidates.iter().map(|each| texts.candidate(each)));
    }
    let b = &mut encoder.builder;
    let regexes: Vec<_> = texts
        .regexes
        .iter()
        .map(|regex| b.create_string(regex))
        .collect();
    let conditions: Vec<_> = texts
        .conditions
        .iter()
        .map(|condition| encode_condition(b, condition))
        .collect();
    // What is written last lies first: a search goes from the table over heads, entries and keys,
    // which share a page of memory, to one candidate.
    let conditions = b.create_vector(&conditions);
    let regexes = b.create_vector(&regexes);
    let candidates = b.create_vector(&candidates);
    let keys = b.create_vector(&keys);
    let entries = b.create_vector(&entries);
    let heads = b.create_vector(&heads);
    let args = fbs::SegmentArgs {
        id,
        skip: length(skip),
        keys: Some(keys),
        entries: Some(entries),
        heads: Some(heads),
        candidates: Some(candidates),
        regexes: Some(regexes),
        conditions: Some(conditions),
    };
    let root = fbs::Segment::create(b, &args);
    encoder.seal(root)
}

/// Patterns and conditions of a segment, each stored once.
#[derive(Default)]
struct Texts<'a> {
    regexes: Vec<&'a str>,
    regex_at: HashMap<&'a str, u32>,
    conditions: Vec<&'a Condition>,
    condition_at: HashMap<&'a Condition, u32>,
}

impl<'a> Texts<'a> {
    fn candidate(&mut self, candidate: &'a Candidate) -> fbs::Candidate {
        let regex = candidate.regex.as_deref().map_or(0, |regex| {
            *self.regex_at.entry(regex).or_insert_with(|| {
                self.regexes.push(regex);
                length(self.regexes.len())
            })
        });
        let condition = candidate.condition.as_deref().map_or(0, |condition| {
            *self.condition_at.entry(condition).or_insert_with(|| {
                self.conditions.push(condition);
                length(self.conditions.len())
            })
        });
        let (match_hi, match_lo) = halves(candidate.match_id);
        let (route_hi, route_lo) = halves(candidate.route);
        fbs::Candidate::new(
            candidate.priority,
            match_hi,
            match_lo,
            route_hi,
            route_lo,
            regex,
            condition,
            candidate.methods,
            candidate.port,
            candidate.path,
            0,
        )
    }
}

fn halves(id: u128) -> (u64, u64) {
    uuid::Uuid::from_u128(id).as_u64_pair()
}

fn encode_condition(
    b: &mut FlatBufferBuilder<'static>,
    condition: &Condition,
) -> flatbuffers::WIPOffset<fbs::Condition<'static>> {
    let headers: Vec<_> = condition
        .headers
        .iter()
        .map(|header| {
            let name = Some(b.create_string(&header.name));
            let equals: Vec<_> = header
                .equals
                .iter()
                .map(|each| b.create_string(each))
                .collect();
            let regexes: Vec<_> = header
                .regexes
                .iter()
                .map(|each| b.create_string(each))
                .collect();
            let equals = Some(b.create_vector(&equals));
            let regexes = Some(b.create_vector(&regexes));
            fbs::HeaderTest::create(
                b,
                &fbs::HeaderTestArgs {
                    name,
                    equals,
                    regexes,
                },
            )
        })
        .collect();
    let methods: Vec<_> = condition
        .methods
        .iter()
        .map(|each| b.create_string(each))
        .collect();
    let snis: Vec<_> = condition
        .snis
        .iter()
        .map(|each| b.create_string(each))
        .collect();
    let sources: Vec<_> = condition.sources.iter().map(encode_net).collect();
    let destinations: Vec<_> = condition.destinations.iter().map(encode_net).collect();
    let args = fbs::ConditionArgs {
        methods: (!methods.is_empty()).then(|| b.create_vector(&methods)),
        headers: (!headers.is_empty()).then(|| b.create_vector(&headers)),
        snis: (!snis.is_empty()).then(|| b.create_vector(&snis)),
        sources: (!sources.is_empty()).then(|| b.create_vector(&sources)),
        destinations: (!destinations.is_empty()).then(|| b.create_vector(&destinations)),
    };
    fbs::Condition::create(b, &args)
}

fn encode_net(net: &Net) -> fbs::Net {
    let (hi, lo) = halves(net.address);
    fbs::Net::new(
        hi,
        lo,
        net.port.unwrap_or(0),
        net.family,
        net.bits,
        net.port.is_some(),
    )
}

/// Encodes the directory.
pub(super) fn encode_directory<'e>(encoder: &'e mut Encoder, directory: &Directory) -> &'e [u8] {
    let mut keys = Vec::new();
    let mut ancestors = Vec::new();
    let mut spans = Vec::with_capacity(directory.spans.len());
    let mut heads = vec![0; directory.spans.len()];
    let mut kinds = Vec::with_capacity(HostKind::COUNT);
    for (number, kind) in (0_u8..).zip(&directory.kinds) {
        kinds.push(encode_kind(number, kind, &directory.spans, &mut heads));
    }
    for span in &directory.spans {
        spans.push(fbs::Span::new(
            length(keys.len()),
            length(span.separator.len()),
            span.segment,
            span.entries,
            length(ancestors.len()),
            length(span.ancestors.len()),
        ));
        keys.extend_from_slice(&span.separator);
        let own = span.ancestors.iter();
        ancestors.extend(own.map(|(length, priority)| fbs::Ancestor::new(*priority, *length)));
    }
    let b = &mut encoder.builder;
    let args = fbs::DirectoryArgs {
        next_segment: directory.next_segment,
        keys: Some(b.create_vector(&keys)),
        spans: Some(b.create_vector(&spans)),
        heads: Some(b.create_vector(&heads)),
        ancestors: Some(b.create_vector(&ancestors)),
        kinds: Some(b.create_vector(&kinds)),
        candidates: directory.candidates,
        path_candidates: directory.path_candidates,
    };
    let root = fbs::Directory::create(b, &args);
    encoder.seal(root)
}

/// A kind of host, with the spans that belong to it; fills in their heads.
fn encode_kind(number: u8, kind: &Kind, spans: &[Span], heads: &mut [u64]) -> fbs::Kind {
    // The empty separator of the first span sorts before every kind.
    let is_before = |span: &Span| span.separator.first().is_none_or(|first| *first < number);
    let start = spans.partition_point(is_before);
    let of_kind = |span: &Span| span.separator.first() == Some(&number);
    let end = start + spans[start..].partition_point(of_kind);
    let skip = match &spans[start..end] {
        [first, .., last] => common_prefix(&first.separator, &last.separator),
        _ => 0,
    };
    for (head_of, span) in heads[start..end].iter_mut().zip(&spans[start..end]) {
        *head_of = head(&span.separator, skip);
    }
    fbs::Kind::new(
        kind.entries,
        kind.host_min,
        kind.host_max,
        kind.priority,
        length(start),
        length(end),
        length(skip),
    )
}

/// A stored directory in the writer's hands again.
pub(super) fn decode_directory(stored: &fbs::Directory<'_>) -> Result<Directory, Damage> {
    let keys = stored.keys().bytes();
    let all_ancestors = stored.ancestors();
    let mut directory = Directory {
        next_segment: stored.next_segment(),
        candidates: stored.candidates(),
        path_candidates: stored.path_candidates(),
        ..Directory::new()
    };
    for (kind, stored) in directory.kinds.iter_mut().zip(stored.kinds()) {
        *kind = Kind {
            entries: stored.entries(),
            host_min: stored.host_min(),
            host_max: stored.host_max(),
            priority: stored.priority(),
        };
    }
    for span in stored.spans() {
        let separator = slice(keys, span.key_start(), span.key_length())?;
        let range = span.ancestor_start() as usize..;
        let ancestors = range.take(span.ancestor_count() as usize).map(|at| {
            let ancestor = (at < all_ancestors.len()).then(|| all_ancestors.get(at));
            ancestor
                .map(|each| (each.length(), each.priority()))
                .ok_or(Damage::Inconsistent)
        });
        directory.spans.push(Span {
            separator: separator.to_vec(),
            segment: span.segment(),
            entries: span.entries(),
            ancestors: ancestors.collect::<Result<_, _>>()?,
        });
    }
    Ok(directory)
}

/// A stored segment in the writer's hands again.
pub(super) fn decode_segment(stored: &fbs::Segment<'_>) -> Result<Segment, Damage> {
    let keys = stored.keys().bytes();
    let all = stored.candidates();
    let regexes: Vec<Arc<str>> = stored.regexes().iter().map(Arc::from).collect();
    let conditions: Vec<_> = stored
        .conditions()
        .iter()
        .map(|each| Arc::new(decode_condition(&each)))
        .collect();
    let mut segment = Segment::default();
    for entry in stored.entries() {
        let key = slice(keys, entry.key_start(), entry.key_length())?.to_vec();
        let first = entry.first() as usize;
        let last = first + entry.count() as usize;
        if last > all.len() {
            return Err(Damage::Inconsistent);
        }
        let candidates = (first..last)
            .map(|at| decode_candidate(all.get(at), &regexes, &conditions))
            .collect::<Result<_, _>>()?;
        segment.entries.push(Entry { key, candidates });
    }
    Ok(segment)
}

fn decode_candidate(
    stored: &fbs::Candidate,
    regexes: &[Arc<str>],
    conditions: &[Arc<Condition>],
) -> Result<Candidate, Damage> {
    Ok(Candidate {
        priority: stored.priority(),
        match_id: whole(stored.match_hi(), stored.match_lo()),
        route: whole(stored.route_hi(), stored.route_lo()),
        methods: stored.methods(),
        port: stored.port(),
        path: stored.path(),
        regex: counted(regexes, stored.regex())?,
        condition: counted(conditions, stored.condition())?,
    })
}

/// The item at a position that counts from one; 0: none.
fn counted<T: Clone>(items: &[T], position: u32) -> Result<Option<T>, Damage> {
    match (position as usize).checked_sub(1) {
        None => Ok(None),
        Some(at) => items.get(at).cloned().map(Some).ok_or(Damage::Inconsistent),
    }
}

fn decode_condition(stored: &fbs::Condition<'_>) -> Condition {
    type Texts<'a> = flatbuffers::Vector<'a, flatbuffers::ForwardsUOffset<&'a str>>;
    let owned = |texts: Texts<'_>| texts.iter().map(str::to_owned).collect::<Vec<_>>();
    let nets = |nets: flatbuffers::Vector<'_, fbs::Net>| nets.iter().map(decode_net).collect();
    let headers = stored.headers().map(|headers| {
        let decode = |header: fbs::HeaderTest<'_>| super::candidate::HeaderTest {
            name: header.name().to_owned(),
            equals: owned(header.equals()),
            regexes: owned(header.regexes()),
        };
        headers.iter().map(decode).collect()
    });
    Condition {
        methods: stored.methods().map(owned).unwrap_or_default(),
        headers: headers.unwrap_or_default(),
        snis: stored.snis().map(owned).unwrap_or_default(),
        sources: stored.sources().map(nets).unwrap_or_default(),
        destinations: stored.destinations().map(nets).unwrap_or_default(),
    }
}

fn decode_net(stored: &fbs::Net) -> Net {
    Net {
        address: whole(stored.hi(), stored.lo()),
        port: stored.has_port().then(|| stored.port()),
        family: stored.family(),
        bits: stored.bits(),
    }
}

fn whole(hi: u64, lo: u64) -> u128 {
    u128::from(hi) << 64 | u128::from(lo)
}

fn slice(bytes: &[u8], start: u32, length: u32) -> Result<&[u8], Damage> {
    let start = start as usize;
    bytes
        .get(start..start + length as usize)
        .ok_or(Damage::Inconsistent)
}
