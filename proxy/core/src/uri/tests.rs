//! Tests of request targets: the recorded answers of Kong, its path handling table, and laws.

use proptest::prelude::*;

use super::*;

/// Normalises, and checks on the way that the fast path agrees with the slow one.
fn normal(path: &[u8]) -> Result<Vec<u8>, BadPath> {
    let mut out = b"left over".to_vec();
    let answer = normalise(path, &mut out)?.of(path, &out).to_vec();
    let mut slow = Vec::new();
    normalise::rewrite(path, &mut slow);
    assert_eq!(
        answer,
        slow,
        "fast and slow path differ on {}",
        path.escape_ascii()
    );
    Ok(answer)
}

fn normal_text(path: &str) -> String {
    let path = normal(path.as_bytes()).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8_lossy(&path).into_owned()
}

fn joined(service: Option<&str>, request: &[u8], strip: Option<usize>) -> String {
    let mut out = Vec::new();
    join(service.map(str::as_bytes), request, strip, &mut out);
    String::from_utf8(out).expect("join writes ASCII")
}

/// What the upstream gets for a whole request target.
fn forwarded(service: Option<&str>, target: &str, strip: Option<usize>) -> String {
    let target = Target::parse(target.as_bytes()).expect("a good target");
    let mut upstream = joined(service, &normal(target.path).expect("a good path"), strip);
    if let Some(query) = target.query {
        upstream.push('?');
        upstream.push_str(str::from_utf8(query).expect("test queries are text"));
    }
    upstream
}

#[test]
fn path_handling_v0_follows_kongs_table() {
    for &(service, route, request, kept, stripped) in MATRIX {
        let request = normal(request.as_bytes()).expect("a good path");
        let row = format!("{service} {route:?} {}", request.escape_ascii());
        let prefix_len = route.map(str::len);
        assert_eq!(joined(Some(service), &request, None), kept, "keep: {row}");
        assert_eq!(
            joined(Some(service), &request, prefix_len),
            stripped,
            "strip: {row}"
        );
        if service == "/" {
            assert_eq!(
                joined(None, &request, None),
                kept,
                "no service path, keep: {row}"
            );
            assert_eq!(
                joined(None, &request, prefix_len),
                stripped,
                "no service path: {row}"
            );
        }
        if route.is_none() {
            assert_eq!(
                joined(Some(service), &request, Some(1)),
                stripped,
                "prefix /: {row}"
            );
        }
    }
}

#[test]
fn upstream_path_equals_the_recorded_one() {
    let rows = include_str!("recorded_paths.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        let fields: Vec<&str> = row.split('\t').collect();
        let &[service, prefix, strip, request, upstream] = fields.as_slice() else {
            panic!("five columns expected: {row}");
        };
        let service = (service != "-").then_some(service);
        let strip = (strip == "strip" && prefix != "-").then_some(prefix.len());
        // The recorder shows a leading double slash as one; none is ever sent here.
        assert_eq!(forwarded(service, request, strip), upstream, "{row}");
        count += 1;
    }
    assert!(count > 200, "only {count} recorded rows were read");
}

#[test]
fn plain_paths_are_not_copied() {
    for path in [
        "/",
        "/a",
        "/a/b.c/d..e/",
        "/a.",
        "/x#frag",
        "/~a!$'()*,@:=&[]",
        "/caf\u{e9}",
    ] {
        let mut out = Vec::new();
        assert_eq!(
            normalise(path.as_bytes(), &mut out),
            Ok(Normalised::AsIs),
            "{path}"
        );
        assert!(out.is_empty());
    }
}

