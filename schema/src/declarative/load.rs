//! The walk over a file: validation, nesting, generated ids, references, uniqueness.
//!
//! Two passes, as in Kong. The first validates every item and types it; any error ends there. The
//! second finds duplicates and resolves references over the typed entities.

use std::collections::{HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Config, Invalid, migrate};
use crate::entity::{Route, Service, Target, Upstream, route, service, target, upstream};
use crate::field::{Mode, Schema};

/// Namespace of the namespaces of generated ids.
const ID_NAMESPACE: Uuid = Uuid::from_u128(0xfd02801f_0957_4a15_a55a_c8d9606f30b5);
/// Versions of the format.
const VERSIONS: [&str; 3] = ["1.1", "2.1", VERSION];
/// The version that needs no migration.
pub(super) const VERSION: &str = "3.0";
/// Kinds that have no effect on a node's traffic: read over.
const IGNORED_KINDS: &[&str] = &["parameters", "clustering_data_planes"];
/// Kinds that Kong knows and this version has not built.
const UNBUILT_KINDS: &[&str] = &[
    "acls",
    "acme_storage",
    "basicauth_credentials",
    "ca_certificates",
    "certificates",
    "consumers",
    "filter_chains",
    "hmacauth_credentials",
    "jwt_secrets",
    "key_sets",
    "keyauth_credentials",
    "keys",
    "oauth2_authorization_codes",
    "oauth2_credentials",
    "oauth2_tokens",
    "plugins",
    "ratelimiting_metrics",
    "sessions",
    "snis",
    "vaults",
];

/// A kind of entity that this version has built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Services,
    Routes,
    Upstreams,
    Targets,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Services, Self::Routes, Self::Upstreams, Self::Targets];

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn schema(self) -> &'static Schema {
        match self {
            Self::Services => &service::SCHEMA,
            Self::Routes => &route::SCHEMA,
            Self::Upstreams => &upstream::SCHEMA,
            Self::Targets => &target::SCHEMA,
        }
    }

    fn name(self) -> &'static str {
        self.schema().name
    }

    /// Kinds whose items can stand inside an item of this kind, with the field that refers to it.
    fn nested(self) -> Option<(Self, &'static str)> {
        match self {
            Self::Services => Some((Self::Routes, "service")),
            Self::Upstreams => Some((Self::Targets, "upstream")),
            Self::Routes | Self::Targets => None,
        }
    }

    /// The same for kinds that are not built.
    fn nested_unbuilt(self) -> &'static [&'static str] {
        match self {
            Self::Services => &["plugins", "filter_chains", "oauth2_tokens"],
            Self::Routes => &["plugins", "filter_chains"],
            Self::Upstreams | Self::Targets => &[],
        }
    }

    /// Whether a key of an item of this kind is a list of items inside it.
    fn is_list_inside(self, key: &str) -> bool {
        self.nested().is_some_and(|(inner, _)| inner.name() == key)
            || self.nested_unbuilt().contains(&key)
    }

    /// Fields that refer to other entities, and their kinds; `None`: not built.
    fn references(self) -> &'static [(&'static str, Option<Self>)] {
        match self {
            Self::Services | Self::Upstreams => &[("client_certificate", None)],
            Self::Routes => &[("service", Some(Self::Services))],
            Self::Targets => &[("upstream", Some(Self::Upstreams))],
        }
    }
}

/// Where an item stands in the file.
#[derive(Clone, Copy)]
struct Place {
    kind: Kind,
    index: usize,
    /// Position of the enclosing item in [`Loader::places`].
    parent: Option<usize>,
}

/// The enclosing item of a nested one.
#[derive(Clone)]
pub(super) struct Parent {
    place: usize,
    id: Uuid,
    name: Option<String>,
    /// The field that refers to it.
    field: &'static str,
}

/// A reference as written.
#[derive(Clone)]
enum Reference {
    Text(String),
    Id(Uuid),
}

/// A reference that the second pass resolves.
struct Pending {
    /// Kind and position of the entity in its list.
    from: (Kind, usize),
    place: usize,
    field: &'static str,
    /// `None`: a kind that is not built.
    to: Option<Kind>,
    reference: Reference,
}

/// A reference to nothing.
struct Unresolved {
    from: (Kind, usize),
    place: usize,
    field: &'static str,
    text: String,
}

/// Validates a file and types its entities.
///
/// # Errors
/// The error tree of the pass that failed.
pub(super) fn load(file: Map<String, Value>) -> Result<Config, Invalid> {
    Loader::new().load(file)
}

