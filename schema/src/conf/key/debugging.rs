//! Timing of single requests.

use super::super::{check, kind::Kind};
use super::{Key, useful};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    useful("request_debug", Kind::Switch, "Whether a request may ask for its timing.").default("on"),
    useful("request_debug_token", Kind::Text(check::none),
        "What clients from elsewhere must send to get it; unset, it is chosen at each start."),
];
