//! Form bodies into objects, in two steps: the names of the pairs say the structure
//! ([`structure`]), the schema says what the texts mean ([`Schema::infer`]).
//!
//! | name | result |
//! |---|---|
//! | `a.b.c` | nested objects |
//! | `a[b.c]` | an object whose key is `b.c` |
//! | `a[]`, or `a` again | appended to a list |
//! | `a[1]`, `a[1].b` | positions of a list, from 1; with holes it stays an object and is refused |
//!
//! `%5B` and `%5D` are brackets too. A name that is none of this is a key as it stands, and an
//! unknown field for the validation. Where two pairs disagree about a shape the later one counts.
//!
//! Limits: [`PAIRS_MAX`], [`DEPTH_MAX`]. Positions need no limit of their own: a list without holes
//! cannot be longer than the pairs.
//!
//! Source: `kong/api/arguments_decoder.lua`, `kong/api/arguments.lua` of Kong 3.9.3. Deviation: a
//! name that starts or ends with a dot is an unknown field.

use serde_json::{Map, Number, Value};
use thiserror::Error;

use super::{Field, FieldList, Kind, Rules, Schema, Type};
use crate::entity::EntityKind;

/// Most pairs of one body.
pub const PAIRS_MAX: usize = 1000;
/// Most steps from the top to a value.
pub const DEPTH_MAX: usize = 32;

/// Why pairs are no object.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FormError {
    /// More than [`PAIRS_MAX`].
    #[error("Too many arguments")]
    TooMany,
    /// More than [`DEPTH_MAX`] steps.
    #[error("the argument '{name}' is nested deeper than {DEPTH_MAX} levels")]
    TooDeep {
        /// Its name, shortened.
        name: String,
    },
}

/// Longest part of a name in an error, characters.
const SHOWN_CHARS_MAX: usize = 64;

/// One step of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Position(usize),
    Append,
}

/// A value under construction.
#[derive(Debug)]
enum Node {
    Text(String),
    List(Vec<Node>),
    Members(Vec<(Step, Node)>),
}

/// The object that name and value pairs describe; every value is still a text.
///
/// # Errors
/// The limits.
pub fn structure(
    pairs: impl IntoIterator<Item = (String, String)>,
) -> Result<Map<String, Value>, FormError> {
    let mut root = Vec::new();
    for (count, (name, text)) in pairs.into_iter().enumerate() {
        if count >= PAIRS_MAX {
            return Err(FormError::TooMany);
        }
        let steps = steps(&name);
        if steps.len() > DEPTH_MAX {
            let name = name.chars().take(SHOWN_CHARS_MAX).collect();
            return Err(FormError::TooDeep { name });
        }
        put(&mut root, steps, text);
    }
    match finished(Node::Members(root)) {
        Value::Object(object) => Ok(object),
        _ => Ok(Map::new()),
    }
}

/// The steps of a name.
fn steps(name: &str) -> Vec<Step> {
    let plain = name
        .replace("%5B", "[")
        .replace("%5b", "[")
        .replace("%5D", "]")
        .replace("%5d", "]");
    parse_steps(&plain).unwrap_or_else(|| vec![Step::Key(name.to_owned())])
}

/// `None` if the name does not follow the syntax.
fn parse_steps(name: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = name;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        if key.is_empty() || key.contains(']') {
            return None;
        }
        steps.push(Step::Key(key.to_owned()));
        rest = after;
        while let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']')?;
            steps.push(bracket(inside)?);
            rest = after;
        }
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix('.')?;
    }
    let appends = steps.iter().filter(|step| **step == Step::Append).count();
    let at_end = steps.last() == Some(&Step::Append);
    (appends == usize::from(at_end)).then_some(steps)
}

fn bracket(inside: &str) -> Option<Step> {
    if inside.contains('[') {
        return None;
    }
    Some(match inside {
        "" => Step::Append,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
            .parse()
            .map_or_else(|_| Step::Key(digits.to_owned()), Step::Position),
        key => Step::Key(key.to_owned()),
    })
}

/// Puts a text at the end of the steps.
fn put(members: &mut Vec<(Step, Node)>, steps: Vec<Step>, text: String) {
    let mut steps = steps.into_iter().peekable();
    let mut members = members;
    while let Some(step) = steps.next() {
        let next_is_append = steps.peek() == Some(&Step::Append);
        let position = members.iter().position(|(known, _)| *known == step);
        if steps.peek().is_none() || next_is_append {
            match position {
                Some(position) => append(&mut members[position].1, text),
                None if next_is_append => {
                    members.push((step, Node::List(vec![Node::Text(text)])));
                }
                None => members.push((step, Node::Text(text))),
            }
            return;
        }
        let position = position.unwrap_or_else(|| {
            members.push((step, Node::Members(Vec::new())));
            members.len() - 1
        });
        let node = &mut members[position].1;
        if !matches!(node, Node::Members(_)) {
            *node = Node::Members(Vec::new());
        }
        let Node::Members(inner) = node else { return };
        members = inner;
    }
}