/// The state of a walk.
pub(super) struct Loader {
    config: Config,
    /// Every item, in the order of the walk.
    places: Vec<Place>,
    /// Places of the entities in `config`, kind by kind.
    entities: [Vec<usize>; 4],
    pending: Vec<Pending>,
    /// Names and ids of items that are invalid: references to them are no errors of their own.
    faulty: HashSet<(Kind, String)>,
    errors: Map<String, Value>,
    namespaces: [Uuid; 4],
    now_ms: i64,
}

impl Loader {
    pub(super) fn new() -> Self {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            config: Config::default(),
            places: Vec::new(),
            entities: Default::default(),
            pending: Vec::new(),
            faulty: HashSet::new(),
            errors: Map::new(),
            namespaces: Kind::ALL.map(|kind| Uuid::new_v5(&ID_NAMESPACE, kind.name().as_bytes())),
            now_ms: i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// Walks a file, or what of it was not walked yet.
    pub(super) fn load(mut self, mut file: Map<String, Value>) -> Result<Config, Invalid> {
        self.check_version(&mut file);
        for (key, value) in file {
            self.section(key, value);
        }
        self.finish()
    }

    /// Ends the first pass and runs the second.
    pub(super) fn finish(mut self) -> Result<Config, Invalid> {
        self.report_unresolved_beside_errors();
        self.end_pass()?;
        self.find_duplicates();
        self.end_pass()?;
        self.resolve_references();
        self.end_pass()?;
        Ok(self.config)
    }

    fn end_pass(&mut self) -> Result<(), Invalid> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Invalid {
            fields: std::mem::take(&mut self.errors),
        })
    }

    /// Takes `_format_version` out and migrates older files.
    fn check_version(&mut self, file: &mut Map<String, Value>) {
        let problem = match file.remove("_format_version") {
            Some(Value::String(version)) if VERSIONS.contains(&version.as_str()) => {
                if version != VERSION {
                    migrate::migrate(file);
                }
                return;
            }
            Some(Value::String(_)) => "expected one of: 1.1, 2.1, 3.0",
            None | Some(Value::Null) => crate::field::REQUIRED,
            Some(_) => "expected a string",
        };
        self.errors.insert("_format_version".into(), problem.into());
    }

    /// One top-level key.
    pub(super) fn section(&mut self, key: String, value: Value) {
        if let Some(kind) = Kind::of_name(&key) {
            return self.items(kind, value, None);
        }
        let problem = match (key.as_str(), &value) {
            (_, Value::Null) if is_known(&key) => return,
            ("_transform", Value::Bool(_)) | ("_comment", Value::String(_)) => return,
            ("_ignore", Value::Array(_)) => return,
            ("_transform", _) => "expected a boolean".to_owned(),
            ("_comment", _) => "expected a string".to_owned(),
            (name, _) if !is_known(name) => "unknown field".to_owned(),
            (name, value) => match unbuilt_problem(name, value) {
                Some(problem) => problem,
                None => return,
            },
        };
        self.errors.insert(key, problem.into());
    }

    /// The items of a list, at the top or inside another item.
    fn items(&mut self, kind: Kind, list: Value, parent: Option<&Parent>) {
        let list = match list {
            Value::Null => return,
            Value::Array(list) => list,
            Value::Object(map) if map.is_empty() => return,
            _ => {
                let problem = Value::from("expected an array");
                match parent {
                    None => drop(self.errors.insert(kind.name().into(), problem)),
                    Some(parent) => self.report(parent.place, field_error(kind.name(), problem)),
                }
                return;
            }
        };
        for (index, item) in list.into_iter().enumerate() {
            self.list_item(kind, index, item, parent);
        }
    }

    /// One item of a list.
    pub(super) fn list_item(
        &mut self,
        kind: Kind,
        index: usize,
        item: Value,
        parent: Option<&Parent>,
    ) {
        let place = self.places.len();
        self.places.push(Place {
            kind,
            index,
            parent: parent.map(|parent| parent.place),
        });
        match item {
            Value::Object(object) => self.item(kind, object, place, parent),
            Value::Array(list) if list.is_empty() => self.item(kind, Map::new(), place, parent),
            _ => self.report(place, "expected a record".into()),
        }
    }

    fn item(
        &mut self,
        kind: Kind,
        mut object: Map<String, Value>,
        place: usize,
        parent: Option<&Parent>,
    ) {
        let is_list = |key: &String| kind.is_list_inside(key);
        let nested = if object.keys().any(is_list) {
            self.refuse_unbuilt(kind, &mut object, place);
            kind.nested()
                .and_then(|(inner, field)| Some((inner, field, object.swap_remove(inner.name())?)))
        } else {
            None
        };
        self.check_parent_reference(&object, place, parent);
        let references = take_references(kind, &mut object, parent);
        let id = self.id_of(kind, &object, &references, parent);
        let name = object
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if let Some((inner, field, list)) = nested {
            let parent = Parent {
                place,
                id,
                name: name.clone(),
                field,
            };
            self.items(inner, list, Some(&parent));
        }
        let implied = parent.map(|parent| parent.field);
        match kind.schema().validate(object, Mode::Declarative(implied)) {
            Ok(row) => {
                self.put_references(kind, place, references);
                self.put(kind, row, id, place, parent);
            }
            Err(errors) => {
                let key = name.into_iter().chain([id.to_string()]);
                self.faulty.extend(key.map(|key| (kind, key)));
                self.put_references(kind, place, references);
                self.report(place, Value::Object(errors));
            }
        }
    }

    /// Lists of kinds that are not built, inside an item.
    fn refuse_unbuilt(&mut self, kind: Kind, object: &mut Map<String, Value>, place: usize) {
        for name in kind.nested_unbuilt() {
            let Some(value) = object.swap_remove(*name) else {
                continue;
            };
            if let Some(problem) = unbuilt_problem(name, &value) {
                self.report(place, field_error(name, problem.into()));
            }
        }
    }

    /// A nested item may name its parent again, and nothing else.
    fn check_parent_reference(
        &mut self,
        object: &Map<String, Value>,
        place: usize,
        parent: Option<&Parent>,
    ) {
        let Some(parent) = parent else { return };
        let same = match object.get(parent.field) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => parent.is(text),
            Some(value) => value["id"].as_str().is_some_and(|id| parent.is_id(id)),
        };
        if !same {
            self.report(
                place,
                field_error(parent.field, "value must be null".into()),
            );
        }
    }

    /// The id that is written, else the one Kong generates, else a random one.
    fn id_of(
        &self,
        kind: Kind,
        object: &Map<String, Value>,
        references: &[(&'static str, Option<Kind>, Reference)],
        parent: Option<&Parent>,
    ) -> Uuid {
        let text = |field: &str| object.get(field).and_then(Value::as_str);
        if let Some(id) = text("id").and_then(|id| Uuid::try_parse(id).ok()) {
            return id;
        }
        let namespace = &self.namespaces[kind as usize];
        let generated = match kind {
            Kind::Targets => text("target").and_then(|target| {
                let upstream = match (parent, references.first()) {
                    (Some(parent), _) => parent.id.to_string(),
                    (None, Some((_, _, Reference::Text(text)))) => text.clone(),
                    (None, Some((_, _, Reference::Id(id)))) => id.to_string(),
                    (None, None) => return None,
                };
                Some(format!("targets:*:{upstream}:{target}"))
            }),
            _ => None,
        };
        match generated
            .as_deref()
            .or_else(|| text("name").filter(|_| kind != Kind::Targets))
        {
            Some(name) => Uuid::new_v5(namespace, name.as_bytes()),
            None => Uuid::new_v4(),
        }
    }

    fn put_references(
        &mut self,
        kind: Kind,
        place: usize,
        references: Vec<(&'static str, Option<Kind>, Reference)>,
    ) {
        let position = self.entities[kind as usize].len();
        for (field, to, reference) in references {
            let from = (kind, position);
            self.pending.push(Pending {
                from,
                place,
                field,
                to,
                reference,
            });
        }
    }

    fn put(
        &mut self,
        kind: Kind,
        row: crate::field::Row,
        id: Uuid,
        place: usize,
        parent: Option<&Parent>,
    ) {
        let now = self.now_ms / 1000;
        self.entities[kind as usize].push(place);
        match kind {
            Kind::Services => self.config.services.push(Service::from_row(row, id, now)),
            Kind::Upstreams => self.config.upstreams.push(Upstream::from_row(row, id, now)),
            Kind::Routes => {
                let mut route = Route::from_row(row, id, now);
                route.service = parent.map(|parent| parent.id);
                self.config.routes.push(route);
            }
            Kind::Targets => {
                let upstream = parent.map_or(Uuid::nil(), |parent| parent.id);
                self.config
                    .targets
                    .push(Target::from_row(row, id, upstream, self.now_ms));
            }
        }
    }

    /// Writes an error at an item's place in the tree; trees at the same place are united.
    fn report(&mut self, place: usize, error: Value) {
        let slot = slot(&mut self.errors, &self.places, place);
        match (slot, error) {
            (Value::Object(there), Value::Object(more)) => there.extend(more),
            (slot, error) => *slot = error,
        }
    }

    /// In a file with other errors Kong reports an unresolvable reference by its missing key.
    fn report_unresolved_beside_errors(&mut self) {
        if self.errors.is_empty() {
            return;
        }
        let index = Index::of(&self.config);
        let unresolved: Vec<(usize, &'static str)> = self
            .pending
            .iter()
            .filter(|pending| index.find(pending).is_none() && !self.is_faulty(pending))
            .map(|pending| (pending.place, pending.field))
            .collect();
        for (place, field) in unresolved {
            self.report(
                place,
                field_error(field, json!({ "id": "missing primary key" })),
            );
        }
    }

    fn is_faulty(&self, pending: &Pending) -> bool {
        pending
            .to
            .is_some_and(|kind| self.faulty.contains(&(kind, pending.reference.text())))
    }

    fn find_duplicates(&mut self) {
        for kind in Kind::ALL {
            let mut found: Vec<(usize, String)> = Vec::new();
            let entities = self.entities[kind as usize].len();
            let mut names = HashSet::with_capacity(entities);
            let mut ids = HashSet::with_capacity(entities);
            for (position, (id, name)) in keys_of(&self.config, kind).enumerate() {
                let problem = match name.filter(|name| !names.insert(*name)) {
                    Some(name) => format!("name set to '{name}'"),
                    None if ids.insert(id) => continue,
                    None => format!("primary key set to '{id}'"),
                };
                let kind = kind.name();
                let text = format!(
                    "uniqueness violation: '{kind}' entity with {problem} already declared"
                );
                found.push((position, text));
            }
            for (position, text) in found {
                let place = self.entities[kind as usize][position];
                self.report(place, text.into());
            }
        }
    }

    fn resolve_references(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let index = Index::of(&self.config);
        let mut resolved = Vec::with_capacity(self.pending.len());
        let mut unresolved = Vec::new();
        for pending in &self.pending {
            match index.find(pending) {
                Some(id) => resolved.push((pending.from, id)),
                None => unresolved.push(pending.unresolved()),
            }
        }
        drop(index);
        for ((kind, position), id) in resolved {
            match kind {
                Kind::Routes => self.config.routes[position].service = Some(id),
                Kind::Targets => self.config.targets[position].upstream = id,
                Kind::Services | Kind::Upstreams => {}
            }
        }
        self.report_unresolved(&unresolved);
    }

    /// Kong keys such errors by the item's name; where one has none, all go to their positions.
    fn report_unresolved(&mut self, unresolved: &[Unresolved]) {
        for kind in Kind::ALL {
            let of_kind = unresolved.iter().filter(|error| error.from.0 == kind);
            let names: Option<Vec<String>> = of_kind
                .clone()
                .map(|error| name_of(&self.config, kind, error.from.1))
                .collect();
            let Some(names) = names else {
                for error in of_kind {
                    self.report(error.place, field_error(error.field, (&*error.text).into()));
                }
                continue;
            };
            let mut by_name: Map<String, Value> = Map::new();
            for (name, error) in names.into_iter().zip(of_kind) {
                let list = by_name.entry(name).or_insert_with(|| json!([]));
                list.as_array_mut()
                    .expect("made a list")
                    .push((&*error.text).into());
            }
            if !by_name.is_empty() {
                self.errors
                    .insert(kind.name().into(), Value::Object(by_name));
            }
        }
    }
}

impl Parent {
    fn is(&self, text: &str) -> bool {
        self.name.as_deref() == Some(text) || self.is_id(text)
    }

    fn is_id(&self, text: &str) -> bool {
        Uuid::try_parse(text).is_ok_and(|id| id == self.id)
    }
}

impl Reference {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Id(id) => id.to_string(),
        }
    }
}

impl Pending {
    /// Kong's text for a reference to nothing.
    fn unresolved(&self) -> Unresolved {
        let (field, value) = (self.field, self.reference.text());
        let kind = self.to.map_or("certificates", Kind::name);
        let text = format!("invalid reference '{field}: {value}' (no such entry in '{kind}')");
        Unresolved {
            from: self.from,
            place: self.place,
            field,
            text,
        }
    }
}

/// Services and upstreams by name and by id.
struct Index<'a> {
    names: HashMap<(Kind, &'a str), Uuid>,
    ids: HashSet<(Kind, Uuid)>,
}

impl<'a> Index<'a> {
    fn of(config: &'a Config) -> Self {
        let mut index = Self {
            names: HashMap::new(),
            ids: HashSet::new(),
        };
        for kind in [Kind::Services, Kind::Upstreams] {
            for (id, name) in keys_of(config, kind) {
                index.ids.insert((kind, id));
                if let Some(name) = name {
                    index.names.insert((kind, name), id);
                }
            }
        }
        index
    }

    /// By name first, then by id.
    fn find(&self, pending: &Pending) -> Option<Uuid> {
        let kind = pending.to?;
        let id = match &pending.reference {
            Reference::Id(id) => *id,
            Reference::Text(text) => match self.names.get(&(kind, text.as_str())) {
                Some(id) => return Some(*id),
                None => Uuid::try_parse(text).ok()?,
            },
        };
        self.ids.contains(&(kind, id)).then_some(id)
    }
}

/// Id and unique name of each entity of a kind, in order.
fn keys_of(config: &Config, kind: Kind) -> Box<dyn Iterator<Item = (Uuid, Option<&str>)> + '_> {
    match kind {
        Kind::Services => Box::new(config.services.iter().map(|e| (e.id, e.name.as_deref()))),
        Kind::Routes => Box::new(config.routes.iter().map(|e| (e.id, e.name.as_deref()))),
        Kind::Upstreams => Box::new(config.upstreams.iter().map(|e| (e.id, Some(&*e.name)))),
        Kind::Targets => Box::new(config.targets.iter().map(|e| (e.id, None))),
    }
}

