//! Declarative configurations: YAML and JSON in, entities out.
//!
//! Owns the file format (versions, nesting, references, generated ids, uniqueness), its limits,
//! and Kong's error body. A configuration is taken as a whole or not at all.
//!
//! | module | owns |
//! |---|---|
//! | `yaml` | YAML text to JSON values, with the scalar rules of Kong's loader |
//! | `migrate` | paths of files older than 3.0 |
//! | `load` | the walk over the file: validation, ids, references, uniqueness |
//! | `stream` | the same walk over JSON text without the whole file in memory |
//! | `error` | the error tree and its rendering |
//! | `hash` | the configuration hash |
//!
//! Limits: [`TEXT_BYTES_MAX`], the depth of `serde_json` (128) and those of `yaml`.
//!
//! Source: `kong/db/schema/others/declarative_config.lua`, `kong/db/declarative/*.lua` of Kong
//! 3.9.3. Deviations: kinds that this version has not built are refused unless their list is empty
//! (dropping an authentication plugin would open an API); an unresolved reference of an item
//! without a name is reported at its position; references by object count in generated ids.

mod error;
mod hash;
mod load;
mod migrate;
mod stream;
mod yaml;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value};
use uuid::Uuid;

pub use error::Invalid;
pub use hash::EMPTY_HASH;

use crate::entity::{Route, Service, Target, Upstream};

/// Largest text that is parsed, bytes.
pub const TEXT_BYTES_MAX: usize = 4 << 30;

/// A complete validated configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Services.
    pub services: Vec<Service>,
    /// Routes.
    pub routes: Vec<Route>,
    /// Upstreams.
    pub upstreams: Vec<Upstream>,
    /// Targets.
    pub targets: Vec<Target>,
    /// MD5 of the text in lower-case hexadecimal; [`EMPTY_HASH`] when there are no entities.
    pub hash: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            routes: Vec::new(),
            upstreams: Vec::new(),
            targets: Vec::new(),
            hash: EMPTY_HASH.to_owned(),
        }
    }
}

impl Config {
    /// Whether there is no entity at all.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
            && self.routes.is_empty()
            && self.upstreams.is_empty()
            && self.targets.is_empty()
    }
}

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Format {
    /// The format that a file's extension says.
    ///
    /// # Errors
    /// Another extension than `json`, `yml` and `yaml`.
    pub fn of_file(path: &Path) -> Result<Self, Invalid> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Ok(Self::Json),
            Some("yml" | "yaml") => Ok(Self::Yaml),
            _ => {
                let name = path.display();
                Err(Invalid::text(format!(
                    "unknown file type: {name} (Accepted types: json, yaml)"
                )))
            }
        }
    }
}

/// The configuration in a text; without a format it is read as JSON, and if it is none, as YAML.
///
/// # Errors
/// Kong's error body: the text cannot be read, or what it says is invalid.
pub fn parse(text: &[u8], format: Option<Format>) -> Result<Config, Invalid> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Invalid::unparsable(format!(
            "larger than {TEXT_BYTES_MAX} bytes"
        )));
    }
    let mut config = match format {
        Some(Format::Yaml) => load_yaml(text)?,
        Some(Format::Json) => match load_json(text) {
            Ok(outcome) => outcome?,
            Err(error) => return Err(Invalid::unparsable(error.to_string())),
        },
        None => match load_json(text) {
            Ok(outcome) => outcome?,
            Err(_) => load_yaml(text)?,
        },
    };
    if !config.is_empty() {
        config.hash = hash::of_text(text);
    }
    Ok(config)
}

/// The outer error: the text is no JSON.
fn load_json(text: &[u8]) -> Result<Result<Config, Invalid>, serde_json::Error> {
    match stream::load(text) {
        Some(outcome) => Ok(outcome),
        None => serde_json::from_slice(text).map(load_value),
    }
}

fn load_yaml(text: &[u8]) -> Result<Config, Invalid> {
    let mut loader = load::Loader::new();
    let mut take = |kind, index, item| loader.list_item(kind, index, item, None);
    if let Ok(Value::Object(rest)) = yaml::parse_into(text, &mut take) {
        return loader.load(rest);
    }
    load_value(yaml::parse(text).map_err(Invalid::unparsable)?)
}

fn load_value(value: Value) -> Result<Config, Invalid> {
    match value {
        Value::Object(object) => load::load(object),
        _ => Err(Invalid::unparsable("expected an object".into())),
    }
}

/// The configuration in an object that was parsed already.
///
/// # Errors
/// Kong's error body.
pub fn from_value(value: Value) -> Result<Config, Invalid> {
    let Value::Object(object) = value else {
        return load_value(value);
    };
    let hash = hash::of_object(&object);
    let mut config = load::load(object)?;
    if !config.is_empty() {
        config.hash = hash;
    }
    Ok(config)
}

/// The success body of `POST /config`: `{kind: {id: entity}}`, kinds without entities left out.
pub fn to_kong_json(config: &Config) -> Value {
    let mut body = Map::new();
    let services = config
        .services
        .iter()
        .map(|service| (service.id, service.to_json()));
    insert_kind(&mut body, "services", services);
    let routes = config
        .routes
        .iter()
        .map(|route| (route.id, route.to_json()));
    insert_kind(&mut body, "routes", routes);
    let upstreams = config
        .upstreams
        .iter()
        .map(|upstream| (upstream.id, upstream.to_json()));
    insert_kind(&mut body, "upstreams", upstreams);
    let targets = config
        .targets
        .iter()
        .map(|target| (target.id, target.to_json()));
    insert_kind(&mut body, "targets", targets);
    Value::Object(body)
}

/// Writes what [`to_kong_json`] says, entity by entity: for configurations whose JSON should not
/// be in memory twice.
///
/// # Errors
/// Those of the writer.
pub fn write_kong_json(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let mut kinds = 0;
    out.write_all(b"{")?;
    let services = config
        .services
        .iter()
        .map(|service| (service.id, service.to_json()));
    write_kind(out, &mut kinds, "services", services)?;
    let routes = config
        .routes
        .iter()
        .map(|route| (route.id, route.to_json()));
    write_kind(out, &mut kinds, "routes", routes)?;
    let upstreams = config
        .upstreams
        .iter()
        .map(|upstream| (upstream.id, upstream.to_json()));
    write_kind(out, &mut kinds, "upstreams", upstreams)?;
    let targets = config
        .targets
        .iter()
        .map(|target| (target.id, target.to_json()));
    write_kind(out, &mut kinds, "targets", targets)?;
    out.write_all(b"}")
}

fn write_kind(
    out: &mut impl Write,
    kinds: &mut usize,
    kind: &str,
    entities: impl Iterator<Item = (Uuid, Value)>,
) -> io::Result<()> {
    let mut entities = entities.peekable();
    if entities.peek().is_none() {
        return Ok(());
    }
    write!(out, "{}\"{kind}\":", if *kinds == 0 { "" } else { "," })?;
    *kinds += 1;
    let mut separator = '{';
    for (id, json) in entities {
        write!(out, "{separator}\"{id}\":")?;
        serde_json::to_writer(&mut *out, &json)?;
        separator = ',';
    }
    out.write_all(b"}")
}

fn insert_kind(
    body: &mut Map<String, Value>,
    kind: &str,
    entities: impl Iterator<Item = (Uuid, Value)>,
) {
    let by_id: Map<String, Value> = entities.map(|(id, json)| (id.to_string(), json)).collect();
    if !by_id.is_empty() {
        body.insert(kind.to_owned(), Value::Object(by_id));
    }
}
