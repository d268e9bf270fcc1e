//! One field of a JSON object, without the rest of it in memory.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The text under `field` of the object in `json`; `None`: there is none, or it is no text.
pub(super) fn text(json: &str, field: &str) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    match Member(field).deserialize(&mut deserializer) {
        Ok(Some(Value::String(text))) => Some(text),
        _ => None,
    }
}

/// Whether `json` is an object.
pub(super) fn is_object(json: &str) -> bool {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    // No field has an empty name.
    Member("").deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

/// The member of that name of an object.
struct Member<'f>(&'f str);

#[derive(Deserialize)]
struct Name<'j>(#[serde(borrow)] Cow<'j, str>);

impl<'j> DeserializeSeed<'j> for Member<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'j> Visitor<'j> for Member<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Name(name)) = members.next_key()? {
            if name == self.0 {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands_and_nothing_else_is() {
        let json = r#"{"a":{"b":"inner"},"\u0062":"outer","c":1,"d":null}"#;
        assert_eq!(text(json, "b").as_deref(), Some("outer"));
        for field in ["a", "c", "d", "e"] {
            assert_eq!(text(json, field), None, "{field}");
        }
    }

    #[test]
    fn only_whole_objects_are_objects() {
        assert!(is_object(r#"{"a":[1]}"#));
        for json in ["", "[]", "1", r#"{"a""#, "{} {}"] {
            assert!(!is_object(json), "{json}");
        }
    }
}
