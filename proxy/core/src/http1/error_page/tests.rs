//! Tests of error pages, most of them literal copies of recorded answers.

use proptest::prelude::*;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef";
const PROXY: Producer = Producer::Proxy {
    default_type: BodyType::Plain,
};

fn body(body_type: BodyType, message: &str) -> String {
    let mut out = Vec::new();
    write_body(body_type, message, ID, &mut out);
    String::from_utf8(out).expect("a body of text is text")
}

#[test]
fn json_is_laid_out_like_kongs() {
    let expected = "{\n  \"message\":\"no Route matched with those values\",\n  \
                    \"request_id\":\"0123456789abcdef0123456789abcdef\"\n}";
    let written = body(BodyType::Json, ErrorKind::NoRoute.message());
    assert_eq!(written, expected);
    assert_eq!(written.len(), 103);
}

#[test]
fn html_is_laid_out_like_kongs() {
    let expected = "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    \
        <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    \
        <p>An invalid response was received from the upstream server.</p>\n    \
        <p>request_id: 0123456789abcdef0123456789abcdef</p>\n  </body>\n</html>\n";
    assert_eq!(
        body(BodyType::Html, ErrorKind::BadGateway.message()),
        expected
    );
}

#[test]
fn xml_is_laid_out_like_kongs() {
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  \
        <message>failure to get a peer from the ring-balancer</message>\n  \
        <requestid>0123456789abcdef0123456789abcdef</requestid>\n</error>\n";
    assert_eq!(body(BodyType::Xml, ErrorKind::NoPeer.message()), expected);
}

#[test]
fn plain_text_is_laid_out_like_kongs() {
    let expected = "Bad request\nrequest_id: 0123456789abcdef0123456789abcdef\n";
    assert_eq!(
        body(BodyType::Plain, ErrorKind::BadRequest.message()),
        expected
    );
}

#[test]
fn compact_json_holds_the_message_alone() {
    assert_eq!(body(BodyType::CompactJson, "m"), "{\"message\":\"m\"}");
}

#[test]
fn server_pages_have_no_footer() {
    let mut out = Vec::new();
    write_server_page(501, "Not Implemented", &mut out);
    assert_eq!(
        str::from_utf8(&out),
        Ok(
            "<html>\r\n<head><title>501 Not Implemented</title></head>\r\n<body>\r\n\
            <center><h1>501 Not Implemented</h1></center>\r\n</body>\r\n</html>\r\n"
        )
    );
}

#[test]
fn messages_cannot_leave_their_place() {
    let hostile = "\"\\<b>&\n\u{1}\u{e9}";
    assert!(body(BodyType::Json, hostile).contains("\\\"\\\\<b>&\\u000a\\u0001\u{e9}\","));
    assert!(body(BodyType::Html, hostile).contains("<p>\"\\&lt;b&gt;&amp;\n\u{1}\u{e9}.</p>"));
    assert!(body(BodyType::Xml, hostile).contains(">\"\\&lt;b&gt;&amp;\n \u{e9}</message>"));
}

/// Recorded: the `Accept` value, and the format of both producers.
const RECORDED: &[(&str, BodyType, BodyType)] = &[
    ("application/json", BodyType::Json, BodyType::Json),
    ("text/html", BodyType::Html, BodyType::Html),
    ("text/plain", BodyType::Plain, BodyType::Plain),
    ("application/xml", BodyType::Xml, BodyType::Xml),
    ("text/*", BodyType::Plain, BodyType::Plain),
    ("application/*", BodyType::Json, BodyType::Json),
    ("*/*", BodyType::Json, BodyType::Json),
    ("text/xml", BodyType::Json, BodyType::Json),
    ("image/png", BodyType::Json, BodyType::Json),
    (
        "application/xhtml+xml, text/html",
        BodyType::Json,
        BodyType::Json,
    ),
    (
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        BodyType::Html,
        BodyType::Html,
    ),
    (
        "application/json;q=0.1, text/plain;q=0.2, application/xml;q=0.3",
        BodyType::Xml,
        BodyType::Xml,
    ),
    (
        "text/html;q=0.1, application/xml;q=0.9",
        BodyType::Xml,
        BodyType::Xml,
    ),
    (
        "application/xml;q=0.7, text/html;q=0.7",
        BodyType::Xml,
        BodyType::Xml,
    ),
    (
        "text/html;q=0, application/xml;q=0.1",
        BodyType::Xml,
        BodyType::Xml,
    ),
    ("text/html;q=0", BodyType::Json, BodyType::Json),
    ("text/html;q=2", BodyType::Html, BodyType::Html),
    ("image/png, text/html;q=0.5", BodyType::Json, BodyType::Json),
    ("text/html; charset=utf-8", BodyType::Html, BodyType::Html),
    ("TEXT/HTML", BodyType::Json, BodyType::Json),
    ("junk", BodyType::Json, BodyType::Json),
    ("", BodyType::Json, BodyType::Json),
    // Recorded for the first producer: an empty body without a type. See the module's deviations.
    ("application/grpc", BodyType::Json, BodyType::CompactJson),
];

