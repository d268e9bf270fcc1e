//! Tests of references and of the env strategy.

use proptest::prelude::*;

use super::env::Env;
use super::*;

fn parse(text: &str) -> Reference {
    Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn resolve(
    prefix: Option<&str>,
    variables: &[(&str, &str)],
    text: &str,
) -> Result<String, ResolveError> {
    let look_up = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let env = Env {
        prefix,
        variables: &look_up,
    };
    env.resolve(&Reference::parse(text)?)
}

#[test]
fn a_single_segment_is_the_resource() {
    let reference = parse("{vault://env/my%2Dvar?prefix=a%5f&x#3}");
    assert_eq!(reference.vault, "env");
    assert_eq!(reference.resource, "my-var");
    assert_eq!(reference.key, None);
    assert_eq!(reference.option("prefix"), Some("a_"));
    assert_eq!(reference.version, Some(3));
}

#[test]
fn the_last_of_several_segments_is_the_key_unless_a_slash_follows() {
    let parts = |text: &str| {
        let reference = parse(text);
        (reference.resource, reference.key)
    };
    assert_eq!(parts("{vault://v/a/b/c}"), ("a/b".into(), Some("c".into())));
    assert_eq!(parts("{vault://v/a/b/}"), ("a/b".into(), None));
    assert_eq!(parts("{vault://v//a//b}"), ("a".into(), Some("b".into())));
}

/// conf-cli-ops 10.160
#[test]
fn each_fault_of_a_reference_has_its_own_reason() {
    let faults = [
        ("vault://env/x", "must begin with"),
        ("{vault:///x}", "names no vault"),
        ("{vault://env}", "has no path"),
        ("{vault://env/}", "has an empty path"),
        ("{vault://env/////}", "has an invalid path"),
        ("{vault://env/%ff}", "has an invalid path"),
        ("{vault://env/x#y}", "has an invalid version"),
    ];
    for (text, reason) in faults {
        let error = Reference::parse(text).expect_err(text).to_string();
        assert!(
            error.contains(reason) && error.contains(text),
            "{text}: {error}"
        );
    }
}

/// conf-cli-ops 10.157
#[test]
fn the_references_own_prefix_wins_over_the_configured_one() {
    let variables = [("APP_X", "app"), ("SECRETS_X", "secrets"), ("X", "bare")];
    let resolved = |prefix, text| resolve(prefix, &variables, text).expect(text);
    assert_eq!(resolved(None, "{vault://env/x?prefix=app-}"), "app");
    assert_eq!(resolved(Some("SECRETS_"), "{vault://env/x}"), "secrets");
    assert_eq!(
        resolved(Some("SECRETS_"), "{vault://env/x?prefix=app_}"),
        "app"
    );
    assert_eq!(resolved(None, "{vault://env/x?prefix=1}"), "bare");
}

/// conf-cli-ops 10.158
#[test]
fn version_two_is_the_previous_value() {
    let variables = [("X", "now"), ("X_PREVIOUS", "before")];
    assert_eq!(
        resolve(None, &variables, "{vault://env/x#2}").as_deref(),
        Ok("before")
    );
    assert_eq!(
        resolve(None, &variables, "{vault://env/x#1}").as_deref(),
        Ok("now")
    );
}

/// conf-cli-ops 10.159
#[test]
fn an_empty_variable_is_an_empty_secret() {
    assert_eq!(
        resolve(None, &[("X", "")], "{vault://env/x}").as_deref(),
        Ok("")
    );
}

/// conf-cli-ops 10.156
#[test]
fn a_key_asks_for_a_text_member_of_a_json_object() {
    let variables = [("CREDS", r#"{"user":"u","age":1}"#), ("TEXT", "secret")];
    let resolved = |text| resolve(None, &variables, text);
    assert_eq!(resolved("{vault://env/creds/user}").as_deref(), Ok("u"));
    let cases = [
        ("{vault://env/creds/none}", "no member"),
        ("{vault://env/creds/age}", "is not a string"),
        ("{vault://env/text/user}", "not a JSON object"),
        ("{vault://env/none/user}", "NONE is not set"),
    ];
    for (text, reason) in cases {
        let error = resolved(text).expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(
            !error.contains("secret"),
            "an error never holds a value: {error}"
        );
    }
}

#[test]
fn only_the_frame_makes_a_text_a_reference() {
    assert!(is_reference("{vault://}"));
    assert!(!is_reference("x{vault://env/x}"));
    assert!(!is_reference("{vault://env/x} "));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\{vault://[ -~é]{0,40}\\}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(reference.to_string(), text);
        }
    }
}
