//! Checks of one value and their texts, in the order in which Kong makes them.

use serde_json::Value;
use uuid::Uuid;

use super::pattern;

/// One check of a value that has the right shape already.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Null and nothing else (`eq = null`): pins a field.
    Null,
    /// None of these texts.
    NotOneOf(&'static [&'static str]),
    /// The text is one of these.
    OneOf(&'static [&'static str]),
    /// The number is one of these.
    OneOfIntegers(&'static [i64]),
    /// The number is above this.
    Gt(f64),
    /// A Unix time: more than 0.
    Timestamp,
    /// The text is a UUID of any version.
    Uuid,
    /// The text compiles as a regex.
    IsRegex,
    /// The number lies between these, both included.
    Between(i64, i64),
    /// The number lies between these, both included.
    BetweenNumbers(f64, f64),
    /// Length of a text or list.
    LenEq(usize),
    /// Least length of a text or list.
    LenMin(usize),
    /// Greatest length of a text or list.
    LenMax(usize),
    /// The text starts so.
    StartsWith(&'static str),
    /// The text does not match this Lua pattern.
    NotMatch(&'static str),
    /// The text matches none of these.
    MatchNone(&'static [Pattern]),
    /// The text matches this Lua pattern.
    Match(&'static str),
    /// The text matches all of these.
    MatchAll(&'static [Pattern]),
    /// The text matches one of these Lua patterns, else the message.
    MatchAny(&'static [&'static str], &'static str),
    /// The list has this member.
    Contains(&'static str),
    /// Rules of a text; the error is the message.
    Text(fn(&str) -> Result<(), String>),
    /// Rules of any value; the error is the message.
    Value(fn(&Value) -> Result<(), String>),
    /// Members of a list come from one of these groups only.
    ExclusiveSubsets(&'static [&'static [&'static str]]),
}

/// A Lua pattern and the message when it matters.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// The pattern.
    pub pattern: &'static str,
    /// The message.
    pub err: &'static str,
}

impl Check {
    /// Whether Kong makes the check before it looks at the length.
    fn precedes_length(self) -> bool {
        matches!(
            self,
            Self::Null
                | Self::NotOneOf(_)
                | Self::OneOf(_)
                | Self::OneOfIntegers(_)
                | Self::Gt(_)
                | Self::Timestamp
                | Self::Uuid
                | Self::IsRegex
        ) || matches!(
            self,
            Self::Between(..) | Self::BetweenNumbers(..) | Self::LenEq(_) | Self::LenMin(_)
        )
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
            Self::Null => Err("value must be null".into()),
            Self::NotOneOf(words) => {
                let known = value.as_str().is_some_and(|text| words.contains(&text));
                let text = || format!("must not be one of: {}", words.join(", "));
                (!known).then_some(()).ok_or_else(text)
            }
            Self::Gt(number) => {
                let above = value.as_f64().is_some_and(|value| value > number);
                let text = || format!("value must be greater than {number}");
                above.then_some(()).ok_or_else(text)
            }
            Self::IsRegex => {
                let text = value.as_str().unwrap_or_default();
                let valid = regex_syntax::parse(text).is_ok();
                let text = || format!("not a valid regex: {text}");
                valid.then_some(()).ok_or_else(text)
            }
            Self::BetweenNumbers(low, high) => {
                let within = value.as_f64().is_some_and(|n| (low..=high).contains(&n));
                let text = || format!("value should be between {low} and {high}");
                within.then_some(()).ok_or_else(text)
            }
            Self::LenEq(exact) => {
                let right = length(value) == exact;
                let text = || format!("length must be {exact}");
                right.then_some(()).ok_or_else(text)
            }
            Self::LenMax(most) => {
                let short = length(value) <= most;
                let text = || format!("length must be at most {most}");
                short.then_some(()).ok_or_else(text)
            }
            Self::NotMatch(pattern) => invalid_if(pattern::is_match(pattern, text(value)), value),
            Self::Match(pattern) => invalid_if(!pattern::is_match(pattern, text(value)), value),
            Self::MatchNone(patterns) => {
                let failed = patterns
                    .iter()
                    .find(|p| pattern::is_match(p.pattern, text(value)));
                failed.map_or(Ok(()), |pattern| Err(pattern.err.into()))
            }
            Self::MatchAll(patterns) => {
                let failed = patterns
                    .iter()
                    .find(|p| !pattern::is_match(p.pattern, text(value)));
                failed.map_or(Ok(()), |pattern| Err(pattern.err.into()))
            }
            Self::MatchAny(patterns, err) => {
                let found = patterns.iter().any(|p| pattern::is_match(p, text(value)));
                found.then_some(()).ok_or_else(|| err.into())
            }
            Self::Contains(member) => {
                let list = value.as_array().map_or(&[][..], Vec::as_slice);
                let found = list.iter().any(|value| value == member);
                let text = || format!("expected to contain: {member}");
                found.then_some(()).ok_or_else(text)
            }
            Self::Value(rule) => rule(value),
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

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn invalid_if(invalid: bool, value: &Value) -> Result<(), String> {
    (!invalid)
        .then_some(())
        .ok_or_else(|| format!("invalid value: {}", text(value)))
}

pub(super) fn length(value: &Value) -> usize {
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