#[test]
fn unreserved_escapes_are_decoded_and_reserved_ones_kept() {
    assert_eq!(normal_text("/h%65llo%7e%20"), "/hello~ ");
    assert_eq!(
        normal_text("/%21%2a%27%28%29%3b%3a%40%26%3d"),
        "/%21%2A%27%28%29%3B%3A%40%26%3D"
    );
    assert_eq!(
        normal_text("/%2b%24%2c%2f%3f%25%23%5b%5d"),
        "/%2B%24%2C%2F%3F%25%23%5B%5D"
    );
    assert_eq!(
        normal_text("/%25%32%65"),
        "/%252e",
        "an escape is decoded once"
    );
}

#[test]
fn dot_segments_are_resolved() {
    for (path, expected) in [
        ("/.", "/"),
        ("/./", "/"),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/./b/../../c", "/c"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/...", "/a/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/..a/.b./c..", "/..a/.b./c.."),
        ("/x//../y", "/y"),
        ("/x;/..;/y", "/x;/..;/y"),
    ] {
        assert_eq!(normal_text(path), expected, "{path}");
    }
}

#[test]
fn surplus_dots_behind_an_escaped_slash_stop_at_the_root() {
    assert_eq!(normal_text("/a%2fb/../../x"), "/x");
}

#[test]
fn slashes_are_merged() {
    assert_eq!(normal_text("//a///b//"), "/a/b/");
    assert_eq!(normal_text("////"), "/");
    assert_eq!(normal_text("/a//./..//b"), "/b");
}

#[test]
fn bad_paths_are_refused() {
    for (path, error) in [
        (&b""[..], BadPath::NotRooted),
        (b"*", BadPath::NotRooted),
        (b"f/g", BadPath::NotRooted),
        (b"%2fa", BadPath::NotRooted),
        (b"/a\0", BadPath::Control),
        (b"/a\tb", BadPath::Control),
        (b"/a b", BadPath::Control),
        (b"/a\x7f", BadPath::Control),
        (b"/%", BadPath::Escape),
        (b"/%a", BadPath::Escape),
        (b"/%zz", BadPath::Escape),
        (b"/%2%35", BadPath::Escape),
        (b"/a%00b", BadPath::Nul),
        (b"/..", BadPath::AboveRoot),
        (b"/../x", BadPath::AboveRoot),
        (b"/%2e%2e/x", BadPath::AboveRoot),
        (b"/n/../../x", BadPath::AboveRoot),
        (b"/n//../../x", BadPath::AboveRoot),
        (b"/n/a%2f..%2f..%2f..%2fb", BadPath::AboveRoot),
        (b"/a/../%2e.", BadPath::AboveRoot),
    ] {
        assert_eq!(normal(path), Err(error), "{}", path.escape_ascii());
    }
}

#[test]
fn a_stripped_path_never_begins_with_a_dot_segment() {
    assert_eq!(forwarded(Some("/srv"), "/r../x", Some(2)), "/srv/x");
    assert_eq!(forwarded(Some("/srv"), "/r..", Some(2)), "/srv");
    assert_eq!(forwarded(Some("/srv"), "/r./", Some(2)), "/srv/");
    assert_eq!(
        forwarded(Some("/base"), "/pre..%2fx", Some(4)),
        "/base/..%2Fx"
    );
}

#[test]
fn decoded_controls_are_encoded_again() {
    assert_eq!(
        forwarded(None, "/a%0d%0aX:%20y%7f", None),
        "/a%0D%0AX:%20y%7F"
    );
}

#[test]
fn a_prefix_longer_than_the_path_strips_all() {
    assert_eq!(joined(Some("/srv"), b"/a", Some(99)), "/srv");
}

#[test]
fn the_bytes_that_pass_are_those_of_kongs_pattern() {
    for byte in 0..=u8::MAX {
        let passes = byte.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@[]-_.~%".contains(&byte);
        assert_eq!(join::is_legal(byte), passes, "{byte:#x}");
    }
}

#[test]
fn join_appends() {
    let mut out = b"GET ".to_vec();
    join(Some(b"/s p"), b"/x", None, &mut out);
    assert_eq!(out, b"GET /s%20p/x");
}