fn name_of(config: &Config, kind: Kind, position: usize) -> Option<String> {
    match kind {
        Kind::Services => config.services[position].name.clone(),
        Kind::Routes => config.routes[position].name.clone(),
        Kind::Upstreams => Some(config.upstreams[position].name.clone()),
        Kind::Targets => None,
    }
}

/// Moves the references out of an item that have the form of one; others stay for the validation.
/// The reference to an enclosing item is implied and only dropped.
fn take_references(
    kind: Kind,
    object: &mut Map<String, Value>,
    parent: Option<&Parent>,
) -> Vec<(&'static str, Option<Kind>, Reference)> {
    let mut taken = Vec::new();
    for (field, to) in kind.references() {
        let reference = match object.get(*field) {
            Some(Value::String(text)) if !text.is_empty() => Reference::Text(text.clone()),
            Some(Value::Object(map)) => match map.get("id").and_then(Value::as_str) {
                Some(id) if Uuid::try_parse(id).is_ok() => {
                    Reference::Id(Uuid::try_parse(id).unwrap_or_default())
                }
                _ => continue,
            },
            _ => continue,
        };
        if parent.is_some_and(|parent| parent.field == *field) {
            object.swap_remove(*field);
            continue;
        }
        taken.push((*field, *to, reference));
    }
    taken
}

