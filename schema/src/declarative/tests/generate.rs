//! Random files made from the schemas: valid ones, and ways to break them.
//!
//! A valid item is found by trying: values that fit the shape and the simple checks of a field, drawn
//! from [`TEXTS`] where a check is a function; then the schema's own validation says which fields to
//! draw again or leave out. Values that passed are drawn more often later.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value, json};
use uuid::Uuid;

use crate::declarative::identity::{self, Scope};
use crate::declarative::plan::{self, KindPlan, Plan};
use crate::entity::EntityKind;
use crate::field::{Check, Context, Default, Field, Kind, Mode, Record, Rules, Type};

/// Texts of which at least one passes each check that is a function.
const TEXTS: &[&str] = &[
    "a",
    "plain",
    "Plain Text",
    "name-1",
    "yes",
    "12",
    "1e3",
    "null",
    "#x: 'y'",
    "x\ny",
    "\u{e9}\u{1f600}",
    "a.test",
    "*.a.test",
    "a.test:8080",
    "10.0.0.1",
    "10.0.0.0/8",
    "::1",
    "[::1]:80",
    "127.0.0.1:9000",
    "/",
    "/a/b",
    "~/a\\d+$",
    "~/(?<x>[a-z]+)",
    "https://a.test/p?q=1",
    "http://a.test:81/p",
    "GET",
    "POST",
    "x-header",
    "x-header:value",
    "200",
    "x=y",
    "Lax",
    "1.1.1.1:53",
    "^a.*b$",
    "return true",
    "read",
    "admin@a.test",
    "$.a.b",
    "application/json",
    "{}",
    "[]",
    "0 0 * * *",
    "env",
    "key",
    "kong",
    "us-east-1",
    "gpt-4",
    "Bearer x",
    "2024-01-01",
    "sha1",
    "cert:x",
    "0123456789abcdef0123456789abcdef",
    "{vault://env/some-secret}",
];
/// Tries to make one item.
const TRIES_MAX: usize = 60;
/// Values that passed and are kept for a field.
const KEPT_MAX: usize = 12;

