//! Addresses of host names, as a shard remembers them.
//!
//! Names are resolved by the agent. While an answer is fresh it is used in turn, address by address;
//! when it has expired the next request asks again, and those that come meanwhile use the old one:
//! a busy name costs one question, not one for each request. So does a name that cannot be asked for
//! now. At most [`NAMES_MAX`] names are kept.

use std::{
    cell::RefCell,
    collections::HashMap,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    doorbell::Mailbox,
    job::{Job, JobQueue, ResolveError, Resolved},
};

/// Most names that a shard remembers.
const NAMES_MAX: usize = 10_000;

/// Longest wait for the agent's answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Known {
    addresses: Vec<SocketAddr>,
    next: usize,
    until: Instant,
}

/// The names of one shard.
pub(crate) struct Names {
    jobs: Arc<dyn JobQueue>,
    mailbox: Rc<Mailbox>,
    known: RefCell<HashMap<(Rc<str>, u16), Known, ahash::RandomState>>,
}

impl Names {
    pub(crate) fn new(jobs: Arc<dyn JobQueue>, mailbox: Rc<Mailbox>) -> Self {
        Self {
            jobs,
            mailbox,
            known: RefCell::default(),
        }
    }

    /// The next address of a name.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn resolve(
        &self,
        name: &Rc<str>,
        port: u16,
    ) -> Result<SocketAddr, ResolveError> {
        if let Some(address) = self.fresh(name, port) {
            return Ok(address);
        }
        match self.ask(name, port).await {
            Ok(resolved) if !resolved.addresses.is_empty() => self.remember(name, port, resolved),
            Ok(_) | Err(ResolveError::NotFound) => self.forget(name, port),
            Err(failed) => return self.fresh(name, port).ok_or(failed),
        }
        self.fresh(name, port).ok_or(ResolveError::NotFound)
    }

    fn forget(&self, name: &Rc<str>, port: u16) {
        self.known.borrow_mut().remove(&(Rc::clone(name), port));
    }

    fn fresh(&self, name: &Rc<str>, port: u16) -> Option<SocketAddr> {
        let mut known = self.known.borrow_mut();
        let entry = known.get_mut(&(Rc::clone(name), port))?;
        let now = Instant::now();
        if entry.until < now {
            entry.until = now + RESOLVE_TIMEOUT;
            return None;
        }
        entry.next = (entry.next + 1) % entry.addresses.len();
        entry.addresses.get(entry.next).copied()
    }

    async fn ask(&self, name: &Rc<str>, port: u16) -> Result<Resolved, ResolveError> {
        let (reply, awaited) = self.mailbox.expect();
        let job = Job::Resolve {
            name: name.to_string(),
            port,
            reply,
        };
        let failed = |text: &str| ResolveError::Failed(text.to_owned());
        self.jobs
            .submit(job)
            .map_err(|_| failed("too many names are being resolved"))?;
        match monoio::time::timeout(RESOLVE_TIMEOUT, awaited).await {
            Ok(Some(result)) => result,
            Ok(None) => Err(failed("the resolver ended")),
            Err(_) => Err(failed("no answer in time")),
        }
    }

    fn remember(&self, name: &Rc<str>, port: u16, resolved: Resolved) {
        let mut known = self.known.borrow_mut();
        if known.len() >= NAMES_MAX {
            known.clear();
        }
        // One request uses an answer in any case, also one that may not be kept.
        let until = Instant::now() + resolved.ttl.max(Duration::from_millis(10));
        let next = resolved.addresses.len() - 1;
        known.insert(
            (Rc::clone(name), port),
            Known {
                addresses: resolved.addresses,
                next,
                until,
            },
        );
    }
}
