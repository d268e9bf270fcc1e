//! Declarative configurations: YAML and JSON in, entities out.
//!
//! Owns the file format (versions, nesting, references, generated ids, uniqueness), its limits,
//! and Kong's error body. A configuration is taken as a whole or not at all. Kinds are those of the
//! registry: nothing here names one but the four that have types of their own.
//!
//! | module | owns |
//! |---|---|
//! | `yaml` | YAML text to JSON values, with the scalar rules of Kong's loader |
//! | `migrate` | paths of files older than 3.0 |
//! | `plan` | what the walk needs to know of each kind |
//! | `load` | the walk over the file: nesting, validation |
//! | `resolve` | the pass after it: duplicates, references, hashes |
//! | `identity` | ids of items that have none |
//! | `row` | from a valid row to an entity |
//! | `stream` | the same walk over JSON text without the whole file in memory |
//! | `fault`, `flatten`, `error` | what is wrong, as a tree, as a flat list, and its rendering |
//! | `warning` | what to log about fields that will go |
//! | `export` | the way back: files of Kong's form |
//! | `answer` | the JSON of a configuration that was loaded |
//! | `hash` | the configuration hash |
//!
//! Limits: [`TEXT_BYTES_MAX`], the depth of `serde_json` (128) and those of `yaml`.
//!
//! Source: `kong/db/schema/others/declarative_config.lua`, `kong/db/declarative/*.lua` of Kong
//! 3.9.3. Deviations: an unresolved reference of an item without a name is reported at its
//! position; references by object count in generated ids.

mod answer;
mod error;
pub mod export;
mod fault;
mod flatten;
mod hash;
mod identity;
mod load;
mod migrate;
mod plan;
mod resolve;
mod row;
mod stream;
mod warning;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

pub use answer::{to_kong_json, write_kong_json};
pub use error::Invalid;
pub use hash::EMPTY_HASH;
pub use load::PROGRESS_ENTITIES;

use fault::Faults;
use load::Loader;
use plan::Plan;

use crate::entity::{Entity, EntityKind, Route, Service, Target, Upstream};
use crate::field::Rules;

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
    /// Entities of all other kinds, kind by kind in the registry's order.
    pub entities: Vec<Entity>,
    /// MD5 of the text in lower-case hexadecimal; [`EMPTY_HASH`] when there are no entities.
    pub hash: String,
    /// What the log should say about fields that will go, a line each.
    pub warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            routes: Vec::new(),
            upstreams: Vec::new(),
            targets: Vec::new(),
            entities: Vec::new(),
            hash: EMPTY_HASH.to_owned(),
            warnings: Vec::new(),
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
            && self.entities.is_empty()
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

/// How a configuration is read.
pub struct Options<'a> {
    /// What the node's configuration says.
    pub rules: Rules,
    /// Whether errors of entities are also given as a flat list.
    pub flatten: bool,
    /// Told now and then how far the reading is, at most once for [`PROGRESS_ENTITIES`] items.
    pub progress: Option<&'a dyn Fn(Progress)>,
    /// The time that entities get: Unix milliseconds.
    pub now_ms: i64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            rules: Rules::default(),
            flatten: false,
            progress: None,
            now_ms: i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// How far the reading of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read; of YAML its characters.
    pub bytes_read: u64,
    /// Length of the text, bytes.
    pub bytes_total: u64,
    /// Entities that were found.
    pub entities: u64,
}

/// The configuration in a text; without a format it is read as JSON, and if it is none, as YAML.
///
/// # Errors
/// Kong's error body: the text cannot be read, or what it says is invalid.
pub fn parse(
    text: &[u8],
    format: Option<Format>,
    options: &Options<'_>,
) -> Result<Config, Invalid> {
    if text.len() > TEXT_BYTES_MAX {
        let problem = format!("larger than {TEXT_BYTES_MAX} bytes");
        return Err(Invalid::unparsable(problem));
    }
    let plan = Plan::new(&options.rules);
    let outcome = match format {
        Some(Format::Yaml) => load_yaml(text, &plan, options)?,
        Some(Format::Json) => load_json(text, &plan, options)
            .map_err(|error| Invalid::unparsable(error.to_string()))?,
        None => match load_json(text, &plan, options) {
            Ok(outcome) => outcome,
            Err(_) => load_yaml(text, &plan, options)?,
        },
    };
    let mut config = outcome.map_err(|faults| {
        let document = || read(text, format).unwrap_or_default();
        refuse(&faults, document, &plan, options)
    })?;
    if !config.is_empty() {
        config.hash = hash::of_text(text);
    }
    Ok(config)
}

