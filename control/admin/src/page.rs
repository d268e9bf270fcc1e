//! Parameters of lists: `size`, `offset`, `tags`; and the envelope of a page.
//!
//! Limits: [`SIZE_MAX`] entities in a page, [`TAGS_MAX`] tags in a filter.
//!
//! Source: `kong/api/endpoints.lua`, `kong/db/dao/init.lua` (options), `kong/tools/uri.lua`.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Value, json};
use silverback_schema::field::text;
use uuid::Uuid;

use crate::{
    entities::Object,
    error::Refusal,
    form::{self, Fields},
};

/// Entities in a page that names no size.
const SIZE_DEFAULT: usize = 100;
/// Most entities of a page.
const SIZE_MAX: usize = 1000;
/// Most tags of a filter.
const TAGS_MAX: usize = 5;

/// What a list is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Entities at most.
    pub(crate) size: usize,
    /// The offset's text.
    pub(crate) offset: Option<String>,
    /// Only entities with these.
    pub(crate) tags: Option<TagFilter>,
    /// As they were written, for the link to the next page.
    size_text: Option<String>,
    tags_text: Option<String>,
}

/// Which tags entities must have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TagFilter {
    /// All of these.
    All(Vec<String>),
    /// One of these.
    Any(Vec<String>),
}

impl Asked {
    /// Reads the parameters of a list.
    pub(crate) fn of(query: &Fields) -> Result<Self, Refusal> {
        let size_text = form::first(query, "size").map(str::to_owned);
        let size = size_text.as_deref().map_or(Ok(SIZE_DEFAULT), size)?;
        let tags_text = form::first(query, "tags").map(str::to_owned);
        let tags = tags_text.as_deref().map(TagFilter::parse).transpose()?;
        let offset = form::first(query, "offset").map(str::to_owned);
        Ok(Self {
            size,
            offset,
            tags,
            size_text,
            tags_text,
        })
    }

    /// The id after which the page begins.
    pub(crate) fn after(&self) -> Result<Option<Uuid>, Refusal> {
        let Some(offset) = &self.offset else {
            return Ok(None);
        };
        let refuse = |why| Refusal::Offset(format!("'{offset}' is not a valid offset: {why}"));
        let trimmed = offset.trim_end_matches('=');
        let bytes = STANDARD_NO_PAD
            .decode(trimmed)
            .map_err(|_| refuse("bad base64 encoding"))?;
        let ids: [Uuid; 1] = serde_json::from_slice::<Vec<Uuid>>(&bytes)
            .ok()
            .and_then(|ids| ids.try_into().ok())
            .ok_or_else(|| refuse("bad json encoding"))?;
        Ok(Some(ids[0]))
    }

    /// The envelope of a page of a collection at the top.
    pub(crate) fn page(&self, path: &str, entities: Vec<Object>, offset: Option<String>) -> Value {
        let next = offset.as_ref().map(|offset| {
            let mut next = format!("/{path}?offset={}", escaped(offset));
            if let Some(tags) = &self.tags_text {
                next += &format!("&tags={}", escaped(tags));
            }
            if let Some(size) = &self.size_text {
                next += &format!("&size={}", escaped(size));
            }
            next
        });
        envelope(entities, next, offset)
    }
}

/// The envelope of a page of a collection below an entity: size and tags are not repeated.
pub(crate) fn page_below(path: &str, entities: Vec<Object>, offset: Option<String>) -> Value {
    let next = offset
        .as_ref()
        .map(|offset| format!("{path}?offset={}", escaped(offset)));
    envelope(entities, next, offset)
}

fn envelope(entities: Vec<Object>, next: Option<String>, offset: Option<String>) -> Value {
    let entities: Vec<Value> = entities.into_iter().map(Value::Object).collect();
    let mut page = json!({ "data": entities, "next": next });
    if let Some(offset) = offset {
        page["offset"] = offset.into();
    }
    page
}

/// The offset of the page after that entity.
pub(crate) fn offset_after(id: Uuid) -> String {
    STANDARD_NO_PAD.encode(json!([id.to_string()]).to_string())
}

fn size(text: &str) -> Result<usize, Refusal> {
    let number: f64 = text
        .trim()
        .parse()
        .map_err(|_| Refusal::Size("size must be a number"))?;
    (1..=SIZE_MAX)
        .find(|size| *size as f64 == number)
        .ok_or(Refusal::Size("size must be an integer between 1 and 1000"))
}

impl TagFilter {
    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::Tags("cannot be null"));
        }
        let invalid = Refusal::Tags("invalid filter syntax");
        let (separator, wrap): (char, fn(Vec<String>) -> Self) =
            match (text.contains(','), text.contains('/')) {
                (true, true) => return Err(invalid),
                (_, true) => ('/', Self::Any),
                (_, false) => (',', Self::All),
            };
        let tags: Vec<String> = text.split(separator).map(str::to_owned).collect();
        if tags
            .iter()
            .any(|tag| tag.is_empty() || text::tag(tag).is_err() || tag.contains('\u{fffd}'))
        {
            return Err(invalid);
        }
        if tags.len() > TAGS_MAX {
            return Err(Refusal::Tags("cannot query more than 5 tags"));
        }
        Ok(wrap(tags))
    }

    /// Whether an entity is asked for.
    pub(crate) fn fits(&self, entity: &Object) -> bool {
        let given = entity.get("tags").and_then(Value::as_array);
        let has = |tag: &String| given.is_some_and(|given| given.iter().any(|given| given == tag));
        match self {
            Self::All(tags) => tags.iter().all(has),
            Self::Any(tags) => tags.iter().any(has),
        }
    }
}

/// Percent-encodes what is not plain in a query.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Asked, String> {
        let query = form::urlencoded(query.as_bytes()).expect("few fields");
        Asked::of(&query).map_err(|refusal| format!("{refusal:?}"))
    }

    #[test]
    fn sizes_are_whole_and_within_limits() {
        assert_eq!(asked("").expect("valid").size, 100);
        assert_eq!(asked("size=1000").expect("valid").size, 1000);
        for bad in ["size=0", "size=1001", "size=1.5", "size=x", "size="] {
            asked(bad).expect_err(bad);
        }
    }

    #[test]
    fn filters_join_tags_by_and_or_by_or() {
        let tags = |query| asked(query).expect("valid").tags;
        let list = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        assert_eq!(tags("tags=a,b"), Some(TagFilter::All(list(&["a", "b"]))));
        assert_eq!(tags("tags=a/b"), Some(TagFilter::Any(list(&["a", "b"]))));
        for bad in [
            "tags=",
            "tags",
            "tags=a,b/c",
            "tags=a,,b",
            "tags=%FF",
            "tags=1,2,3,4,5,6",
        ] {
            asked(bad).expect_err(bad);
        }
    }

    #[test]
    fn an_offset_leads_to_its_id() {
        let id = Uuid::from_u128(7);
        let query = format!("offset={}", escaped(&offset_after(id)));
        assert_eq!(asked(&query).expect("valid").after().ok(), Some(Some(id)));
        for bad in ["offset=x", "offset=!", "offset=YQ"] {
            assert!(asked(bad).expect("valid").after().is_err(), "{bad}");
        }
    }
}
