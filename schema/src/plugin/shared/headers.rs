//! Pairs `name:value` of plugins that change headers.

use super::split_pair;
use crate::field::{Check, text};

/// A text with a colon after its first part.
pub(crate) const PAIR: Check = Check::Match("^[^:]+:.*$");

/// The part before the colon names a header.
pub(crate) fn name_and_value(pair: &str) -> Result<(), String> {
    header_name(split_pair(pair).0)
}

/// The parts before and after the colon name headers.
pub(crate) fn two_names(pair: &str) -> Result<(), String> {
    let (old, new) = split_pair(pair);
    header_name(old)?;
    header_name(new)
}

fn header_name(name: &str) -> Result<(), String> {
    if !name.is_empty() && text::header_name(name).is_ok() {
        Ok(())
    } else {
        Err(format!("'{name}' is not a valid header"))
    }
}