#[test]
fn accept_chooses_the_recorded_format() {
    for &(accept, access, proxy) in RECORDED {
        let chosen = |producer| negotiate(Some(accept.as_bytes()), None, producer);
        assert_eq!(chosen(Producer::Access), access, "access: {accept:?}");
        assert_eq!(chosen(PROXY), proxy, "proxy: {accept:?}");
    }
}

// conf-cli-ops 10.151
#[test]
fn without_accept_access_checks_answer_json() {
    for content_type in [
        None,
        Some(&b"text/html; charset=utf-8"[..]),
        Some(b"application/xml"),
    ] {
        assert_eq!(
            negotiate(None, content_type, Producer::Access),
            BodyType::Json
        );
    }
}

// conf-cli-ops 10.151
#[test]
fn without_accept_the_proxy_follows_content_type_then_the_default() {
    assert_eq!(
        negotiate(None, Some(b"text/html; charset=utf-8"), PROXY),
        BodyType::Html
    );
    assert_eq!(
        negotiate(None, Some(b"application/json"), PROXY),
        BodyType::Json
    );
    assert_eq!(
        negotiate(None, Some(b"application/grpc+proto"), PROXY),
        BodyType::CompactJson
    );
    assert_eq!(negotiate(None, None, PROXY), BodyType::Plain);
    let html = Producer::Proxy {
        default_type: BodyType::Html,
    };
    assert_eq!(negotiate(None, None, html), BodyType::Html);
    assert_eq!(
        negotiate(Some(&b"image/png"[..]), None, html),
        BodyType::Json
    );
}

#[test]
fn accept_goes_before_content_type() {
    let accept = Some(&b"text/html"[..]);
    assert_eq!(
        negotiate(accept, Some(b"application/xml"), PROXY),
        BodyType::Html
    );
    let json = Some(&b"application/json"[..]);
    assert_eq!(
        negotiate(json, Some(b"application/grpc+proto"), PROXY),
        BodyType::Json
    );
}

#[test]
fn only_access_checks_read_the_second_accept_line() {
    let lines = [&b"text/html;q=0.5"[..], b"application/xml"];
    assert_eq!(negotiate(lines, None, Producer::Access), BodyType::Xml);
    assert_eq!(negotiate(lines, None, PROXY), BodyType::Html);
}

#[test]
fn odd_parameters_are_read_as_kong_reads_them() {
    for (accept, expected) in [
        (
            "text/html ; q=0.2 ; level=1, text/plain;q=0.1",
            BodyType::Html,
        ),
        (
            "text/html;level=\"a\";q=0.1, text/plain;q=0.2",
            BodyType::Plain,
        ),
        ("text/html;q=0.1;q=0.9, text/plain;q=0.5", BodyType::Html),
        ("text/html;Q=0.1, text/plain;q=0.2", BodyType::Plain),
        ("text/html;q=0.0009, text/plain;q=0.001", BodyType::Plain),
        ("text/html;q=1.000, text/plain", BodyType::Html),
        ("text/html;q=1.9, text/plain", BodyType::Html),
        ("text/plain;q=0.999, text/html;q=1.", BodyType::Html),
        ("text/html;q =0.1, text/plain;q=0.2", BodyType::Html),
        ("text/html;x=1;q=0.1, text/plain;q=0.2", BodyType::Html),
        ("t/html, text/plain;q=0.1", BodyType::Plain),
        ("text/html@x, text/plain", BodyType::Html),
        ("text/, text/plain;q=0.1", BodyType::Plain),
        (",,text/html,,", BodyType::Html),
        ("*/html, text/plain;q=0.9", BodyType::Json),
        ("text/html;", BodyType::Html),
    ] {
        let chosen = negotiate(Some(accept.as_bytes()), None, Producer::Access);
        assert_eq!(chosen, expected, "{accept}");
    }
}

