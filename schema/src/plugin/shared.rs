//! Fields and types that many plugins share (`kong/db/schema/typedefs.lua`).

pub(crate) mod headers;
pub(crate) mod llm;
pub(crate) mod log;
pub(crate) mod metric;
pub(crate) mod periods;
pub(crate) mod propagation;
pub(crate) mod queue;
pub(crate) mod redis;

use crate::field::{Check, Default, Deprecation, Field, Kind, Record, Type, host, text};

pub(crate) use crate::entity::shared::{BOOLEAN, HEADER_NAME, PATH, PORT, STRING, switch};

/// `config`: required, and expanded with its defaults.
pub(crate) const fn config(record: &'static Record) -> Field {
    Field::record("config", record)
}

/// A plugin that cannot be bound to a consumer.
pub(crate) const NO_CONSUMER: Field = pinned("consumer", "consumers");
/// A plugin that cannot be bound to a service.
pub(crate) const NO_SERVICE: Field = pinned("service", "services");
/// A plugin that cannot be bound to a route.
pub(crate) const NO_ROUTE: Field = pinned("route", "routes");

const fn pinned(name: &'static str, entity: &'static str) -> Field {
    Field::new(name, Type::with(Kind::Foreign(entity), &[Check::Null]))
}

const HTTP: &[&str] = &["grpc", "grpcs", "http", "https"];

/// `protocols` of a plugin for HTTP only.
pub(crate) const PROTOCOLS_HTTP: Field = Field::new(
    "protocols",
    Type::new(Kind::Set(&Type::with(Kind::String, &[Check::OneOf(HTTP)]))),
)
.required()
.default(Default::Strings(HTTP));

/// `protocols` of a plugin for HTTP and streams.
pub(crate) const PROTOCOLS: Field = Field::new(
    "protocols",
    Type::new(Kind::Set(&crate::entity::shared::PROTOCOL)),
)
.required()
.default(Default::Strings(HTTP));

/// A whole number.
pub(crate) const INTEGER: Type = Type::new(Kind::Integer);
/// A number.
pub(crate) const NUMBER: Type = Type::new(Kind::Number);
/// Texts, in order.
pub(crate) const STRINGS: Type = Type::new(Kind::Array(&STRING));
/// A name or address without port.
pub(crate) const HOST: Type = Type::with(Kind::String, &[Check::Text(host::without_port)]);
/// Milliseconds.
pub(crate) const TIMEOUT: Type = Type::with(Kind::Integer, &[Check::Between(0, 2_147_483_646)]);
/// Seconds that an entity may live.
pub(crate) const TTL: Type = Type::with(Kind::Number, &[Check::Between(0, 100_000_000)]);
/// An address or a range of them.
pub(crate) const IP_OR_CIDR: Type = Type::with(Kind::String, &[Check::Text(host::ip_or_cidr)]);
/// A method in upper-case letters.
pub(crate) const HTTP_METHOD: Type = Type::with(Kind::String, &[Check::Text(text::method)]);
/// A URL with scheme and host.
pub(crate) const URL: Type = Type::with(Kind::String, &[Check::Text(url)]);

/// A status of HTTP.
pub(crate) const STATUS: Type = Type::with(Kind::Integer, &[Check::Between(100, 599)]);

/// `consumer` of a credential, which goes with its consumer.
pub(crate) const CONSUMER: Field = Field::new("consumer", Type::new(Kind::Foreign("consumers")))
    .required()
    .cascade();

/// `config` of a type of its own: a record with a check of the whole.
pub(crate) const fn config_with(ty: Type) -> Field {
    Field::new("config", ty).required().default(Default::Record)
}

/// A switch that may be null.
pub(crate) const fn flag(name: &'static str, default: bool) -> Field {
    Field::new(name, BOOLEAN).default(Default::Boolean(default))
}

/// `anonymous` of a plugin that authenticates.
pub(crate) const fn anonymous() -> Field {
    Field::new("anonymous", STRING)
        .description("Id or name of the consumer for requests that fail to authenticate.")
}

/// `realm` of a plugin that authenticates.
pub(crate) const fn realm() -> Field {
    Field::new("realm", STRING).description("The `realm` of WWW-Authenticate.")
}

/// A list that is never null, empty by default.
pub(crate) const fn list(name: &'static str, ty: Type) -> Field {
    Field::new(name, ty)
        .required()
        .default(Default::Strings(&[]))
}

/// Whether a text has a scheme and a host.
pub(crate) fn is_url(text: &str) -> bool {
    url(text).is_ok()
}

/// Base64 without padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            let index = bits >> (18 - 6 * digit) & 63;
            text.push(char::from(DIGITS[index as usize]));
        }
    }
    text
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A scheme, then `//` and a host that is not empty; the rest is free.
fn url(text: &str) -> Result<(), String> {
    let text = text.split('#').next().unwrap_or_default();
    let scheme = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let (has_scheme, rest) = match text.split_once(':') {
        Some((name, rest)) if scheme(name) => (true, rest),
        _ => (false, text),
    };
    let authority = rest.strip_prefix("//").unwrap_or_default();
    let authority = authority.split('/').next().unwrap_or_default();
    let host = authority
        .split_once('@')
        .map_or(authority, |(_, host)| host);
    if host
        .rsplit_once(':')
        .map_or(host, |(host, _)| host)
        .is_empty()
    {
        return Err("missing host in url".into());
    }
    if !has_scheme {
        return Err("missing scheme in url".into());
    }
    Ok(())
}

/// A header's name and a text, joined by a colon: both parts of `name:text`, or the whole and
/// nothing.
pub(crate) fn split_pair(pair: &str) -> (&str, &str) {
    let name = pair.split(':').next().unwrap_or_default();
    (name, pair[name.len()..].trim_start_matches(':'))
}

/// That a field goes with Kong 4.0; a value equal to the default of old is no reason to say so.
pub(crate) const fn until_4_0(message: &'static str, old_default: Default) -> Deprecation {
    Deprecation {
        message,
        removal_in_version: "4.0",
        replaced_with: &[],
        old_default,
    }
}
