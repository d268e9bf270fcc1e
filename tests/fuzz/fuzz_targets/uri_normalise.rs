//! Request targets: split, normalised, joined with a service's path, and encoded.
//!
//! The first byte of an input is the length of the prefix to strip, or no stripping if it is 255.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_core::uri::{Authority, Normalised, Target, escape_into, join, normalise};

fuzz_target!(|input: &[u8]| {
    let Some((&strip, target)) = input.split_first() else {
        return;
    };
    let _ = Authority::parse(target);
    let Ok(parsed) = Target::parse(target) else {
        return;
    };
    check_split(target, &parsed);
    let Some(normal) = normal(parsed.path) else {
        return;
    };
    check_normal(&normal, parsed.path);
    let strip = (strip != u8::MAX).then_some(usize::from(strip));
    for service in [None, Some(&b"/"[..]), Some(b"/srv"), Some(b"/s v/")] {
        check_joined(service, &normal, strip);
    }
});

fn normal(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = b"left over".to_vec();
    let normalised = normalise(path, &mut out).ok()?;
    Some(normalised.of(path, &out).to_vec())
}

/// Nothing but a fragment and the marks between the parts is lost.
fn check_split(target: &[u8], parsed: &Target<'_>) {
    assert!(parsed.path.starts_with(b"/") && !parsed.path.contains(&b'?'));
    if target.starts_with(b"/") {
        assert!(target.starts_with(parsed.path) && parsed.authority.is_none());
        if let Some(query) = parsed.query {
            assert_eq!(target[parsed.path.len()], b'?');
            assert!(target[parsed.path.len() + 1..].starts_with(query));
        }
    }
}

fn check_normal(normal: &[u8], path: &[u8]) {
    assert!(normal.starts_with(b"/") && normal.len() <= path.len());
    check_segments(normal);
    // What the upstream gets means the same again, unless the upstream would refuse it.
    let mut wire = Vec::new();
    escape_into(normal, &mut wire);
    if let Some(again) = self::normal(&wire) {
        assert_eq!(again, normal);
    }
    // A path that was not copied is what the slow way makes of it: letters as escapes force that.
    let mut out = Vec::new();
    if normalise(path, &mut out) == Ok(Normalised::AsIs) {
        let escaped: Vec<u8> = path.iter().flat_map(|&byte| escape_letter(byte)).collect();
        assert_eq!(self::normal(&escaped).as_deref(), Some(path));
    }
}

fn check_joined(service: Option<&[u8]>, normal: &[u8], strip: Option<usize>) {
    let mut upstream = Vec::new();
    join(service, normal, strip, &mut upstream);
    check_segments(&upstream);
    let is_legal =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~!#$&'()*+,/:;=?@[]%".contains(byte);
    assert!(upstream.iter().all(is_legal));
}

fn check_segments(path: &[u8]) {
    let segments: Vec<&[u8]> = path[1..].split(|&byte| byte == b'/').collect();
    let inner = &segments[..segments.len() - 1];
    assert!(inner.iter().all(|segment| !segment.is_empty()));
    assert!(
        segments
            .iter()
            .all(|segment| *segment != b"." && *segment != b"..")
    );
}

fn escape_letter(byte: u8) -> Vec<u8> {
    if byte.is_ascii_alphanumeric() || byte == b'.' {
        format!("%{byte:02x}").into_bytes()
    } else {
        vec![byte]
    }
}
