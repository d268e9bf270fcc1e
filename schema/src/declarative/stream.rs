//! JSON text item by item: each is validated, typed and dropped before the next one is read, so
//! that a file of a million routes does not stand in memory as a tree first.
//!
//! Takes the usual shape only: an object whose `_format_version` is current and comes before the
//! lists, each key once, lists that are arrays. Everything else, errors of syntax too, is left to
//! the walk over the whole tree, whose word is final.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::Faults;
use super::load::{Loader, VERSION};
use super::{Config, Options, Plan, plan};
use crate::entity::EntityKind;

/// The configuration, or its errors; `None` when the text has an unusual shape.
pub(super) fn load(
    text: &[u8],
    plan: &Plan,
    options: &Options<'_>,
) -> Option<Result<Config, Box<Faults>>> {
    let mut loader = Loader::new(plan, options);
    let mut reader = Reader { text, at: 0 };
    reader.file(&mut loader)?;
    Some(loader.finish())
}

/// A place in a text. Every step is `None` when the text goes on otherwise.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    /// The object at the top.
    fn file(&mut self, loader: &mut Loader<'_>) -> Option<()> {
        let mut seen = HashSet::new();
        let mut is_current = false;
        self.expect(b'{')?;
        loop {
            let key: String = self.value()?;
            self.expect(b':')?;
            if !seen.insert(key.clone()) {
                return None;
            }
            if key == "_format_version" {
                is_current = self.value::<Value>()? == VERSION;
            } else if !is_current {
                return None;
            } else if let Some(kind) = plan::kind_of(&key) {
                self.items(kind, loader)?;
            } else {
                loader.section(key, self.value()?);
            }
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        (is_current && self.next().is_none()).then_some(())
    }

    /// A list of entities.
    fn items(&mut self, kind: EntityKind, loader: &mut Loader<'_>) -> Option<()> {
        self.expect(b'[')?;
        if self.peek()? == b']' {
            return self.expect(b']');
        }
        for index in 0.. {
            loader.list_item(kind, index, self.value()?, None);
            loader.report_progress(self.at, self.text.len());
            match self.next()? {
                b',' => {}
                b']' => break,
                _ => return None,
            }
        }
        Some(())
    }

    fn value<T: DeserializeOwned>(&mut self) -> Option<T> {
        let rest = serde_json::Deserializer::from_slice(&self.text[self.at..]);
        let mut values = rest.into_iter::<T>();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value)
    }

    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        let blanks = rest.iter().take_while(|byte| b" \t\r\n".contains(byte));
        self.at += blanks.count();
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }
}
