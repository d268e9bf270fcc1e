//! Heads in, heads out.

use super::{
    head::{
        BadHead, HEADERS_MAX, REQUEST_HEAD_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX, is_whole,
        with_request, with_response,
    },
    request::{Framing, LISTED_MAX, Refusal, RequestFacts, UpstreamHead},
    response::{ClientHead, ResponseFacts, ResponseHeaders},
};

fn facts<R>(head: &str, then: impl FnOnce(Result<RequestFacts<'_>, Refusal>) -> R) -> R {
    with_request(head.as_bytes(), |head| then(RequestFacts::read(&head)))
        .expect("the head parses")
        .expect("the head is whole")
}

fn refusal(head: &str) -> Option<Refusal> {
    facts(head, |facts| facts.map(drop)).err()
}

fn framing(fields: &str) -> Result<Framing, Refusal> {
    facts(
        &format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"),
        |facts| facts.map(|facts| facts.framing),
    )
}

fn forwarded(head: &str) -> String {
    let mut out = Vec::new();
    with_request(head.as_bytes(), |head| {
        let facts = RequestFacts::read(&head).expect("the request is accepted");
        let upstream = UpstreamHead {
            target: b"/up",
            host: b"up.test:81",
            client: b"127.0.0.9",
            scheme: b"http",
            forwarded_host: b"a.test",
            forwarded_port: b"8000",
            forwarded_path: b"/down",
            forwarded_prefix: Some(b"/d"),
            request_id: b"id",
            product: b"silverback/0",
        };
        let host_at = upstream.write(&head, &facts, &mut out);
        assert_eq!(&out[host_at..host_at + 10], b"up.test:81");
    })
    .expect("the head parses");
    String::from_utf8(out).expect("the head is text")
}

fn answered(head: &str) -> String {
    let mut out = Vec::new();
    with_response(head.as_bytes(), |head| {
        let settings = ResponseHeaders::default();
        let facts = ResponseFacts::read(&head, false, &settings).expect("the response is accepted");
        let client = ClientHead {
            settings: &settings,
            framing: facts.framing,
            keep_alive: true,
            upstream_latency_ms: 7,
            proxy_latency_ms: 1,
            request_id: b"id",
            product: b"silverback/0",
        };
        client.write(&head, &facts, &mut out);
    })
    .expect("the head parses");
    String::from_utf8(out).expect("the head is text")
}

#[test]
fn a_head_is_whole_with_its_empty_line() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
    for len in 0..head.len() {
        assert_eq!(
            is_whole(&head[..len], 0),
            len >= head.len() - 4,
            "{len} bytes"
        );
    }
    assert!(is_whole(b"GET / HTTP/1.1\n\n", 0));
}

#[test]
fn a_head_received_byte_by_byte_is_found_whole_once() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let whole = (1..=head.len()).find(|len| is_whole(&head[..*len], len - 1));
    assert_eq!(whole, Some(head.len()));
}

