//! Damaged snapshots: bytes of a sound file are changed, then it is opened, verified, read and
//! written to. Nothing may panic or leave the map; whatever was found, a complete configuration
//! repairs it.
//!
//! The first byte of an input chooses what is changed, bytes of the file or of records whose checksums
//! are then made to fit, and what follows, reading or writing. Four bytes make a change: where (three
//! bytes), and the new byte.
#![no_main]

use std::cell::LazyCell;
use std::fs;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use silverback_core::router::{Headers, Request, Router};
use silverback_fuzz::Scratch;
use silverback_schema::declarative::{Config, Format, Options, parse};
use silverback_schema::entity::EntityKind;
use silverback_schema::snapshot::{Snapshot, Source, State, Store, StoreOptions, dump};
use xxhash_rust::xxh3::xxh3_64;

const CHECKSUM_BYTES: usize = 8;
// Of LMDB's pages.
const PAGE_BYTES: usize = 4096;
const PAGE_HEADER_BYTES: usize = 16;
const PAGE_LEAF: usize = 2;
const NODE_HEADER_BYTES: usize = 8;
const NODE_BIG: usize = 1;
const CHANGES_MAX: usize = 64;
const SOURCE: Source<'_> = Source {
    name: "fuzz",
    config_hash: None,
};

/// A sound file, and where its records lie.
struct Sound {
    scratch: Scratch,
    config: Config,
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

thread_local! {
    static SOUND: LazyCell<Sound> = LazyCell::new(Sound::new);
}

fuzz_target!(|input: &[u8]| {
    let Some((&mode, changes)) = input.split_first() else {
        return;
    };
    SOUND.with(|sound| {
        let mut bytes = sound.bytes.clone();
        let changes = changes.as_chunks().0.iter().take(CHANGES_MAX);
        for &change in changes {
            match mode & 1 {
                0 => change_file(&mut bytes, change),
                _ => sound.change_record(&mut bytes, change),
            }
        }
        sound.check(&bytes, mode & 2 == 0);
    });
});

fn change_file(bytes: &mut [u8], [high, middle, low, byte]: [u8; 4]) {
    let at = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    let length = bytes.len();
    bytes[at % length] = byte;
}

impl Sound {
    /// A file with a history: records of most kinds, freed pages, two versions.
    fn new() -> Self {
        let scratch = Scratch::new("snapshot");
        let path = scratch.path().join("sound");
        let text = include_bytes!("../snapshot.yml");
        let config = parse(text, Some(Format::Yaml), &Options::default()).expect("a good file");
        let store = open(&path).expect("a fresh store").0;
        store.apply(&config, SOURCE).expect("room");
        let mut fewer = config.clone();
        fewer.routes.pop();
        store.apply(&fewer, SOURCE).expect("room");
        store.apply(&config, SOURCE).expect("room");
        drop(store);
        let bytes = fs::read(path.join("data.mdb")).expect("it was written");
        let records = records(&bytes);
        assert!(records.len() > 20);
        Self {
            scratch,
            config,
            bytes,
            records,
        }
    }

    fn change_record(&self, bytes: &mut [u8], [record, high, low, byte]: [u8; 4]) {
        let record = &self.records[usize::from(record) % self.records.len()];
        let value = &mut bytes[record.clone()];
        let (checksum, content) = value.split_at_mut(CHECKSUM_BYTES);
        let at = usize::from(high) << 8 | usize::from(low);
        let length = content.len();
        content[at % length] = byte;
        checksum.copy_from_slice(&xxh3_64(content).to_le_bytes());
    }

    fn check(&self, bytes: &[u8], is_read: bool) {
        let path = self.scratch.path().join("store");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("TMPDIR can be written to");
        fs::write(path.join("data.mdb"), bytes).expect("TMPDIR can be written to");
        match open(&path) {
            Some((store, State::Loaded)) if is_read => check_reading(&store),
            Some((store, State::Loaded)) => self.check_repair(&store),
            _ => {}
        }
    }

    fn check_repair(&self, store: &Store) {
        if store.apply(&self.config, SOURCE).is_ok() {
            store
                .verify_all()
                .expect("a complete configuration was applied");
            let repaired = listing(&store.reader().expect("it was applied"));
            assert_eq!(repaired.map(|lines| lines.len()), Some(self.rows()));
        }
    }

