//! YAML text to JSON values.
//!
//! The events are saphyr-parser's; what a plain scalar means is decided here as lyaml, Kong's
//! loader, does (YAML 1.1: `yes`, `no`, `on`, `off` are booleans, `y` and `n` are texts, `012` is
//! octal, `1:30` is sixty-based). The first document counts. Keys keep their text.
//!
//! Limits, against texts that are small and expand without end: [`DEPTH_MAX`], [`NODES_MAX`],
//! [`ALIAS_NODES_MAX`]; the size of the text is its caller's concern.
//!
//! Source: lyaml `lib/lyaml/{init,implicit}.lua`; YAML 1.1 <https://yaml.org/type/>.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::load::VERSION;
use super::plan;
use crate::entity::EntityKind;

/// Collections inside each other.
const DEPTH_MAX: usize = 128;
/// Scalars and collections of a document, those behind aliases counted each time.
const NODES_MAX: usize = 100_000_000;
/// Nodes that aliases and merge keys may add.
const ALIAS_NODES_MAX: usize = 1_000_000;

/// Takes an item of a list at the top, with its position in the list and the number of characters
/// that were read.
pub(super) type Sink<'a> = dyn FnMut(EntityKind, usize, Value, usize) + 'a;

/// The first document of a text.
pub(super) fn parse(text: &[u8]) -> Result<Value, String> {
    Builder::default().parse(text)
}

/// The same, but items of the lists of entities go to `sink` one by one and are left out of the
/// document, if the current version comes before them. An error may be due to an unusual shape:
/// then the items that `sink` got do not count and [`parse`] has the final word.
pub(super) fn parse_into(text: &[u8], sink: &mut Sink<'_>) -> Result<Value, String> {
    Builder {
        sink: Some(sink),
        ..Builder::default()
    }
    .parse(text)
}

impl Builder<'_> {
    fn parse(mut self, text: &[u8]) -> Result<Value, String> {
        let text = std::str::from_utf8(text)
            .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| error.to_string())?;
            self.read = span.end.index();
            let at_line = |problem: String| format!("line {}: {problem}", span.start.line());
            if let Some(root) = self.event(event).map_err(at_line)? {
                return Ok(root);
            }
        }
        Ok(Value::Null)
    }
}

#[derive(Default)]
struct Builder<'a> {
    sink: Option<&'a mut Sink<'a>>,
    /// Characters of the text that were read.
    read: usize,
    /// Items that went to the sink, any list.
    streamed: usize,
    /// Open collections, outermost first.
    open: Vec<Collection>,
    /// Finished anchored values with their number of nodes.
    anchors: HashMap<usize, (Value, usize)>,
    nodes: usize,
    alias_nodes: usize,
}

struct Collection {
    shape: Shape,
    /// 0: none.
    anchor: usize,
    /// Nodes counted before it began.
    nodes_before: usize,
    /// Items that went to the sink.
    streamed: usize,
}

enum Shape {
    List(Vec<Value>),
    Map {
        map: Map<String, Value>,
        key: Option<Key>,
        /// Values of merge keys; explicit keys win over them.
        merged: Vec<Value>,
    },
}

enum Key {
    Text(String),
    Merge,
}