type Outcome = Result<Config, Box<Faults>>;

/// The outer error: the text is no JSON.
fn load_json(
    text: &[u8],
    plan: &Plan,
    options: &Options<'_>,
) -> Result<Outcome, serde_json::Error> {
    if let Some(outcome) = stream::load(text, plan, options) {
        return Ok(outcome);
    }
    let document = serde_json::from_slice(text)?;
    Ok(load_value(document, plan, options))
}

/// The outer error: the text is no YAML.
fn load_yaml(text: &[u8], plan: &Plan, options: &Options<'_>) -> Result<Outcome, Invalid> {
    let mut loader = Loader::new(plan, options);
    let mut take = |kind: EntityKind, index: usize, item: Value, read: usize| {
        loader.list_item(kind, index, item, None);
        loader.report_progress(read, text.len());
    };
    if let Ok(Value::Object(rest)) = yaml::parse_into(text, &mut take) {
        return Ok(loader.load(rest));
    }
    let document = yaml::parse(text).map_err(Invalid::unparsable)?;
    Ok(load_value(document, plan, options))
}

fn load_value(document: Value, plan: &Plan, options: &Options<'_>) -> Outcome {
    let loader = Loader::new(plan, options);
    match document {
        Value::Object(object) => loader.load(object),
        _ => Err(Box::new(Faults::of_text("expected an object"))),
    }
}

/// The whole document of a text that was read before.
fn read(text: &[u8], format: Option<Format>) -> Option<Value> {
    let json = || serde_json::from_slice(text).ok();
    match format {
        Some(Format::Json) => json(),
        Some(Format::Yaml) => yaml::parse(text).ok(),
        None => json().or_else(|| yaml::parse(text).ok()),
    }
}

fn refuse(
    faults: &Faults,
    document: impl FnOnce() -> Value,
    plan: &Plan,
    options: &Options<'_>,
) -> Invalid {
    if options.flatten {
        return flatten::flatten(faults, &document(), plan);
    }
    Invalid {
        fields: faults.tree(),
        flattened: None,
    }
}

/// The configuration in an object that was parsed already.
///
/// # Errors
/// Kong's error body.
pub fn from_value(value: Value, options: &Options<'_>) -> Result<Config, Invalid> {
    let plan = Plan::new(&options.rules);
    let hash = value.as_object().map(hash::of_object);
    let kept = options.flatten.then(|| value.clone());
    let mut config = load_value(value, &plan, options)
        .map_err(|faults| refuse(&faults, || kept.unwrap_or_default(), &plan, options))?;
    if let Some(hash) = hash
        && !config.is_empty()
    {
        config.hash = hash;
    }
    Ok(config)
}

impl Config {
    /// Every entity in Kong's JSON form, kind by kind in the registry's order.
    pub fn rows(&self) -> impl Iterator<Item = (EntityKind, Map<String, Value>)> + '_ {
        let rules = Rules::default();
        EntityKind::all().flat_map(move |kind| self.rows_of(kind, &rules))
    }

    fn rows_of(
        &self,
        kind: EntityKind,
        rules: &Rules,
    ) -> Box<dyn Iterator<Item = (EntityKind, Map<String, Value>)> + '_> {
        // Only routes have more than one schema, and those have a type.
        let schema = kind.schema(rules);
        let row = move |value| match value {
            Value::Object(row) => (kind, row),
            _ => (kind, Map::new()),
        };
        match kind {
            EntityKind::SERVICES => Box::new(self.services.iter().map(Service::to_json).map(row)),
            EntityKind::ROUTES => Box::new(self.routes.iter().map(Route::to_json).map(row)),
            EntityKind::UPSTREAMS => {
                Box::new(self.upstreams.iter().map(Upstream::to_json).map(row))
            }
            EntityKind::TARGETS => Box::new(self.targets.iter().map(Target::to_json).map(row)),
            _ => {
                let start = self.entities.partition_point(|entity| entity.kind < kind);
                let of_kind = self.entities[start..].iter();
                let of_kind = of_kind.take_while(move |entity| entity.kind == kind);
                Box::new(of_kind.map(move |entity| (kind, entity.to_json(schema))))
            }
        }
    }
}
