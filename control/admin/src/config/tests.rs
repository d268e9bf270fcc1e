//! Which input a body becomes.

use super::*;

/// Decodes a body that comes with that query.
fn decode(kind: Option<&str>, query: &str, text: Vec<u8>) -> Result<Decoded, &'static str> {
    let query = form::urlencoded(query.as_bytes()).expect("few fields");
    super::decode(kind, query, text)
}

fn text_of(decoded: Result<Decoded, &'static str>) -> String {
    match decoded.map(|d| d.input) {
        Ok(agent::Input::Text(text, None)) => {
            String::from_utf8(text).expect("the tests send UTF-8")
        }
        Ok(_) => panic!("decoded to something else than text"),
        Err(text) => panic!("refused with {text}"),
    }
}

fn document_of(decoded: Result<Decoded, &'static str>) -> Value {
    match decoded.map(|d| d.input) {
        Ok(agent::Input::Document(document)) => document,
        Ok(_) => panic!("decoded to something else than a document"),
        Err(text) => panic!("refused with {text}"),
    }
}

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

#[test]
fn a_json_configuration_is_a_document_without_the_parameters() {
    let text = br#"{"_format_version":"3.0","check_hash":"1","services":[]}"#.to_vec();
    let document = document_of(decode(JSON, "flatten_errors=1&foo=bar", text));
    let want = serde_json::json!({"_format_version": "3.0", "services": [], "foo": "bar"});
    assert_eq!(document, want);
}

#[test]
fn a_config_field_holds_the_text() {
    let text = br#"{"config":"_format_version: '3.0'"}"#.to_vec();
    assert_eq!(text_of(decode(JSON, "", text)), "_format_version: '3.0'");
    let form = b"config=_format_version%3A+%273.0%27".to_vec();
    assert_eq!(text_of(decode(FORM, "", form)), "_format_version: '3.0'");
    let part = b"--b\r\nContent-Disposition: form-data; name=\"config\"\r\n\r\na: 1\r\n--b--\r\n";
    let kind = Some("multipart/form-data; boundary=b");
    assert_eq!(text_of(decode(kind, "", part.to_vec())), "a: 1");
}

#[test]
fn any_other_body_is_the_text() {
    assert_eq!(
        text_of(decode(Some("text/yaml"), "", b"a: 1".to_vec())),
        "a: 1"
    );
    assert_eq!(
        text_of(decode(JSON, "", b"{\"a\":1}".to_vec())),
        "{\"a\":1}"
    );
}

#[test]
fn check_hash_counts_for_texts_only() {
    let checks = |d: Result<Decoded, &'static str>| d.ok().map(|d| d.check_hash);
    assert_eq!(
        checks(decode(FORM, "check_hash=1", b"config=x".to_vec())),
        Some(true)
    );
    assert_eq!(
        checks(decode(FORM, "check_hash=true", b"config=x".to_vec())),
        Some(false)
    );
    let document = br#"{"_format_version":"3.0"}"#.to_vec();
    assert_eq!(checks(decode(JSON, "check_hash=1", document)), Some(false));
}

#[test]
fn nothing_and_no_json_are_refused() {
    let nothing = decode(None, "", Vec::new());
    assert_eq!(nothing.err(), Some("expected a declarative configuration"));
    for body in ["", "{", "[]", "false", "\"x\"", "null"] {
        let refused = decode(JSON, "", body.into()).err();
        assert_eq!(refused, Some("Cannot parse JSON body"), "{body}");
    }
}
