//! The record `propagation` of tracing plugins: which trace headers are read, removed and written
//! (`kong/observability/tracing/propagation/schema.lua`).
//!
//! Deviation: Kong's messages list the formats in no fixed order; here it is that of Kong's file.

use super::HEADER_NAME;
use crate::field::{Check, Default, Field, Kind, Record, Type};

/// `propagation`, with its default as JSON.
pub(crate) const fn field(default: &'static str) -> Field {
    Field::record("propagation", &RECORD)
        .default(Default::Json(default))
        .description("How traces are carried from and to other programs.")
}

static RECORD: Record = Record::new(&[
    Field::new("extract", Type::new(Kind::Array(&EXTRACTOR)))
        .description("Formats that are read, in this order."),
    Field::new("clear", Type::new(Kind::Array(&HEADER_NAME)))
        .description("Headers that are removed after reading."),
    Field::new("inject", Type::new(Kind::Array(&INJECTOR)))
        .description("Formats that are written; `preserve`: the one that was read."),
    Field::new("default_format", FORMAT)
        .required()
        .description("Format that is written when none was read."),
]);

const EXTRACTOR: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "w3c", "b3", "jaeger", "ot", "datadog", "aws", "gcp",
    ])],
);
const INJECTOR: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "preserve",
        "w3c",
        "b3",
        "b3-single",
        "jaeger",
        "ot",
        "datadog",
        "aws",
        "gcp",
    ])],
);
const FORMAT: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "w3c",
        "b3",
        "b3-single",
        "jaeger",
        "ot",
        "datadog",
        "aws",
        "gcp",
    ])],
);
