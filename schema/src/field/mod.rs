//! The schema engine: static descriptions of entities, and the validation of JSON against them.
//!
//! An entity's file describes it as data ([`Schema`], [`Field`], [`Type`]); [`Schema::validate`]
//! takes an object by value and gives back a [`Row`]: one value for each field, defaults filled,
//! nulls explicit, sets without duplicates. Errors have Kong's texts and Kong's tree: an object
//! keyed by field, arrays aligned with the input, `@entity` lists ([`Errors`]).
//!
//! | module | owns |
//! |---|---|
//! | `validate` | the order of the checks and the walk over values |
//! | `check` | checks of one value, their texts |
//! | `entity_check` | checks across the fields of an entity |
//! | `shorthand` | other spellings of fields: moved on the way in, shown on the way out |
//! | `update` | changes laid over a stored entity |
//! | `deprecation` | what to log about fields that will go |
//! | `auto` | random texts |
//! | [`describe`] | the JSON of `/schemas` |
//! | [`json_schema`] | the same for OpenAPI |
//! | [`message`] | the error body of a schema violation |
//! | [`form`] | form bodies into objects |
//! | [`text`] | rules of names, tags, headers, paths |
//! | [`pattern`] | Lua patterns |
//! | [`host`] | host names and addresses: validation and normal form |
//!
//! Limits: values are as deep as their JSON parser allowed; regexes as large as [`text`] says.
//!
//! Source: `kong/db/schema/init.lua`, `entity.lua`, `typedefs.lua` of Kong 3.9.3.

mod auto;
mod check;
mod deprecation;
pub mod describe;
mod entity_check;
pub mod form;
pub mod host;
pub mod json_schema;
pub mod message;
pub mod pattern;
mod shorthand;
pub mod text;
mod update;
mod validate;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use check::{Check, Pattern};
pub use deprecation::Warning;
pub use entity_check::{Conditional, ConditionalAtLeastOneOf, EntityCheck, Fields, Match};
pub use validate::{Context, Mode, Row};

use crate::conf::RouterFlavor;

/// Errors of one entity: a text, an array aligned with the input, or a tree for each field, and
/// the list `@entity` of failed checks across fields.
pub type Errors = Map<String, Value>;

/// Key under which the failed checks across fields are listed.
pub const ENTITY: &str = "@entity";
/// What a missing or null value of a required field gets.
pub const REQUIRED: &str = "required field missing";

/// An entity as data. Built with [`Schema::new`] and the methods after it.
#[derive(Debug)]
pub struct Schema {
    /// Kong's name, plural: `services`.
    pub name: &'static str,
    /// Path of the collection in the Admin API, without slash; `None`: it has none of its own.
    pub path: Option<&'static str>,
    /// Path of the collection below the entity it refers to; `None`: as `path`.
    pub nested_path: Option<&'static str>,
    /// Fields in Kong's order.
    pub fields: &'static [Field],
    /// The field that names an entity in the Admin API beside its id.
    pub endpoint_key: Option<&'static str>,
    /// The fields that are unique together, and of which ids are generated.
    pub cache_key: &'static [&'static str],
    /// Runs first on what a request says: shorthands, couplings. An error ends the validation.
    pub prepare: fn(&mut Map<String, Value>) -> Result<(), Errors>,
    /// Runs then on the complete object: what depends on the value of a field. An error ends the
    /// validation.
    pub complete: fn(&mut Map<String, Value>, Mode) -> Result<(), Errors>,
    /// Checks across fields, in order.
    pub entity_checks: &'static [EntityCheck],
    /// Rules that depend on the value of one field: the `config` of a plugin or vault.
    pub subschemas: Option<&'static Subschemas>,
    /// Completes a valid entity whose references are resolved: hashes, digests.
    pub transform: Option<fn(&mut Map<String, Value>)>,
    /// Whether items may carry `ttl`.
    pub has_ttl: bool,
    /// Whether exports contain it.
    pub is_exported: bool,
}

/// The part of an entity that one of its fields selects.
#[derive(Debug)]
pub struct Subschemas {
    /// The field that selects.
    pub selector: &'static str,
    /// The part for that value; the error is the message about the selector.
    pub find: fn(&str, &Rules) -> Result<&'static Subschema, String>,
    /// The part for that value, whether this node allows it or not: for what is stored.
    pub known: fn(&str) -> Option<&'static Subschema>,
}

