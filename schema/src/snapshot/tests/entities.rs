//! Entities of every kind: lookup keys, children, lists, and damage in any of them.

use serde_json::json;

use super::*;
use crate::generated as fbs;
use crate::snapshot::encode::Encode;
use crate::snapshot::{keys, layout, record};

pub(super) fn people() -> EntityKind {
    EntityKind::of_name("test_people").expect("a kind of the tests")
}

pub(super) fn badges() -> EntityKind {
    EntityKind::of_name("test_badges").expect("a kind of the tests")
}

fn person(number: u128, username: &str) -> Entity {
    Entity {
        kind: people(),
        id: id(number),
        references: Vec::new(),
        json: json!({
            "id": id(number).to_string(), "created_at": 1, "username": username,
            "custom_id": null, "tags": null,
        })
        .to_string()
        .into(),
    }
}

fn badge(number: u128, person: u128, code: &str) -> Entity {
    Entity {
        kind: badges(),
        id: id(number),
        references: vec![("person", id(person))],
        json: json!({ "id": id(number).to_string(), "label": null, "code": code })
            .to_string()
            .into(),
    }
}

/// Two people with three badges, beside some of everything else.
pub(super) fn crowd() -> Config {
    Config {
        entities: vec![
            badge(41, 30, "b"),
            person(31, "eve"),
            person(30, "ada"),
            badge(40, 30, "a"),
            badge(42, 31, "c"),
        ],
        ..config(2)
    }
}

fn upsert(entities: Vec<Entity>) -> Delta {
    let mut delta = Delta::default();
    delta.entities.upsert = entities;
    delta
}

fn delta(store: &Store, delta: &Delta) -> Applied {
    store
        .apply_delta(delta, Source::default())
        .expect("a sound delta")
}

/// A store of [`crowd`].
fn crowded() -> (TempDir, PathBuf, Store) {
    let (dir, path) = scratch();
    let store = open(&path);
    apply(&store, &crowd());
    (dir, path, store)
}

fn found(store: &Store, kind: EntityKind, field: &str, text: &str) -> Option<Uuid> {
    let snapshot = store.reader().expect("a snapshot");
    snapshot.find(kind, field, text).expect("a sound key")
}

fn children(store: &Store, kind: EntityKind, field: &str, parent: u128) -> Vec<Uuid> {
    let snapshot = store.reader().expect("a snapshot");
    let children = snapshot.children(kind, field, id(parent), None);
    let children = children.expect("readable");
    children.collect::<Result<_, _>>().expect("sound children")
}

// -- lookup keys and children --------------------------------------------------------------------

#[test]
fn typed_entities_answer_for_every_field_that_is_listed() {
    let full: [&dyn Encode; 4] = [
        &Service {
            client_certificate: Some(id(9)),
            ..service(1)
        },
        &Route {
            name: Some("r".into()),
            ..route(2)
        },
        &Upstream {
            client_certificate: Some(id(9)),
            ..upstream(3, "u")
        },
        &target(4, 3, 1),
    ];
    for entity in full {
        for link in layout::unique(entity.kind()) {
            assert!(entity.unique(link.field).is_some(), "{link:?}");
        }
        for link in layout::references(entity.kind()) {
            assert!(entity.reference(link.field).is_some(), "{link:?}");
        }
    }
}

#[test]
fn every_kind_is_found_by_its_unique_fields() {
    let (_dir, _path, store) = crowded();
    let cases = [
        (EntityKind::SERVICES, "name", "s1", Some(1)),
        (EntityKind::UPSTREAMS, "name", "v.test", Some(11)),
        (people(), "username", "ada", Some(30)),
        (badges(), "code", "c", Some(42)),
        (people(), "username", "ad", None),
        (people(), "custom_id", "ada", None),
        (badges(), "code", "ada", None),
        (badges(), "label", "a", None),
        (badges(), "nothing", "a", None),
        (EntityKind::TARGETS, "target", "10.0.0.20:80", None),
    ];
    for (kind, field, text, wanted) in cases {
        assert_eq!(
            found(&store, kind, field, text),
            wanted.map(id),
            "{kind:?}.{field} {text}"
        );
    }
}

