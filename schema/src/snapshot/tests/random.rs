//! Any configuration, by delta and as a whole, with entities of every kind of the registry.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::snapshot::encode::Encode;
use crate::snapshot::layout;

type Contents = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// Every record but the label and the router, whose segments depend on their history.
fn contents(store: &Store) -> Contents {
    let snapshot = store.reader().expect("a snapshot");
    let places = Place::ALL.into_iter();
    let places = places.filter(|place| !matches!(place, Place::Meta | Place::Router));
    let mut contents = Contents::new();
    for place in places {
        for record in snapshot.txn.scan(place, &[]).expect("readable") {
            let (key, value) = record.expect("readable");
            contents.insert((place.name(), key.to_vec()), value.to_vec());
        }
    }
    contents
}

/// Pieces of a random entity: which one, and what its fields say.
type Seed = (u8, u8, u64);

fn generic_id(kind: EntityKind, seed: Seed) -> Uuid {
    id(u128::from(seed.0) + ((kind.index() as u128) << 32))
}

/// An entity of any kind without a type of its own. Unique texts carry the id's number, so that
/// they meet only between versions of an entity or, by `seed.2`, are null.
fn random_entity(
    kind: EntityKind,
    seed: Seed,
    parents: &BTreeMap<EntityKind, Vec<Uuid>>,
) -> Entity {
    let id = generic_id(kind, seed);
    let mut fields = Map::new();
    let mut references = Vec::new();
    for (at, field) in layout::schema(kind).fields.iter().enumerate() {
        let bits = seed.2 >> (at % 60);
        if layout::unique_field(kind, field.name).is_some() {
            let text = format!("{}\"é{}", seed.0, bits % 2);
            let text = (!bits.is_multiple_of(4)).then_some(text);
            fields.insert(field.name.into(), text.into());
        } else if let Some(link) = layout::reference(kind, field.name) {
            let parents = link.parent.and_then(|parent| parents.get(&parent));
            let parents = parents.map_or(&[][..], Vec::as_slice);
            let chosen = parents.get(usize::try_from(bits % 7).expect("small"));
            let needed = parents.first().filter(|_| field.required);
            references.extend(chosen.or(needed).map(|parent| (link.field, *parent)));
        } else if field.name == "id" {
            fields.insert("id".into(), id.to_string().into());
        } else {
            fields.insert(
                field.name.into(),
                json!({ "nested": [bits % 5, 1.5, null] }),
            );
        }
    }
    Entity {
        kind,
        id,
        references,
        json: Value::Object(fields).to_string().into(),
    }
}

/// A configuration in which all references hold.
fn random_config(seeds: &[(prop::sample::Index, Seed)]) -> Config {
    let kinds: Vec<_> = EntityKind::all().collect();
    let mut chosen: BTreeMap<EntityKind, BTreeMap<u8, Seed>> = BTreeMap::new();
    for (kind, seed) in seeds {
        let seeds = chosen.entry(*kind.get(&kinds)).or_default();
        // Few of each kind, so that two configurations have many in common.
        let number = seed.0 % 16;
        seeds.insert(number, (number, seed.1, seed.2));
    }
    let mut config = Config {
        services: vec![service(1)],
        upstreams: vec![upstream(10, "u.test")],
        // So that the content's own hash is the configuration's.
        hash: String::new(),
        ..Config::default()
    };
    let mut parents: BTreeMap<EntityKind, Vec<Uuid>> = BTreeMap::new();
    parents.insert(EntityKind::SERVICES, vec![id(1)]);
    parents.insert(EntityKind::UPSTREAMS, vec![id(10)]);
    // The registry's order: what is referred to comes first.
    for (kind, seeds) in chosen {
        for seed in seeds.into_values() {
            let id = place_random(&mut config, kind, seed, &parents);
            parents.entry(kind).or_default().push(id);
        }
    }
    config
}

/// Adds an entity; its id.
fn place_random(
    config: &mut Config,
    kind: EntityKind,
    seed: Seed,
    parents: &BTreeMap<EntityKind, Vec<Uuid>>,
) -> Uuid {
    let number = u128::from(seed.0);
    let parent = |kind| parents[&kind][usize::from(seed.1) % parents[&kind].len()];
    match kind {
        EntityKind::SERVICES => config.services.push(Service {
            name: Some(format!("s{number}-{}", seed.1 % 2)),
            enabled: !seed.2.is_multiple_of(3),
            ..service(1000 + number)
        }),
        EntityKind::ROUTES => config.routes.push(Route {
            name: (!seed.1.is_multiple_of(3)).then(|| format!("r{number}-{}", seed.1 % 2)),
            service: (!seed.2.is_multiple_of(4)).then(|| parent(EntityKind::SERVICES)),
            ..route(2000 + number)
        }),
        EntityKind::UPSTREAMS => {
            let name = format!("n{number}-{}", seed.1 % 2);
            config.upstreams.push(upstream(3000 + number, &name));
        }
        EntityKind::TARGETS => config.targets.push(Target {
            upstream: parent(EntityKind::UPSTREAMS),
            ..target(4000 + number, 10, (seed.2 % 9).cast_signed())
        }),
        _ => config.entities.push(random_entity(kind, seed, parents)),
    }
    match kind {
        EntityKind::SERVICES => id(1000 + number),
        EntityKind::ROUTES => id(2000 + number),
        EntityKind::UPSTREAMS => id(3000 + number),
        EntityKind::TARGETS => id(4000 + number),
        _ => generic_id(kind, seed),
    }
}