/// Fields that replace those of the same name, and further checks.
#[derive(Debug)]
pub struct Subschema {
    /// Fields in the order of Kong's file; one of them is the real `config`.
    pub fields: &'static [Field],
    /// Checks across the entity, after its own.
    pub entity_checks: &'static [EntityCheck],
}

/// What of a node's configuration decides what entities may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `router_flavor`: routes have other fields in `expressions`.
    pub router_flavor: RouterFlavor,
    /// Names of the plugins that may be used (`plugins`).
    pub plugins: Vec<&'static str>,
    /// `wasm`: whether filter chains may be used.
    pub wasm: bool,
}

impl std::default::Default for Rules {
    /// A node without configuration: every bundled plugin.
    fn default() -> Self {
        Self {
            router_flavor: RouterFlavor::TraditionalCompatible,
            plugins: crate::plugin::PLUGINS
                .iter()
                .map(|plugin| plugin.name)
                .collect(),
            wasm: false,
        }
    }
}

/// A field of an entity or record.
#[derive(Debug)]
pub struct Field {
    /// Kong's name.
    pub name: &'static str,
    /// What its values are.
    pub ty: Type,
    /// Whether null is refused.
    pub required: bool,
    /// What an absent field becomes.
    pub default: Default,
    /// Whether the node fills the field itself: absence is then no error.
    pub auto: bool,
    /// Whether two entities may have the same value.
    pub unique: bool,
    /// Whether the value may be a vault reference, which skips its checks.
    pub referenceable: bool,
    /// Marked as encrypted in Kong's schemas; no effect.
    pub encrypted: bool,
    /// In the API but not stored with the entity (`certificates.snis`).
    pub transient: bool,
    /// What becomes of this entity when the one it refers to is deleted.
    pub on_delete: OnDelete,
    /// One line for people, shown by `/schemas`.
    pub description: &'static str,
    /// Said when a value is given.
    pub deprecation: Option<&'static Deprecation>,
}

/// What becomes of an entity when the one it refers to is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    #[default]
    Restrict,
    /// It is deleted too.
    Cascade,
}

