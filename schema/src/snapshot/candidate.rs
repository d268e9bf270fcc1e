//! A route compiled: the keys it is filed under and what must hold besides the key.
//!
//! Follows `kong/router/transform.lua` and `compat.lua` of Kong 3.9 (flavor
//! `traditional_compatible`), with the priority word as LuaJIT computes it: a plain number is
//! shifted by the count modulo 32 into a signed 32-bit result, which is then sign-extended.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use regex_syntax::hir::{Hir, HirKind, Look};
use uuid::Uuid;

use crate::entity::{CidrPort, Route};

/// Namespace of the ids that the path groups of one route get (`kong/router/transform.lua`).
const GROUP_NAMESPACE: Uuid = Uuid::from_u128(0x7f14_5bf9_0dce_4f91_98eb_debb_ce4b_9f6b);
/// Kong counts no more headers than this.
const HEADER_COUNT_MAX: usize = 255;
/// Kong keeps this many bits of the prefix length.
const PREFIX_LENGTH_MASK: u64 = 0x7_ffff;
const PLAIN_HOST_BIT: u64 = 1 << 60;
const REGEX_BIT: u64 = 1 << 51;

/// The methods that have a bit of their own.
const METHODS: [&str; 15] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PURGE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
];
/// The bit that says: look at the condition's list of methods too.
pub const OTHER_METHODS: u16 = 1 << 15;

/// The bit of a method; [`OTHER_METHODS`] if it has none of its own.
pub fn method_bit(method: &[u8]) -> u16 {
    METHODS
        .iter()
        .position(|name| name.as_bytes() == method)
        .map_or(OTHER_METHODS, |bit| 1 << bit)
}

/// How the host of a route and that of a request are compared: the first byte of every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum HostKind {
    /// The route names no host.
    None = 0,
    /// `a.test`
    Exact = 1,
    /// `*.a.test`; the text filed is `.a.test`
    Suffix = 2,
    /// `a.*`; the text filed is `a.`
    Prefix = 3,
}

impl HostKind {
    /// Number of kinds.
    pub const COUNT: usize = 4;

    /// Replaces `key` by the key of this kind, host text and path.
    pub fn write_key(self, host: &[u8], path: &[u8], key: &mut Vec<u8>) {
        key.clear();
        key.push(self as u8);
        key.extend_from_slice(host);
        key.push(0);
        key.extend_from_slice(path);
    }
}

/// A candidate under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filed {
    pub(super) key: Vec<u8>,
    pub(super) candidate: Candidate,
}

/// One way in which a route can match; what its key does not say already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) priority: u64,
    /// Tie-break, larger wins.
    pub(super) match_id: u128,
    pub(super) route: u128,
    /// Bits of the methods; 0: any.
    pub(super) methods: u16,
    /// 0: any.
    pub(super) port: u16,
    /// Position of the path in its group.
    pub(super) path: u16,
    pub(super) regex: Option<Arc<str>>,
    pub(super) condition: Option<Arc<Condition>>,
}

impl Candidate {
    /// What candidates of one key are sorted by, best first.
    pub(super) fn rank(&self) -> (std::cmp::Reverse<(u64, u128)>, u16, u16) {
        (
            std::cmp::Reverse((self.priority, self.match_id)),
            self.path,
            self.port,
        )
    }
}

/// The rarer conditions; see `snapshot.fbs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Condition {
    pub(super) methods: Vec<String>,
    pub(super) headers: Vec<HeaderTest>,
    pub(super) snis: Vec<String>,
    pub(super) sources: Vec<Net>,
    pub(super) destinations: Vec<Net>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct HeaderTest {
    pub(super) name: String,
    pub(super) equals: Vec<String>,
    pub(super) regexes: Vec<String>,
}

/// An address condition; IPv4 in the last four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Net {
    pub(super) address: u128,
    pub(super) port: Option<u16>,
    /// 0: any address.
    pub(super) family: u8,
    pub(super) bits: u8,
}