/// A small random source whose seed is enough to repeat a run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a limit that is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).expect("64 bits") % limit
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }

    fn uuid(&mut self) -> String {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

/// Makes files. What it learns about values is kept from file to file.
pub(super) struct Generator<'r> {
    pub(super) random: Random,
    rules: &'r Rules,
    plan: Plan,
    learned: HashMap<(&'static str, String), Vec<Value>>,
    names: u64,
    /// Ids of the file that is being made.
    ids: HashSet<Uuid>,
}

/// An item of a file that is being made.
struct Item {
    object: Map<String, Value>,
    /// Position of the items that it refers to: field, kind, position in the kind's list.
    refers: Vec<(&'static str, EntityKind, usize)>,
}

impl<'r> Generator<'r> {
    pub(super) fn new(seed: u64, rules: &'r Rules) -> Self {
        Self {
            random: Random::new(seed),
            rules,
            plan: Plan::new(rules),
            learned: HashMap::new(),
            names: 0,
            ids: HashSet::new(),
        }
    }

    /// A valid file; each kind is there with this chance.
    pub(super) fn file(&mut self, percent: usize) -> Value {
        self.ids.clear();
        let mut lists: Vec<Vec<Option<Item>>> = Vec::new();
        for kind in EntityKind::all() {
            let mut list = Vec::new();
            while plan::kind_of(kind.name()).is_some() && self.random.chance(percent) {
                let item = self.item(kind, &lists);
                list.extend(item.map(Some));
            }
            lists.push(list);
        }
        self.nest(&mut lists);
        let mut file = Map::new();
        file.insert("_format_version".into(), "3.0".into());
        for (kind, list) in EntityKind::all().zip(lists) {
            let items = list.into_iter().flatten().map(|item| item.object.into());
            let items: Vec<Value> = items.collect();
            if !items.is_empty() {
                file.insert(kind.name().into(), items.into());
            }
        }
        Value::Object(file)
    }

    /// One valid item; `None` when what it must refer to is not there, or nothing valid was found.
    fn item(&mut self, kind: EntityKind, lists: &[Vec<Option<Item>>]) -> Option<Item> {
        let rules = self.rules;
        let schema = kind.schema(rules);
        let mut base = Map::new();
        let mut fields: Vec<&'static Field> = schema.fields.iter().collect();
        if let Some(parts) = schema.subschemas {
            let names: &[&str] = match schema.name {
                "plugins" => &rules.plugins,
                _ => &["env"],
            };
            let name = *self.random.pick(names);
            let part = (parts.find)(name, rules).ok()?;
            base.insert(parts.selector.into(), name.into());
            fields.retain(|field| part.fields.iter().all(|other| other.name != field.name));
            fields.extend(part.fields);
        }
        let refers = self.references(kind, &fields, lists, &mut base)?;
        for attempt in 0..TRIES_MAX {
            let mut object = base.clone();
            self.fill(schema.name, &fields, attempt > TRIES_MAX / 2, &mut object);
            if self.repair(kind, &fields, &mut object) {
                self.identify(kind, &mut object, None);
                return Some(Item { object, refers });
            }
        }
        None
    }

    /// References to items that are there already; `None` if one that is needed cannot be.
    fn references(
        &mut self,
        kind: EntityKind,
        fields: &[&'static Field],
        lists: &[Vec<Option<Item>>],
        base: &mut Map<String, Value>,
    ) -> Option<Vec<(&'static str, EntityKind, usize)>> {
        let mut refers = Vec::new();
        for field in fields {
            let Kind::Foreign(name) = field.ty.kind else {
                continue;
            };
            let is_pinned = field
                .ty
                .checks
                .iter()
                .any(|check| matches!(check, Check::Null));
            let target = EntityKind::of_name(name).filter(|target| *target < kind);
            let list = target.map_or(&[][..], |target| &lists[target.index()]);
            if is_pinned || !field.required && (list.is_empty() || self.random.chance(60)) {
                continue;
            }
            if list.is_empty() {
                return None;
            }
            let position = self.random.below(list.len());
            let object = &list[position].as_ref()?.object;
            let target = target?;
            let key = self.plan.of(target).unique_key;
            let key = key.and_then(|key| object.get(key)).and_then(Value::as_str);
            let id = object.get("id").cloned();
            let written = match (key, id) {
                (Some(key), _) if self.random.chance(50) => Some(json!(key)),
                (_, Some(id)) if self.random.chance(50) => Some(json!({ "id": id })),
                (_, Some(id)) => Some(id),
                (Some(key), None) => Some(json!(key)),
                (None, None) => None,
            };
            match written {
                Some(written) => drop(base.insert(field.name.into(), written)),
                None if field.required => return None,
                None => continue,
            }
            refers.push((field.name, target, position));
        }
        Some(refers)
    }

    fn fill(
        &mut self,
        kind: &'static str,
        fields: &[&'static Field],
        is_late: bool,
        object: &mut Map<String, Value>,
    ) {
        for field in fields {
            let is_reference = matches!(field.ty.kind, Kind::Foreign(_));
            if is_reference || field.transient || object.contains_key(field.name) {
                continue;
            }
            let percent = match (field.required, matches!(field.default, Default::None)) {
                _ if field.name == "updated_at" => 0,
                (true, true) if !field.auto => 100,
                _ if is_late => 0,
                _ if field.auto => 30,
                _ => 40,
            };
            if self.random.chance(percent) {
                let value = self.field_value(kind, field);
                object.insert(field.name.into(), value);
            }
        }
    }

    /// Draws again or leaves out what the validation refuses; whether that was enough.
    fn repair(
        &mut self,
        kind: EntityKind,
        fields: &[&'static Field],
        object: &mut Map<String, Value>,
    ) -> bool {
        let schema = kind.schema(self.rules);
        for _ in 0..8 {
            let context = Context {
                mode: Mode::Declarative(None),
                rules: self.rules,
            };
            let Err(errors) = schema.validate(object.clone(), context) else {
                self.learn(schema.name, object);
                return true;
            };
            for name in errors.keys() {
                let field = fields.iter().find(|field| field.name == name);
                match field {
                    None => drop(object.shift_remove(name)),
                    Some(field) if matches!(field.ty.kind, Kind::Foreign(_)) => return false,
                    Some(field) if field.required || self.random.chance(30) => {
                        let value = self.field_value(schema.name, field);
                        object.insert(name.clone(), value);
                    }
                    Some(_) => drop(object.shift_remove(name)),
                }
            }
        }
        false
    }

    fn learn(&mut self, kind: &'static str, object: &Map<String, Value>) {
        for (name, value) in object {
            let key = (kind, learned_name(object, name));
            let kept = self.learned.entry(key).or_default();
            if kept.len() < KEPT_MAX && !kept.contains(value) {
                kept.push(value.clone());
            }
        }
    }

    fn field_value(&mut self, kind: &'static str, field: &'static Field) -> Value {
        if field.name == "id" {
            return self.random.uuid().into();
        }
        let is_key = EntityKind::of_name(kind)
            .is_some_and(|kind| kind.schema(self.rules).endpoint_key == Some(field.name));
        if field.unique || is_key && kind != "targets" {
            self.names += 1;
            return format!("name-{}", self.names).into();
        }
        let kept = self.learned.get(&(kind, field.name.to_owned()));
        if let Some(kept) = kept.filter(|kept| !kept.is_empty())
            && self.random.chance(60)
        {
            return self.random.pick(kept).clone();
        }
        self.value(&field.ty)
    }

    fn value(&mut self, ty: &'static Type) -> Value {
        for check in ty.checks {
            match check {
                Check::OneOf(words) => return (*self.random.pick(words)).into(),
                Check::OneOfIntegers(numbers) => return (*self.random.pick(numbers)).into(),
                Check::Uuid => return self.random.uuid().into(),
                Check::LenEq(length) if matches!(ty.kind, Kind::String) => {
                    return "x".repeat(*length).into();
                }
                Check::Timestamp => return 1_600_000_000.into(),
                _ => {}
            }
        }
        match ty.kind {
            Kind::String => {
                let text = *self.random.pick(TEXTS);
                let prefix = ty.checks.iter().find_map(|check| match check {
                    Check::StartsWith(prefix) if !text.starts_with(prefix) => Some(*prefix),
                    _ => None,
                });
                format!("{}{text}", prefix.unwrap_or_default()).into()
            }
            Kind::Integer => self.integer(ty).into(),
            Kind::Number => self.number(ty),
            Kind::Boolean => self.random.chance(50).into(),
            Kind::Set(element) | Kind::Array(element) => {
                let length = 1 + self.random.below(2);
                (0..length).map(|_| self.value(element)).collect()
            }
            Kind::Map(key, member) => {
                let length = 1 + self.random.below(2);
                let pairs = (0..length).filter_map(|_| {
                    let key = self.value(key).as_str()?.to_owned();
                    Some((key, self.value(member)))
                });
                Value::Object(pairs.collect())
            }
            Kind::Record(record) => self.record(record),
            Kind::Foreign(_) => Value::Null,
            Kind::Abstract => json!({}),
            Kind::Any => json!({ "any": [1, null, "x"] }),
        }
    }

    fn record(&mut self, record: &'static Record) -> Value {
        let mut object = Map::new();
        for field in record.fields {
            let is_needed = field.required && matches!(field.default, Default::None);
            if is_needed || self.random.chance(35) {
                object.insert(field.name.into(), self.value(&field.ty));
            }
        }
        Value::Object(object)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "bounds of schemas are small"
    )]
    fn integer(&mut self, ty: &Type) -> i64 {
        let (low, high) = ty.checks.iter().fold((0, 100), |range, check| match check {
            Check::Between(low, high) => (*low, (*high).min(low + 10_000)),
            Check::BetweenNumbers(low, high) => (low.ceil() as i64, *high as i64),
            Check::Gt(low) => (*low as i64 + 1, *low as i64 + 100),
            _ => range,
        });
        let span = usize::try_from((high - low).max(0)).expect("positive") + 1;
        low + i64::try_from(self.random.below(span)).expect("small")
    }

    fn number(&mut self, ty: &Type) -> Value {
        let whole = self.integer(ty);
        if self.random.chance(50) {
            return whole.into();
        }
        let number = Number::from_f64(whole as f64 / 2.0);
        number.map_or(Value::Null, Value::Number)
    }

    /// Gives an item an id of its own if that which Kong would derive is taken.
    fn identify(
        &mut self,
        kind: EntityKind,
        object: &mut Map<String, Value>,
        scope: Option<Scope>,
    ) {
        if object.contains_key("id") {
            return;
        }
        let derived = identity::id_of(self.plan.of(kind), object, scope);
        if derived.is_some_and(|id| !self.ids.insert(id)) {
            object.insert("id".into(), self.random.uuid().into());
        }
    }

    /// Moves some items into those that they refer to.
    fn nest(&mut self, lists: &mut [Vec<Option<Item>>]) {
        for kind in EntityKind::all().collect::<Vec<_>>().into_iter().rev() {
            for position in 0..lists[kind.index()].len() {
                let slot = &mut lists[kind.index()][position];
                let Some([(field, target, at)]) = slot.as_ref().map(|item| &item.refers[..]) else {
                    continue;
                };
                let (field, target, at) = (*field, *target, *at);
                if self.random.chance(50) {
                    continue;
                }
                let mut item = slot.take().expect("looked at");
                item.object.shift_remove(field);
                let Some(parent) = lists[target.index()][at].as_mut() else {
                    continue;
                };
                let plan: &KindPlan = self.plan.of(target);
                let id = identity::id_of(plan, &parent.object, None);
                let scope = Scope { field, id };
                self.identify(kind, &mut item.object, Some(scope));
                let list = parent
                    .object
                    .entry(kind.name())
                    .or_insert_with(|| json!([]));
                let list = list.as_array_mut().expect("a list of items");
                list.push(item.object.into());
            }
        }
    }
}

/// Values of `config` are kept for each plugin.
fn learned_name(object: &Map<String, Value>, field: &str) -> String {
    match (field, object.get("name")) {
        ("config", Some(Value::String(name))) => format!("config of {name}"),
        _ => field.to_owned(),
    }
}

/// Breaks a document at one place.
pub(super) fn break_document(random: &mut Random, document: &mut Value) {
    let mut value = document;
    for _ in 0..random.below(7) {
        let length = match &*value {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if length == 0 {
            break;
        }
        let at = random.below(length);
        value = match value {
            Value::Object(map) => map.values_mut().nth(at).expect("within"),
            Value::Array(list) => &mut list[at],
            _ => unreachable!("it has members"),
        };
    }
    match (random.below(4), &mut *value) {
        (0, Value::Object(map)) if !map.is_empty() => {
            let at = random.below(map.len());
            let key = map.keys().nth(at).expect("within").clone();
            map.shift_remove(&key);
        }
        (0, Value::Array(list)) if !list.is_empty() => {
            let copy = random.pick(list).clone();
            list.push(copy);
        }
        (1, Value::Object(map)) => {
            map.insert("unknown".into(), json!(1));
        }
        _ => *value = wrong_value(random),
    }
}

fn wrong_value(random: &mut Random) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(1e300),
        5 => json!(""),
        6 => json!("x".repeat(3000)),
        7 => json!([{ "id": 1 }, null, "x"]),
        8 => json!({ "id": "x", "name": [] }),
        _ => (0..200).fold(json!(1), |inner, _| json!([inner])),
    }
}

/// Breaks a text at one place.
pub(super) fn break_text(random: &mut Random, text: &mut Vec<u8>) {
    const PIECES: [&[u8]; 16] = [
        b"\xff\xfe",
        b"[",
        b"{",
        b"}",
        b"\"",
        b"'",
        b"\n\t- ",
        b"&a ",
        b"*a ",
        b"<<: ",
        b": ",
        b"\0",
        b"1e99999",
        b"99999999999999999999999",
        b"---\n",
        b"!!int ",
    ];
    let at = random.below(text.len() + 1);
    match random.below(4) {
        0 => text.truncate(at),
        1 => {
            let end = (at + random.below(30)).min(text.len());
            text.drain(at..end);
        }
        2 => {
            let piece = random.pick(&PIECES).repeat(1 + random.below(3));
            text.splice(at..at, piece);
        }
        _ => {
            let piece = random.pick(&PIECES[1..3]).repeat(300);
            text.splice(at..at, piece);
        }
    }
}
