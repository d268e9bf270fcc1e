//! The walk over a file: every item of every kind, at the top or inside others, is validated and
//! becomes an entity.
//!
//! Two passes, as in Kong. The first is the walk; any error ends there. The second
//! ([`super::resolve`]) finds duplicates and resolves references. Items go through one by one, so
//! that the file need not stand in memory as a tree.
//!
//! Duplicates are looked for in the order of the file, where Kong goes by the order of kinds: the
//! same files are refused, but the error may name the other one of two.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fault::{Faults, Place, PlaceIndex};
use super::identity::{self, Scope};
use super::plan::{self, IGNORED_KINDS, KindPlan, Plan, Reference};
use super::warning::Warnings;
use super::{Config, Options, Progress, migrate, row};
use crate::entity::{Entity, EntityKind, Route, Service, Target, Upstream};
use crate::field::{Context, Errors, Mode, REQUIRED, Row, Rules};

/// Versions of the format.
const VERSIONS: [&str; 3] = ["1.1", "2.1", VERSION];
/// The version that needs no migration.
pub(super) const VERSION: &str = "3.0";
/// Items between two reports of progress.
pub const PROGRESS_ENTITIES: u64 = 10_000;
/// Items of a file: their positions are counted in 32 bits.
const ITEMS_MAX: u32 = u32::MAX;

/// The enclosing item of a nested one.
#[derive(Clone)]
pub(super) struct Parent {
    place: PlaceIndex,
    id: Uuid,
    /// Whether its id is random.
    is_random: bool,
    key: Option<String>,
    /// The field that refers to it.
    field: &'static str,
}

/// A reference as written.
#[derive(Clone)]
pub(super) enum Written {
    Text(Box<str>),
    Id(Uuid),
}

/// A reference that the second pass resolves.
pub(super) struct Pending {
    pub(super) place: PlaceIndex,
    /// Kind and position of the entity in its list.
    pub(super) from: (EntityKind, u32),
    pub(super) to: Reference,
    pub(super) written: Written,
}

/// Two items that must not both be there.
pub(super) struct Duplicate {
    pub(super) place: PlaceIndex,
    /// What is the same: `name set to 'x'`.
    pub(super) what: String,
    /// Whether it is the endpoint key or the id, which are looked at before references.
    pub(super) is_key: bool,
    /// What names the item in the error tree.
    pub(super) key: Option<String>,
}

/// The state of a walk.
pub(super) struct Loader<'a> {
    pub(super) plan: &'a Plan,
    options: &'a Options<'a>,
    pub(super) faults: Faults,
    /// The typed kinds, and at the end all.
    pub(super) config: Config,
    /// Entities of the other kinds, by kind.
    pub(super) others: Vec<Vec<Entity>>,
    /// Places of the entities, by kind, in their order.
    pub(super) positions: Vec<Vec<PlaceIndex>>,
    pub(super) pending: Vec<Pending>,
    /// Unique endpoint keys with the ids, by kind; those of invalid items too, since a reference to
    /// them is no error of its own.
    pub(super) keys: Vec<HashMap<Box<str>, Uuid>>,
    pub(super) ids: Vec<HashSet<Uuid>>,
    /// Values of other unique fields.
    values: HashSet<(EntityKind, &'static str, Box<str>)>,
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) transform: bool,
    pub(super) warnings: Warnings,
    next_report: u64,
}

impl<'a> Loader<'a> {
    pub(super) fn new(plan: &'a Plan, options: &'a Options<'a>) -> Self {
        let kinds = plan.kinds().count();
        Self {
            plan,
            options,
            faults: Faults::default(),
            config: Config::default(),
            others: std::iter::repeat_with(Vec::new).take(kinds).collect(),
            positions: vec![Vec::new(); kinds],
            pending: Vec::new(),
            keys: vec![HashMap::new(); kinds],
            ids: vec![HashSet::new(); kinds],
            values: HashSet::new(),
            duplicates: Vec::new(),
            transform: true,
            warnings: Warnings::default(),
            next_report: PROGRESS_ENTITIES,
        }
    }

    /// Walks a file, or what of it was not walked yet.
    pub(super) fn load(mut self, mut file: Map<String, Value>) -> Result<Config, Box<Faults>> {
        self.check_version(&mut file);
        for (key, value) in file {
            self.section(key, value);
        }
        self.finish()
    }

