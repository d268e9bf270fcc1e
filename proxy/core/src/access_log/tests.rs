//! Formats compiled and rendered, and what hostile values become.

use super::*;

const HEAD: &[u8] = b"GET /a?x=1&Y=2 HTTP/1.1\r\nHost: Shop.test:8000\r\nUser-Agent: curl/8\r\n\
    X-Two: a\r\nx-two: b\r\nReferer: http://r.test/\r\n\r\nX-Not: a header\r\n";

fn entry(head: &[u8]) -> Entry<'_> {
    Entry {
        head,
        client: ([10, 0, 0, 9], 4711).into(),
        local: ([127, 0, 0, 1], 8000).into(),
        server_name: "kong",
        connection: 12,
        connection_requests: 3,
        request_id: Some(b"0123456789abcdef0123456789abcdef"),
        status: 200,
        bytes_sent: 180,
        body_bytes_sent: 12,
        time: Timestamp {
            unix_ms: 1_735_689_599_042,
            offset_s: 3600,
        },
        request_ms: 1_005,
        route: None,
        upstream: None,
    }
}

fn forwarded() -> Forwarded {
    Forwarded {
        address: Some(([10, 0, 0, 1], 80).into()),
        status: 201,
        latency: Latency {
            upstream_ms: 7,
            proxy_ms: 1,
        },
        response_ms: 9,
    }
}

fn line(format: &Format, entry: &Entry<'_>) -> String {
    let mut out = Vec::new();
    format.render(entry, &mut out);
    String::from_utf8(out).expect("the line is text")
}

fn built_in(name: &str) -> Format {
    Formats::default().find(name).expect("it is built in")
}

/// A format declared with the name `mine`.
fn declared(text: &str) -> Format {
    let formats = Formats::with_declared(&format!("mine {text}")).expect("a good declaration");
    formats.find("mine").expect("it is declared")
}

fn refused(declaration: &str) -> String {
    Formats::with_declared(declaration)
        .expect_err(declaration)
        .to_string()
}

#[test]
fn the_default_format_is_combined_with_the_request_id() {
    let combined = "10.0.0.9 - - [01/Jan/2025:00:59:59 +0100] \"GET /a?x=1&Y=2 HTTP/1.1\" 200 12 \
        \"http://r.test/\" \"curl/8\"";
    assert_eq!(line(&built_in("combined"), &entry(HEAD)), combined);
    assert_eq!(
        line(&built_in("kong_log_format"), &entry(HEAD)),
        format!("{combined} kong_request_id: \"0123456789abcdef0123456789abcdef\"")
    );
}

#[test]
fn missing_values_are_dashes() {
    let mut entry = entry(b"");
    entry.request_id = None;
    assert!(
        line(&built_in("kong_log_format"), &entry)
            .ends_with("\"-\" 200 12 \"-\" \"-\" kong_request_id: \"-\"")
    );
}

#[test]
fn the_user_of_basic_credentials_is_named() {
    let named = |authorization: &str| {
        let head = format!("GET / HTTP/1.1\r\nAuthorization: {authorization}\r\n\r\n");
        line(&declared("$remote_user"), &entry(head.as_bytes()))
    };
    assert_eq!(named("Basic amFuZTpzZWNyZXQ="), "jane");
    assert_eq!(named("basic amFuZTo="), "jane");
    assert_eq!(named("Basic YTpiOmM="), "a");
    for nobody in [
        "Basic OnNlY3JldA==",
        "Basic amFuZQ==",
        "Basic ?",
        "Basic",
        "Bearer amFuZTo=",
    ] {
        assert_eq!(named(nobody), "-", "{nobody}");
    }
    let long = named(&format!("Basic {}", "QUFB".repeat(2000) + "Og=="));
    assert_eq!(long, "A".repeat(256));
}

#[test]
fn values_of_a_declared_format_are_those_of_nginx() {
    for (text, expected) in [
        ("$request_id", "0123456789abcdef0123456789abcdef"),
        ("'${status}x$body_bytes_sent/$bytes_sent'", "200x12/180"),
        ("$remote_addr:$remote_port", "10.0.0.9:4711"),
        (
            "'$server_addr:$server_port'\" \"$server_name",
            "127.0.0.1:8000 kong",
        ),
        (
            "'$request_method $request_uri $server_protocol'",
            "GET /a?x=1&Y=2 HTTP/1.1",
        ),
        ("'$args $arg_x $arg_y $arg_z'", "x=1&Y=2 1 2 -"),
        (
            "'$host $http_host $scheme'",
            "shop.test Shop.test:8000 http",
        ),
        ("'$http_x_two' ' $http_x_not'", "a, b -"),
        (
            "'$time_iso8601 $msec'",
            "2025-01-01T00:59:59+01:00 1735689599.042",
        ),
        (
            "'$request_time $connection $connection_requests'",
            "1.005 12 3",
        ),
        ("\"it's \\\"$status\\\"\"", "it's \"200\""),
        (
            "'$upstream_addr $upstream_status $upstream_response_time'",
            "- - -",
        ),
        ("'$proxy_latency $upstream_latency'", "- -"),
    ] {
        assert_eq!(line(&declared(text), &entry(HEAD)), expected, "{text}");
    }
    let mut entry = entry(HEAD);
    entry.upstream = Some(forwarded());
    let text = "'$upstream_addr $upstream_status $upstream_header_time $upstream_response_time \
        $proxy_latency $upstream_latency'";
    assert_eq!(
        line(&declared(text), &entry),
        "10.0.0.1:80 201 0.007 0.009 1 7"
    );
}

