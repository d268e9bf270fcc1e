//! Tests of the store: round trips, atomicity, growth, and files that cannot be trusted.

mod entities;
mod random;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::declarative::Config;
use crate::entity::{
    Algorithm, CidrPort, Entity, EntityKind, HashInput, HeaderMatch, PathHandling, Protocol,
    Protocols, Route, Service, Target, Upstream,
};

const MIB: usize = 1 << 20;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn route(number: u128) -> Route {
    Route {
        id: id(number),
        name: None,
        protocols: Protocols::HTTP,
        methods: Vec::new(),
        hosts: vec![format!("h{}.test", number % 50)],
        paths: vec![format!("/p{number}")],
        headers: Vec::new(),
        snis: Vec::new(),
        sources: Vec::new(),
        destinations: Vec::new(),
        https_redirect_status_code: 426,
        regex_priority: 0,
        strip_path: true,
        path_handling: PathHandling::V0,
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        service: Some(id(1)),
        tags: Vec::new(),
        created_at: 1,
        updated_at: 1,
        expression: None,
        priority: 0,
        exact: None,
    }
}

fn service(number: u128) -> Service {
    Service {
        id: id(number),
        name: Some(format!("s{number}")),
        protocol: Protocol::Http,
        host: "u.test".into(),
        port: 80,
        path: None,
        retries: 5,
        connect_timeout: 60_000,
        write_timeout: 60_000,
        read_timeout: 60_000,
        enabled: true,
        tls_verify: None,
        tls_verify_depth: None,
        ca_certificates: Vec::new(),
        client_certificate: None,
        tags: Vec::new(),
        created_at: 1,
        updated_at: 1,
        exact: None,
    }
}

fn upstream(number: u128, name: &str) -> Upstream {
    Upstream {
        id: id(number),
        name: name.into(),
        algorithm: Algorithm::RoundRobin,
        hash_on: HashInput::None,
        hash_fallback: HashInput::None,
        hash_on_header: None,
        hash_fallback_header: None,
        hash_on_cookie: None,
        hash_on_cookie_path: "/".into(),
        hash_on_query_arg: None,
        hash_fallback_query_arg: None,
        hash_on_uri_capture: None,
        hash_fallback_uri_capture: None,
        slots: 10_000,
        healthchecks: serde_json::Value::Null,
        host_header: None,
        client_certificate: None,
        use_srv_name: false,
        tags: Vec::new(),
        created_at: 1,
        updated_at: 1,
        exact: None,
    }
}

fn target(number: u128, upstream: u128, created_at: i64) -> Target {
    Target {
        id: id(number),
        upstream: id(upstream),
        target: format!("10.0.0.{number}:80"),
        weight: 100,
        tags: Vec::new(),
        created_at,
        updated_at: created_at,
        exact: None,
    }
}

fn certificate(number: u128) -> Entity {
    Entity {
        kind: EntityKind::CERTIFICATES,
        id: id(number),
        references: Vec::new(),
        json: format!(r#"{{"id":"{}"}}"#, id(number)).into(),
    }
}

/// A configuration of that many routes, with some of everything else.
fn config(routes: u128) -> Config {
    Config {
        services: vec![service(1), service(2)],
        routes: (100..100 + routes).map(route).collect(),
        upstreams: vec![upstream(10, "u.test"), upstream(11, "v.test")],
        targets: vec![target(20, 10, 5), target(21, 10, 3), target(22, 11, 1)],
        hash: String::new(),
        entities: Vec::new(),
        warnings: Vec::new(),
    }
}

fn small() -> StoreOptions {
    StoreOptions {
        map_bytes: 64 * MIB,
        ..StoreOptions::default()
    }
}

fn scratch() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("dbless.lmdb");
    (dir, path)
}

fn open(path: &Path) -> Store {
    Store::open(path, &small()).expect("a store").store
}

fn apply(store: &Store, config: &Config) -> Applied {
    store
        .apply(config, Source::default())
        .expect("a sound configuration")
}

// -- records -------------------------------------------------------------------------------------

