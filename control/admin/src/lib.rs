//! The Admin API: how people and programs configure a node and ask how it is.
//!
//! | module | owns |
//! |---|---|
//! | [`serve()`] | listeners, connections, their limits and deadlines |
//! | `dispatch` | which endpoint answers, and Kong's order of the checks before it |
//! | `answer` | bodies and headers of answers |
//! | `body`, `form` | reading bodies with a limit; form and multipart fields |
//! | `config`, `status` | one endpoint each |
//!
//! Source: `kong/api/init.lua`, `kong/api/api_helpers.lua`, `kong/api/routes/{config,health}.lua`.

mod answer;
mod body;
mod config;
mod dispatch;
mod form;
mod serve;
mod status;

pub use answer::Headers;
pub use serve::{Admin, serve};
pub use status::{Counters, NodeFacts};
