//! Name resolution for the shards, through the system's resolver (`getaddrinfo`).
//!
//! A shard submits a [`Query`] and goes on; the answer comes back through its closure, on another
//! thread. Queries for one name share one lookup, and answers are kept for [`ANSWER_TTL`], so
//! that many shards asking at once cost one question.
//!
//! Limits: [`QUERIES_MAX`] queries wait at a time (further ones are refused, the shard answers 500),
//! [`LOOKUPS_MAX`] lookups run at a time, [`ANSWERS_MAX`] answers are kept, and a lookup that has
//! not answered after [`LOOKUP_TIME_MAX`] has failed.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout},
};

/// Queries that may wait for the agent; the queue of each node is this long.
pub const QUERIES_MAX: usize = 1024;
/// Lookups that run at a time; each may hold one thread of the blocking pool.
pub const LOOKUPS_MAX: usize = 32;
/// Answers kept for later queries.
pub const ANSWERS_MAX: usize = 8192;
/// How long an answer is good: `getaddrinfo` does not tell the record's own time to live.
pub const ANSWER_TTL: Duration = Duration::from_secs(10);
/// How long a failure is good; short, so that a repaired name is found soon.
pub const FAILURE_TTL: Duration = Duration::from_secs(1);
/// A lookup that takes longer has failed.
pub const LOOKUP_TIME_MAX: Duration = Duration::from_secs(8);

/// One question of a shard.
pub struct Query {
    /// A host name or an IP literal.
    pub name: String,
    /// Takes the answer; called once, on the agent's thread. Must not block.
    pub reply: Reply,
}

/// Takes an answer back to where the question came from.
pub type Reply = Box<dyn FnOnce(Answer) + Send>;

/// Addresses, or why there are none.
pub type Answer = Result<Addresses, LookupError>;

/// What a name resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// In the resolver's order; never empty.
    pub addresses: Arc<[IpAddr]>,
    /// How long they may be used from now on.
    pub ttl: Duration,
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The resolver answered with an error or with no address.
    #[error("name resolution failed: {0}")]
    Failed(Arc<str>),
    /// No answer within [`LOOKUP_TIME_MAX`].
    #[error("name resolution timed out")]
    TimedOut,
}

/// The queue is full, or the agent has ended: the query was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many name queries are waiting")]
pub struct Full;

/// The shards' end of the queue; clones share it.
#[derive(Clone, Debug)]
pub struct Names {
    queue: mpsc::Sender<Query>,
}

impl Names {
    /// Starts resolving on the current tokio runtime; ends when every clone is dropped.
    pub fn start() -> Self {
        let (queue, queries) = mpsc::channel(QUERIES_MAX);
        tokio::spawn(Desk::new(System).run(queries));
        Self { queue }
    }

    /// Asks for the addresses of a name. Never waits; any thread may call it.
    ///
    /// # Errors
    ///
    /// [`Full`] when [`QUERIES_MAX`] queries are waiting.
    pub fn submit(&self, query: Query) -> Result<(), Full> {
        self.queue.try_send(query).map_err(|_| Full)
    }
}

/// Where answers come from; the tests put a script here.
trait Source: Clone + Send + Sync + 'static {
    fn look_up(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

#[derive(Clone)]
struct System;

impl Source for System {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut found: Vec<IpAddr> = Vec::new();
        for address in tokio::net::lookup_host((name, 0))
            .await?
            .map(|a: SocketAddr| a.ip())
        {
            if !found.contains(&address) {
                found.push(address);
            }
        }
        Ok(found)
    }
}

/// One name's state: being looked up, or known until a moment.
enum Entry {
    Asking(Vec<Reply>),
    Known {
        answer: Result<Arc<[IpAddr]>, LookupError>,
        until: Instant,
    },
}

type Found = Result<Arc<[IpAddr]>, LookupError>;

struct Desk<S> {
    source: S,
    entries: HashMap<String, Entry>,
    lookups: JoinSet<(String, Found)>,
}

impl<S: Source> Desk<S> {
    fn new(source: S) -> Self {
        Self {
            source,
            entries: HashMap::new(),
            lookups: JoinSet::new(),
        }
    }

    async fn run(mut self, mut queries: mpsc::Receiver<Query>) {
        loop {
            let has_room = self.lookups.len() < LOOKUPS_MAX;
            tokio::select! {
                query = queries.recv(), if has_room => match query {
                    Some(query) => self.take(query),
                    None => return,
                },
                Some(done) = self.lookups.join_next(), if !self.lookups.is_empty() => {
                    // A lookup holds no state that could panic; if one did, its askers' replies
                    // are dropped with the desk's entry, and shards treat that as a failure.
                    if let Ok((name, found)) = done {
                        self.settle(name, found);
                    }
                }
            }
        }
    }

    fn take(&mut self, query: Query) {
        let now = Instant::now();
        match self.entries.get_mut(&query.name) {
            Some(Entry::Asking(replies)) => replies.push(query.reply),
            Some(Entry::Known { answer, until }) if *until > now => {
                (query.reply)(answer_of(answer, *until - now));
            }
            _ => {
                let name = query.name.clone();
                let source = self.source.clone();
                self.lookups.spawn(async move {
                    let found = look_up(&source, &name).await;
                    (name, found)
                });
                self.entries
                    .insert(query.name, Entry::Asking(vec![query.reply]));
            }
        }
    }

    fn settle(&mut self, name: String, found: Found) {
        let ttl = if found.is_ok() {
            ANSWER_TTL
        } else {
            FAILURE_TTL
        };
        let now = Instant::now();
        self.make_room(now);
        let known = Entry::Known {
            answer: found.clone(),
            until: now + ttl,
        };
        if let Some(Entry::Asking(replies)) = self.entries.insert(name, known) {
            for reply in replies {
                reply(answer_of(&found, ttl));
            }
        }
    }

    /// Forgets what has expired, or every answer when that is not enough: they come back on demand.
    fn make_room(&mut self, now: Instant) {
        if self.entries.len() < ANSWERS_MAX {
            return;
        }
        self.entries.retain(|_, e| match e {
            Entry::Asking(_) => true,
            Entry::Known { until, .. } => *until > now,
        });
        if self.entries.len() >= ANSWERS_MAX {
            self.entries.retain(|_, e| matches!(e, Entry::Asking(_)));
        }
    }
}

async fn look_up(source: &impl Source, name: &str) -> Found {
    match timeout(LOOKUP_TIME_MAX, source.look_up(name)).await {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(LookupError::Failed("the name has no address".into()))
        }
        Ok(Ok(addresses)) => Ok(addresses.into()),
        Ok(Err(e)) => Err(LookupError::Failed(e.to_string().into())),
        Err(_) => Err(LookupError::TimedOut),
    }
}

fn answer_of(found: &Found, ttl: Duration) -> Answer {
    found.clone().map(|addresses| Addresses { addresses, ttl })
}

#[cfg(test)]
mod tests;