#[test]
fn every_field_of_every_entity_reads_back() {
    let service = Service {
        path: Some("/p".into()),
        tls_verify: Some(false),
        tls_verify_depth: Some(3),
        ca_certificates: vec![id(7), id(8)],
        client_certificate: Some(id(9)),
        tags: vec!["a".into(), "b".into()],
        enabled: false,
        exact: Some(r#"{"path":null}"#.into()),
        created_at: -1,
        ..service(1)
    };
    let route = Route {
        name: Some("n".into()),
        methods: vec!["GET".into(), "FOO".into()],
        paths: vec!["~/a".into(), "/b".into()],
        headers: vec![HeaderMatch {
            name: "X-A".into(),
            values: vec!["1".into(), "~*2".into()],
        }],
        snis: vec!["s.test".into()],
        sources: vec![CidrPort {
            ip: Some("10.0.0.0/8".into()),
            port: None,
        }],
        destinations: vec![CidrPort {
            ip: None,
            port: Some(0),
        }],
        regex_priority: -3,
        path_handling: PathHandling::V1,
        tags: vec!["t".into()],
        expression: Some("http.path == \"/\"".into()),
        priority: 7,
        exact: Some(r#"{"hosts":[]}"#.into()),
        ..route(2)
    };
    let upstream = Upstream {
        algorithm: Algorithm::Latency,
        hash_on: HashInput::Header,
        hash_fallback: HashInput::QueryArg,
        hash_on_header: Some("a".into()),
        hash_fallback_header: Some("b".into()),
        hash_on_cookie: Some("c".into()),
        hash_on_cookie_path: "/d".into(),
        hash_on_query_arg: Some("e".into()),
        hash_fallback_query_arg: Some("f".into()),
        hash_on_uri_capture: Some("g".into()),
        hash_fallback_uri_capture: Some("h".into()),
        healthchecks: serde_json::json!({ "active": { "timeout": 1.5 } }),
        client_certificate: Some(id(77)),
        use_srv_name: true,
        host_header: Some("h".into()),
        tags: vec!["t".into()],
        exact: Some(r#"{"slots":null}"#.into()),
        ..upstream(3, "u")
    };
    let target = Target {
        weight: 0,
        tags: vec!["t".into()],
        exact: Some(r#"{"weight":null}"#.into()),
        ..target(4, 3, 9)
    };
    let config = Config {
        services: vec![service.clone()],
        routes: vec![route.clone()],
        upstreams: vec![upstream.clone()],
        targets: vec![target.clone()],
        hash: String::new(),
        entities: [9, 77].map(certificate).into(),
        warnings: Vec::new(),
    };
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config);
    let snapshot = store.reader().expect("a snapshot");
    let found = snapshot.service(&id(1)).expect("sound").expect("there");
    assert_eq!(found.to_entity(), service);
    assert_eq!(
        snapshot
            .route(&id(2))
            .expect("sound")
            .expect("there")
            .to_entity(),
        route
    );
    assert_eq!(
        snapshot
            .upstream(&id(3))
            .expect("sound")
            .expect("there")
            .to_entity(),
        upstream
    );
    assert_eq!(
        snapshot
            .target(&id(4))
            .expect("sound")
            .expect("there")
            .to_entity(),
        target
    );
}

#[test]
fn a_balancer_gets_its_targets_oldest_first() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(1));
    let snapshot = store.reader().expect("a snapshot");
    let upstream = snapshot
        .upstream_by_name("u.test")
        .expect("sound")
        .expect("there");
    let targets = snapshot
        .targets_of(&upstream.id())
        .expect("sound")
        .expect("there");
    let found: Vec<_> = targets.iter().map(|each| each.target).collect();
    assert_eq!(found, ["10.0.0.21:80", "10.0.0.20:80"]);
    assert!(
        snapshot
            .upstream_by_name("w.test")
            .expect("sound")
            .is_none()
    );
}

#[test]
fn names_hosts_and_paths_may_be_longer_than_an_lmdb_key() {
    let long = "x".repeat(5000);
    let mut config = config(1);
    config.upstreams.push(upstream(12, &long));
    config.upstreams.push(upstream(13, &format!("{long}y")));
    config.routes[0].hosts = vec![long.clone()];
    config.routes[0].paths = vec![format!("/{long}")];
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config);
    let snapshot = store.reader().expect("a snapshot");
    let found = snapshot
        .upstream_by_name(&long)
        .expect("sound")
        .expect("there");
    assert_eq!(found.id(), id(12));
    store.verify_all().expect("sound");
}