/// Compiles a route into `filed`.
///
/// # Errors
/// The reason why the route cannot be compiled.
pub(super) fn compile(route: &Route, filed: &mut Vec<Filed>) -> Result<(), String> {
    if !route.protocols.is_http() {
        return Ok(());
    }
    let start = filed.len();
    let (methods, condition) = conditions(route)?;
    let hosts: Vec<_> = route.hosts.iter().map(|host| split_host(host)).collect();
    let groups = group_paths(&route.paths);
    for (index, group) in groups.iter().enumerate() {
        let match_id = match groups.len() {
            1 => route.id,
            _ => Uuid::new_v5(
                &GROUP_NAMESPACE,
                format!("{}#{}", route.id.hyphenated(), index + 1).as_bytes(),
            ),
        };
        let candidate = Candidate {
            priority: priority(route, group.first().copied()),
            match_id: match_id.as_u128(),
            route: route.id.as_u128(),
            methods,
            port: 0,
            path: 0,
            regex: None,
            condition: condition.clone(),
        };
        file_group(&hosts, group, &candidate, filed);
    }
    // A host or path that is written twice is filed once.
    if filed.len() - start > 1 {
        let own = filed.split_off(start);
        let mut seen = HashSet::with_capacity(own.len());
        filed.extend(own.into_iter().filter(|each| {
            let Candidate {
                match_id,
                port,
                regex,
                ..
            } = &each.candidate;
            seen.insert((each.key.clone(), *match_id, *port, regex.clone()))
        }));
    }
    Ok(())
}

/// Files a group's candidate under every pair of host and path.
fn file_group(hosts: &[Host<'_>], group: &[&str], base: &Candidate, filed: &mut Vec<Filed>) {
    let any_host = [Host {
        kind: HostKind::None,
        text: "",
        port: 0,
    }];
    let hosts = if hosts.is_empty() {
        &any_host[..]
    } else {
        hosts
    };
    let paths = if group.is_empty() { &[""][..] } else { group };
    for (position, path) in paths.iter().enumerate() {
        let regex = path.strip_prefix('~').map(pattern);
        let literal = regex.as_deref().map(literal_prefix);
        let prefix = literal.as_deref().unwrap_or(path.as_bytes());
        for host in hosts {
            let mut key = Vec::with_capacity(host.text.len() + prefix.len() + 2);
            host.kind.write_key(host.text.as_bytes(), prefix, &mut key);
            let candidate = Candidate {
                port: host.port,
                path: u16::try_from(position).unwrap_or(u16::MAX),
                regex: regex.clone(),
                ..base.clone()
            };
            filed.push(Filed { key, candidate });
        }
    }
}

/// The host part of a key, from one of a route's hosts.
struct Host<'a> {
    kind: HostKind,
    text: &'a str,
    port: u16,
}

fn split_host(host: &str) -> Host<'_> {
    // An IPv6 literal has more colons; what follows its first one is no number.
    let (text, port) = match host.split_once(':') {
        Some((text, port)) => match port.parse() {
            Ok(port) => (text, port),
            Err(_) => (host, 0),
        },
        None => (host, 0),
    };
    if let Some(suffix) = text.strip_prefix('*') {
        Host {
            kind: HostKind::Suffix,
            text: suffix,
            port,
        }
    } else if let Some(prefix) = text.strip_suffix('*') {
        Host {
            kind: HostKind::Prefix,
            text: prefix,
            port,
        }
    } else {
        Host {
            kind: HostKind::Exact,
            text,
            port,
        }
    }
}

/// All regexes together, prefixes by their length, in order of first appearance; one empty group if
/// there are no paths.
fn group_paths(paths: &[String]) -> Vec<Vec<&str>> {
    let mut groups: Vec<(usize, Vec<&str>)> = Vec::with_capacity(1);
    for path in paths {
        let length = if path.starts_with('~') { 0 } else { path.len() };
        match groups.iter_mut().find(|(key, _)| *key == length) {
            Some((_, group)) => group.push(path),
            None => groups.push((length, vec![path])),
        }
    }
    match groups.is_empty() {
        true => vec![Vec::new()],
        false => groups.into_iter().map(|(_, group)| group).collect(),
    }
}

/// LuaJIT's `bit.lshift` of a plain number, as it enters a 64-bit `bit.bor`.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // the emulation of tobit()
fn lua_shift(value: i64, count: u32) -> u64 {
    let shifted = (value as i32).wrapping_shl(count);
    i64::from(shifted) as u64
}

/// The priority word of one path group.
fn priority(route: &Route, first_path: Option<&str>) -> u64 {
    let kinds = [
        !route.methods.is_empty(),
        !route.hosts.is_empty(),
        !route.headers.is_empty(),
        !route.snis.is_empty(),
        !route.paths.is_empty(),
        !route.sources.is_empty(),
        !route.destinations.is_empty(),
    ];
    let kinds: i64 = kinds.into_iter().map(i64::from).sum();
    let headers = i64::try_from(route.headers.len().min(HEADER_COUNT_MAX)).unwrap_or_default();
    let plain_hosts = !route.hosts.is_empty() && route.hosts.iter().all(|host| !host.contains('*'));
    let is_regex = first_path.is_some_and(|path| path.starts_with('~'));
    let prefix_length = match (is_regex, first_path) {
        (false, Some(path)) => path.len() as u64,
        _ => 0,
    };
    lua_shift(kinds, 61)
        | lua_shift(headers, 52)
        | lua_shift(if is_regex { route.regex_priority } else { 0 }, 19)
        | if plain_hosts { PLAIN_HOST_BIT } else { 0 }
        | if is_regex { REGEX_BIT } else { 0 }
        | prefix_length & PREFIX_LENGTH_MASK
}

