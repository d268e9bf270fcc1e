//! The Admin API and the Status API: how people and programs configure a node and ask how it is.
//!
//! | module | owns |
//! |---|---|
//! | [`serve()`] | listeners, connections, their limits and deadlines |
//! | `route` | every path, and what answers it |
//! | `dispatch` | Kong's order of the checks before an endpoint |
//! | `answer`, `error` | bodies and headers of answers; refusals in Kong's form |
//! | `body`, `form`, `input` | reading bodies with a limit, fields of forms, objects |
//! | `entities` | reading the entities of the running configuration |
//! | `collection`, `item`, `write`, `page` | the endpoints that every kind of entity has |
//! | `config`, `health`, `metrics`, `node`, `schemas`, `status`, `tags` | the others |
//! | `openapi` | the description for programs, `openapi.json`; tests only |
//! | `access_log`, `log_level` | a line for each request; what the endpoints need of the error log |
//!
//! Source: `kong/api/init.lua`, `kong/api/api_helpers.lua`, `kong/api/endpoints.lua`,
//! `kong/api/routes/*.lua`, `kong/status/*.lua`.

mod access_log;
mod answer;
mod body;
mod collection;
mod config;
mod dispatch;
mod entities;
mod error;
mod form;
mod health;
mod input;
mod item;
mod log_level;
mod metrics;
mod node;
#[cfg(test)]
mod openapi;
mod page;
mod route;
mod schemas;
mod serve;
mod status;
mod tags;
mod write;

pub use access_log::{AccessLog, Exchange};
pub use answer::Headers;
pub use log_level::LogLevels;
pub use serve::{Admin, Api, serve};
pub use status::{Counters, NodeFacts};
