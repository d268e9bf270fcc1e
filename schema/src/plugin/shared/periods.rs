//! Limits for each period of time.

use serde_json::Value;

use crate::field::{Check, Field, Kind, Type};

/// A limit for each period, shortest first; none is needed.
pub(crate) const PERIODS: [Field; 6] = [
    limit("second").description("Limit for each second."),
    limit("minute").description("Limit for each minute."),
    limit("hour").description("Limit for each hour."),
    limit("day").description("Limit for each day."),
    limit("month").description("Limit for each month."),
    limit("year").description("Limit for each year."),
];

/// Their names.
pub(crate) const NAMES: &[&str] = &["second", "minute", "hour", "day", "month", "year"];

const fn limit(name: &'static str) -> Field {
    Field::new(name, Type::with(Kind::Number, &[Check::Gt(0.0)]))
}

/// The first longer period whose limit is lower than that of a shorter one, both as
/// `minute(5.0)`.
pub(crate) fn disorder(limits: &Value) -> Option<(String, String)> {
    let limit = |name: &&str| {
        let number = limits.get(*name).and_then(Value::as_f64)?;
        Some((number, format!("{name}({number:.1})")))
    };
    let given: Vec<(f64, String)> = NAMES.iter().filter_map(limit).collect();
    given.iter().enumerate().find_map(|(at, (short, text))| {
        let long = given[at + 1..].iter().find(|(long, _)| long < short);
        long.map(|(_, long)| (long.clone(), text.clone()))
    })
}