fn split(target: &str) -> (&str, Option<&str>) {
    let target = Target::parse(target.as_bytes()).expect("a good target");
    let text = |bytes| str::from_utf8(bytes).expect("test targets are text");
    (text(target.path), target.query.map(text))
}

#[test]
fn query_begins_at_the_first_question_mark() {
    assert_eq!(split("/n"), ("/n", None));
    assert_eq!(split("/n?a=%61&b=%2f"), ("/n", Some("a=%61&b=%2f")));
    assert_eq!(split("/n?a?b"), ("/n", Some("a?b")));
    assert_eq!(split("/n??"), ("/n", Some("?")));
    assert_eq!(split("/n?"), ("/n", Some("")));
    assert_eq!(split("/x%3Fa=1"), ("/x%3Fa=1", None));
}

#[test]
fn fragment_is_path_text_but_no_query_text() {
    assert_eq!(split("/x#frag"), ("/x#frag", None));
    assert_eq!(split("/x?a=1#frag"), ("/x", Some("a=1")));
    assert_eq!(split("/x#frag?a=1"), ("/x#frag", None));
    assert_eq!(split("/x?#frag"), ("/x", None));
    assert_eq!(split("/x#?"), ("/x#", Some("")));
}

#[test]
fn absolute_form_names_an_authority() {
    let target = Target::parse(b"http://Other.test:81/n?x").expect("absolute form");
    let authority = target.authority.expect("an authority");
    assert_eq!(authority.host, b"Other.test");
    assert_eq!(authority.port_number(), Some(81));
    assert_eq!((target.path, target.query), (&b"/n"[..], Some(&b"x"[..])));
    assert_eq!(split("HTTPS://a.test"), ("/", None));
    assert_eq!(split("http://a.test?x"), ("/", Some("x")));
    assert_eq!(split("http://[::1]:80/n"), ("/n", None));
}

#[test]
fn other_targets_are_refused() {
    let bad = [
        "",
        "*",
        "f",
        "f/g?x",
        "a.test:443",
        "http:",
        "http:/x",
        "http:///f",
        "://h/f",
        "http://?x",
        "http://u@h/f",
        "http://h:8a/f",
        "http://h\\x/f",
        "/a b",
        "/a?b\tc",
        "/a?\u{7f}",
        "/a\r\n",
        "?x",
        "http://h#f",
        "http://[::1]:#f?x",
    ];
    for target in bad {
        assert_eq!(
            Target::parse(target.as_bytes()),
            Err(BadTarget),
            "{target:?}"
        );
    }
}

#[test]
fn host_and_port_are_split() {
    for (value, host, port, number) in [
        ("a.test", "a.test", None, None),
        ("a.test:82", "a.test", Some("82"), Some(82)),
        ("a.test:", "a.test", Some(""), None),
        ("a.test:abc", "a.test", Some("abc"), None),
        ("a.test:99999", "a.test", Some("99999"), None),
        ("a.test:0", "a.test", Some("0"), None),
        ("a.test:+1", "a.test", Some("+1"), None),
        ("user@a.test", "user@a.test", None, None),
        ("a.test.:1", "a.test", Some("1"), Some(1)),
        ("[::1]", "[::1]", None, None),
        ("[2001:db8::A]:443", "[2001:db8::A]", Some("443"), Some(443)),
        ("[::1", "[::1", None, None),
    ] {
        let authority = Authority::parse(value.as_bytes()).expect("a good host");
        assert_eq!(authority.host, host.as_bytes(), "{value}");
        assert_eq!(authority.port, port.map(str::as_bytes), "{value}");
        assert_eq!(authority.port_number(), number, "{value}");
    }
}

#[test]
fn bad_hosts_are_refused() {
    for value in [
        "", ".", ":80", "a/b", "a b", "a..b", "a\tb", "a\x7f", "a:1/", ".:1",
    ] {
        assert_eq!(
            Authority::parse(value.as_bytes()),
            Err(BadAuthority),
            "{value:?}"
        );
    }
}