impl Builder<'_> {
    /// Takes an event in; the value of the document once it is complete.
    fn event(&mut self, event: Event<'_>) -> Result<Option<Value>, String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                if self.expects_key() {
                    return self.set_key(&text, style).map(|()| None);
                }
                let value = scalar(&text, style, tag.as_deref());
                self.finish(value, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.begin(Shape::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => {
                let merged = Vec::new();
                self.begin(
                    Shape::Map {
                        map: Map::new(),
                        key: None,
                        merged,
                    },
                    anchor,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor),
            Event::DocumentEnd => Ok(Some(Value::Null)),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {
                Ok(None)
            }
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(format!("more than {NODES_MAX} nodes"));
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        let open = self.open.last().map(|collection| &collection.shape);
        matches!(open, Some(Shape::Map { key: None, .. }))
    }

    fn set_key(&mut self, text: &str, style: ScalarStyle) -> Result<(), String> {
        if let Some(Collection {
            shape: Shape::Map { key, .. },
            ..
        }) = self.open.last_mut()
        {
            let merge = text == "<<" && style == ScalarStyle::Plain;
            *key = Some(if merge {
                Key::Merge
            } else {
                Key::Text(text.to_owned())
            });
        }
        Ok(())
    }

    fn begin(&mut self, shape: Shape, anchor: usize) -> Result<Option<Value>, String> {
        if self.expects_key() {
            return Err("a key must be a scalar".into());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!(
                "more than {DEPTH_MAX} collections inside each other"
            ));
        }
        let nodes_before = self.nodes;
        self.count(1)?;
        self.open.push(Collection {
            shape,
            anchor,
            nodes_before,
            streamed: 0,
        });
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Value>, String> {
        let Some(Collection {
            shape,
            anchor,
            nodes_before,
            ..
        }) = self.open.pop()
        else {
            return Err("unexpected end of a collection".into());
        };
        let value = match shape {
            Shape::List(list) => Value::Array(list),
            Shape::Map {
                mut map, merged, ..
            } => {
                for source in merged {
                    merge(&mut map, source)?;
                }
                Value::Object(map)
            }
        };
        self.finish(value, anchor, self.nodes - nodes_before)
    }

    /// Puts a value of so many nodes into the open collection.
    fn finish(
        &mut self,
        value: Value,
        anchor: usize,
        nodes: usize,
    ) -> Result<Option<Value>, String> {
        if anchor != 0 {
            self.count_alias(nodes)?;
            self.anchors.insert(anchor, (value.clone(), nodes));
        }
        let Some(value) = self.stream(value)? else {
            return Ok(None);
        };
        let streamed = self.open.len() == 1 && self.streamed > 0;
        let Some(collection) = self.open.last_mut() else {
            return Ok(Some(value));
        };
        match &mut collection.shape {
            Shape::List(list) => list.push(value),
            Shape::Map { map, key, merged } => match key.take() {
                Some(Key::Text(key)) => {
                    if map.insert(key, value).is_some() && streamed {
                        return Err("a key for the second time".into());
                    }
                }
                Some(Key::Merge) => merged.push(value),
                None => return Err("a value without a key".into()),
            },
        }
        Ok(None)
    }

    /// Gives an item of a list of entities to the sink; any other value comes back.
    fn stream(&mut self, value: Value) -> Result<Option<Value>, String> {
        let (Some(sink), [root, list]) = (&mut self.sink, &mut self.open[..]) else {
            return Ok(Some(value));
        };
        let (
            Shape::Map {
                map,
                key: Some(Key::Text(name)),
                ..
            },
            Shape::List(_),
            0,
        ) = (&root.shape, &list.shape, list.anchor)
        else {
            return Ok(Some(value));
        };
        let is_current = || {
            map.get("_format_version")
                .is_some_and(|version| version == VERSION)
        };
        match plan::kind_of(name) {
            Some(kind) if list.streamed > 0 || is_current() => {
                if list.streamed == 0 && map.contains_key(name) {
                    return Err("a key for the second time".into());
                }
                sink(kind, list.streamed, value, self.read);
                list.streamed += 1;
                self.streamed += 1;
                Ok(None)
            }
            _ => Ok(Some(value)),
        }
    }

    fn count_alias(&mut self, nodes: usize) -> Result<(), String> {
        self.alias_nodes = self.alias_nodes.saturating_add(nodes);
        if self.alias_nodes > ALIAS_NODES_MAX {
            return Err(format!(
                "anchors and aliases expand to more than {ALIAS_NODES_MAX} nodes"
            ));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize) -> Result<Option<Value>, String> {
        let Some((_, nodes)) = self.anchors.get(&anchor) else {
            return Err("an alias inside the node that it refers to".into());
        };
        let nodes = *nodes;
        self.count(nodes)?;
        self.count_alias(nodes)?;
        let value = self.anchors[&anchor].0.clone();
        if self.expects_key() {
            let Value::String(text) = value else {
                return Err("a key must be a text".into());
            };
            return self
                .set_key(&text, ScalarStyle::DoubleQuoted)
                .map(|()| None);
        }
        self.finish(value, 0, nodes)
    }
}

/// Adds what the map does not have: of a map, or of each map in a list.
fn merge(map: &mut Map<String, Value>, source: Value) -> Result<(), String> {
    match source {
        Value::Object(source) => {
            for (key, value) in source {
                map.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(sources) if sources.iter().all(Value::is_object) => sources
            .into_iter()
            .try_for_each(|source| merge(map, source)),
        _ => Err("'<<' needs a map or a list of maps".into()),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let core = tag
        .filter(|tag| tag.is_yaml_core_schema())
        .map(|tag| tag.suffix.as_str());
    match core {
        Some("str") => text.into(),
        Some("null" | "bool" | "int" | "float") => plain(text),
        _ if style == ScalarStyle::Plain && tag.is_none() => plain(text),
        _ => text.into(),
    }
}

/// What a plain scalar means.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return true.into();
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return false.into();
        }
        _ => {}
    }
    let numeric = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.'));
    if numeric {
        number(text).map_or_else(|| text.into(), Value::Number)
    } else {
        text.into()
    }
}

fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = digits.replace('_', "");
    let signed = |number: u64| match negative {
        true => 0i64.checked_sub_unsigned(number).map(Number::from),
        false => Some(Number::from(number)),
    };
    let all = |is: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(is);
    if let Some(hex) = digits.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().and_then(signed);
    }
    if let Some(binary) = digits.strip_prefix("0b") {
        return u64::from_str_radix(binary, 2).ok().and_then(signed);
    }
    if all(u8::is_ascii_digit) {
        return match digits.strip_prefix('0') {
            None => digits
                .parse()
                .ok()
                .and_then(signed)
                .or_else(|| float(&digits, negative)),
            Some("") => signed(0),
            Some(octal) => u64::from_str_radix(octal, 8).ok().and_then(signed),
        };
    }
    if digits.contains(':') {
        return sixty_based(&digits).and_then(signed);
    }
    float(&digits, negative)
}

/// Digits with a point or an exponent.
fn float(digits: &str, negative: bool) -> Option<Number> {
    let allowed = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    if !digits.bytes().all(allowed) || !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    Number::from_f64(if negative { -number } else { number })
}

/// `1:30` is 90; every part but the first is below 60.
fn sixty_based(digits: &str) -> Option<u64> {
    digits
        .split(':')
        .enumerate()
        .try_fold(0u64, |sum, (index, part)| {
            let valid = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let part: u64 = valid.then(|| part.parse().ok())??;
            let fits = index == 0 || part < 60;
            fits.then(|| sum.checked_mul(60)?.checked_add(part))?
        })
}