#[test]
fn the_host_is_that_of_the_request_line_before_that_of_the_header() {
    let host = |head: &[u8]| line(&declared("$host"), &entry(head));
    assert_eq!(
        host(b"GET http://A.test/x HTTP/1.1\r\nHost: b.test\r\n\r\n"),
        "a.test"
    );
    assert_eq!(host(b"GET /x HTTP/1.0\r\n\r\n"), "kong");
}

#[test]
fn quotes_backslashes_and_bytes_outside_of_ascii_are_escaped() {
    let head = b"GET /\x01\"\\\x7f\xc3\xa9\t HTTP/1.1\r\nUser-Agent: a\" 200 \"b\r\n\r\n";
    assert_eq!(
        line(&declared("'$request_uri|$http_user_agent'"), &entry(head)),
        "/\\x01\\x22\\x5C\\x7F\\xC3\\xA9\\x09|a\\x22 200 \\x22b"
    );
}

#[test]
fn no_head_adds_a_line() {
    let heads: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00\n10.0.0.1 - - forged",
        b"GET / HTTP/1.1\rforged\n127.0.0.1 - - [x] \"forged\" 200\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nUser-Agent: a\rb\x0b\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nReferer: \x85\xe2\x80\xa8\r\n\r\n",
        b"\n\n\n",
    ];
    for head in heads {
        for name in ["combined", "kong_log_format", "json"] {
            let line = line(&built_in(name), &entry(head));
            let breaks = |c: char| c.is_ascii_control();
            assert!(!line.contains(breaks), "{name}: {head:?} gave {line:?}");
        }
    }
}

#[test]
fn each_json_line_is_json() {
    let json = built_in("json");
    let parsed = |head: &[u8], upstream| {
        let mut entry = entry(head);
        entry.upstream = upstream;
        let line = line(&json, &entry);
        let value: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        value
    };
    let value = parsed(HEAD, Some(forwarded()));
    assert_eq!(value["time"], "2025-01-01T00:59:59+01:00");
    assert_eq!(value["method"], "GET");
    assert_eq!(value["status"], 200);
    assert_eq!(value["upstream_latency"], 7);
    assert_eq!(value["user_agent"], "curl/8");
    let hostile = b"GET /\"\\\x01\xff\xc3\xa9 HTTP/1.1\r\nReferer: \t\x08\x0c\"}\r\n\r\n";
    let value = parsed(hostile, None);
    assert_eq!(value["uri"], "/\"\\\u{1}\u{fffd}\u{e9}");
    assert_eq!(value["upstream_latency"], serde_json::Value::Null);
    parsed(b"", None);
}

#[test]
fn a_declared_format_escapes_as_it_says() {
    let head = b"GET /\"x HTTP/1.1\r\n\r\n";
    let shown = |text: &str| line(&declared(text), &entry(head));
    assert_eq!(shown("escape=json '$request_uri$http_x'"), "/\\\"x");
    assert_eq!(shown("escape=none '$request_uri$http_x'"), "/\"x");
    assert_eq!(shown("escape=default '$request_uri$http_x'"), "/\\x22x-");
}

#[test]
fn what_cannot_be_used_is_said() {
    assert!(
        refused("mine '$nothing'").starts_with("the variable $nothing is not known; known are")
    );
    assert!(refused("").starts_with("the name is missing"));
    assert!(refused("mine").starts_with("the text is missing"));
    assert!(refused("mine 'open").starts_with("a quote is not closed"));
    assert!(refused("mine '${open'").starts_with("a '${' is not closed"));
    assert!(refused("mine 'costs 5 $'").starts_with("a '$' has no variable's name"));
    assert!(refused("mine escape=html 'x'").starts_with("escape is none of"));
    assert!(refused("mine $status; log_format other $status").starts_with("one format"));
    let undeclared = Formats::default().find("mine").expect_err("undeclared");
    assert!(
        undeclared
            .to_string()
            .starts_with("the format \"mine\" is not declared; use combined")
    );
    let fields = |count| {
        (0..count)
            .map(|n| format!("$http_x{n}"))
            .collect::<String>()
    };
    Formats::with_declared(&format!("mine {}", fields(FORMAT_FIELDS_MAX))).expect("few enough");
    assert!(refused(&format!("mine {}", fields(FORMAT_FIELDS_MAX + 1))).contains("at most 32"));
}

#[test]
fn the_clock_is_asked_only_for_what_needs_it() {
    for name in ["combined", "kong_log_format", "json"] {
        assert!(!built_in(name).needs_clock(), "{name}");
    }
    assert!(declared("$request_time").needs_clock());
}