    /// Says how far the reading is, now and then.
    pub(super) fn report_progress(&mut self, bytes_read: usize, bytes_total: usize) {
        let entities = self.faults.places.len() as u64;
        if entities < self.next_report {
            return;
        }
        self.next_report = entities + PROGRESS_ENTITIES;
        if let Some(report) = self.options.progress {
            report(Progress {
                bytes_read: bytes_read.min(bytes_total) as u64,
                bytes_total: bytes_total as u64,
                entities,
            });
        }
    }

    fn rules(&self) -> &'a Rules {
        &self.options.rules
    }

    /// Takes `_format_version` out and migrates older files.
    fn check_version(&mut self, file: &mut Map<String, Value>) {
        let problem = match file.shift_remove("_format_version") {
            Some(Value::String(version)) if VERSIONS.contains(&version.as_str()) => {
                if version != VERSION {
                    migrate::migrate(file);
                }
                return;
            }
            Some(Value::String(_)) => "expected one of: 1.1, 2.1, 3.0",
            None | Some(Value::Null) => REQUIRED,
            Some(_) => "expected a string",
        };
        let sections = &mut self.faults.sections;
        sections.insert("_format_version".into(), problem.into());
    }

    /// One top-level key.
    pub(super) fn section(&mut self, key: String, value: Value) {
        if let Some(kind) = plan::kind_of(&key) {
            return self.items(kind, value, None);
        }
        let problem = match (key.as_str(), &value) {
            ("_transform" | "_comment" | "_ignore" | "workspaces", Value::Null) => return,
            ("_transform", Value::Bool(transform)) => return self.transform = *transform,
            ("_comment", Value::String(_)) | ("_ignore", Value::Array(_)) => return,
            ("_transform", _) => "expected a boolean",
            ("_comment", _) => "expected a string",
            ("_ignore", _) => "expected an array",
            ("workspaces", Value::Array(list)) if list.iter().all(|w| w["name"] == "default") => {
                return;
            }
            ("workspaces", Value::Array(_)) => {
                "there is one workspace, 'default'; leave the others out"
            }
            (name, value) if IGNORED_KINDS.contains(&name) => match value {
                Value::Null | Value::Array(_) => return,
                Value::Object(map) if map.is_empty() => return,
                _ => "expected an array",
            },
            _ => "unknown field",
        };
        self.faults.sections.insert(key, problem.into());
    }

    /// The items of a list, at the top or inside another item.
    fn items(&mut self, kind: EntityKind, list: Value, parent: Option<&Parent>) {
        let list = match list {
            Value::Null => return,
            Value::Array(list) => list,
            Value::Object(map) if map.is_empty() => return,
            _ => {
                let problem = Value::from("expected an array");
                match parent {
                    None => drop(self.faults.sections.insert(kind.name().into(), problem)),
                    Some(parent) => self.faults.add_field(parent.place, kind.name(), problem),
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
        kind: EntityKind,
        index: usize,
        item: Value,
        parent: Option<&Parent>,
    ) {
        let (Ok(place), Ok(index)) = (
            PlaceIndex::try_from(self.faults.places.len()),
            u32::try_from(index),
        ) else {
            let problem = format!("more than {ITEMS_MAX} items");
            let sections = &mut self.faults.sections;
            sections.insert(kind.name().into(), problem.into());
            return;
        };
        self.faults.places.push(Place {
            kind,
            index,
            parent: parent.map(|parent| parent.place),
        });
        match item {
            Value::Object(object) => self.item(kind, object, place, parent),
            Value::Array(list) if list.is_empty() => self.item(kind, Map::new(), place, parent),
            _ => self.faults.add(place, "expected a record".into()),
        }
    }

    fn item(
        &mut self,
        kind: EntityKind,
        mut object: Map<String, Value>,
        place: PlaceIndex,
        parent: Option<&Parent>,
    ) {
        let plan = self.plan.of(kind);
        let nested = take_nested(plan, &mut object);
        let fixed = identity::id_of(plan, &object, parent.map(Parent::scope));
        let id = fixed.unwrap_or_else(Uuid::new_v4);
        let references = self.take_references(plan, &mut object, place, parent);
        self.remember(plan, &object, id, place);
        let key = plan.unique_key.and_then(|key| text_of(&object, key));
        for (child, field, list) in nested {
            let parent = Parent {
                place,
                id,
                is_random: fixed.is_none(),
                key: key.map(str::to_owned),
                field,
            };
            self.items(child, list, Some(&parent));
        }
        let ttl = match take_ttl(plan, &mut object) {
            Ok(ttl) => ttl,
            Err(problem) => return self.faults.add_field(place, "ttl", problem.into()),
        };
        let inline = inline_errors(plan, self.plan, &object, self.rules());
        let context = Context {
            mode: Mode::Declarative(parent.map(|parent| parent.field)),
            rules: self.rules(),
        };
        let position = self.positions[kind.index()].len();
        for (to, written) in references {
            let position = u32::try_from(position).expect("fewer entities than places");
            self.pending.push(Pending {
                place,
                from: (kind, position),
                to,
                written,
            });
        }
        match plan.schema.validate(object, context) {
            Ok(valid) => self.put(plan, valid, id, place, parent, ttl),
            Err(mut errors) => {
                for (field, error) in inline {
                    errors.insert(field.to_owned(), error);
                }
                self.faults.add(place, Value::Object(errors));
            }
        }
    }

    /// Moves the reference to the enclosing item out and takes down the others that have the form
    /// of one; what has not stays for the validation.
    fn take_references(
        &mut self,
        plan: &KindPlan,
        object: &mut Map<String, Value>,
        place: PlaceIndex,
        parent: Option<&Parent>,
    ) -> Vec<(Reference, Written)> {
        let mut taken = Vec::new();
        for to in &plan.references {
            let Some(value) = object.get(to.field).filter(|value| !value.is_null()) else {
                continue;
            };
            let Some(parent) = parent else {
                taken.extend(Written::of(value).map(|written| (*to, written)));
                continue;
            };
            if to.field != parent.field || !parent.is(value) {
                let problem = "value must be null".into();
                self.faults.add_field(place, to.field, problem);
            }
            object.swap_remove(to.field);
        }
        taken
    }

    /// Takes down what no other item may have, and who has it already.
    fn remember(
        &mut self,
        plan: &KindPlan,
        object: &Map<String, Value>,
        id: Uuid,
        place: PlaceIndex,
    ) {
        let of_kind = plan.kind.index();
        let key = plan
            .unique_key
            .and_then(|key| Some((key, text_of(object, key)?)));
        let duplicates = &mut self.duplicates;
        let mut duplicate = |what, is_key, key| {
            duplicates.push(Duplicate {
                place,
                what,
                is_key,
                key,
            });
        };
        let taken = key.is_some_and(|(_, text)| self.keys[of_kind].contains_key(text));
        let is_new_id = self.ids[of_kind].insert(id);
        match key {
            Some((field, text)) if taken => {
                duplicate(format!("{field} set to '{text}'"), true, None);
            }
            _ if !is_new_id => duplicate(format!("primary key set to '{id}'"), true, None),
            _ => {}
        }
        if let Some((_, text)) = key.filter(|_| !taken) {
            self.keys[of_kind].insert(text.into(), id);
        }
        for field in &plan.uniques {
            let Some(text) = text_of(object, field) else {
                continue;
            };
            if !self.values.insert((plan.kind, field, text.into())) {
                let name = key.map_or_else(|| text_of(object, "id"), |(_, text)| Some(text));
                let what = format!("{field} set to '{text}'");
                duplicate(what, false, name.map(str::to_owned));
            }
        }
    }

    fn put(
        &mut self,
        plan: &KindPlan,
        valid: Row,
        id: Uuid,
        place: PlaceIndex,
        parent: Option<&Parent>,
        ttl: Option<i64>,
    ) {
        let kind = plan.kind;
        let (now_ms, now) = (self.options.now_ms, self.options.now_ms / 1000);
        self.positions[kind.index()].push(place);
        let faults = &self.faults;
        self.warnings.add(valid.warnings(), || faults.path(place));
        let config = &mut self.config;
        match kind {
            EntityKind::SERVICES => config.services.push(Service::from_row(valid, id, now)),
            EntityKind::UPSTREAMS => config.upstreams.push(Upstream::from_row(valid, id, now)),
            EntityKind::ROUTES => config.routes.push(Route::from_row(valid, id, now)),
            EntityKind::TARGETS => {
                let target = Target::from_row(valid, id, Uuid::nil(), now_ms);
                config.targets.push(target);
            }
            _ => {
                let fields = row::complete(plan.schema, valid, id, ttl, now_ms);
                self.others[kind.index()].push(Entity {
                    kind,
                    id,
                    references: Vec::new(),
                    json: row::text(&fields),
                });
            }
        }
        if let Some(parent) = parent {
            let position = self.positions[kind.index()].len() - 1;
            self.refer(kind, position, parent.field, parent.id);
        }
    }

    /// Sets a reference of an entity.
    pub(super) fn refer(
        &mut self,
        kind: EntityKind,
        position: usize,
        field: &'static str,
        id: Uuid,
    ) {
        let config = &mut self.config;
        match kind {
            EntityKind::SERVICES => config.services[position].client_certificate = Some(id),
            EntityKind::UPSTREAMS => config.upstreams[position].client_certificate = Some(id),
            EntityKind::ROUTES => config.routes[position].service = Some(id),
            EntityKind::TARGETS => config.targets[position].upstream = id,
            _ => {
                let entity = &mut self.others[kind.index()][position];
                entity.references.push((field, id));
            }
        }
    }
}

impl Parent {
    fn scope(&self) -> Scope {
        Scope {
            field: self.field,
            id: Some(self.id).filter(|_| !self.is_random),
        }
    }

    /// Whether a reference is to this item.
    fn is(&self, value: &Value) -> bool {
        match Written::of(value) {
            Some(Written::Id(id)) => id == self.id,
            Some(Written::Text(text)) => {
                self.key.as_deref() == Some(&*text)
                    || Uuid::try_parse(&text).is_ok_and(|id| id == self.id)
            }
            None => false,
        }
    }
}

impl Written {
    /// A text, or an object with an id.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) if !text.is_empty() => Some(Self::Text(text.as_str().into())),
            Value::Object(map) => {
                let id = map.get("id").and_then(Value::as_str)?;
                Uuid::try_parse(id).ok().map(Self::Id)
            }
            _ => None,
        }
    }
}

