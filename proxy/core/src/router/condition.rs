//! The rarer conditions of a candidate: headers, server names, addresses.
//!
//! Source: `kong/router/transform.lua` of Kong 3.9, and the evaluation of `any()` and `lower()` in
//! atc-router.

use silverback_schema::snapshot::router::{ConditionView, HeaderTestView};

use super::{Request, Router};

/// Whether all conditions hold.
pub(super) fn holds(
    condition: &ConditionView<'_>,
    request: &Request<'_>,
    router: &mut Router,
) -> bool {
    sni_fits(condition, request)
        && condition.accepts_source(request.source)
        && condition.accepts_destination(request.destination)
        && condition
            .headers()
            .all(|test| header_fits(&test, request, router))
}

/// Server names restrict TLS connections only.
fn sni_fits(condition: &ConditionView<'_>, request: &Request<'_>) -> bool {
    if !request.https {
        return true;
    }
    let sni = request.sni.map(|sni| sni.strip_suffix('.').unwrap_or(sni));
    let mut snis = condition.snis().peekable();
    snis.peek().is_none() || sni.is_some_and(|sni| snis.any(|pattern| name_fits(pattern, sni)))
}

fn name_fits(pattern: &str, sni: &str) -> bool {
    if let Some(suffix) = pattern.strip_prefix('*') {
        sni.ends_with(suffix)
    } else if let Some(prefix) = pattern.strip_suffix('*') {
        sni.starts_with(prefix)
    } else {
        sni == pattern
    }
}

fn header_fits(test: &HeaderTestView<'_>, request: &Request<'_>, router: &mut Router) -> bool {
    let mut fits = false;
    request.headers.for_each_value(test.name(), &mut |value| {
        fits = std::str::from_utf8(value).is_ok_and(|value| value_fits(test, value, router));
        fits
    });
    fits
}

fn value_fits(test: &HeaderTestView<'_>, value: &str, router: &mut Router) -> bool {
    if test.equals().any(|wanted| is_lower_case_of(wanted, value)) {
        return true;
    }
    let mut regexes = test.regexes().peekable();
    if regexes.peek().is_none() {
        return false;
    }
    let Router {
        regexes: cache,
        lower,
        ..
    } = router;
    lower.clear();
    lower.extend(value.chars().flat_map(char::to_lowercase));
    regexes.any(|pattern| cache.find(pattern, lower).is_some())
}

/// Whether `lower` is `value` in lower case.
fn is_lower_case_of(lower: &str, value: &str) -> bool {
    if value.is_ascii() {
        return value.eq_ignore_ascii_case(lower);
    }
    value.chars().flat_map(char::to_lowercase).eq(lower.chars())
}
