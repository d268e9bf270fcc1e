//! The expressions of routes: whether they can be read, and name fields and types that exist.
//!
//! Kong's own parser does the work, so that its messages are Kong's. Limits of ours, because it
//! recurses: [`BYTES_MAX`], [`DEPTH_MAX`], [`OPERATORS_MAX`].
//!
//! Source: `kong/router/{atc,expressions,fields}.lua` of Kong 3.9.3.

use std::sync::LazyLock;

use atc_router::ast::{Expression, LogicalExpression, Type};
use atc_router::parser;
use atc_router::schema::Schema;
use atc_router::semantics::Validate;

/// Longest expression, bytes.
pub const BYTES_MAX: usize = 64 << 10;
/// Most parentheses inside each other.
pub const DEPTH_MAX: usize = 64;
/// Most `&&` and `||`.
pub const OPERATORS_MAX: usize = 1024;

/// What requests have fields for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subsystem {
    /// HTTP and gRPC.
    Http,
    /// TCP, TLS and UDP.
    Stream,
}

const TEXTS: &[&str] = &["net.protocol", "tls.sni"];
const NUMBERS: &[&str] = &["net.port", "net.src.port", "net.dst.port"];
const ADDRESSES: &[&str] = &["net.src.ip", "net.dst.ip"];
const HTTP_TEXTS: &[&str] = &[
    "http.method",
    "http.host",
    "http.path",
    "http.path.segments.*",
    "http.headers.*",
    "http.queries.*",
];

static STREAM: LazyLock<Schema> = LazyLock::new(stream);
static HTTP: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = stream();
    schema.add_field("http.path.segments.len", Type::Int);
    HTTP_TEXTS
        .iter()
        .for_each(|name| schema.add_field(name, Type::String));
    schema
});

fn stream() -> Schema {
    let mut schema = Schema::default();
    TEXTS
        .iter()
        .for_each(|name| schema.add_field(name, Type::String));
    NUMBERS
        .iter()
        .for_each(|name| schema.add_field(name, Type::Int));
    ADDRESSES
        .iter()
        .for_each(|name| schema.add_field(name, Type::IpAddr));
    schema
}

/// Checks an expression.
///
/// # Errors
/// Kong's message without prefix.
pub(super) fn check(text: &str, subsystem: Subsystem) -> Result<(), String> {
    if text.len() > BYTES_MAX {
        return Err(format!("longer than {BYTES_MAX} bytes"));
    }
    if depth(text) > DEPTH_MAX {
        return Err(format!(
            "more than {DEPTH_MAX} parentheses inside each other"
        ));
    }
    if text.matches("&&").count() + text.matches("||").count() > OPERATORS_MAX {
        return Err(format!("more than {OPERATORS_MAX} operators"));
    }
    let expression = parser::parse(text).map_err(|error| error.to_string())?;
    let schema = match subsystem {
        Subsystem::Http => &*HTTP,
        Subsystem::Stream => &*STREAM,
    };
    expression.validate(schema)?;
    if all_fields(&expression, &is_well_formed) {
        Ok(())
    } else {
        Err("illformed http.path.segments.* field".into())
    }
}

/// Most parentheses that are open at a time, those in texts counted too.
fn depth(text: &str) -> usize {
    let mut open = 0_usize;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

fn all_fields(expression: &Expression, holds: &impl Fn(&str) -> bool) -> bool {
    match expression {
        Expression::Logical(logical) => match logical.as_ref() {
            LogicalExpression::And(one, other) | LogicalExpression::Or(one, other) => {
                all_fields(one, holds) && all_fields(other, holds)
            }
            LogicalExpression::Not(inner) => all_fields(inner, holds),
        },
        Expression::Predicate(predicate) => holds(&predicate.lhs.var_name),
    }
}

/// `http.path.segments.` takes `len`, `N`, or `N_M` with N below M; no leading zeros.
fn is_well_formed(field: &str) -> bool {
    let Some(segments) = field.strip_prefix("http.path.segments.") else {
        return true;
    };
    let number = |text: &str| {
        let plain = text == "0" || !text.starts_with('0');
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (plain && digits)
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    match segments.split_once('_') {
        None => segments == "len" || number(segments).is_some(),
        Some((first, last)) => {
            matches!((number(first), number(last)), (Some(first), Some(last)) if first < last)
        }
    }
}