/// Moves the lists of items out of an item.
fn take_nested(
    plan: &KindPlan,
    object: &mut Map<String, Value>,
) -> Vec<(EntityKind, &'static str, Value)> {
    let names: Vec<_> = object.keys().filter_map(|key| plan.child(key)).collect();
    let list = |(kind, field): (EntityKind, _)| {
        let list = object.swap_remove(kind.name())?;
        Some((kind, field, list))
    };
    names.into_iter().filter_map(list).collect()
}

/// Moves the Unix time out after which an item counts no more.
fn take_ttl(plan: &KindPlan, object: &mut Map<String, Value>) -> Result<Option<i64>, &'static str> {
    if !plan.schema.has_ttl {
        return Ok(None);
    }
    match object.swap_remove("ttl") {
        None | Some(Value::Null) => Ok(None),
        Some(value) if !value.is_number() => Err("expected a number"),
        Some(value) => {
            let whole = value.as_i64().filter(|time| *time >= 0);
            whole.map(Some).ok_or("expected a valid timestamp")
        }
    }
}

/// What is wrong with whole entities that stand where a reference should: their own errors, or that
/// they have no id.
fn inline_errors(
    plan: &KindPlan,
    all: &Plan,
    object: &Map<String, Value>,
    rules: &Rules,
) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    for to in &plan.references {
        let (Some(Value::Object(inline)), Some(kind)) = (object.get(to.field), to.kind) else {
            continue;
        };
        if inline.is_empty() || inline.contains_key("id") {
            continue;
        }
        let mode = Mode::Declarative(None);
        let validated = all
            .of(kind)
            .schema
            .validate(inline.clone(), Context { mode, rules });
        let mut errors = validated.err().unwrap_or_default();
        let is_given = |(key, _): &(&String, &mut Value)| inline.contains_key(*key);
        let own: Errors = errors
            .iter_mut()
            .filter(is_given)
            .map(|(key, error)| (key.clone(), error.take()))
            .collect();
        if !own.is_empty() {
            found.push((to.field, Value::Object(own)));
        }
    }
    found
}

/// A field's text, if it has one that can be a key.
fn text_of<'o>(object: &'o Map<String, Value>, field: &str) -> Option<&'o str> {
    let text = object.get(field).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// The error of a reference to nothing in a file that has other errors.
pub(super) fn missing_key() -> Value {
    json!({ "id": "missing primary key" })
}
