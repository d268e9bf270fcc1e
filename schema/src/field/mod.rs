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
//! | [`text`] | rules of names, tags, headers, paths |
//! | [`host`] | host names and addresses: validation and normal form |
//!
//! Limits: values are as deep as their JSON parser allowed; regexes as large as [`text`] says.
//!
//! Source: `kong/db/schema/init.lua`, `entity.lua`, `typedefs.lua` of Kong 3.9.3.

mod check;
mod entity_check;
pub mod host;
pub mod text;
mod validate;

use serde_json::{Map, Value};

pub use check::Check;
pub use entity_check::{Condition, Conditional, EntityCheck, Fields, Then};
pub use validate::{Mode, Row};

/// Errors of one entity: a text, an array aligned with the input, or a tree for each field, and
/// the list `@entity` of failed checks across fields.
pub type Errors = Map<String, Value>;

/// Key under which the failed checks across fields are listed.
pub const ENTITY: &str = "@entity";
/// What a missing or null value of a required field gets.
pub const REQUIRED: &str = "required field missing";

/// An entity as data.
#[derive(Debug)]
pub struct Schema {
    /// Kong's name, plural: `services`.
    pub name: &'static str,
    /// Fields in Kong's order.
    pub fields: &'static [Field],
    /// Runs first on the raw object: shorthands, couplings. An error ends the validation.
    pub prepare: fn(&mut Map<String, Value>) -> Result<(), Errors>,
    /// Checks across fields, in order.
    pub entity_checks: &'static [EntityCheck],
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
}

/// The type of a field, an element, a key or a value.
#[derive(Debug)]
pub struct Type {
    /// Its JSON shape.
    pub kind: Kind,
    /// Checks in Kong's order; the first that fails speaks.
    pub checks: &'static [Check],
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
    /// Anything.
    Any,
}

/// The fields of a nested object and the checks across them.
#[derive(Debug)]
pub struct Record {
    /// Fields in Kong's order.
    pub fields: &'static [Field],
    /// Checks across them.
    pub entity_checks: &'static [EntityCheck],
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
    /// That switch.
    Boolean(bool),
    /// A list of texts.
    Strings(&'static [&'static str]),
    /// A list of numbers.
    Integers(&'static [i64]),
    /// An object whose fields take their own defaults.
    Record,
}

impl Default {
    /// The value an absent field becomes.
    pub fn value(self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::String(text) => text.into(),
            Self::Integer(number) => number.into(),
            Self::Boolean(switch) => switch.into(),
            Self::Strings(list) => list.iter().copied().collect(),
            Self::Integers(list) => list.iter().copied().collect(),
            Self::Record => Value::Object(Map::new()),
        }
    }
}

impl Type {
    /// A type without checks.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, checks: &[] }
    }

    /// The type with these checks.
    pub const fn with(kind: Kind, checks: &'static [Check]) -> Self {
        Self { kind, checks }
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

    /// A nested object: required, and expanded to its full tree when absent.
    pub const fn record(name: &'static str, record: &'static Record) -> Self {
        Self::new(name, Type::new(Kind::Record(record)))
            .required()
            .default(Default::Record)
    }
}

impl Schema {
    /// The position of a field.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
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