#[test]
fn an_unchanged_record_keeps_its_content_hash() {
    let (_dir, path) = scratch();
    let store = open(&path);
    let hash = |number| {
        let snapshot = store.reader().expect("a snapshot");
        snapshot
            .route(&id(number))
            .expect("sound")
            .expect("there")
            .content_hash()
    };
    apply(&store, &config(3));
    let before = (hash(100), hash(101));
    let mut changed = config(3);
    changed.routes[1].strip_path = false;
    apply(&store, &changed);
    assert_eq!(hash(100), before.0);
    assert_ne!(hash(101), before.1);
}

#[test]
fn a_listing_names_every_entity() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(5));
    let mut text = Vec::new();
    dump(&store.reader().expect("a snapshot"), &mut text).expect("sound records");
    let text = String::from_utf8(text).expect("text");
    let lines = |kind: &str| text.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!(
        [
            lines("{\"service"),
            lines("{\"routes\""),
            lines("{\"upstream"),
            lines("{\"target")
        ],
        [2, 5, 2, 3]
    );
    assert!(text.contains("\"candidates\":5"), "{text}");
}

// -- versions and atomicity ----------------------------------------------------------------------

#[test]
fn a_configuration_sent_again_writes_no_records() {
    let (_dir, path) = scratch();
    let store = open(&path);
    let first = apply(&store, &config(500));
    let second = apply(&store, &config(500));
    assert!(first.records_changed > 500);
    assert_eq!(
        (second.records_changed, second.version),
        (0, first.version + 1)
    );
    assert_eq!(second.config_hash, first.config_hash);
}

#[test]
fn a_reader_keeps_its_version_until_it_takes_a_new_one() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(1));
    let (old, epoch) = (store.reader().expect("a snapshot"), store.epoch());
    apply(&store, &config(2));
    assert_ne!(store.epoch(), epoch);
    assert!(old.route(&id(101)).expect("sound").is_none());
    let new = store.reader().expect("a snapshot");
    assert!(new.route(&id(101)).expect("sound").is_some());
    assert_eq!((old.version(), new.version()), (1, 2));
}

#[test]
fn a_rejected_configuration_changes_nothing() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(3));
    let mut dangling = config(9);
    dangling.routes[8].service = Some(id(77));
    let mut twice = config(3);
    twice.routes.push(route(100));
    let mut address = config(3);
    address.routes[0].sources = vec![CidrPort {
        ip: Some("nowhere".into()),
        port: None,
    }];
    let mut name = config(3);
    name.upstreams.push(upstream(15, "u.test"));
    for config in [dangling, twice, address, name] {
        let refused = store.apply(&config, Source::default());
        assert!(
            matches!(refused, Err(StoreError::Rejected { .. })),
            "{refused:?}"
        );
        let meta = store.meta().expect("readable");
        assert_eq!((meta.version, meta.counts.of(EntityKind::ROUTES)), (1, 3));
    }
    store.verify_all().expect("sound");
}

#[test]
fn a_rejected_delta_changes_nothing() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(3));
    let mut in_use = Delta::default();
    in_use.services.delete = vec![id(1)];
    let mut dangling = Delta::default();
    dangling.routes.upsert = vec![
        route(500),
        Route {
            service: Some(id(77)),
            ..route(501)
        },
    ];
    let mut name = Delta::default();
    name.upstreams.upsert = vec![upstream(15, "u.test")];
    let mut targets = Delta::default();
    targets.upstreams.delete = vec![id(10)];
    for delta in [in_use, dangling, name, targets] {
        let refused = store.apply_delta(&delta, Source::default());
        assert!(
            matches!(refused, Err(StoreError::Rejected { .. })),
            "{refused:?}"
        );
        assert_eq!(store.meta().expect("readable").version, 1);
    }
    let snapshot = store.reader().expect("a snapshot");
    assert!(snapshot.route(&id(500)).expect("sound").is_none());
    snapshot.verify().expect("sound");
}