/// A second value of the same name makes a list.
fn append(node: &mut Node, text: String) {
    match node {
        Node::List(list) => list.push(Node::Text(text)),
        Node::Text(first) => {
            let first = std::mem::take(first);
            *node = Node::List(vec![Node::Text(first), Node::Text(text)]);
        }
        Node::Members(_) => *node = Node::Text(text),
    }
}

fn finished(node: Node) -> Value {
    match node {
        Node::Text(text) => Value::String(text),
        Node::List(list) => list.into_iter().map(finished).collect(),
        Node::Members(mut members) => {
            if is_list(&members) {
                members.sort_by_key(|(step, _)| match step {
                    Step::Position(position) => *position,
                    Step::Key(_) | Step::Append => 0,
                });
                return members
                    .into_iter()
                    .map(|(_, node)| finished(node))
                    .collect();
            }
            let key = |step| match step {
                Step::Key(key) => key,
                Step::Position(position) => position.to_string(),
                Step::Append => String::new(),
            };
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(step, node)| (key(step), finished(node)))
                    .collect(),
            )
        }
    }
}

/// Whether the members are the positions 1 to n. No two members have the same step.
fn is_list(members: &[(Step, Node)]) -> bool {
    let within = |step: &Step| matches!(step, Step::Position(p) if (1..=members.len()).contains(p));
    !members.is_empty() && members.iter().all(|(step, _)| within(step))
}

impl Schema {
    /// Gives the texts of a form the types of the fields. `stored`: the entity that the form
    /// changes, which says the plugin where the form does not.
    pub fn infer(
        &self,
        object: Map<String, Value>,
        stored: Option<&Map<String, Value>>,
        rules: &Rules,
    ) -> Map<String, Value> {
        let selector = self.subschemas.map(|subschemas| subschemas.selector);
        let named = selector.is_some_and(|selector| object.contains_key(selector));
        let fields = match stored {
            Some(stored) if !named => self.known_fields(stored),
            _ => self.known_fields(&object),
        };
        infer_members(fields, object, rules)
    }
}

fn infer_members(
    fields: FieldList,
    object: Map<String, Value>,
    rules: &Rules,
) -> Map<String, Value> {
    let infer = |(key, value): (String, Value)| {
        let field = fields.position(&key).map(|position| fields.at(position));
        let value = match field {
            Some(Field { ty, .. }) => ty.infer(value, rules),
            None if value == "" => Value::Null,
            None => value,
        };
        (key, value)
    };
    object.into_iter().map(infer).collect()
}

impl Type {
    fn infer(&self, value: Value, rules: &Rules) -> Value {
        if value == "" {
            return Value::Null;
        }
        match (self.kind, value) {
            (Kind::Integer | Kind::Number, Value::String(text)) => {
                number(&text).map_or(Value::String(text), Value::Number)
            }
            (Kind::Boolean, Value::String(text)) => match &*text {
                "true" => true.into(),
                "false" => false.into(),
                _ => Value::String(text),
            },
            (Kind::Set(element) | Kind::Array(element), Value::Array(list)) => list
                .into_iter()
                .map(|member| element.infer(member, rules))
                .collect(),
            (Kind::Set(element) | Kind::Array(element), Value::String(text)) => {
                vec![element.infer(Value::String(text), rules)].into()
            }
            (Kind::Map(_, member), Value::Object(map)) => {
                let members = map.into_iter();
                members
                    .map(|(key, value)| (key, member.infer(value, rules)))
                    .collect()
            }
            (Kind::Record(record), Value::Object(mut map)) => {
                let mut old_names = Map::new();
                for shorthand in record.shorthands {
                    if let Some(value) = map.swap_remove(shorthand.name) {
                        let value = shorthand.ty.infer(value, rules);
                        old_names.insert(shorthand.name.to_owned(), value);
                    }
                }
                let mut map = infer_members(FieldList::of(record.fields), map, rules);
                map.extend(old_names);
                map.into()
            }
            (Kind::Foreign(entity), Value::Object(map)) => {
                let kind = EntityKind::of_name(entity);
                let fields = kind.map_or(&[][..], |kind| kind.schema(rules).fields);
                infer_members(FieldList::of(fields), map, rules).into()
            }
            (_, value) => value,
        }
    }
}

/// Lua's `tonumber`: decimal with fraction and exponent, or hexadecimal; space around it.
fn number(text: &str) -> Option<Number> {
    let text = text.trim_ascii();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    if let Some(hex) = hex {
        let starts_well = hex
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_hexdigit());
        let number = i64::from_str_radix(hex, 16).ok().filter(|_| starts_well)?;
        return Some(if negative { -number } else { number }.into());
    }
    let starts_well = digits
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    if !starts_well {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}
