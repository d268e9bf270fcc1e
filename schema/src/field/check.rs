//! Checks of one value and their texts, in the order in which Kong makes them.

use serde_json::Value;
use uuid::Uuid;

/// One check of a value that has the right shape already.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// The text is one of these.
    OneOf(&'static [&'static str]),
    /// The number is one of these.
    OneOfIntegers(&'static [i64]),
    /// A Unix time: more than 0.
    Timestamp,
    /// The text is a UUID of any version.
    Uuid,
    /// The number lies between these, both included.
    Between(i64, i64),
    /// Least length of a text or list.
    LenMin(usize),
    /// The text starts so.
    StartsWith(&'static str),
    /// Rules of a text; the error is the message.
    Text(fn(&str) -> Result<(), String>),
    /// Members of a list come from one of these groups only.
    ExclusiveSubsets(&'static [&'static [&'static str]]),
}

impl Check {
    /// Whether Kong makes the check before it looks at the length.
    fn precedes_length(self) -> bool {
        matches!(
            self,
            Self::OneOf(_) | Self::OneOfIntegers(_) | Self::Timestamp | Self::Uuid
        ) || matches!(self, Self::Between(..) | Self::LenMin(_))
    }
}

/// The message of the first check that fails.
pub(super) fn run(checks: &[Check], value: &Value) -> Result<(), String> {
    let mut length_checked = checks.iter().any(|check| matches!(check, Check::LenMin(_)));
    for check in checks {
        if !length_checked && !check.precedes_length() {
            length_checked = true;
            not_empty(value)?;
        }
        check.run(value)?;
    }
    if length_checked {
        Ok(())
    } else {
        not_empty(value)
    }
}

/// The length that every text has unless its type says otherwise.
fn not_empty(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) if text.is_empty() => Err("length must be at least 1".into()),
        _ => Ok(()),
    }
}

impl Check {
    fn run(self, value: &Value) -> Result<(), String> {
        match self {
            Self::OneOf(words) => {
                let known = value.as_str().is_some_and(|text| words.contains(&text));
                known.then_some(()).ok_or_else(|| one_of_text(words))
            }
            Self::OneOfIntegers(numbers) => {
                let known = value
                    .as_i64()
                    .is_some_and(|number| numbers.contains(&number));
                known.then_some(()).ok_or_else(|| one_of_text(numbers))
            }
            Self::Timestamp => {
                let valid = value.as_f64().is_some_and(|time| time > 0.0);
                valid
                    .then_some(())
                    .ok_or_else(|| "expected a valid timestamp".into())
            }
            Self::Uuid => {
                let valid = value.as_str().and_then(parse_uuid).is_some();
                valid
                    .then_some(())
                    .ok_or_else(|| "expected a valid UUID".into())
            }
            Self::Between(low, high) => {
                let within = is_between(value, low, high);
                within
                    .then_some(())
                    .ok_or_else(|| format!("value should be between {low} and {high}"))
            }
            Self::LenMin(least) => {
                let long = length(value) >= least;
                long.then_some(())
                    .ok_or_else(|| format!("length must be at least {least}"))
            }
            Self::StartsWith(prefix) => {
                let starts = value.as_str().is_some_and(|text| text.starts_with(prefix));
                starts
                    .then_some(())
                    .ok_or_else(|| format!("should start with: {prefix}"))
            }
            Self::Text(rule) => value.as_str().map_or(Ok(()), rule),
            Self::ExclusiveSubsets(groups) => exclusive_subsets(value, groups),
        }
    }
}

/// A UUID in its long form, any letter case.
pub(super) fn parse_uuid(text: &str) -> Option<Uuid> {
    const LONG_FORM_BYTES: usize = 36;
    if text.len() == LONG_FORM_BYTES {
        Uuid::try_parse(text).ok()
    } else {
        None
    }
}

/// `expected one of: a, b, c`
pub(super) fn one_of_text<T: ToString>(members: &[T]) -> String {
    let members: Vec<String> = members.iter().map(ToString::to_string).collect();
    format!("expected one of: {}", members.join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "bounds of fractions are small")]
fn is_between(value: &Value, low: i64, high: i64) -> bool {
    match value.as_i64() {
        Some(number) => (low..=high).contains(&number),
        None => value
            .as_f64()
            .is_some_and(|n| (low as f64..=high as f64).contains(&n)),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    }
}

fn exclusive_subsets(value: &Value, groups: &[&[&str]]) -> Result<(), String> {
    let mut seen: Vec<&[&str]> = Vec::new();
    for member in value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if let Some(group) = groups.iter().find(|group| group.contains(&member))
            && !seen.contains(group)
        {
            seen.push(group);
        }
    }
    if seen.len() < 2 {
        return Ok(());
    }
    let list: Vec<String> = seen
        .iter()
        .map(|group| format!("({})", quoted(group)))
        .collect();
    Err(format!(
        "these sets are mutually exclusive: {}",
        list.join(", ")
    ))
}

/// `'a', 'b'`
pub(super) fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("'{name}'"))
        .collect::<Vec<_>>()
        .join(", ")
}
