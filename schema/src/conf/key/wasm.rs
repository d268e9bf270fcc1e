//! Filters in WebAssembly.

use super::super::{check, kind::Kind};
use super::{Key, ignored, useful};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    useful("wasm", Kind::Switch, "Whether filters can be used.").default("off"),
    useful("wasm_filters_path", Kind::Path, "Directory of the filters, *.wasm."),
    useful("wasm_filters", Kind::List(check::any), "Filters that may be used: bundled, user, off, or names.")
        .default("bundled,user"),
    ignored("wasm_dynamic_module", Kind::Text(check::none), "nginx's module for filters."),
];