#[test]
fn deltas_and_a_full_configuration_end_in_the_same_hash() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(10));
    let mut wanted = config(12);
    wanted.routes.remove(0);
    wanted.upstreams[1].name = "w.test".into();
    wanted.targets.remove(0);
    let routes = Changes {
        upsert: wanted.routes[9..].to_vec(),
        delete: vec![id(100)],
    };
    let mut delta = Delta {
        routes,
        ..Delta::default()
    };
    delta.upstreams.upsert = vec![wanted.upstreams[1].clone()];
    delta.targets.delete = vec![id(20)];
    let by_delta = store.apply_delta(&delta, Source::default()).expect("sound");
    store.verify_all().expect("sound");
    let snapshot = store.reader().expect("a snapshot");
    assert!(
        snapshot
            .upstream_by_name("v.test")
            .expect("sound")
            .is_none()
    );
    assert!(
        snapshot
            .upstream_by_name("w.test")
            .expect("sound")
            .is_some()
    );
    assert_eq!(
        snapshot
            .targets_of(&id(10))
            .expect("sound")
            .map(|list| list.len()),
        Some(1)
    );
    drop(snapshot);
    let by_full = apply(&store, &wanted);
    assert_eq!(
        (by_full.config_hash, by_full.routes),
        (by_delta.config_hash, by_delta.routes)
    );
}

#[test]
fn everything_can_go_by_delta_and_come_back() {
    let (_dir, path) = scratch();
    let store = open(&path);
    let full = config(600);
    apply(&store, &full);
    let mut delta = Delta::default();
    delta.routes.delete = full.routes.iter().map(|route| route.id).collect();
    delta.services.delete = vec![id(1), id(2)];
    delta.targets.delete = vec![id(20), id(21), id(22)];
    delta.upstreams.delete = vec![id(10), id(11)];
    let applied = store.apply_delta(&delta, Source::default()).expect("sound");
    assert_eq!(
        (applied.routes, applied.config_hash),
        (0, format!("{:032x}", 0))
    );
    store.verify_all().expect("sound");
    let mut delta = Delta::default();
    delta.routes.upsert = full.routes.clone();
    delta.services.upsert = full.services.clone();
    store.apply_delta(&delta, Source::default()).expect("sound");
    store.verify_all().expect("sound");
}

#[test]
fn the_waker_is_called_after_each_commit() {
    let (_dir, path) = scratch();
    let store = open(&path);
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    store.set_waker(Box::new(move || {
        seen.fetch_add(1, Ordering::Relaxed);
    }));
    apply(&store, &config(1));
    store
        .apply_delta(&Delta::default(), Source::default())
        .expect("sound");
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_label_travels_with_its_version() {
    let (_dir, path) = scratch();
    let store = open(&path);
    let source = Source {
        name: "kong.yml",
        config_hash: Some("0123"),
    };
    store.apply(&config(1), source).expect("sound");
    let snapshot = store.reader().expect("a snapshot");
    let meta = snapshot.meta();
    assert_eq!(
        (meta.source.as_str(), meta.config_hash.as_str()),
        ("kong.yml", "0123")
    );
}

// -- the map -------------------------------------------------------------------------------------

/// Readers as shards are: they hold a snapshot and renew it when the epoch changes.
fn with_readers<R>(store: &Store, count: usize, run: impl FnOnce() -> R) -> R {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let epoch = store.epoch();
                    let snapshot = store.reader().expect("a snapshot");
                    while store.epoch() == epoch && !is_done.load(Ordering::Relaxed) {
                        for route in snapshot.routes().expect("readable").take(20) {
                            assert!(route.expect("sound").strip_path());
                        }
                    }
                }
            });
        }
        let result = run();
        is_done.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn the_map_grows_under_live_readers() {
    let (_dir, path) = scratch();
    let options = StoreOptions {
        map_bytes: MIB,
        ..StoreOptions::default()
    };
    let store = Store::open(&path, &options).expect("a store").store;
    apply(&store, &config(10));
    with_readers(&store, 3, || {
        for routes in [1000, 4000, 16_000] {
            assert_eq!(
                apply(&store, &config(routes)).routes,
                u64::try_from(routes).expect("small")
            );
        }
        let mut delta = Delta::default();
        delta.routes.upsert = (50_000..60_000).map(route).collect();
        store
            .apply_delta(&delta, Source::default())
            .expect("the map grows for deltas too");
    });
    let (map_bytes, used_bytes) = store.map_usage();
    assert!(map_bytes > 4 * MIB && used_bytes <= map_bytes);
    store.verify_all().expect("sound");
}