#[test]
fn forwarded_host_is_lower_case_without_port() {
    let mut out = Vec::new();
    Authority::parse(b"Foo.TEST:99")
        .expect("a good host")
        .write_lower(&mut out);
    assert_eq!(out, b"foo.test");
}

/// Paths made of the parts that matter, so that most of them reach the interesting rules.
fn path() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just("/").prop_map(|part| part.as_bytes().to_vec()),
        2 => proptest::sample::select(vec![".", "..", "%2e", "%2E.", "a", "r", "~", "%2f", "%25"])
            .prop_map(|part| part.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| format!("%{byte:02x}").into_bytes()),
        1 => (0x21_u8..=0xff).prop_map(|byte| vec![byte]),
    ];
    proptest::collection::vec(part, 0..24).prop_map(|parts| {
        let mut path = b"/".to_vec();
        path.extend(parts.concat());
        path
    })
}

proptest! {
    #[test]
    fn normal_paths_hold_no_dot_segment_and_no_double_slash(path in path()) {
        if let Ok(normal) = normal(&path) {
            prop_assert!(normal.starts_with(b"/"));
            prop_assert!(normal.len() <= path.len());
            let inner: Vec<&[u8]> = normal[1..].split(|&byte| byte == b'/').collect();
            let (last, others) = inner.split_last().expect("split yields at least one part");
            prop_assert!(others.iter().all(|part| !part.is_empty()));
            prop_assert!(inner.iter().all(|part| !matches!(*part, b"." | b"..")));
            prop_assert!(last.is_empty() || !normal.ends_with(b"/"));
        }
    }

    #[test]
    fn normalising_twice_changes_nothing_more(path in path()) {
        if let Ok(once) = normal(&path) {
            let mut twice = Vec::new();
            normalise::rewrite(&once, &mut twice);
            prop_assert_eq!(twice, once);
        }
    }

    #[test]
    fn an_escaped_normal_path_normalises_to_itself(path in path()) {
        if let Ok(once) = normal(&path) {
            let mut wire = Vec::new();
            escape_into(&once, &mut wire);
            let mut again = Vec::new();
            normalise::rewrite(&wire, &mut again);
            prop_assert_eq!(again, once);
        }
    }

    #[test]
    fn joined_paths_hold_only_bytes_fit_for_a_request_line(
        service in proptest::option::of(path()),
        path in path(),
        strip in proptest::option::of(0_usize..20),
    ) {
        if let Ok(request) = normal(&path) {
            let mut out = Vec::new();
            join(service.as_deref(), &request, strip, &mut out);
            prop_assert!(out.iter().all(|&byte| join::is_legal(byte)));
            prop_assert!(out.starts_with(b"/"));
        }
    }

    #[test]
    fn cutting_anywhere_lays_no_dot_segment_bare(
        service in proptest::sample::select(vec![None, Some("/"), Some("/srv"), Some("/srv/")]),
        path in path(),
        strip in proptest::option::of(0_usize..20),
    ) {
        if let Ok(request) = normal(&path) {
            let upstream = joined(service, &request, strip);
            let has_dots = upstream.split('/').any(|part| matches!(part, "." | ".."));
            prop_assert!(!has_dots && !upstream.contains("//"), "{upstream}");
        }
    }

    #[test]
    fn normalising_equals_decoding_then_a_stack_of_segments(path in path()) {
        let answer = normal(&path);
        match reference::fully_decoded(&path) {
            Some(decoded) if reference::stays_below_root(&decoded) => {
                prop_assert_eq!(answer, Ok(reference::normal(&path)));
            }
            _ => prop_assert!(answer.is_err()),
        }
    }

    #[test]
    fn no_target_and_no_host_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(target) = Target::parse(&bytes) {
            let mut out = Vec::new();
            let _ = normalise(target.path, &mut out);
        }
        let _ = Authority::parse(&bytes);
    }
}

