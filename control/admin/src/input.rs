//! From a request's body to an object: JSON, forms and multipart.
//!
//! Source: `kong/api/api_helpers.lua`, `kong/api/arguments.lua`. Deviation: a JSON document that is no
//! object is refused like text that is no JSON; Kong fails with 500.

use axum::http::StatusCode;
use serde_json::Value;
use silverback_schema::field::{Rules, Schema, form as typed};

use crate::{
    body::BodyError,
    dispatch::Content,
    entities::Object,
    error::Refusal,
    form::{self, TooMany},
};

/// A body as it came in.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// The content type.
    pub(crate) kind: Option<String>,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Input {
    /// The object that the body says; form fields become values by that schema, and by the stored
    /// entity that they change.
    pub(crate) fn object(
        &self,
        schema: &'static Schema,
        stored: Option<&Object>,
        rules: &Rules,
    ) -> Result<Object, Refusal> {
        let kind = self.kind.as_deref();
        let fields = match kind.and_then(Content::of) {
            Some(Content::Json) => return self.json(),
            Some(Content::Form) => form::urlencoded(&self.bytes),
            Some(Content::Multipart) => {
                let kind = kind.unwrap_or_default();
                form::multipart(kind, &self.bytes).unwrap_or(Ok(Vec::new()))
            }
            Some(Content::Yaml) | None => Ok(Vec::new()),
        };
        let fields = fields.map_err(|TooMany| too_many())?;
        let object = typed::structure(fields).map_err(|error| bad(&error.to_string()))?;
        Ok(schema.infer(object, stored, rules))
    }

    /// A member of the object as text, whatever the encoding.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        match self.kind.as_deref().and_then(Content::of) {
            Some(Content::Json) => {
                let object = self.json().ok()?;
                object.get(name)?.as_str().map(str::to_owned)
            }
            _ => {
                let fields = form::urlencoded(&self.bytes).ok()?;
                form::last(&fields, name).map(str::to_owned)
            }
        }
    }

    /// A JSON body, if it is one: checked before anything is looked up.
    pub(crate) fn check_json(&self) -> Result<(), Refusal> {
        match self.kind.as_deref().and_then(Content::of) {
            Some(Content::Json) => self.json().map(drop),
            _ => Ok(()),
        }
    }

    fn json(&self) -> Result<Object, Refusal> {
        match serde_json::from_slice(&self.bytes) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(bad("Cannot parse JSON body")),
        }
    }
}

/// More arguments than are read.
pub(crate) fn too_many() -> Refusal {
    bad("Too many arguments")
}

/// 400 with a short message.
pub(crate) fn bad(text: &str) -> Refusal {
    Refusal::Message(StatusCode::BAD_REQUEST, text.to_owned())
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let (status, text) = match error {
            BodyError::TooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request body is longer than nginx_admin_client_max_body_size allows",
            ),
            BodyError::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "the request body did not arrive in time",
            ),
            BodyError::Broken => (StatusCode::BAD_REQUEST, "the request body is incomplete"),
        };
        Self::Message(status, text.to_owned())
    }
}