/// Changes from one list of entities to another.
fn changes<E: Encode + Clone + PartialEq>(
    from: &[E],
    to: &[E],
) -> (Vec<E>, Vec<(EntityKind, Uuid)>) {
    let key = |entity: &E| (entity.kind(), entity.id());
    let is_in = |list: &[E], entity: &E| list.iter().any(|it| key(it) == key(entity));
    let upsert = to.iter().filter(|entity| !from.contains(entity));
    let delete = from.iter().filter(|entity| !is_in(to, entity));
    (upsert.cloned().collect(), delete.map(key).collect())
}

fn typed<E: Encode + Clone + PartialEq>(from: &[E], to: &[E]) -> Changes<E> {
    let (upsert, delete) = changes(from, to);
    let delete = delete.into_iter().map(|(_, id)| id).collect();
    Changes { upsert, delete }
}

fn difference(from: &Config, to: &Config) -> Delta {
    let (upsert, delete) = changes(&from.entities, &to.entities);
    Delta {
        services: typed(&from.services, &to.services),
        routes: typed(&from.routes, &to.routes),
        upstreams: typed(&from.upstreams, &to.upstreams),
        targets: typed(&from.targets, &to.targets),
        entities: EntityChanges { upsert, delete },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn deltas_and_full_configurations_leave_the_same_store(
        first in prop::collection::vec(any::<(prop::sample::Index, Seed)>(), 0..60),
        second in prop::collection::vec(any::<(prop::sample::Index, Seed)>(), 0..60),
    ) {
        let (first, second) = (random_config(&first), random_config(&second));
        let (_dirs, stores): (Vec<_>, Vec<_>) = (0..3)
            .map(|_| { let (dir, path) = scratch(); (dir, open(&path)) })
            .unzip();
        apply(&stores[0], &first);
        let by_delta = stores[0]
            .apply_delta(&difference(&first, &second), Source::default())
            .expect("a sound delta");
        apply(&stores[1], &first);
        let over_another = apply(&stores[1], &second);
        let to_nothing = apply(&stores[2], &second);
        for (store, applied) in stores.iter().zip([by_delta, over_another, to_nothing.clone()]) {
            prop_assert_eq!(contents(store), contents(&stores[2]));
            prop_assert_eq!(applied.config_hash, to_nothing.config_hash.clone());
            prop_assert_eq!(
                store.meta().expect("readable").counts,
                stores[2].meta().expect("readable").counts
            );
            store.verify_all().expect("sound");
        }
    }

    #[test]
    fn every_entity_reads_back_as_it_is_shown(
        seeds in prop::collection::vec(any::<(prop::sample::Index, Seed)>(), 0..80),
    ) {
        let config = random_config(&seeds);
        let (_dir, path) = scratch();
        let store = open(&path);
        apply(&store, &config);
        let snapshot = store.reader().expect("a snapshot");
        let mut wanted: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for entity in &config.entities {
            let json = entity.to_json(layout::schema(entity.kind));
            wanted.entry(entity.kind).or_default().insert(entity.id, json);
        }
        for route in &config.routes {
            let json = route.to_json().as_object().cloned().expect("an object");
            wanted.entry(EntityKind::ROUTES).or_default().insert(route.id, json);
        }
        let typed = [EntityKind::SERVICES, EntityKind::UPSTREAMS, EntityKind::TARGETS];
        for kind in EntityKind::all().filter(|kind| !typed.contains(kind)) {
            let wanted = wanted.remove(&kind).unwrap_or_default();
            let found: Vec<_> = snapshot.each(kind).expect("readable").map(Result::unwrap).collect();
            prop_assert_eq!(found, wanted.values().cloned().collect::<Vec<_>>());
            let ids: Vec<_> = snapshot.ids(kind, None).expect("readable").map(Result::unwrap).collect();
            prop_assert_eq!(&ids, &wanted.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(snapshot.count(kind), ids.len() as u64);
            for (id, json) in wanted {
                prop_assert_eq!(snapshot.entity(kind, id).expect("sound"), Some(json));
            }
        }
        for entity in &config.entities {
            for link in layout::unique(entity.kind) {
                if let Some(text) = entity.unique(link.field) {
                    let found = snapshot.find(entity.kind, link.field, &text).expect("sound");
                    prop_assert_eq!(found, Some(entity.id), "{:?} {}", link, text);
                }
            }
        }
    }
}