#[test]
fn a_reader_that_does_not_let_go_is_reported_and_changes_nothing() {
    let (_dir, path) = scratch();
    let options = StoreOptions {
        map_bytes: MIB,
        grow_patience: Duration::from_millis(20),
    };
    let store = Store::open(&path, &options).expect("a store").store;
    apply(&store, &config(10));
    let stubborn = store.reader().expect("a snapshot");
    let refused = store.apply(&config(20_000), Source::default());
    assert!(
        matches!(refused, Err(StoreError::ReadersBusy { .. })),
        "{refused:?}"
    );
    assert_eq!(
        store.reader().expect("the gate is open again").version(),
        stubborn.version()
    );
    drop(stubborn);
    assert_eq!(apply(&store, &config(20_000)).version, 2);
}

#[test]
fn a_thousand_configurations_do_not_make_the_file_grow_without_bound() {
    let (_dir, path) = scratch();
    let store = open(&path);
    let used = |round: u32| {
        let mut config = config(200);
        // Every record changes every time.
        config
            .routes
            .iter_mut()
            .for_each(|route| route.updated_at = i64::from(round));
        apply(&store, &config);
        store.map_usage().1
    };
    let mut snapshot = None;
    let mut sizes = Vec::new();
    for round in 0..1000 {
        sizes.push(used(round));
        // A shard: it lets go, then takes the new version.
        drop(snapshot.take());
        snapshot = Some(store.reader().expect("a snapshot"));
    }
    drop(snapshot);
    assert!(
        sizes[999] <= sizes[20] * 2,
        "{} then {}",
        sizes[20],
        sizes[999]
    );
}

// -- files that cannot be trusted ----------------------------------------------------------------

fn data_file(path: &Path) -> PathBuf {
    path.join("data.mdb")
}

/// A closed store with a history: versions, deltas, free pages.
fn seasoned(path: &Path, routes: u128) {
    let store = open(path);
    let config = |routes| Config {
        entities: entities::crowd().entities,
        ..config(routes)
    };
    apply(&store, &config(routes));
    apply(&store, &config(routes / 2));
    let mut delta = Delta::default();
    delta.routes.delete = vec![id(105), id(107)];
    delta.routes.upsert = vec![Route {
        paths: vec!["~/x/\\d+".into()],
        ..route(110)
    }];
    store.apply_delta(&delta, Source::default()).expect("sound");
}

/// Lists everything, and looks it up where it has keys.
fn is_listing_damaged(snapshot: &Snapshot) -> bool {
    let mut is_noticed = snapshot
        .find(entities::people(), "username", "ada")
        .is_err();
    for kind in EntityKind::all() {
        is_noticed |= snapshot
            .each(kind)
            .is_ok_and(|mut all| all.any(|it| it.is_err()));
        for (child, field) in kind.children() {
            let Ok(ids) = snapshot.ids(kind, None) else {
                return true;
            };
            for id in ids.flatten().take(3) {
                is_noticed |= snapshot
                    .children(child, field, id, None)
                    .is_ok_and(|mut all| all.any(|it| it.is_err()));
            }
        }
    }
    is_noticed
}