#[test]
fn ambiguous_lengths_are_refused() {
    let bad = Err(Refusal::BadRequest);
    for (fields, expected) in [
        ("", Ok(Framing::None)),
        ("Content-Length: 0\r\n", Ok(Framing::Length(0))),
        ("Content-Length: 12\r\n", Ok(Framing::Length(12))),
        ("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
        ("transfer-encoding: CHUNKED\r\n", Ok(Framing::Chunked)),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", bad),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", bad),
        ("Content-Length: 3, 3\r\n", bad),
        ("Content-Length: +3\r\n", bad),
        ("Content-Length: -1\r\n", bad),
        ("Content-Length: 0x3\r\n", bad),
        ("Content-Length:\r\n", bad),
        ("Content-Length: 9223372036854775808\r\n", bad),
        ("Content-Length: 99999999999999999999999\r\n", bad),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            bad,
        ),
        (
            "Transfer-Encoding: gzip, chunked\r\n",
            Err(Refusal::NotImplemented),
        ),
        (
            "Transfer-Encoding: identity\r\n",
            Err(Refusal::NotImplemented),
        ),
    ] {
        assert_eq!(framing(fields), expected, "{fields:?}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(refusal(old), Some(Refusal::BadRequest));
}

#[test]
fn request_lines_that_nginx_refuses_are_refused() {
    for (line, expected) in [
        ("GET / HTTP/1.1", None),
        ("MKCOL /x HTTP/1.1", None),
        ("get / HTTP/1.1", Some(Refusal::BadRequest)),
        ("GET2 / HTTP/1.1", Some(Refusal::BadRequest)),
        ("CONNECT a:443 HTTP/1.1", Some(Refusal::BadRequest)),
        ("TRACE / HTTP/1.1", Some(Refusal::MethodNotAllowed)),
        ("GET f HTTP/1.1", Some(Refusal::BadRequest)),
        ("GET http://b.test/f HTTP/1.1", None),
        ("GET http:///f HTTP/1.1", Some(Refusal::BadRequest)),
    ] {
        assert_eq!(
            refusal(&format!("{line}\r\nHost: a\r\n\r\n")),
            expected,
            "{line}"
        );
    }
}

#[test]
fn exactly_one_host_is_wanted() {
    let head = |fields: &str, version: &str| refusal(&format!("GET / {version}\r\n{fields}\r\n"));
    assert_eq!(head("Host: a\r\n", "HTTP/1.1"), None);
    assert_eq!(head("", "HTTP/1.1"), Some(Refusal::BadRequest));
    assert_eq!(head("", "HTTP/1.0"), None);
    assert_eq!(
        head("Host: a\r\nHost: a\r\n", "HTTP/1.1"),
        Some(Refusal::BadRequest)
    );
    assert_eq!(head("Host: a b\r\n", "HTTP/1.1"), Some(Refusal::BadRequest));
    assert_eq!(
        head("Host: a..b\r\n", "HTTP/1.1"),
        Some(Refusal::BadRequest)
    );
}

#[test]
fn the_upstream_gets_the_gateway_s_fields_then_the_client_s() {
    let head = forwarded(
        "POST /down?x HTTP/1.1\r\nHost: a.test\r\nVia: 1.0 other\r\nX-One: 1\r\nX-Real-IP: 9.9.9.9\r\n\
         X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nConnection: close, X-Hop\r\n\
         X-Hop: gone\r\nKeep-Alive: 5\r\nExpect: 100-continue\r\nTE: gzip, trailers\r\n\
         Cookie: a=b\r\nX-One: 2\r\nProxy: evil\r\nContent-Length: 3\r\n\r\n",
    );
    assert_eq!(
        head,
        "POST /up HTTP/1.1\r\nTE: trailers\r\nVia: 1.0 other, 1.1 silverback/0\r\n\
         Host: up.test:81\r\nConnection: keep-alive\r\nX-Forwarded-For: 1.1.1.1, 127.0.0.9\r\n\
         X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\nX-Forwarded-Port: 8000\r\n\
         X-Forwarded-Path: /down\r\nX-Forwarded-Prefix: /d\r\nX-Real-IP: 127.0.0.9\r\n\
         X-Kong-Request-Id: id\r\nX-One: 1\r\nCookie: a=b\r\nX-One: 2\r\nContent-Length: 3\r\n\r\n"
    );
}

#[test]
fn the_client_gets_the_upstream_s_fields_then_the_gateway_s() {
    let head = answered(
        "HTTP/1.0 299 Quite Fine\r\nServer: up\r\nConnection: keep-alive, X-Hop\r\nX-Hop: gone\r\n\
         Set-Cookie: a\r\nSet-Cookie: b\r\nVia: 1.0 other\r\nContent-Length: 5\r\n\
         X-Kong-Proxy-Latency: 99\r\n\r\n",
    );
    assert_eq!(
        head,
        "HTTP/1.1 299 Quite Fine\r\nServer: up\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
         Content-Length: 5\r\nConnection: keep-alive\r\nX-Kong-Upstream-Latency: 7\r\n\
         X-Kong-Proxy-Latency: 1\r\nVia: 1.0 other, 1.1 silverback/0\r\nX-Kong-Request-Id: id\r\n\r\n"
    );
}

#[test]
fn the_end_of_a_response_is_known_or_it_is_refused() {
    let read = |fields: &str, is_head: bool| {
        with_response(format!("HTTP/1.1 {fields}\r\n\r\n").as_bytes(), |head| {
            ResponseFacts::read(&head, is_head, &ResponseHeaders::default())
                .map(|facts| (facts.framing, facts.keep_alive))
        })
        .expect("the head parses")
        .expect("the head is whole")
        .ok()
    };
    assert_eq!(
        read("200 OK\r\nContent-Length: 5", false),
        Some((Framing::Length(5), true))
    );
    assert_eq!(
        read("200 OK\r\nContent-Length: 5", true),
        Some((Framing::None, true))
    );
    assert_eq!(
        read("304 x\r\nContent-Length: 5", false),
        Some((Framing::None, true))
    );
    assert_eq!(
        read("200 OK\r\nTransfer-Encoding: chunked", false),
        Some((Framing::Chunked, true))
    );
    assert_eq!(read("200 OK", false), Some((Framing::Close, false)));
    assert_eq!(
        read("200 OK\r\nConnection: close\r\nContent-Length: 5", false),
        Some((Framing::Length(5), false))
    );
    assert_eq!(
        read(
            "200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            false
        ),
        None
    );
    assert_eq!(
        read("200 OK\r\nContent-Length: 5\r\nContent-Length: 6", false),
        None
    );
    assert_eq!(read("200 OK\r\nTransfer-Encoding: gzip", false), None);
}

#[test]
fn a_204_that_announces_a_body_ends_its_connection() {
    let keeps = |fields: &str, is_head: bool| {
        with_response(format!("HTTP/1.1 {fields}\r\n\r\n").as_bytes(), |head| {
            ResponseFacts::read(&head, is_head, &ResponseHeaders::default())
                .map(|facts| facts.keep_alive)
        })
        .expect("the head parses")
        .expect("the head is whole")
        .expect("the framing is clear")
    };
    assert!(keeps("204 No Content", false));
    assert!(keeps("204 No Content\r\nContent-Length: 0", false));
    assert!(!keeps("204 No Content\r\nContent-Length: 3", false));
    assert!(!keeps(
        "204 No Content\r\nTransfer-Encoding: chunked",
        false
    ));
    assert!(keeps("304 x\r\nContent-Length: 3", false));
    assert!(keeps("200 OK\r\nTransfer-Encoding: chunked", true));
}

#[test]
fn an_empty_body_is_announced_as_it_was() {
    let head = |fields: &str| forwarded(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    assert!(head("Content-Length: 0\r\n").ends_with("\r\nContent-Length: 0\r\n\r\n"));
    assert!(!head("").contains("Content-Length"));
}

#[test]
fn a_connection_line_with_too_many_names_is_refused() {
    let with = |count: usize| {
        let names = "a,".repeat(count);
        refusal(&format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: {names}\r\n\r\n"
        ))
    };
    assert_eq!(with(LISTED_MAX), None);
    assert_eq!(with(LISTED_MAX + 1), Some(Refusal::BadRequest));
}

#[test]
fn a_head_of_exactly_the_limit_is_the_longest() {
    let request = |len: usize| {
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        let head = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\nbody",
            "x".repeat(len - frame)
        );
        with_request(head.as_bytes(), |head| head.len)
    };
    let (len, over) = (REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_BYTES_MAX + 1);
    assert_eq!(request(len), Ok(Some(len)));
    assert_eq!(request(over), Err(BadHead::TooLarge));
    let response = |len: usize| {
        let frame = "HTTP/1.1 200 OK\r\nX: \r\n\r\n".len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\n\r\nbody",
            "x".repeat(len - frame)
        );
        with_response(head.as_bytes(), |head| head.len)
    };
    let (len, over) = (RESPONSE_HEAD_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX + 1);
    assert_eq!(response(len), Ok(Some(len)));
    assert_eq!(response(over), Err(BadHead::TooLarge));
}

#[test]
fn a_head_with_more_fields_than_usual_parses_up_to_the_limit() {
    let head = |fields: usize| {
        let lines = "A: b\r\n".repeat(fields - 1);
        with_request(
            format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes(),
            |head| head.headers.len(),
        )
    };
    assert_eq!(head(65), Ok(Some(65)));
    assert_eq!(head(HEADERS_MAX), Ok(Some(HEADERS_MAX)));
    assert_eq!(head(HEADERS_MAX + 1), Err(BadHead::TooLarge));
}

#[test]
fn versions_other_than_one_are_told_apart() {
    let parse = |line: &str| with_request(format!("{line}\r\n\r\n").as_bytes(), |_| ());
    assert_eq!(parse("GET / HTTP/2.0"), Err(BadHead::Version));
    assert_eq!(parse("GET / http/1.1"), Err(BadHead::Version));
    assert_eq!(parse("GET / HTTP/1.1"), Ok(Some(())));
}
