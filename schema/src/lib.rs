//! The vocabulary that both planes share, without network I/O: Kong's entities, the keys of
//! `kong.conf`, declarative files, and the snapshot by which a configuration reaches the shards.
//!
//! | module | owns |
//! |---|---|
//! | [`entity`] | one file per Kong entity: its fields, defaults, checks |
//! | [`plugin`] | one file per bundled plugin: its configuration and its own entities |
//! | [`field`] | the schema engine: field types, checks and their error texts |
//! | [`conf`] | every `kong.conf` key, and the typed node configuration |
//! | [`vault`] | `{vault://…}` references and the env strategy |
//! | [`declarative`] | YAML and JSON files in, entities out |
//! | [`snapshot`] | the FlatBuffers records, the LMDB store, one writer and zero-copy readers |

pub mod conf;
pub mod declarative;
pub mod entity;
pub mod field;
mod generated;
pub mod plugin;
#[cfg(test)]
mod reference;
pub mod snapshot;
pub mod vault;
