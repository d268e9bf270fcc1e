//! Keys that Kong does not have.

use super::super::kind::Kind;
use super::{Key, useful};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    useful("error_log_format", Kind::OneOf(&["text", "json"]),
        "Form of the lines of the error logs: text as nginx writes them, or one JSON object each.")
        .default("text").works(),
];
