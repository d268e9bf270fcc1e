//! The shards' jobs, handed to the agent: the one place where both vocabularies meet.

use std::net::SocketAddr;

use silverback_cluster::agent::names::{LookupError, Names, Query};
use silverback_proxy::{Full, Job, JobQueue, ResolveError, Resolved};

/// The agent as the shards see it.
pub(crate) struct AgentJobs {
    names: Names,
}

impl AgentJobs {
    /// Takes jobs for that resolver.
    pub(crate) fn new(names: Names) -> Self {
        Self { names }
    }
}

impl JobQueue for AgentJobs {
    fn submit(&self, job: Job) -> Result<(), Full> {
        let Job::Resolve { name, port, reply } = job;
        let reply = Box::new(move |answer: Result<_, LookupError>| {
            reply.send(match answer {
                Ok(found) => Ok(resolved(&found, port)),
                Err(e) => Err(ResolveError::Failed(e.to_string())),
            });
        });
        self.names.submit(Query { name, reply }).map_err(|_| Full)
    }
}

fn resolved(found: &silverback_cluster::agent::names::Addresses, port: u16) -> Resolved {
    let addresses = found
        .addresses
        .iter()
        .map(|ip| SocketAddr::new(*ip, port))
        .collect();
    Resolved {
        addresses,
        ttl: found.ttl,
    }
}