#[test]
fn names_change_hands_within_a_delta() {
    let (_dir, _path, store) = crowded();
    delta(&store, &upsert(vec![person(30, "eve"), person(31, "ada")]));
    assert_eq!(found(&store, people(), "username", "eve"), Some(id(30)));
    assert_eq!(found(&store, people(), "username", "ada"), Some(id(31)));
    delta(&store, &upsert(vec![person(30, "grace")]));
    assert_eq!(found(&store, people(), "username", "eve"), None);
    assert_eq!(found(&store, people(), "username", "grace"), Some(id(30)));
    store.verify_all().expect("sound");
}

#[test]
fn what_goes_leaves_no_key_and_no_child() {
    let (_dir, _path, store) = crowded();
    let mut gone = Delta::default();
    gone.entities.delete = vec![(badges(), id(41)), (badges(), id(99))];
    let applied = delta(&store, &gone);
    assert_eq!(applied.records_changed, 1);
    assert_eq!(found(&store, badges(), "code", "b"), None);
    assert_eq!(children(&store, badges(), "person", 30), [id(40)]);
    assert_eq!(store.reader().expect("a snapshot").count(badges()), 2);
}

#[test]
fn children_move_with_their_reference() {
    let (_dir, _path, store) = crowded();
    assert_eq!(children(&store, badges(), "person", 30), [id(40), id(41)]);
    delta(&store, &upsert(vec![badge(40, 31, "a")]));
    assert_eq!(children(&store, badges(), "person", 30), [id(41)]);
    assert_eq!(children(&store, badges(), "person", 31), [id(40), id(42)]);
    assert!(children(&store, badges(), "label", 31).is_empty());
    let routes = children(&store, EntityKind::ROUTES, "service", 1);
    assert_eq!(routes, [id(100), id(101)]);
}

#[test]
fn long_texts_and_texts_that_look_like_hashes_are_told_apart() {
    let long = "x".repeat(5000);
    let texts = [
        long.clone(),
        format!("{long}y"),
        "x".repeat(400),
        "x".repeat(401),
        "\0".into(),
        "\0\0".into(),
    ];
    let numbers = 50..50 + texts.len() as u128;
    let entities = numbers.clone().zip(&texts);
    let config = Config {
        entities: entities.map(|(id, text)| person(id, text)).collect(),
        ..config(1)
    };
    let (_dir, path) = scratch();
    let store = open(&path);
    apply(&store, &config);
    for (number, text) in numbers.zip(&texts) {
        assert_eq!(found(&store, people(), "username", text), Some(id(number)));
    }
    assert_eq!(found(&store, people(), "username", &"x".repeat(402)), None);
}

// -- lists ---------------------------------------------------------------------------------------

#[test]
fn lists_go_on_after_any_id() {
    let (_dir, _path, store) = crowded();
    let snapshot = store.reader().expect("a snapshot");
    let ids = |kind, after: Option<u128>| -> Vec<Uuid> {
        let ids = snapshot.ids(kind, after.map(id)).expect("readable");
        ids.collect::<Result<_, _>>().expect("sound")
    };
    assert_eq!(ids(badges(), None), [40, 41, 42].map(id));
    assert_eq!(ids(badges(), Some(40)), [41, 42].map(id));
    assert_eq!(
        ids(badges(), Some(7)),
        [40, 41, 42].map(id),
        "7 is nobody's"
    );
    assert!(ids(badges(), Some(u128::MAX)).is_empty());
    // The kinds beside it in the same database do not show.
    assert_eq!(ids(people(), Some(30)), [31].map(id));
    assert_eq!(ids(EntityKind::ROUTES, Some(100)), [101].map(id));
    let children = |after: u128| -> Vec<Uuid> {
        let children = snapshot.children(badges(), "person", id(30), Some(id(after)));
        let children = children.expect("readable");
        children.collect::<Result<_, _>>().expect("sound")
    };
    assert_eq!(children(39), [40, 41].map(id));
    assert_eq!(children(40), [41].map(id));
    assert!(children(41).is_empty());
}