/// The rules again, slow and one after the other.
mod reference {
    /// Every escape decoded; `None` if the path holds what is refused.
    pub(super) fn fully_decoded(path: &[u8]) -> Option<Vec<u8>> {
        let is_legal = path.iter().all(|&byte| byte > b' ' && byte != 0x7f);
        let mut parts = path.split(|&byte| byte == b'%');
        let mut decoded = parts.next().filter(|_| is_legal)?.to_vec();
        for part in parts {
            let digits = str::from_utf8(part.get(..2)?).ok()?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let value = u8::from_str_radix(digits, 16)
                .ok()
                .filter(|&value| is_hex && value != 0)?;
            decoded.push(value);
            decoded.extend_from_slice(&part[2..]);
        }
        Some(decoded)
    }

    pub(super) fn stays_below_root(decoded: &[u8]) -> bool {
        let steps = decoded
            .split(|&byte| byte == b'/')
            .map(|segment| match segment {
                b"" | b"." => 0,
                b".." => -1,
                _ => 1,
            });
        let depths = steps.scan(0, |depth, step| {
            *depth += step;
            Some(*depth)
        });
        depths.min() >= Some(0)
    }

    pub(super) fn normal(path: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::new();
        for (nth, part) in path.split(|&byte| byte == b'%').enumerate() {
            if nth == 0 {
                decoded.extend_from_slice(part);
                continue;
            }
            let digits = str::from_utf8(&part[..2]).expect("checked before");
            let value = u8::from_str_radix(digits, 16).expect("checked before");
            if b"!*'();:@&=+$,/?%#[]".contains(&value) {
                decoded.extend_from_slice(format!("%{value:02X}").as_bytes());
            } else {
                decoded.push(value);
            }
            decoded.extend_from_slice(&part[2..]);
        }
        let segments: Vec<&[u8]> = decoded[1..].split(|&byte| byte == b'/').collect();
        let mut stack: Vec<&[u8]> = Vec::new();
        for segment in &segments {
            match *segment {
                b"" | b"." => {}
                b".." => drop(stack.pop()),
                _ => stack.push(segment),
            }
        }
        let mut normal = b"/".to_vec();
        normal.extend(stack.join(&b'/'));
        let ends_open = matches!(segments.last(), Some(&(b"" | b"." | b"..")));
        if ends_open && normal.len() > 1 {
            normal.push(b'/');
        }
        normal
    }
}

