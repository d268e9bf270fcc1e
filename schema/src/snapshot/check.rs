//! Looks over an LMDB file before LMDB maps it.
//!
//! LMDB trusts its file: a page number or an offset that was scribbled on leads it outside the map
//! and kills the process, and it aborts on contradictions. This walk visits every page that LMDB can
//! reach and checks everything that LMDB would follow: meta pages, roots, page numbers, node
//! offsets, the order of keys, overflow runs, the free list. What records contain is for their checksums
//! to tell.
//!
//! Limits: 64-bit, the page sizes and the plain tree kinds that this crate writes (no duplicates).
//! Source: the structures of liblmdb's `mdb.c`, data version 1.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::error::Place;

const MAGIC: u32 = 0xBEEF_C0DE;
const DATA_VERSION: u32 = 1;
const META_PAGES: u64 = 2;
const PAGE_HEADER_BYTES: usize = 16;
const META_BYTES: usize = PAGE_HEADER_BYTES + 136;
const NODE_HEADER_BYTES: usize = 8;
const TREE_BYTES: usize = 48;
const KEY_BYTES_MAX: usize = 511;
/// LMDB's cursor stack holds 32; a tree of this depth would need more pages than can exist.
const DEPTH_MAX: u16 = 20;
/// No file has seen that many; LMDB counts on from here without looking.
const TRANSACTION_MAX: u64 = 1 << 62;
const NO_PAGE: u64 = u64::MAX;

const PAGE_BRANCH: u16 = 0x01;
const PAGE_LEAF: u16 = 0x02;
const PAGE_OVERFLOW: u16 = 0x04;
const PAGE_META: u16 = 0x08;
/// Page flags that stay behind from the transaction that wrote the page.
const PAGE_TRANSIENT: u16 = 0x10 | 0x4000 | 0x8000;
const NODE_BIG: u16 = 0x01;
const NODE_TREE: u16 = 0x02;
const TREE_INTEGER_KEYS: u16 = 0x08;

/// What is wrong with a file, for people.
pub(super) type Reason = String;

/// What the check found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing was ever written.
    Empty,
    /// A sound tree of pages.
    Sound,
    /// Not a file that LMDB may touch.
    Broken(Reason),
}

/// Checks a file.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn check(file: &File) -> io::Result<Found> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if length == 0 {
        return Ok(Found::Empty);
    }
    let map = Map::new(file, length)?;
    Ok(match check_bytes(map.bytes()) {
        Ok(()) => Found::Sound,
        Err(reason) => Found::Broken(reason),
    })
}

/// A read-only map of the file, gone when dropped.
struct Map {
    address: *mut libc::c_void,
    length: usize,
}

impl Map {
    #[allow(unsafe_code)]
    fn new(file: &File, length: usize) -> io::Result<Self> {
        // SAFETY: a fresh private read-only map of an open file; nothing else is touched.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { address, length })
    }

    #[allow(unsafe_code)]
    fn bytes(&self) -> &[u8] {
        // SAFETY: the map covers `length` bytes until drop. The writer lock keeps other Silverback
        // processes from changing the file meanwhile.
        unsafe { std::slice::from_raw_parts(self.address.cast(), self.length) }
    }
}

impl Drop for Map {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `new` mapped.
        unsafe { libc::munmap(self.address, self.length) };
    }
}

fn check_bytes(bytes: &[u8]) -> Result<(), Reason> {
    let (page_bytes, metas) = metas(bytes)?;
    // LMDB takes the later one at first, and then goes by whether its number is odd.
    let latest = usize::from(metas[1].transaction > metas[0].transaction);
    let meta = &metas[latest];
    if meta.transaction > TRANSACTION_MAX || meta.transaction % 2 != latest as u64 {
        return Err(format!(
            "the last transaction is numbered {}",
            meta.transaction
        ));
    }
    let mut walk = Walk::new(bytes, page_bytes, meta.last_page)?;
    walk.tree(&meta.free, Role::Free)?;
    walk.tree(&meta.main, Role::Main)?;
    walk.free_pages()
}

/// The fields of a meta page.
struct Meta {
    free: Tree,
    main: Tree,
    last_page: u64,
    transaction: u64,
}

/// LMDB's `MDB_db`.
#[derive(Clone, Copy)]
struct Tree {
    flags: u16,
    depth: u16,
    entries: u64,
    root: u64,
}

