//! JSON text item by item: each is validated, typed and dropped before the next one is read, so
//! that a file of a million routes does not stand in memory as a tree first.
//!
//! Takes the usual shape only: an object whose `_format_version` is current and comes before the
//! lists, each key once, lists that are arrays. Everything else, errors of syntax too, is left to
//! the walk over the whole tree, whose word is final.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::load::{Kind, Loader, VERSION};
use super::{Config, Invalid};

/// The configuration, or its errors; `None` when the text has an unusual shape.
pub(super) fn load(text: &[u8]) -> Option<Result<Config, Invalid>> {
    let mut loader = Loader::new();
    let mut json = serde_json::Deserializer::from_slice(text);
    json.deserialize_map(File(&mut loader)).ok()?;
    json.end().ok()?;
    Some(loader.finish())
}

/// The object at the top.
struct File<'a>(&'a mut Loader);

impl<'de> Visitor<'de> for File<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the version before the lists")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        let mut is_current = false;
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom("a key for the second time"));
            }
            if key == "_format_version" {
                is_current = map.next_value::<Value>()? == VERSION;
            } else if !is_current {
                return Err(A::Error::custom("no current version yet"));
            } else if let Some(kind) = Kind::of_name(&key) {
                map.next_value_seed(Items {
                    loader: self.0,
                    kind,
                })?;
            } else {
                let value = map.next_value()?;
                self.0.section(key, value);
            }
        }
        is_current
            .then_some(())
            .ok_or_else(|| A::Error::custom("no current version"))
    }
}

/// A list of entities.
struct Items<'a> {
    loader: &'a mut Loader,
    kind: Kind,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(item) = list.next_element::<Value>()? {
            self.loader.list_item(self.kind, index, item, None);
            index += 1;
        }
        Ok(())
    }
}
