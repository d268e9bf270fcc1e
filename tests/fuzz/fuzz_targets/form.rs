//! Form bodies: pairs, their structure, their types, and the validation of what they say.
//!
//! The first byte of an input chooses the kind, the second the encoding. What validates is
//! validated again, and must stay as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use silverback_schema::entity::EntityKind;
use silverback_schema::field::{Context, Mode, Rules, Schema, form as typed, message};

// The Admin API's own decoder, without its server.
#[allow(dead_code, reason = "the Admin API uses all of it")]
#[path = "../../../control/admin/src/form.rs"]
mod form;

const MULTIPART: &str = "multipart/form-data; boundary=x";

fuzz_target!(|input: &[u8]| {
    let [kind, encoding, body @ ..] = input else {
        return;
    };
    let kinds = EntityKind::all().count();
    let kind = EntityKind::all().nth(usize::from(*kind) % kinds);
    let rules = Rules::default();
    let schema = kind.expect("within the kinds").schema(&rules);
    let fields = match encoding & 1 {
        0 => form::urlencoded(body),
        _ => form::multipart(MULTIPART, body).expect("has a boundary"),
    };
    let Ok(fields) = fields else { return };
    assert!(fields.len() <= form::FIELDS_MAX);
    let Ok(object) = typed::structure(fields) else {
        return;
    };
    let object = schema.infer(object, None, &rules);
    for mode in [Mode::Insert, Mode::Declarative(None)] {
        check(schema, &object, mode, &rules);
    }
});

fn check(schema: &'static Schema, object: &Map<String, Value>, mode: Mode, rules: &Rules) {
    let validate =
        |object: &Map<String, Value>| schema.validate(object.clone(), Context { mode, rules });
    match validate(object) {
        Ok(row) => {
            let row = row.into_object();
            let again = validate(&row);
            let again = again.unwrap_or_else(|errors| panic!("{row:?}\n{errors:?}"));
            assert_eq!(again.into_object(), row);
        }
        Err(errors) => {
            assert!(!errors.is_empty() && !message::text(&errors).is_empty());
            assert_eq!(validate(object).map(drop), Err(errors));
        }
    }
}
