//! Fields of plugins that log (`kong/db/schema/typedefs.lua`, `kong/plugins/syslog/schema.lua`).
//!
//! Limits: Lua code is checked for its shape only, since there is no Lua here to compile it, so
//! `untrusted_lua` does not matter either.

use crate::field::{Check, Default, Field, Kind, Type};

/// `custom_fields_by_lua`: what Lua adds to the logged object, by path.
pub(crate) const CUSTOM_FIELDS: Field =
    Field::new("custom_fields_by_lua", Type::new(Kind::Map(&TEXT, &TEXT)))
        .description("Fields of the logged object and the Lua code that returns their values.");

const TEXT: Type = Type::with(Kind::String, &[Check::LenMin(1)]);

/// A severity of syslog.
pub(crate) const fn severity(name: &'static str) -> Field {
    Field::new(name, SEVERITY).default(Default::String("info"))
}

const SEVERITY: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "debug", "info", "notice", "warning", "err", "crit", "alert", "emerg",
    ])],
);
