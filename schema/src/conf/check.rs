//! The checks of single keys: each gives a sentence for each problem, none if all is well.
//!
//! Source: `kong/conf_loader/parse.lua`. Files are looked for where Kong does so at load.

use std::net::IpAddr;
use std::path::Path;

use uuid::Uuid;

use super::headers::{self, ResponseHeaders};
use super::pem::{self, Material};
use crate::field::host::{self, Host, HostPort};

/// A check of a text.
pub type TextCheck = fn(&str) -> Vec<String>;
/// A check of a list's elements.
pub type ListCheck = fn(&[String]) -> Vec<String>;

/// Labels of one data plane.
const LABELS_MAX: usize = 10;
/// Characters of a label's key and of its value.
const LABEL_CHARS_MAX: usize = 63;
/// What a label's key must not begin with.
const LABEL_PREFIXES_KEPT: [&str; 5] = ["kong", "konnect", "insomnia", "mesh", "kic"];
/// What can make spans; `create_span` is in Kong's code only.
const SPANS: [&str; 11] = [
    "off",
    "request",
    "all",
    "db_query",
    "dns_query",
    "router",
    "http_client",
    "balancer",
    "plugin_rewrite",
    "plugin_access",
    "plugin_header_filter",
];
const SPAN_UNDOCUMENTED: &str = "create_span";
/// Diffie-Hellman groups that OpenSSL knows by name.
const DH_GROUPS: [&str; 14] = [
    "ffdhe2048",
    "ffdhe3072",
    "ffdhe4096",
    "ffdhe6144",
    "ffdhe8192",
    "modp_1536",
    "modp_2048",
    "modp_3072",
    "modp_4096",
    "modp_6144",
    "modp_8192",
    "dh_1024_160",
    "dh_2048_224",
    "dh_2048_256",
];

/// No check.
pub(super) fn none(_: &str) -> Vec<String> {
    Vec::new()
}

/// No check.
pub(super) fn any(_: &[String]) -> Vec<String> {
    Vec::new()
}

fn each(elements: &[String], problem: impl Fn(&str) -> Option<String>) -> Vec<String> {
    elements
        .iter()
        .filter_map(|element| problem(element))
        .collect()
}

fn unless(fits: bool, problem: impl FnOnce() -> String) -> Vec<String> {
    if fits { Vec::new() } else { vec![problem()] }
}

pub(super) fn headers(elements: &[String]) -> Vec<String> {
    match ResponseHeaders::parse(elements) {
        Ok(_) => Vec::new(),
        Err(token) => vec![format!("{token:?} is not known; {}", headers::ACCEPTED)],
    }
}

pub(super) fn headers_upstream(elements: &[String]) -> Vec<String> {
    if elements.first().is_some_and(|first| first == "off") {
        return Vec::new();
    }
    each(elements, |name| {
        let is_known = name.eq_ignore_ascii_case("X-Kong-Request-Id");
        (!is_known).then(|| format!("{name:?} is not known; accepted is X-Kong-Request-Id or off"))
    })
}

pub(super) fn trusted_ips(elements: &[String]) -> Vec<String> {
    each(elements, |ip| {
        let fits = ip == "unix:" || host::ip_or_cidr(ip).is_ok();
        (!fits).then(|| {
            format!(
                "{ip:?} does not fit; accepted are IPv4 and IPv6 addresses and ranges, and unix:"
            )
        })
    })
}

pub(super) fn name_servers(elements: &[String]) -> Vec<String> {
    each(elements, |server| {
        let bare = server.parse::<IpAddr>().is_ok();
        let fits = bare
            || matches!(
                HostPort::parse(server),
                Ok(HostPort {
                    host: Host::Ip(_),
                    ..
                })
            );
        (!fits).then(|| format!("{server:?} does not fit; accepted are addresses, IPv4 or IPv6, with an optional port"))
    })
}

pub(super) fn dns_order(elements: &[String]) -> Vec<String> {
    words(elements, &["LAST", "A", "AAAA", "CNAME", "SRV"])
}

pub(super) fn resolver_family(elements: &[String]) -> Vec<String> {
    words(elements, &["A", "AAAA", "SRV"])
}

/// Words whose case does not matter.
fn words(elements: &[String], known: &[&str]) -> Vec<String> {
    each(elements, |word| {
        let fits = known.iter().any(|known| known.eq_ignore_ascii_case(word));
        (!fits).then(|| format!("{word:?} is not known; accepted are {}", known.join(", ")))
    })
}

/// The two ports of a pair `published:listening`.
pub(super) fn port_map(pair: &str) -> Option<(u16, u16)> {
    let (published, listening) = pair.split_once(':')?;
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    Some((port(published)?, port(listening)?))
}

pub(super) fn port_maps(elements: &[String]) -> Vec<String> {
    each(elements, |pair| {
        port_map(pair).is_none().then(|| {
            format!("{pair:?} does not fit; accepted are pairs published:listening of ports from 1 to 65535")
        })
    })
}