/// That a field will go.
#[derive(Debug)]
pub struct Deprecation {
    /// What to do, for people.
    pub message: &'static str,
    /// The version without it.
    pub removal_in_version: &'static str,
    /// Paths of the fields that replace it, inside the same record.
    pub replaced_with: &'static [&'static [&'static str]],
    /// The value with which nothing is said: the default of earlier versions.
    pub old_default: Default,
}

/// The type of a field, an element, a key or a value.
#[derive(Debug)]
pub struct Type {
    /// Its JSON shape.
    pub kind: Kind,
    /// Checks in Kong's order; the first that fails speaks.
    pub checks: &'static [Check],
    /// Replaces the message of any check that fails.
    pub err: Option<&'static str>,
    /// Said by `/schemas` of a type whose description says it; elements are never null anyway.
    pub required: bool,
}

/// The JSON shape of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string, not empty unless [`Check::LenMin`] says so.
    String,
    /// A number without fraction.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list without duplicates: later ones are dropped.
    Set(&'static Type),
    /// A list.
    Array(&'static Type),
    /// An object with free keys.
    Map(&'static Type, &'static Type),
    /// An object with fixed keys.
    Record(&'static Record),
    /// A reference to an entity of that name.
    Foreign(&'static str),
    /// A record that the subschema replaces (`config`).
    Abstract,
    /// Anything.
    Any,
}

/// The fields of a nested object and the checks across them.
#[derive(Debug, Default)]
pub struct Record {
    /// Fields in Kong's order.
    pub fields: &'static [Field],
    /// Other spellings that are accepted and moved to fields.
    pub shorthands: &'static [Shorthand],
    /// Checks across the fields.
    pub entity_checks: &'static [EntityCheck],
}

/// Another spelling of fields of a record.
#[derive(Debug)]
pub struct Shorthand {
    /// The spelling.
    pub name: &'static str,
    /// What its values are.
    pub ty: Type,
    /// Where the value goes.
    pub expand: Expand,
    /// Said when it is used.
    pub deprecation: Option<&'static Deprecation>,
}

/// Where the value of a shorthand goes.
#[derive(Clone, Copy, Debug)]
pub enum Expand {
    /// To the field at this path, and shown under both names.
    To(&'static [&'static str]),
    /// To the members that this makes of it.
    With(fn(Value) -> Map<String, Value>),
}

/// What an absent field becomes.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Null.
    None,
    /// That text.
    String(&'static str),
    /// That number.
    Integer(i64),
    /// That number.
    Number(f64),
    /// That switch.
    Boolean(bool),
    /// A list of texts.
    Strings(&'static [&'static str]),
    /// A list of numbers.
    Integers(&'static [i64]),
    /// An object whose fields take their own defaults.
    Record,
    /// What this JSON text says.
    Json(&'static str),
    /// What this makes, the same until the process ends.
    Made(fn() -> Value),
}

impl Default {
    /// The value an absent field becomes.
    ///
    /// # Panics
    /// If a schema's JSON text is none; a test reads them all.
    pub fn value(self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::String(text) => text.into(),
            Self::Integer(number) => number.into(),
            Self::Number(number) => number.into(),
            Self::Boolean(switch) => switch.into(),
            Self::Strings(list) => list.iter().copied().collect(),
            Self::Integers(list) => list.iter().copied().collect(),
            Self::Record => Value::Object(Map::new()),
            Self::Json(text) => serde_json::from_str(text).expect("schemas hold valid JSON"),
            Self::Made(make) => make(),
        }
    }
}

impl Type {
    /// A type without checks.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            checks: &[],
            err: None,
            required: false,
        }
    }

    /// The type with these checks.
    pub const fn with(kind: Kind, checks: &'static [Check]) -> Self {
        Self {
            kind,
            checks,
            err: None,
            required: false,
        }
    }

    /// The type, said to be required by `/schemas`.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The type with this message for any check that fails.
    #[must_use]
    pub const fn err(mut self, message: &'static str) -> Self {
        self.err = Some(message);
        self
    }
}

impl Field {
    /// A nullable field without default.
    pub const fn new(name: &'static str, ty: Type) -> Self {
        Self {
            name,
            ty,
            required: false,
            default: Default::None,
            auto: false,
            unique: false,
            referenceable: false,
            encrypted: false,
            transient: false,
            on_delete: OnDelete::Restrict,
            description: "",
            deprecation: None,
        }
    }

    /// The field, refusing null.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The field with a default.
    #[must_use]
    pub const fn default(mut self, default: Default) -> Self {
        self.default = default;
        self
    }

    /// The field, filled by the node when absent.
    #[must_use]
    pub const fn auto(mut self) -> Self {
        self.auto = true;
        self
    }

    /// The field, of which no two entities have the same value.
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The field, which may hold a vault reference.
    #[must_use]
    pub const fn referenceable(mut self) -> Self {
        self.referenceable = true;
        self
    }

    /// The field, marked as encrypted.
    #[must_use]
    pub const fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self
    }

    /// The field, not stored with the entity.
    #[must_use]
    pub const fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// The reference, whose target takes this entity with it when it is deleted.
    #[must_use]
    pub const fn cascade(mut self) -> Self {
        self.on_delete = OnDelete::Cascade;
        self
    }

    /// The field with a line for people.
    #[must_use]
    pub const fn description(mut self, text: &'static str) -> Self {
        self.description = text;
        self
    }

    /// The field, which will go.
    #[must_use]
    pub const fn deprecated(mut self, deprecation: &'static Deprecation) -> Self {
        self.deprecation = Some(deprecation);
        self
    }

    /// A nested object: required, and expanded to its full tree when absent.
    pub const fn record(name: &'static str, record: &'static Record) -> Self {
        Self::new(name, Type::new(Kind::Record(record)))
            .required()
            .default(Default::Record)
    }
}

impl Record {
    /// A record of these fields.
    pub const fn new(fields: &'static [Field]) -> Self {
        Self {
            fields,
            shorthands: &[],
            entity_checks: &[],
        }
    }

    /// The record with other spellings of its fields.
    #[must_use]
    pub const fn shorthands(mut self, shorthands: &'static [Shorthand]) -> Self {
        self.shorthands = shorthands;
        self
    }