#[test]
fn kinds_have_kongs_status_and_message() {
    for (kind, status, message) in [
        (
            ErrorKind::NoRoute,
            404,
            "no Route matched with those values",
        ),
        (
            ErrorKind::NoService,
            503,
            "no Service found with those values",
        ),
        (ErrorKind::HttpsRequired, 426, "Please use HTTPS protocol"),
        (ErrorKind::Http2Required, 426, "Please use HTTP2 protocol"),
        (
            ErrorKind::NotGrpc,
            415,
            "Non-gRPC request matched gRPC route",
        ),
        (
            ErrorKind::NoPeer,
            503,
            "failure to get a peer from the ring-balancer",
        ),
        (
            ErrorKind::NoPeerLeft,
            503,
            "The upstream server is currently unavailable",
        ),
        (ErrorKind::NameResolution, 503, "name resolution failed"),
        (ErrorKind::PluginFailed, 500, "An unexpected error occurred"),
        (ErrorKind::BadRequest, 400, "Bad request"),
        (ErrorKind::MethodNotAllowed, 405, "Method not allowed"),
        (ErrorKind::RequestTimeout, 408, "Request timeout"),
        (ErrorKind::PayloadTooLarge, 413, "Payload too large"),
        (ErrorKind::UriTooLong, 414, "URI too long"),
        (
            ErrorKind::HeadersTooLarge,
            400,
            "Request header or cookie too large",
        ),
        (ErrorKind::Internal, 500, "An unexpected error occurred"),
        (
            ErrorKind::BadGateway,
            502,
            "An invalid response was received from the upstream server",
        ),
        (
            ErrorKind::Unavailable,
            503,
            "The upstream server is currently unavailable",
        ),
        (
            ErrorKind::GatewayTimeout,
            504,
            "The upstream server is timing out",
        ),
    ] {
        assert_eq!(
            (kind.status(), kind.message()),
            (status, message),
            "{kind:?}"
        );
    }
}

#[test]
fn framing_errors_close_the_connection_and_upstream_errors_do_not() {
    assert!(ErrorKind::BadRequest.closes_connection());
    assert!(ErrorKind::PayloadTooLarge.closes_connection());
    assert!(!ErrorKind::NoRoute.closes_connection());
    assert!(!ErrorKind::BadGateway.closes_connection());
}

#[test]
fn default_types_are_those_of_the_configuration() {
    assert_eq!(
        BodyType::from_default_type("application/xml"),
        Some(BodyType::Xml)
    );
    assert_eq!(BodyType::from_default_type("text/css"), None);
}

proptest! {
    #[test]
    fn entries_of_no_quality_and_junk_change_nothing(
        accept in "[a-z*/;=q.01 A-Z\u{e9}]{0,20}(,(text|application)/(html|xml|plain);q=[01]){0,3}",
    ) {
        let chosen = negotiate(Some(accept.as_bytes()), None, Producer::Access);
        let longer = format!("text/html;q=0,;junk,{accept}, text/plain;q=0.000,a/b");
        let again = negotiate(Some(longer.as_bytes()), None, Producer::Access);
        prop_assert_eq!(chosen, again);
    }
}

#[test]
fn retries_and_the_proxy_choose_another_format_than_access_checks() {
    let default_type = BodyType::Plain;
    assert_eq!(ErrorKind::NoPeer.producer(default_type), Producer::Access);
    assert_eq!(ErrorKind::NoPeerLeft.producer(default_type), PROXY);
    assert_eq!(ErrorKind::BadRequest.producer(default_type), PROXY);
}