/// Kong's table of path handling: service path, matched route path (`None`: matched by something
/// else), request path, upstream path with `strip_path` off, and on.
const MATRIX: &[(&str, Option<&str>, &str, &str, &str)] = &[
    ("/", Some("/"), "/", "/", "/"),
    ("/", Some("/"), "/x", "/x", "/x"),
    ("/", Some("/"), "/x/", "/x/", "/x/"),
    ("/", Some("/"), "/x/y", "/x/y", "/x/y"),
    ("/", Some("/r"), "/r", "/r", "/"),
    ("/", Some("/r"), "/r/", "/r/", "/"),
    ("/", Some("/r"), "/rx", "/rx", "/x"),
    ("/", Some("/r"), "/r/x", "/r/x", "/x"),
    ("/", Some("/r"), "/r/x/", "/r/x/", "/x/"),
    ("/", Some("/r"), "/r.", "/r.", "/"),
    ("/", Some("/r"), "/r./x", "/r./x", "/x"),
    ("/", Some("/r"), "/r../x", "/r../x", "/x"),
    ("/", Some("/r"), "/r.x", "/r.x", "/.x"),
    ("/", Some("/r"), "/r%2Fx", "/r%2Fx", "/%2Fx"),
    ("/", Some("/r/"), "/r/", "/r/", "/"),
    ("/", Some("/r/"), "/r/x", "/r/x", "/x"),
    ("/", Some("/r/"), "/r/x/", "/r/x/", "/x/"),
    ("/", None, "/", "/", "/"),
    ("/", None, "/x", "/x", "/x"),
    ("/", None, "/x/", "/x/", "/x/"),
    ("/srv", Some("/"), "/", "/srv", "/srv"),
    ("/srv", Some("/"), "/x", "/srv/x", "/srv/x"),
    ("/srv", Some("/"), "/x/", "/srv/x/", "/srv/x/"),
    ("/srv", Some("/"), "/x/y", "/srv/x/y", "/srv/x/y"),
    ("/srv", Some("/r"), "/r", "/srv/r", "/srv"),
    ("/srv", Some("/r"), "/r/", "/srv/r/", "/srv/"),
    ("/srv", Some("/r"), "/rx", "/srv/rx", "/srv/x"),
    ("/srv", Some("/r"), "/r/x", "/srv/r/x", "/srv/x"),
    ("/srv", Some("/r"), "/r/x/", "/srv/r/x/", "/srv/x/"),
    ("/srv", Some("/r"), "/r.", "/srv/r.", "/srv"),
    ("/srv", Some("/r"), "/r./x", "/srv/r./x", "/srv/x"),
    ("/srv", Some("/r"), "/r../x", "/srv/r../x", "/srv/x"),
    ("/srv", Some("/r"), "/r.x", "/srv/r.x", "/srv/.x"),
    ("/srv", Some("/r"), "/r%2Fx", "/srv/r%2Fx", "/srv/%2Fx"),
    ("/srv", Some("/r/"), "/r/", "/srv/r/", "/srv/"),
    ("/srv", Some("/r/"), "/r/x", "/srv/r/x", "/srv/x"),
    ("/srv", Some("/r/"), "/r/x/", "/srv/r/x/", "/srv/x/"),
    ("/srv", None, "/", "/srv", "/srv"),
    ("/srv", None, "/x", "/srv/x", "/srv/x"),
    ("/srv", None, "/x/", "/srv/x/", "/srv/x/"),
    ("/srv/", Some("/"), "/", "/srv/", "/srv/"),
    ("/srv/", Some("/"), "/x", "/srv/x", "/srv/x"),
    ("/srv/", Some("/"), "/x/", "/srv/x/", "/srv/x/"),
    ("/srv/", Some("/"), "/x/y", "/srv/x/y", "/srv/x/y"),
    ("/srv/", Some("/r"), "/r", "/srv/r", "/srv"),
    ("/srv/", Some("/r"), "/r/", "/srv/r/", "/srv/"),
    ("/srv/", Some("/r"), "/rx", "/srv/rx", "/srv/x"),
    ("/srv/", Some("/r"), "/r/x", "/srv/r/x", "/srv/x"),
    ("/srv/", Some("/r"), "/r/x/", "/srv/r/x/", "/srv/x/"),
    ("/srv/", Some("/r"), "/r.", "/srv/r.", "/srv"),
    ("/srv/", Some("/r"), "/r./x", "/srv/r./x", "/srv/x"),
    ("/srv/", Some("/r"), "/r../x", "/srv/r../x", "/srv/x"),
    ("/srv/", Some("/r"), "/r.x", "/srv/r.x", "/srv/.x"),
    ("/srv/", Some("/r"), "/r%2Fx", "/srv/r%2Fx", "/srv/%2Fx"),
    ("/srv/", Some("/r/"), "/r/", "/srv/r/", "/srv/"),
    ("/srv/", Some("/r/"), "/r/x", "/srv/r/x", "/srv/x"),
    ("/srv/", Some("/r/"), "/r/x/", "/srv/r/x/", "/srv/x/"),
    ("/srv/", None, "/", "/srv/", "/srv/"),
    ("/srv/", None, "/x", "/srv/x", "/srv/x"),
    ("/srv/", None, "/x/", "/srv/x/", "/srv/x/"),
];
