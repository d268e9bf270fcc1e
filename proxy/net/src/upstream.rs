//! Connections to upstreams: one pool for each peer, last in first out.
//!
//! A pool keeps at most [`KeepaliveConfig::pool_size`] idle connections, none longer than its idle
//! timeout, and a connection serves at most so many requests. Idle connections are not watched. One
//! that was idle for [`CHECK_AFTER`] is looked at when it is taken: it is dropped if the peer has
//! closed it, or has sent bytes, which would be taken for the next answer. So is each one for a
//! request that cannot be repeated. What dies later shows when it is used, and the exchange then
//! takes a fresh one.

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    net::SocketAddr,
    os::fd::AsRawFd,
    time::{Duration, Instant},
};

use monoio::net::TcpStream;

use crate::deadline::{Deadlines, Slot};

/// How long a connection may be idle and still be used unseen; under load no look is needed.
const CHECK_AFTER: Duration = Duration::from_millis(1);

/// Limits on kept upstream connections: the `upstream_keepalive_*` properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveConfig {
    /// Most idle connections to one peer, per shard; 0 closes every connection after its request.
    pub pool_size: usize,
    /// Most requests over one connection; 0: no limit.
    pub requests_max: u64,
    /// Longest time that a connection is kept idle; zero: no limit.
    pub idle_timeout: Duration,
}

/// A connection to a peer.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) slot: Slot,
    /// Whether it served a request before.
    pub(crate) is_reused: bool,
    requests: u64,
    address: SocketAddr,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

#[derive(Debug)]
struct Peer {
    idle: Vec<Idle>,
    /// When a connection was last given back.
    used: Instant,
}

/// The pools of one shard.
#[derive(Debug)]
pub(crate) struct Pools {
    config: KeepaliveConfig,
    peers: RefCell<HashMap<SocketAddr, Peer, ahash::RandomState>>,
}

impl Pools {
    pub(crate) fn new(config: KeepaliveConfig) -> Self {
        Self {
            config,
            peers: RefCell::default(),
        }
    }

    /// The connection used last that still can be used, if one is kept. `is_checked`: it is looked
    /// at even when it was idle only for a moment.
    pub(crate) fn take(
        &self,
        address: &SocketAddr,
        now: Instant,
        is_checked: bool,
    ) -> Option<Connection> {
        let mut peers = self.peers.borrow_mut();
        let idle = &mut peers.get_mut(address)?.idle;
        // Ends: a pool is at most `pool_size` long.
        while let Some(Idle {
            mut connection,
            since,
        }) = idle.pop()
        {
            let is_checked = is_checked || now.saturating_duration_since(since) >= CHECK_AFTER;
            if !is_checked || crate::socket::is_quiet(connection.stream.as_raw_fd()) {
                connection.is_reused = true;
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose response was read to its end, within the limits. `now` is a clock
    /// reading that the exchange already has.
    pub(crate) fn give(&self, mut connection: Connection, now: Instant) {
        connection.requests += 1;
        let limit = self.config.requests_max;
        if limit > 0 && connection.requests >= limit {
            return;
        }
        connection.slot.disarm();
        let mut peers = self.peers.borrow_mut();
        let peer = peers.entry(connection.address).or_insert_with(|| Peer {
            idle: Vec::new(),
            used: now,
        });
        peer.used = now;
        if peer.idle.len() < self.config.pool_size {
            peer.idle.push(Idle {
                connection,
                since: now,
            });
        }
    }

    /// Closes connections that were idle for too long, and forgets peers not used for as long.
    pub(crate) fn sweep(&self) {
        let timeout = self.config.idle_timeout;
        if timeout.is_zero() {
            return;
        }
        let now = Instant::now();
        self.peers.borrow_mut().retain(|_, peer| {
            peer.idle
                .retain(|idle| now.saturating_duration_since(idle.since) < timeout);
            now.saturating_duration_since(peer.used) < timeout
        });
    }

    /// Closes every idle connection.
    pub(crate) fn clear(&self) {
        self.peers.borrow_mut().clear();
    }
}

/// Opens a connection.
///
/// # Errors
/// Those of connect(2); [`io::ErrorKind::TimedOut`] after `timeout`.
pub(crate) async fn connect(
    address: SocketAddr,
    timeout: Duration,
    deadlines: &Deadlines,
) -> io::Result<Connection> {
    let stream = monoio::time::timeout(timeout, TcpStream::connect_addr(address))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    let slot = deadlines.slot(stream.as_raw_fd());
    Ok(Connection {
        stream,
        slot,
        is_reused: false,
        requests: 0,
        address,
    })
}