fn is_known(key: &str) -> bool {
    matches!(key, "_transform" | "_comment" | "_ignore" | "workspaces")
        || IGNORED_KINDS.contains(&key)
        || UNBUILT_KINDS.contains(&key)
}

/// What is wrong with a list of a kind that is not built; nothing if it is empty or has no effect.
fn unbuilt_problem(kind: &str, value: &Value) -> Option<String> {
    let list = match value {
        Value::Null => return None,
        Value::Object(map) if map.is_empty() => return None,
        Value::Array(list) => list,
        _ => return Some("expected an array".into()),
    };
    let default_only = || list.iter().all(|workspace| workspace["name"] == "default");
    if list.is_empty() || IGNORED_KINDS.contains(&kind) || (kind == "workspaces" && default_only())
    {
        return None;
    }
    Some(format!(
        "this version does not support {kind} yet; nothing was loaded"
    ))
}

fn field_error(field: &str, error: Value) -> Value {
    Value::Object([(field.to_owned(), error)].into_iter().collect())
}

/// The slot of an item in the error tree, made with all that leads to it.
fn slot<'a>(errors: &'a mut Map<String, Value>, places: &[Place], place: usize) -> &'a mut Value {
    let Place {
        kind,
        index,
        parent,
    } = places[place];
    let fields = match parent {
        None => errors,
        Some(parent) => {
            let outer = slot(errors, places, parent);
            if !outer.is_object() {
                *outer = Value::Object(Map::new());
            }
            outer.as_object_mut().expect("made an object")
        }
    };
    let list = fields
        .entry(kind.name())
        .or_insert_with(|| Value::Array(Vec::new()));
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let list = list.as_array_mut().expect("made a list");
    if list.len() <= index {
        list.resize(index + 1, Value::Null);
    }
    &mut list[index]
}