#[test]
fn a_listing_shows_every_kind_and_its_count() {
    let (_dir, _path, store) = crowded();
    let mut text = Vec::new();
    dump(&store.reader().expect("a snapshot"), &mut text).expect("sound records");
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("\"test_people\":2"), "{text}");
    let line = format!(
        "{{\"test_badges\":{{\"id\":\"{}\",\"person\":{{\"id\":\"{}\"}},\"label\":null,\
         \"route\":null,\"code\":\"a\",\"service\":null}}}}",
        id(40),
        id(30)
    );
    assert!(text.lines().any(|each| each == line), "{line} in {text}");
}

// -- what is refused, and what is not written ----------------------------------------------------

#[test]
fn what_did_not_change_is_not_written() {
    let (_dir, _path, store) = crowded();
    assert_eq!(apply(&store, &crowd()).records_changed, 0);
    let same = delta(&store, &upsert(crowd().entities));
    assert_eq!(same.records_changed, 0);
    let mut changed = crowd();
    changed.entities[2] = person(30, "grace");
    // The record; the old key and the new one.
    assert_eq!(apply(&store, &changed).records_changed, 3);
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused() {
    let (_dir, _path, store) = crowded();
    let with = |entities: Vec<Entity>| Config {
        entities: [crowd().entities, entities].concat(),
        ..crowd()
    };
    let cases = [
        (with(vec![person(30, "twin")]), "it is there twice"),
        (with(vec![person(50, "ada")]), "username ada is taken"),
        (with(vec![badge(50, 99, "z")]), "there is no person"),
    ];
    for (config, wanted) in cases {
        let refused = store.apply(&config, Source::default());
        let refused = refused.expect_err("it contradicts itself").to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
    assert_eq!(store.meta().expect("readable").version, 1);
}

#[test]
fn a_delta_that_contradicts_the_rest_is_refused() {
    let (_dir, _path, store) = crowded();
    let mut in_use = Delta::default();
    in_use.entities.delete = vec![(people(), id(30))];
    let cases = [
        (upsert(vec![person(50, "ada")]), "username ada is taken"),
        (upsert(vec![badge(50, 99, "z")]), "there is no person"),
        (
            upsert(vec![badge(50, 30, "y"), badge(50, 31, "z")]),
            "it is there twice",
        ),
        (in_use, "cannot go while test_badges"),
    ];
    for (delta, wanted) in cases {
        let refused = store.apply_delta(&delta, Source::default());
        let refused = refused.expect_err("it contradicts the rest").to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
    assert_eq!(store.meta().expect("readable").version, 1);
    store.verify_all().expect("sound");
}

// -- files that cannot be trusted ----------------------------------------------------------------

/// Scribbles on one record, and opens the store again.
fn scribbled(place: Place, key: &[u8], scribble: impl Fn(&mut Vec<u8>)) -> (TempDir, Store) {
    let (dir, path, store) = crowded();
    let snapshot = store.reader().expect("a snapshot");
    let value = snapshot.txn.get(place, key).expect("readable");
    let mut value = value.expect("there").to_vec();
    drop(snapshot);
    scribble(&mut value);
    store.write_raw(place, key, Some(&value));
    drop(store);
    (dir, open(&path))
}

fn assert_named(store: &Store, place: Place, kind: EntityKind, key: Uuid) {
    match store.verify_all() {
        Err(StoreError::Damaged(damaged)) => assert_eq!(
            (damaged.place, damaged.kind, damaged.key),
            (place, Some(kind), key),
            "{damaged}"
        ),
        other => panic!("{other:?}"),
    }
    assert_eq!(apply(store, &crowd()).version, 2);
    store.verify_all().expect("a full configuration mends it");
}

#[test]
fn a_damaged_entity_is_found_and_named() {
    let key = keys::entity(badges(), id(41));
    let (_dir, store) = scribbled(Place::Entities, &key, |value| value[20] ^= 1);
    let snapshot = store.reader().expect("a snapshot");
    let damaged = snapshot.entity(badges(), id(41));
    let text = damaged.expect_err("it was changed").to_string();
    assert!(text.contains("entities (test_badges)"), "{text}");
    assert!(snapshot.entity(badges(), id(40)).expect("sound").is_some());
    let listed = snapshot.each(badges()).expect("readable");
    let sound: Vec<_> = listed.map(|each| each.is_ok()).collect();
    assert_eq!(sound, [true, false, true]);
    drop(snapshot);
    let refused = store.apply_delta(&upsert(vec![badge(41, 30, "new")]), Source::default());
    assert!(
        matches!(refused, Err(StoreError::Damaged(_))),
        "{refused:?}"
    );
    assert_named(&store, Place::Entities, badges(), id(41));
}

#[test]
fn an_entity_under_the_key_of_another_is_found() {
    let key = keys::entity(badges(), id(41));
    let (_dir, path, store) = crowded();
    let snapshot = store.reader().expect("a snapshot");
    let other = keys::entity(badges(), id(40));
    let value = snapshot.txn.get(Place::Entities, &other).expect("readable");
    let value = value.expect("there").to_vec();
    drop(snapshot);
    store.write_raw(Place::Entities, &key, Some(&value));
    drop(store);
    assert_named(&open(&path), Place::Entities, badges(), id(41));
}

#[test]
fn a_lost_entity_is_found_by_the_count() {
    let (_dir, path, store) = crowded();
    store.write_raw(Place::Entities, &keys::entity(badges(), id(42)), None);
    drop(store);
    let refused = open(&path).verify_all();
    let text = refused.expect_err("one is missing").to_string();
    assert!(
        text.contains("(test_badges)") && text.contains("missing"),
        "{text}"
    );
}

#[test]
fn a_damaged_lookup_key_is_found_and_named() {
    let link = layout::unique_field(people(), "username").expect("unique");
    let key = keys::unique(link, b"ada");
    for at in [0, 15, 16, 23] {
        let (_dir, store) = scribbled(Place::Keys, &key, |value| value[at] ^= 1);
        let snapshot = store.reader().expect("a snapshot");
        assert!(snapshot.find(people(), "username", "ada").is_err());
        assert!(snapshot.find(people(), "username", "eve").is_ok());
        drop(snapshot);
        let named = keys::id(&key).expect("long enough");
        assert_named(&store, Place::Keys, people(), named);
    }
}

#[test]
fn a_damaged_child_is_found_and_named() {
    let link = layout::reference(badges(), "person").expect("a reference");
    let key = keys::child(link, id(30), id(41));
    let (_dir, store) = scribbled(Place::Children, &key, |value| value[0] ^= 1);
    let snapshot = store.reader().expect("a snapshot");
    let children = snapshot.children(badges(), "person", id(30), None);
    let sound: Vec<_> = children.expect("readable").map(|it| it.is_ok()).collect();
    assert_eq!(sound, [true, false]);
    drop(snapshot);
    assert_named(&store, Place::Children, badges(), id(41));
}

#[test]
fn a_file_with_other_fields_in_its_keys_is_set_aside() {
    let (_dir, path, store) = crowded();
    let mut encoder = record::Encoder::new();
    let kind = encoder.builder.create_string("test_badges");
    let args = fbs::KindCountArgs {
        kind: Some(kind),
        count: 3,
        layout: 7,
    };
    let count = fbs::KindCount::create(&mut encoder.builder, &args);
    let args = fbs::MetaArgs {
        format_version: FORMAT_VERSION,
        counts: Some(encoder.builder.create_vector(&[count])),
        ..Default::default()
    };
    let root = fbs::Meta::create(&mut encoder.builder, &args);
    store.write_raw(Place::Meta, keys::META, Some(encoder.seal(root)));
    drop(store);
    let refused = look(&path).expect_err("it cannot be read from outside either");
    assert!(refused.to_string().contains("test_badges"), "{refused}");
    let opened = Store::open(&path, &small()).expect("it opens all the same");
    let State::SetAside { reason, .. } = opened.state else {
        panic!("{:?}", opened.state)
    };
    assert!(reason.contains("another format of test_badges"), "{reason}");
}