/// Opens whatever is there and uses it in every way; `true` if damage was noticed.
fn exercise(path: &Path) -> bool {
    let opened = match Store::open(path, &small()) {
        Ok(opened) => opened,
        Err(error) => panic!("a damaged file must not keep the store from opening: {error}"),
    };
    let store = opened.store;
    let mut is_noticed = matches!(opened.state, State::SetAside { .. });
    match store.reader() {
        Ok(snapshot) => {
            is_noticed |= snapshot
                .routes()
                .is_ok_and(|mut routes| routes.any(|it| it.is_err()));
            is_noticed |= snapshot.upstream_by_name("u.test").is_err();
            is_noticed |= is_listing_damaged(&snapshot);
            if let Some(directory) = snapshot.directory() {
                for span in directory.spans().flatten() {
                    is_noticed |= snapshot.segment(&span).is_err();
                }
            }
        }
        Err(_) => is_noticed = true,
    }
    is_noticed |= store.verify_all().is_err();
    let mut delta = Delta::default();
    delta.routes.upsert = vec![route(120), route(9999)];
    let is_served = !is_noticed;
    let applied = store.apply_delta(&delta, Source::default());
    assert!(applied.is_ok() || !is_served, "{applied:?}");
    apply(&store, &config(300));
    store
        .verify_all()
        .expect("a full configuration mends everything");
    is_noticed
}

#[test]
fn scribbled_files_neither_crash_nor_deceive() {
    let (_dir, path) = scratch();
    seasoned(&path, 400);
    let sound = fs::read(data_file(&path)).expect("the file");
    // A fixed sequence, so that a failure can be repeated.
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let mut noticed = 0;
    for round in 0..400 {
        let mut bytes = sound.clone();
        for _ in 0..=random(4) {
            let page = random(bytes.len() / 4096) * 4096;
            // Headers and node tables are where a wrong byte hurts most; meta pages most of all.
            let at = match round % 4 {
                0 => random(bytes.len()),
                1 => page + random(16),
                2 => page + random(200),
                _ => random(2) * 4096 + random(160),
            };
            bytes[at] ^= u8::try_from(1 + random(255)).expect("a byte");
        }
        fs::write(data_file(&path), &bytes).expect("written");
        noticed += usize::from(exercise(&path));
    }
    assert!(noticed > 100, "{noticed}");
}

#[test]
fn pages_of_noise_are_noticed() {
    let (_dir, path) = scratch();
    seasoned(&path, 400);
    let sound = fs::read(data_file(&path)).expect("the file");
    for page in 0..sound.len() / 4096 {
        let mut bytes = sound.clone();
        let noise =
            (0..4096_usize).map(|at| u8::try_from((at * 31 + page * 7) % 251).expect("< 251"));
        bytes.splice(page * 4096..(page + 1) * 4096, noise);
        fs::write(data_file(&path), &bytes).expect("written");
        exercise(&path);
    }
}

#[test]
fn truncated_files_are_set_aside() {
    let (_dir, path) = scratch();
    seasoned(&path, 400);
    let sound = fs::read(data_file(&path)).expect("the file");
    for length in [
        1,
        100,
        4096,
        8191,
        8192,
        sound.len() / 2,
        sound.len() - 4096 * 8,
    ] {
        fs::write(data_file(&path), &sound[..length]).expect("written");
        let opened = Store::open(&path, &small()).expect("it opens all the same");
        assert!(
            matches!(opened.state, State::SetAside { .. }),
            "{length}: {:?}",
            opened.state
        );
    }
}

#[test]
fn a_damaged_record_is_reported_by_access_and_by_the_scan() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(400));
    drop(store);
    let bytes = fs::read(data_file(&path)).expect("the file");
    let at = bytes
        .windows(5)
        .rposition(|text| text == b"/p123")
        .expect("the route's path");
    let file = File::options()
        .write(true)
        .open(data_file(&path))
        .expect("the file");
    for found in (0..bytes.len() - 5).filter(|at| &bytes[*at..at + 5] == b"/p123") {
        file.write_all_at(b"/q", u64::try_from(found).expect("small"))
            .expect("written");
    }
    assert!(at > 0);
    let opened = Store::open(&path, &small()).expect("pages are sound");
    assert_eq!(opened.state, State::Loaded);
    let snapshot = opened.store.reader().expect("a snapshot");
    let damaged = snapshot
        .route(&id(123))
        .expect_err("the record was changed");
    assert_eq!(
        (damaged.place, damaged.damage),
        (Place::Routes, Damage::Checksum)
    );
    assert!(
        snapshot
            .route(&id(124))
            .expect("this one was not")
            .is_some()
    );
    assert!(matches!(
        opened.store.verify_all(),
        Err(StoreError::Damaged(_))
    ));
    assert!(!opened.store.is_verified());
}