fn metas(bytes: &[u8]) -> Result<(usize, [Meta; 2]), Reason> {
    let page_bytes = u32_at(bytes, PAGE_HEADER_BYTES + 24)? as usize;
    if !page_bytes.is_power_of_two() || !(4096..=65536).contains(&page_bytes) {
        return Err(format!("page size {page_bytes} in the first meta page"));
    }
    let meta = |at: usize| {
        let page = bytes
            .get(at..at + META_BYTES)
            .ok_or("the file ends in its meta pages")?;
        meta(page, page_bytes)
    };
    Ok((page_bytes, [meta(0)?, meta(page_bytes)?]))
}

fn meta(page: &[u8], page_bytes: usize) -> Result<Meta, Reason> {
    if u16_at(page, 10)? & PAGE_META == 0 {
        return Err("a meta page is not marked as one".into());
    }
    let body = &page[PAGE_HEADER_BYTES..];
    let (magic, version) = (u32_at(body, 0)?, u32_at(body, 4)?);
    if magic != MAGIC || version != DATA_VERSION {
        return Err(format!("not an LMDB file of version {DATA_VERSION}"));
    }
    if u64_at(body, 8)? != 0 || u32_at(body, 24)? as usize != page_bytes {
        return Err("the meta pages contradict each other".into());
    }
    Ok(Meta {
        free: tree(&body[24..])?,
        main: tree(&body[24 + TREE_BYTES..])?,
        last_page: u64_at(body, 24 + 2 * TREE_BYTES)?,
        transaction: u64_at(body, 32 + 2 * TREE_BYTES)?,
    })
}

fn tree(bytes: &[u8]) -> Result<Tree, Reason> {
    Ok(Tree {
        flags: u16_at(bytes, 4)?,
        depth: u16_at(bytes, 6)?,
        entries: u64_at(bytes, 32)?,
        root: u64_at(bytes, 40)?,
    })
}

/// Which of the trees is being walked: what its leaves may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Free,
    Main,
    Named,
}

impl Role {
    /// LMDB's order of keys: numbers in the free list, else bytes. Lengths were checked.
    fn is_before(self, left: &[u8], right: &[u8]) -> bool {
        let number = |key: &[u8]| key.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        match self {
            Self::Free => number(left) < number(right),
            Self::Main | Self::Named => left < right,
        }
    }
}

/// Between which keys those of a page must lie: `low` included, `high` excluded.
#[derive(Clone, Copy, Default)]
struct Bounds<'a> {
    low: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
}

/// A page of nodes.
struct Table<'a> {
    number: u64,
    page: &'a [u8],
    upper: usize,
    nodes: usize,
    role: Role,
}