pub(super) fn labels(elements: &[String]) -> Vec<String> {
    let mut problems = each(elements, label_problem);
    if elements.len() > LABELS_MAX {
        problems.push(format!("{} labels; {LABELS_MAX} at most", elements.len()));
    }
    problems
}

fn label_problem(label: &str) -> Option<String> {
    let Some((key, value)) = label.split_once(':') else {
        return Some(format!(
            "{label:?} does not fit; accepted are labels key:value"
        ));
    };
    for (what, text) in [("key", key), ("value", value)] {
        if !(1..=LABEL_CHARS_MAX).contains(&text.len()) {
            return Some(format!(
                "label {what} {text:?} must have 1 to {LABEL_CHARS_MAX} characters"
            ));
        }
        let bytes = text.as_bytes();
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte);
        let ends = [bytes[0], bytes[bytes.len() - 1]];
        if !(ends.iter().all(u8::is_ascii_alphanumeric) && bytes.iter().all(inner)) {
            return Some(format!(
                "label {what} {text:?} must begin and end with a letter or digit, with letters, digits, _ . : - between"
            ));
        }
    }
    let lower = key.to_ascii_lowercase();
    let kept = LABEL_PREFIXES_KEPT
        .iter()
        .find(|kept| lower.starts_with(**kept))?;
    Some(format!("label key {key:?} must not begin with {kept}"))
}

pub(super) fn tracing(elements: &[String]) -> Vec<String> {
    let mut problems = each(elements, |word| {
        let fits = SPANS.contains(&word) || word == SPAN_UNDOCUMENTED;
        (!fits).then(|| format!("{word:?} is not known; accepted are {}", SPANS.join(", ")))
    });
    if elements.len() > 1 && elements.iter().any(|word| word == "off") {
        problems.push("off must stand alone".into());
    }
    problems
}

pub(super) fn proxy_server(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![
            "the scheme is missing; accepted is http://host:port or https://host:port".into(),
        ];
    };
    if !matches!(scheme, "http" | "https") {
        return vec![format!(
            "the scheme {scheme:?} is not supported; accepted are http and https"
        )];
    }
    let end = rest.find(['/', '?', '#', ';']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if host.is_empty() {
        return vec!["the host is missing".into()];
    }
    unless(!after.contains(['?', '#', ';']), || {
        "a query, fragment or parameters have no meaning here".into()
    })
}

pub(super) fn urls(elements: &[String]) -> Vec<String> {
    each(elements, |url| {
        let authority = url
            .split_once("://")
            .filter(|(scheme, _)| !scheme.is_empty());
        let fits = authority.is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'));
        (!fits).then(|| format!("{url:?} does not fit; accepted are URLs with scheme and host"))
    })
}

pub(super) fn gui_path(path: &str) -> Vec<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
    [
        (path.starts_with('/'), "it must begin with /"),
        (
            path == "/" || !path.ends_with('/'),
            "it must not end with /",
        ),
        (
            path.chars().all(allowed),
            "accepted are letters, digits, - _ and /",
        ),
        (!path.contains("//"), "it must not hold //"),
    ]
    .into_iter()
    .filter(|(fits, _)| !fits)
    .map(|(_, problem)| problem.to_owned())
    .collect()
}

pub(super) fn uuid(text: &str) -> Vec<String> {
    let fits = text.len() == 36 && Uuid::try_parse(text).is_ok();
    unless(fits, || "accepted is a UUID".into())
}

pub(super) fn existing_file(path: &str) -> Vec<String> {
    unless(Path::new(path).exists(), || "there is no such file".into())
}

pub(super) fn vault_prefix(text: &str) -> Vec<String> {
    unless(crate::vault::env::is_prefix(text), || {
        "accepted are letters, digits, _ and -, and no digit first".into()
    })
}

fn is_dh_group(text: &str) -> bool {
    DH_GROUPS.contains(&text)
}

pub(super) fn dhparam(text: &str) -> Vec<String> {
    if is_dh_group(text) {
        return Vec::new();
    }
    pem::check(text, Material::DhParameters)
        .err()
        .into_iter()
        .collect()
}

pub(super) fn dhparam_file(text: &str) -> Vec<String> {
    let fits = is_dh_group(text) || Path::new(text).is_file();
    unless(fits, || {
        "there is no such file, nor a group of that name".into()
    })
}

pub(super) fn trusted_certificates(elements: &[String]) -> Vec<String> {
    let named = elements.iter().filter(|element| *element != "system");
    named
        .filter_map(|element| pem::check(element, Material::Certificate).err())
        .collect()
}

/// Digits with an optional unit, once or more often, blanks between.
pub(super) fn is_time(text: &str) -> bool {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if unit.len() == rest.len() {
            return false;
        }
        let units = ["ms", "s", "m", "h", "d", "w", "M", "y"];
        let after = units
            .iter()
            .find_map(|name| unit.strip_prefix(name))
            .unwrap_or(unit);
        rest = after.trim_start();
        if after.len() == unit.len() && !after.is_empty() {
            return false;
        }
    }
    !text.trim().is_empty()
}