    fn rows(&self) -> usize {
        self.config.rows().count()
    }
}

/// What was verified reads the same without verification.
fn check_reading(store: &Store) {
    let before = read(store);
    if store.verify_all().is_ok() {
        assert!(store.is_verified());
        assert_eq!(read(store), before);
    }
}

fn open(path: &Path) -> Option<(Store, State)> {
    let options = StoreOptions {
        map_bytes: 16 << 20,
        grow_patience: Duration::ZERO,
    };
    let opened = Store::open(path, &options).ok()?;
    Some((opened.store, opened.state))
}

/// Where the records with a checksum lie in the file. A page that was freed may still hold one.
fn records(bytes: &[u8]) -> Vec<Range<usize>> {
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let mut records = Vec::new();
    let leaves = (0..bytes.len()).step_by(PAGE_BYTES);
    for page in leaves.filter(|page| number(page + 10) & PAGE_LEAF != 0) {
        for pointer in (page + PAGE_HEADER_BYTES..page + number(page + 12)).step_by(2) {
            let node = page + number(pointer);
            let length = number(node) | number(node + 2) << 16;
            let data = node + NODE_HEADER_BYTES + number(node + 6);
            let value = match number(node + 4) & NODE_BIG {
                0 => data,
                _ => number(data) * PAGE_BYTES + PAGE_HEADER_BYTES,
            };
            let value = value..value + length;
            if bytes.get(value.clone()).is_some_and(is_sealed) {
                records.push(value);
            }
        }
    }
    records
}

fn is_sealed(value: &[u8]) -> bool {
    let parts = value.split_at_checked(CHECKSUM_BYTES);
    parts.is_some_and(|(checksum, content)| {
        !content.is_empty() && checksum == xxh3_64(content).to_le_bytes()
    })
}

/// All that readers do; what they saw, as text.
fn read(store: &Store) -> String {
    let snapshot = match store.reader() {
        Ok(snapshot) => snapshot,
        Err(error) => return error.to_string(),
    };
    let mut seen = format!("{:?} {:?}\n", snapshot.meta(), listing(&snapshot));
    let mut lines = Vec::new();
    match dump(&snapshot, &mut lines) {
        Ok(()) => seen += &String::from_utf8(lines).expect("JSON is UTF-8"),
        Err(error) => seen += &error.to_string(),
    }
    let services = snapshot.services().map(|views| {
        views
            .map(|view| view.map(|view| view.to_entity()))
            .collect::<Vec<_>>()
    });
    let routes = snapshot.routes().map(|views| {
        views
            .map(|view| view.map(|view| view.to_entity()))
            .collect::<Vec<_>>()
    });
    let targets = snapshot.upstreams().map(|views| {
        views
            .map(|view| {
                snapshot
                    .targets_of(&view.ok()?.id())
                    .ok()?
                    .map(|list| list.iter().count())
            })
            .collect::<Vec<_>>()
    });
    seen += &format!("{services:?}\n{routes:?}\n{targets:?}\n");
    seen + &matches(&snapshot)
}

/// Every entity by its id, and every name; `None`: something is damaged.
fn listing(snapshot: &Snapshot) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for kind in EntityKind::all() {
        for id in snapshot.ids(kind, None).ok()? {
            let id = id.ok()?;
            let entity = snapshot.entity(kind, id).ok()??;
            if let Some(name) = entity.get("name").and_then(|name| name.as_str()) {
                let _ = snapshot.find(kind, "name", name);
            }
            for (child, field) in kind.children() {
                let children = snapshot.children(child, field, id, None).ok()?;
                children.count();
            }
            lines.push(format!("{entity:?}"));
        }
    }
    Some(lines)
}

struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each_value(&self, _: &str, f: &mut dyn FnMut(&[u8]) -> bool) {
        f(b"2");
    }
}

/// What the router finds for requests that visit most of the file's routes.
fn matches(snapshot: &Snapshot) -> String {
    let mut router = Router::new();
    let mut seen = String::new();
    let address = SocketAddr::from(([10, 0, 0, 9], 80));
    for host in ["", "a.test", "b.a.test", "shop.example.com"] {
        for path in ["/", "/a/b", "/v1/items/12", "/deep/er/still"] {
            let request = Request {
                method: b"GET",
                host: host.as_bytes(),
                port: 80,
                path: path.as_bytes(),
                https: false,
                sni: None,
                source: address,
                destination: address,
                headers: &NoHeaders,
            };
            let found = router.find(snapshot, &request);
            seen += &format!("{found:?}\n");
        }
    }
    seen
}