/// The pattern as Kong gives it to the regex engine.
fn pattern(path: &str) -> Arc<str> {
    format!("^{}", path.replace("?<", "?P<")).into()
}

/// The text that every match of an anchored pattern begins with.
fn literal_prefix(pattern: &str) -> Vec<u8> {
    let mut prefix = Vec::new();
    if let Ok(hir) = regex_syntax::parse(pattern)
        && let HirKind::Concat(parts) = hir.kind()
        && let [start, rest @ ..] = parts.as_slice()
        && *start.kind() == HirKind::Look(Look::Start)
    {
        let _ = rest.iter().all(|part| push_literal(part, &mut prefix));
    }
    prefix
}

/// Appends what `hir` must begin with; whether that is all of it.
fn push_literal(hir: &Hir, prefix: &mut Vec<u8>) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => {
            prefix.extend_from_slice(&literal.0);
            true
        }
        HirKind::Capture(capture) => push_literal(&capture.sub, prefix),
        HirKind::Concat(parts) => parts.iter().all(|part| push_literal(part, prefix)),
        _ => false,
    }
}

/// The method bits and the other conditions of a route.
fn conditions(route: &Route) -> Result<(u16, Option<Arc<Condition>>), String> {
    let mut condition = Condition::default();
    let mut bits = 0;
    for method in &route.methods {
        let bit = method_bit(method.as_bytes());
        bits |= bit;
        if bit == OTHER_METHODS {
            condition.methods.push(method.clone());
        }
    }
    condition.headers = route.headers.iter().map(header_test).collect();
    condition.snis = route
        .snis
        .iter()
        .map(|sni| without_dot(sni).to_owned())
        .collect();
    condition.sources = nets(&route.sources)?;
    condition.destinations = nets(&route.destinations)?;
    let is_empty = condition == Condition::default();
    Ok((bits, (!is_empty).then(|| Arc::new(condition))))
}

fn header_test(header: &crate::entity::HeaderMatch) -> HeaderTest {
    let mut test = HeaderTest {
        name: header.name.to_ascii_lowercase().replace('-', "_"),
        ..HeaderTest::default()
    };
    for value in &header.values {
        // The pattern's text is lower-cased too: \D becomes \d, as Kong has it.
        match value.strip_prefix("~*") {
            Some(regex) => test.regexes.push(regex.to_lowercase()),
            None => test.equals.push(value.to_lowercase()),
        }
    }
    test
}

/// A server name without the dot that ends a fully qualified one.
fn without_dot(sni: &str) -> &str {
    if sni.len() > 1 {
        sni.strip_suffix('.').unwrap_or(sni)
    } else {
        sni
    }
}

fn nets(addresses: &[CidrPort]) -> Result<Vec<Net>, String> {
    addresses.iter().map(net).collect()
}

fn net(address: &CidrPort) -> Result<Net, String> {
    let mut net = Net {
        port: address.port,
        ..Net::default()
    };
    let Some(text) = &address.ip else {
        return Ok(net);
    };
    let (ip, bits) = match text.split_once('/') {
        Some((ip, bits)) => (ip, Some(bits)),
        None => (text.as_str(), None),
    };
    let ip: IpAddr = ip
        .parse()
        .map_err(|_| format!("{text} is not an address"))?;
    (net.address, net.family) = address_bits(ip);
    let width = if net.family == 4 { 32 } else { 128 };
    net.bits = match bits {
        None => width,
        Some(bits) => bits
            .parse()
            .ok()
            .filter(|bits| *bits <= width)
            .ok_or_else(|| format!("{text} is not a network"))?,
    };
    net.address &= network_mask(net.family, net.bits);
    Ok(net)
}

/// An address as a number, and its family: 4 or 6.
pub(super) fn address_bits(ip: IpAddr) -> (u128, u8) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 4),
        IpAddr::V6(ip) => (ip.to_bits(), 6),
    }
}

/// The mask of a network of that family and prefix length.
pub(super) fn network_mask(family: u8, bits: u8) -> u128 {
    let (width, all) = if family == 4 {
        (32, u128::from(u32::MAX))
    } else {
        (128, u128::MAX)
    };
    let host_bits = u32::from(width - bits.min(width));
    all.checked_shl(host_bits).unwrap_or(0) & all
}
