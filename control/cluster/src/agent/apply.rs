//! Applying configurations to the store, one at a time.
//!
//! The order of one application: wait for (or be refused) the turn, read and validate the text,
//! commit it in one transaction of the store, which rings the shards. Everything before the commit
//! leaves no trace, so whatever fails, the running configuration goes on.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use silverback_schema::{
    declarative::{self, Config, EMPTY_HASH, Format, Invalid, Options},
    field::Rules,
    snapshot::{Applied, Source, Store, StoreError},
};
use tokio::{sync::Semaphore, task};

use super::reading::Reading;
use super::{Declared, DeclaredError, warnings};

/// The only way from a text to the store; clones share it.
#[derive(Clone)]
pub struct Agent {
    store: Arc<Store>,
    rules: Arc<Rules>,
    turn: Arc<Semaphore>,
    hash: Arc<Mutex<String>>,
}

/// A configuration as it came in.
pub enum Input {
    /// Text; without a format it is tried as JSON, then as YAML.
    Text(Vec<u8>, Option<Format>),
    /// A document that was already decoded.
    Document(Value),
    /// The node's own declarative configuration.
    Declared(Declared),
}

/// Whether an application waits while another one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Waits: a start, a reload.
    Wait,
    /// Fails with [`ApplyError::Busy`]: a request of the Admin API.
    Now,
}

/// One application.
pub struct Request {
    /// What to apply.
    pub input: Input,
    /// Where it comes from, for people; stored with the configuration.
    pub source: String,
    /// What to do while another application runs.
    pub turn: Turn,
    /// Skip the commit when the text's hash is the running configuration's.
    pub unless_running: bool,
    /// Whether a refusal lists the faulty entities.
    pub flatten: bool,
}

/// How an application ended well.
pub enum Outcome {
    /// The configuration is committed; the shards serve it from their next request on.
    Accepted(Box<Accepted>),
    /// It is the running one, and [`Request::unless_running`] was set.
    Unchanged,
}

/// A committed configuration.
pub struct Accepted {
    /// As validated and completed.
    pub config: Config,
    /// What the store says about the commit.
    pub applied: Applied,
}

/// Why the running configuration was kept.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another configuration is being applied.
    #[error("another configuration is being loaded; try again in a moment")]
    Busy,
    /// The configuration is refused.
    #[error("the configuration is refused: {0}")]
    Invalid(Box<Invalid>),
    /// The declarative file or text of the node could not be used.
    #[error(transparent)]
    Declared(#[from] DeclaredError),
    /// The store could not take it.
    #[error("the configuration could not be stored: {0}")]
    Store(#[from] StoreError),
    /// The agent is shutting down, or the work panicked.
    #[error("the node is ending")]
    Ended,
}

impl Agent {
    /// An agent that writes to the store; `running` is the hash of what the store holds, `rules`
    /// what the node's configuration says of entities.
    pub fn new(store: Arc<Store>, running: Option<String>, rules: Arc<Rules>) -> Self {
        let hash = running.unwrap_or_else(|| EMPTY_HASH.to_owned());
        Self {
            store,
            rules,
            turn: Arc::new(Semaphore::new(1)),
            hash: Arc::new(Mutex::new(hash)),
        }
    }

    /// The store that is written to.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The hash of the running configuration: 32 hexadecimal digits, zeros for none.
    pub fn running_hash(&self) -> String {
        self.hash
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads, validates and commits a configuration; the work is done on the blocking pool.
    ///
    /// # Errors
    ///
    /// Whatever the error, the running configuration is kept.
    pub async fn apply(&self, request: Request) -> Result<Outcome, ApplyError> {
        let turn = match request.turn {
            Turn::Wait => self
                .turn
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| ApplyError::Ended)?,
            Turn::Now => self
                .turn
                .clone()
                .try_acquire_owned()
                .map_err(|_| ApplyError::Busy)?,
        };
        let agent = self.clone();
        let work = task::spawn_blocking(move || {
            // Held to the end of the work, even if the caller goes away in between.
            let _turn = turn;
            agent.apply_now(request)
        });
        work.await.unwrap_or(Err(ApplyError::Ended))
    }

    /// Checks every record of the store, on a thread of its own. Damage is repaired from the
    /// declarative configuration, if there is one, else reported with what to do.
    pub fn check_store(&self, declared: Option<Declared>) {
        let agent = self.clone();
        let check = move || {
            let Err(damage) = agent.store.verify_all() else {
                return tracing::debug!("the stored configuration is whole");
            };
            let Some(declared) = declared else {
                return tracing::error!(
                    "the stored configuration is damaged: {damage}; send it again with POST \
                     /config, or name it with declarative_config"
                );
            };
            tracing::error!("the stored configuration is damaged: {damage}; it is written again");
            let repair = Request {
                source: declared.place(),
                input: Input::Declared(declared),
                turn: Turn::Wait,
                unless_running: false,
                flatten: false,
            };
            if let Err(e) = agent.apply_now(repair) {
                tracing::error!("the stored configuration could not be repaired: {e}");
            }
        };
        let started = std::thread::Builder::new()
            .name("store-check".to_owned())
            .spawn(check);
        if let Err(e) = started {
            tracing::warn!("the stored configuration is not checked, no thread could start: {e}");
        }
    }

    fn apply_now(&self, request: Request) -> Result<Outcome, ApplyError> {
        let refused = |invalid| ApplyError::Invalid(Box::new(invalid));
        let reading = Reading::begin(request.source.clone());
        let progress = |progress| reading.report(progress);
        let options = Options {
            rules: (*self.rules).clone(),
            flatten: request.flatten,
            progress: Some(&progress),
            ..Options::default()
        };
        let config = match request.input {
            Input::Text(text, format) => {
                declarative::parse(&text, format, &options).map_err(refused)?
            }
            Input::Document(document) => {
                declarative::from_value(document, &options).map_err(refused)?
            }
            Input::Declared(declared) => declared.read_with(&options)?,
        };
        if request.unless_running && config.hash == self.running_hash() {
            return Ok(Outcome::Unchanged);
        }
        let source = Source {
            name: &request.source,
            config_hash: Some(&config.hash),
        };
        let applied = self.store.apply(&config, source)?;
        for line in warnings(&config) {
            tracing::warn!("{line}");
        }
        *self.hash.lock().unwrap_or_else(PoisonError::into_inner) = config.hash.clone();
        Ok(Outcome::Accepted(Box::new(Accepted { config, applied })))
    }
}

#[cfg(test)]
mod tests;