/// The walk over all reachable pages.
struct Walk<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    /// Pages that the version owns; the file may be longer.
    pages: u64,
    /// A bit per page: reached already.
    seen: Vec<u64>,
    /// Where the values of the free list lie.
    free_lists: Vec<(usize, usize)>,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], page_bytes: usize, last_page: u64) -> Result<Self, Reason> {
        let in_file = (bytes.len() / page_bytes) as u64;
        let pages = last_page
            .checked_add(1)
            .ok_or("the last page's number is out of range")?;
        // The file may end earlier if its last pages are free, which its free list must say.
        let free_max = (bytes.len() / size_of::<u64>()) as u64;
        if pages < META_PAGES || pages.saturating_sub(in_file) > free_max {
            return Err(format!("the last page is numbered {last_page}"));
        }
        let reachable = pages.min(in_file);
        let words = usize::try_from(reachable.div_ceil(64)).unwrap_or(0);
        Ok(Self {
            bytes,
            page_bytes,
            pages,
            seen: vec![0; words],
            free_lists: Vec::new(),
        })
    }

    /// Claims pages: each may be reached once.
    fn claim(&mut self, first: u64, count: u64) -> Result<(), Reason> {
        let end = first
            .checked_add(count)
            .ok_or("a page number is out of range")?;
        let in_file = (self.bytes.len() / self.page_bytes) as u64;
        if first < META_PAGES || end > self.pages || end > in_file {
            return Err(format!("page {first} (of {count}) lies outside the file"));
        }
        for page in first..end {
            let (word, bit) = (usize::try_from(page / 64).unwrap_or(0), 1 << (page % 64));
            if self.seen[word] & bit != 0 {
                return Err(format!("page {page} is used twice"));
            }
            self.seen[word] |= bit;
        }
        Ok(())
    }

    fn start(&self, page: u64) -> usize {
        usize::try_from(page).unwrap_or(0) * self.page_bytes
    }

    fn tree(&mut self, tree: &Tree, role: Role) -> Result<(), Reason> {
        let expected = if role == Role::Free {
            TREE_INTEGER_KEYS
        } else {
            0
        };
        if tree.flags != expected {
            return Err(format!("a tree has the flags {:#x}", tree.flags));
        }
        if tree.root == NO_PAGE {
            return if tree.entries == 0 && tree.depth == 0 {
                Ok(())
            } else {
                Err("a tree with entries has no root".into())
            };
        }
        if tree.depth == 0 || tree.depth > DEPTH_MAX {
            return Err(format!("a tree is {} levels deep", tree.depth));
        }
        self.page(tree.root, tree.depth, role, Bounds::default())
    }

    /// Checks a page and what is below it; `depth` counts down to 1 for leaves.
    fn page(
        &mut self,
        number: u64,
        depth: u16,
        role: Role,
        bounds: Bounds<'a>,
    ) -> Result<(), Reason> {
        self.claim(number, 1)?;
        let start = self.start(number);
        let bytes: &'a [u8] = self.bytes;
        let page = &bytes[start..start + self.page_bytes];
        let flags = u16_at(page, 10)? & !PAGE_TRANSIENT;
        let wanted = if depth == 1 { PAGE_LEAF } else { PAGE_BRANCH };
        if u64_at(page, 0)? != number || flags != wanted {
            return Err(format!("page {number} is not what its parent says"));
        }
        let (lower, upper) = (u16_at(page, 12)? as usize, u16_at(page, 14)? as usize);
        if lower < PAGE_HEADER_BYTES || lower % 2 != 0 || lower > upper || upper > self.page_bytes {
            return Err(format!("page {number} has impossible bounds"));
        }
        let nodes = (lower - PAGE_HEADER_BYTES) / 2;
        if nodes
            < if depth == 1 || role == Role::Free {
                1
            } else {
                2
            }
        {
            return Err(format!("page {number} has too few nodes"));
        }
        let table = Table {
            number,
            page,
            upper,
            nodes,
            role,
        };
        if depth == 1 {
            self.leaf(&table, bounds)
        } else {
            self.branch(&table, depth, bounds)
        }
    }

    /// A page of records: each key after the one before, all within the bounds.
    fn leaf(&mut self, table: &Table<'a>, bounds: Bounds<'a>) -> Result<(), Reason> {
        let mut before = None;
        for node in 0..table.nodes {
            let (offset, key) = self.node(table, node, true)?;
            let is_after = before.map_or_else(
                || bounds.low.is_none_or(|low| !table.role.is_before(key, low)),
                |before| table.role.is_before(before, key),
            );
            if !is_after {
                return Err(format!("page {} is not in order", table.number));
            }
            before = Some(key);
            self.leaf_node(table, offset, key)?;
        }
        match (before, bounds.high) {
            (Some(last), Some(high)) if !table.role.is_before(last, high) => {
                Err(format!("page {} is not in order", table.number))
            }
            _ => Ok(()),
        }
    }

    /// A page of pages: each key is the least that the page may hold which it leads to. The first
    /// key is never looked at.
    fn branch(&mut self, table: &Table<'a>, depth: u16, bounds: Bounds<'a>) -> Result<(), Reason> {
        let mut low = bounds.low;
        let (mut offset, _) = self.node(table, 0, false)?;
        for next in 1..=table.nodes {
            let child = u64::from(u32_at(table.page, offset)?)
                | u64::from(u16_at(table.page, offset + 4)?) << 32;
            let mut high = bounds.high;
            if next < table.nodes {
                let (next_offset, key) = self.node(table, next, true)?;
                if low.is_some_and(|low| !table.role.is_before(low, key))
                    || bounds
                        .high
                        .is_some_and(|high| !table.role.is_before(key, high))
                {
                    return Err(format!("page {} is not in order", table.number));
                }
                (offset, high) = (next_offset, Some(key));
            }
            self.page(child, depth - 1, table.role, Bounds { low, high })?;
            low = high;
        }
        Ok(())
    }

    /// Offset and key of a node, once both are known to lie inside the page.
    fn node(
        &self,
        table: &Table<'a>,
        node: usize,
        has_key: bool,
    ) -> Result<(usize, &'a [u8]), Reason> {
        let (number, page) = (table.number, table.page);
        let offset = u16_at(page, PAGE_HEADER_BYTES + 2 * node)? as usize;
        if offset < table.upper
            || !offset.is_multiple_of(2)
            || offset + NODE_HEADER_BYTES > page.len()
        {
            return Err(format!("page {number} has a node outside itself"));
        }
        let key_bytes = u16_at(page, offset + 6)? as usize;
        self.key(number, key_bytes, has_key.then_some(table.role))?;
        let key = offset + NODE_HEADER_BYTES;
        let key = page.get(key..key + key_bytes);
        let key = key.ok_or_else(|| format!("page {number} has a key outside itself"))?;
        Ok((offset, key))
    }

    fn key(&self, number: u64, key_bytes: usize, role: Option<Role>) -> Result<(), Reason> {
        let is_fine = match role {
            None => key_bytes <= KEY_BYTES_MAX,
            Some(Role::Free) => key_bytes == 8,
            Some(_) => (1..=KEY_BYTES_MAX).contains(&key_bytes),
        };
        if is_fine {
            Ok(())
        } else {
            Err(format!("page {number} has a key of {key_bytes} bytes"))
        }
    }

    fn leaf_node(&mut self, table: &Table<'a>, offset: usize, key: &'a [u8]) -> Result<(), Reason> {
        let (number, page, role) = (table.number, table.page, table.role);
        let data_bytes = u32_at(page, offset)? as usize;
        let flags = u16_at(page, offset + 4)?;
        let data = offset + NODE_HEADER_BYTES + key.len();
        let inline_bytes = if flags & NODE_BIG != 0 { 8 } else { data_bytes };
        if data + inline_bytes > self.page_bytes {
            return Err(format!("page {number} has a record outside itself"));
        }
        match (role, flags) {
            (Role::Main, NODE_TREE) if data_bytes == TREE_BYTES => {
                if !Place::ALL
                    .iter()
                    .any(|place| place.name().as_bytes() == key)
                {
                    return Err("it was not written by silverback".into());
                }
                let named = tree(&page[data..])?;
                self.tree(&named, Role::Named)
            }
            (Role::Free | Role::Named, 0) => {
                self.value(role, self.start(number) + data, data_bytes);
                Ok(())
            }
            (Role::Free | Role::Named, NODE_BIG) => {
                let first = u64_at(page, data)?;
                self.overflow(first, data_bytes)?;
                self.value(role, self.start(first) + PAGE_HEADER_BYTES, data_bytes);
                Ok(())
            }
            _ => Err(format!("page {number} has a node of an unknown kind")),
        }
    }

    fn value(&mut self, role: Role, start: usize, length: usize) {
        if role == Role::Free {
            self.free_lists.push((start, length));
        }
    }

    /// A record on pages of its own.
    fn overflow(&mut self, first: u64, data_bytes: usize) -> Result<(), Reason> {
        let count = ((PAGE_HEADER_BYTES - 1 + data_bytes) / self.page_bytes + 1) as u64;
        self.claim(first, count)?;
        let start = self.start(first);
        let page = &self.bytes[start..start + PAGE_HEADER_BYTES];
        let flags = u16_at(page, 10)? & !PAGE_TRANSIENT;
        let stored = u64::from(u32_at(page, 12)?);
        if u64_at(page, 0)? != first || flags != PAGE_OVERFLOW || stored < count {
            return Err(format!("page {first} is not the large record its key says"));
        }
        // A run may be longer than the record needs after it was rewritten in place.
        self.claim(first + count, stored - count)
    }

    /// The free list may name only pages that nothing uses, each once: the next commit writes there.
    fn free_pages(&mut self) -> Result<(), Reason> {
        let mut listed = vec![0_u64; usize::try_from(self.pages.div_ceil(64)).unwrap_or(0)];
        for (start, length) in std::mem::take(&mut self.free_lists) {
            let list = &self.bytes[start..start + length];
            let count = usize::try_from(u64_at(list, 0)?).unwrap_or(usize::MAX);
            if count
                .checked_add(1)
                .and_then(|all| all.checked_mul(8))
                .is_none_or(|n| n > length)
            {
                return Err("a free list is longer than its record".into());
            }
            let mut before = u64::MAX;
            for at in 1..=count {
                let page = u64_at(list, at * 8)?;
                if page < META_PAGES || page >= self.pages || page >= before {
                    return Err(format!("the free list names page {page}"));
                }
                before = page;
                let (word, bit) = (usize::try_from(page / 64).unwrap_or(0), 1 << (page % 64));
                if listed[word] & bit != 0 || self.seen.get(word).is_some_and(|w| w & bit != 0) {
                    return Err(format!("page {page} is free and used"));
                }
                listed[word] |= bit;
            }
        }
        Ok(())
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Reason> {
    array(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Reason> {
    array(bytes, at).map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Reason> {
    array(bytes, at).map(u64::from_ne_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Reason> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().ok_or_else(|| "a page ends too early".into())
}