#[test]
fn a_sound_file_is_loaded_and_verified_in_the_background() {
    let (_dir, path) = scratch();
    seasoned(&path, 400);
    let opened = Store::open(&path, &small()).expect("a store");
    assert_eq!(opened.state, State::Loaded);
    assert!(!opened.store.is_verified());
    opened.store.verify_all().expect("sound");
    assert!(opened.store.is_verified());
    assert_eq!(opened.store.meta().expect("readable").version, 3);
}

#[test]
fn a_file_of_another_format_is_set_aside() {
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config(1));
    store.write_format_version(FORMAT_VERSION + 1);
    drop(store);
    let opened = Store::open(&path, &small()).expect("it opens all the same");
    let State::SetAside { reason, kept_as } = opened.state else {
        panic!("{:?}", opened.state)
    };
    assert!(reason.contains("format"), "{reason}");
    assert!(kept_as.join("data.mdb").exists() && kept_as.join("reason.txt").exists());
    assert_eq!(opened.store.reader().expect("a snapshot").version(), 0);
}

#[test]
fn no_more_than_three_caches_are_kept_aside() {
    let (dir, path) = scratch();
    for _ in 0..6 {
        drop(open(&path));
        fs::write(data_file(&path), [7; 9000]).expect("written");
    }
    drop(open(&path));
    let names = fs::read_dir(dir.path())
        .expect("readable")
        .map(|entry| entry.expect("one").file_name());
    let mut aside: Vec<_> = names.filter(|name| name != "dbless.lmdb").collect();
    aside.sort();
    let wanted = [4, 5, 6].map(|number| format!("dbless.lmdb.damaged-{number}"));
    assert_eq!(aside, wanted.map(std::ffi::OsString::from));
}

// -- the system in the way -----------------------------------------------------------------------

#[test]
fn a_second_writer_is_refused() {
    let (_dir, path) = scratch();
    let first = open(&path);
    assert!(matches!(
        Store::open(&path, &small()),
        Err(StoreError::Locked { .. })
    ));
    drop(first);
    open(&path);
}

#[test]
fn a_file_in_the_way_is_named() {
    let (_dir, path) = scratch();
    fs::write(&path, "not a directory").expect("written");
    let refused = Store::open(&path, &small()).expect_err("a file is no directory");
    assert!(matches!(&refused, StoreError::NotADirectory { path: named } if *named == path));
}

#[test]
fn system_errors_are_sorted_by_what_to_do() {
    let sorted = |code| lmdb::io_error(std::io::Error::from_raw_os_error(code), "/x".into());
    assert!(matches!(
        sorted(libc::EACCES),
        StoreError::PermissionDenied { .. }
    ));
    assert!(matches!(
        sorted(libc::EROFS),
        StoreError::PermissionDenied { .. }
    ));
    assert!(matches!(sorted(libc::ENOSPC), StoreError::DiskFull { .. }));
    assert!(matches!(sorted(libc::EDQUOT), StoreError::DiskFull { .. }));
    assert!(matches!(sorted(libc::EIO), StoreError::Io { .. }));
}

#[test]
fn a_directory_that_cannot_be_written_is_reported_as_such() {
    // Nobody may make directories there, not even root.
    let refused = Store::open(Path::new("/proc/silverback/dbless.lmdb"), &small());
    let refused = refused.expect_err("nobody can write there");
    assert!(matches!(
        refused,
        StoreError::PermissionDenied { .. } | StoreError::Io { .. }
    ));
}
