//! Refusals in Kong's form: `{"code", "name", "message", "fields"}`.
//!
//! Source: `kong/db/errors.lua`, `kong/api/endpoints.lua` (statuses).

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use silverback_schema::{
    field,
    snapshot::{Damaged, StoreError},
};

use crate::answer::{self, Answer};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 404 in its short form.
    NotFound,
    /// 405 in its short form.
    MethodNotAllowed,
    /// A short message.
    Message(StatusCode, String),
    /// Code 1: an id in the path is none.
    PrimaryKey,
    /// Code 2: the entity is not valid.
    Schema(field::Errors),
    /// Code 6: there is no entity with that value of the field.
    Missing {
        /// `id` or the endpoint key.
        field: &'static str,
        /// As asked.
        value: String,
    },
    /// Code 7.
    Offset(String),
    /// Code 9.
    Size(&'static str),
    /// Code 10: the name in the path cannot be one.
    Unique(&'static str, String),
    /// Code 11.
    Tags(&'static str),
    /// Code 12: entities cannot be written without a database.
    Unsupported(String),
    /// Code 13: references by name that lead nowhere.
    Unresolved(Vec<Unresolved>),
    /// The store is damaged; logged, 500.
    Damaged(Damaged),
}

/// A reference by name that leads nowhere.
#[derive(Debug)]
pub(crate) struct Unresolved {
    /// The field that refers.
    pub(crate) field: &'static str,
    /// The field of the target by which it does.
    pub(crate) key: &'static str,
    /// The value.
    pub(crate) value: String,
    /// The target's kind.
    pub(crate) entities: &'static str,
}

impl From<Damaged> for Refusal {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!("the Admin API cannot read the store: {error}");
        Self::unexpected()
    }
}

impl Refusal {
    /// Something that should not happen did.
    pub(crate) fn unexpected() -> Self {
        let text = "An unexpected error occurred".to_owned();
        Self::Message(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    /// No certificate is known by that name.
    pub(crate) fn unknown_sni() -> Self {
        Self::Message(StatusCode::NOT_FOUND, "SNI not found".to_owned())
    }

    /// The answer to it.
    pub(crate) fn into_answer(self) -> Answer {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::NotFound => answer::message(StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => {
                answer::message(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
            }
            Self::Message(status, text) => answer::message(status, &text),
            Self::PrimaryKey => {
                let text = r#"invalid primary key: '{id="expected a valid UUID"}'"#;
                let fields = json!({ "id": "expected a valid UUID" });
                coded(BAD, 1, "invalid primary key", text, Some(fields))
            }
            Self::Schema(errors) => answer::json(BAD, &field::message::body(&errors)),
            Self::Missing { field, value } => {
                let key = pair(field, &value);
                let text = match field {
                    "id" => format!("could not find the entity with primary key '{key}'"),
                    _ => format!("could not find the entity with '{key}'"),
                };
                let fields = json!({ field: value });
                coded(StatusCode::NOT_FOUND, 6, "not found", &text, Some(fields))
            }
            Self::Offset(text) => coded(BAD, 7, "invalid offset", &text, None),
            Self::Size(text) => coded(BAD, 9, "invalid size", text, None),
            Self::Unique(field, text) => {
                coded(BAD, 10, &format!("invalid unique {field}"), &text, None)
            }
            Self::Tags(problem) => {
                let text = format!("invalid option (tags: {problem})");
                let body = json!({
                    "code": 11,
                    "name": "invalid options",
                    "message": text,
                    "options": { "tags": problem },
                });
                answer::json(BAD, &body)
            }
            Self::Unsupported(text) => coded(
                StatusCode::METHOD_NOT_ALLOWED,
                12,
                "operation unsupported",
                &text,
                None,
            ),
            Self::Unresolved(list) => unresolved(&list),
            Self::Damaged(damaged) => {
                tracing::error!("the Admin API cannot read the store: {damaged}");
                Self::unexpected().into_answer()
            }
        }
    }
}

fn coded(status: StatusCode, code: u8, name: &str, text: &str, fields: Option<Value>) -> Answer {
    let mut body = json!({ "code": code, "name": name, "message": text });
    if let Some(fields) = fields {
        body["fields"] = fields;
    }
    answer::json(status, &body)
}

fn unresolved(list: &[Unresolved]) -> Answer {
    let mut fields = Map::new();
    let mut texts = Vec::new();
    for problem in list {
        let key = pair(problem.key, &problem.value);
        let text = format!(
            "the foreign key cannot be resolved with '{key}' for an existing '{}' entity",
            problem.entities
        );
        texts.push(format!("{}.{}: {text}", problem.field, problem.key));
        fields.insert(problem.field.to_owned(), json!({ problem.key: text }));
    }
    let text = match texts.len() {
        1 => format!("foreign key unresolved ({})", texts[0]),
        many => format!("{many} foreign keys unresolved ({})", texts.join("; ")),
    };
    let fields = Some(Value::Object(fields));
    coded(
        StatusCode::BAD_REQUEST,
        13,
        "foreign keys unresolved",
        &text,
        fields,
    )
}

/// `{name="x"}`, as Kong writes a table of one text.
fn pair(field: &str, value: &str) -> String {
    format!("{{{field}={}}}", Value::from(value))
}