    /// The record with checks across its fields.
    #[must_use]
    pub const fn checks(mut self, checks: &'static [EntityCheck]) -> Self {
        self.entity_checks = checks;
        self
    }
}

impl Schema {
    /// An entity of these fields: in the Admin API under its name, exported, without more.
    pub const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            path: Some(name),
            nested_path: None,
            fields,
            endpoint_key: None,
            cache_key: &[],
            prepare: |_| Ok(()),
            complete: |_, _| Ok(()),
            entity_checks: &[],
            subschemas: None,
            transform: None,
            has_ttl: false,
            is_exported: true,
        }
    }

    /// With another path of its collection, or none.
    #[must_use]
    pub const fn path(mut self, path: Option<&'static str>) -> Self {
        self.path = path;
        self
    }

    /// With another path of its collection below the entity it refers to.
    #[must_use]
    pub const fn nested_path(mut self, path: &'static str) -> Self {
        self.nested_path = Some(path);
        self
    }

    /// With the field that names an entity.
    #[must_use]
    pub const fn endpoint_key(mut self, field: &'static str) -> Self {
        self.endpoint_key = Some(field);
        self
    }

    /// With the fields that are unique together.
    #[must_use]
    pub const fn cache_key(mut self, fields: &'static [&'static str]) -> Self {
        self.cache_key = fields;
        self
    }

    /// With work on the raw object.
    #[must_use]
    pub const fn prepare(
        mut self,
        prepare: fn(&mut Map<String, Value>) -> Result<(), Errors>,
    ) -> Self {
        self.prepare = prepare;
        self
    }

    /// With work on the complete object.
    #[must_use]
    pub const fn complete(
        mut self,
        complete: fn(&mut Map<String, Value>, Mode) -> Result<(), Errors>,
    ) -> Self {
        self.complete = complete;
        self
    }

    /// With checks across fields.
    #[must_use]
    pub const fn checks(mut self, checks: &'static [EntityCheck]) -> Self {
        self.entity_checks = checks;
        self
    }

    /// With parts that a field selects.
    #[must_use]
    pub const fn subschemas(mut self, subschemas: &'static Subschemas) -> Self {
        self.subschemas = Some(subschemas);
        self
    }

    /// With work on the valid entity.
    #[must_use]
    pub const fn transform(mut self, transform: fn(&mut Map<String, Value>)) -> Self {
        self.transform = Some(transform);
        self
    }

    /// With items that may carry `ttl`.
    #[must_use]
    pub const fn ttl(mut self) -> Self {
        self.has_ttl = true;
        self
    }

    /// Left out of exports.
    #[must_use]
    pub const fn not_exported(mut self) -> Self {
        self.is_exported = false;
        self
    }

    /// Its references: field, name of the entity referred to.
    pub fn references(&self) -> impl Iterator<Item = (&'static Field, &'static str)> {
        self.fields.iter().filter_map(|field| match field.ty.kind {
            Kind::Foreign(name) => Some((field, name)),
            _ => None,
        })
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The position of a field.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// The fields of an entity: its own, of which a subschema may replace some.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldList {
    own: &'static [Field],
    replaced: &'static [Field],
}

impl FieldList {
    /// Fields of which none is replaced.
    fn of(own: &'static [Field]) -> Self {
        Self { own, replaced: &[] }
    }

    fn at(self, index: usize) -> &'static Field {
        let own = &self.own[index];
        let mut replaced = self.replaced.iter();
        replaced.find(|field| field.name == own.name).unwrap_or(own)
    }

    fn position(self, name: &str) -> Option<usize> {
        self.own.iter().position(|field| field.name == name)
    }

    fn iter(self) -> impl Iterator<Item = &'static Field> {
        (0..self.own.len()).map(move |index| self.at(index))
    }
}

/// Whether a value is a reference to a vault (`{vault://env/name}`) instead of what it stands for.
pub fn vault_reference(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.starts_with("{vault://") && text.ends_with('}')
}

/// Records an error across fields.
pub fn push_entity_error(errors: &mut Errors, text: impl Into<String>) {
    let list = errors
        .entry(ENTITY)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(Value::String(text.into()));
    }
}
