//! The shards of the data plane: pinned threads with an io_uring runtime each, and everything that
//! touches a socket. The only crate that names monoio.
//!
//! | module | owns |
//! |---|---|
//! | `shard` | one thread's state and life |
//! | `downstream` | accepting, the requests of a client's connection |
//! | `exchange` | one request and its answer on the wire |
//! | `upstream` | pools of upstream connections |
//! | `access_log` | lines about exchanges, and the threads that write log files |
//! | `deadline`, `buffer` | what keeps waiting and memory bounded |
//! | `doorbell`, `job`, `names` | how other threads reach a shard, and what it asks of them |

#![deny(unsafe_op_in_unsafe_fn)]

#[macro_use]
mod tell;

mod access_log;
mod buffer;
mod deadline;
mod doorbell;
mod downstream;
mod exchange;
mod job;
mod local_time;
mod names;
mod panic;
mod ring;
mod shard;
mod socket;
mod stats;
mod upstream;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixStream,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

pub use silverback_core::http1::response::ResponseHeaders;
use silverback_schema::snapshot::Store;

pub use crate::{
    access_log::{AccessLogConfig, LogFile, LogSender, Outlet},
    job::{Full, Job, JobQueue, Reply, ResolveError, Resolved},
    local_time::now,
    ring::{Driver, DriverChoice},
    stats::Stats,
    upstream::KeepaliveConfig,
};
use crate::{
    doorbell::Bell,
    shard::{Order, Parts, Shared},
};

/// What the shards are started with.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Addresses to listen on.
    pub listeners: Vec<ListenAddress>,
    /// Number of shards.
    pub shards: usize,
    /// Whether each shard is bound to a processor.
    pub pin: bool,
    /// Which driver the shards use.
    pub driver: DriverChoice,
    /// Limits on kept upstream connections.
    pub upstream_keepalive: KeepaliveConfig,
    /// Most requests over one client connection.
    pub client_requests_max: u64,
    /// Which headers are added to responses.
    pub response_headers: ResponseHeaders,
    /// Where lines about exchanges go; `None`: nowhere.
    pub access_log: Option<AccessLogConfig>,
    /// Longest time that a drain waits for running exchanges.
    pub drain_timeout: Duration,
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// IP address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// Length of the kernel's queue of connections not yet accepted.
    pub backlog: u32,
}

/// Why the shards cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {}", listen_hint(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the kernel says.
        source: io::Error,
    },
    /// A shard's doorbell or thread cannot be made.
    #[error("cannot start shard {shard}: {source}")]
    Shard {
        /// Its index.
        shard: usize,
        /// What the kernel says.
        source: io::Error,
    },
}

fn listen_hint(error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use; stop the program that listens there or change proxy_listen"
        }
        io::ErrorKind::PermissionDenied => {
            "not permitted; ports below 1024 need the capability CAP_NET_BIND_SERVICE"
        }
        io::ErrorKind::AddrNotAvailable => {
            "no network interface has this address; change proxy_listen"
        }
        _ => return error.to_string(),
    };
    format!("{hint} ({error})")
}

/// The running shards.
#[derive(Debug)]
pub struct Proxy {
    driver: Driver,
    addresses: Vec<SocketAddr>,
    access_log: Option<LogSender>,
    shards: Vec<Arc<Shared>>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Proxy {
    /// Binds every address, then starts the shards.
    ///
    /// # Errors
    /// When an address cannot be listened on or a thread cannot be started; nothing runs then.
    pub fn start(
        mut config: ProxyConfig,
        store: Arc<Store>,
        jobs: Arc<dyn JobQueue>,
    ) -> Result<Self, StartError> {
        let driver = ring::probe(config.driver);
        let mut listeners = (0..config.shards).map(|_| Vec::new()).collect::<Vec<_>>();
        for listen in &mut config.listeners {
            bind(listen, &mut listeners)?;
        }
        let addresses = config
            .listeners
            .iter()
            .map(|listen| listen.address)
            .collect();
        let config = Arc::new(config);
        let mut proxy = Self {
            driver,
            addresses,
            access_log: config.access_log.as_ref().map(|log| log.file.clone()),
            shards: Vec::new(),
            threads: Vec::new(),
        };
        for (index, listeners) in listeners.into_iter().enumerate() {
            let started = Bell::new().and_then(|(bell, listening)| {
                let config = Arc::clone(&config);
                proxy.spawn(index, config, listeners, &store, &jobs, bell, listening)
            });
            if let Err(source) = started {
                proxy.stop();
                return Err(StartError::Shard {
                    shard: index,
                    source,
                });
            }
        }
        Ok(proxy)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one shard, put together once"
    )]
    fn spawn(
        &mut self,
        index: usize,
        config: Arc<ProxyConfig>,
        listeners: Vec<TcpListener>,
        store: &Arc<Store>,
        jobs: &Arc<dyn JobQueue>,
        bell: Arc<Bell>,
        listening: UnixStream,
    ) -> io::Result<()> {
        let shared = Arc::new(Shared::new(bell));
        let parts = Parts {
            index,
            config,
            listeners,
            store: Arc::clone(store),
            jobs: Arc::clone(jobs),
            shared: Arc::clone(&shared),
            listening,
        };
        let driver = self.driver.clone();
        let thread = std::thread::Builder::new()
            .name(format!("shard-{index}"))
            .spawn(move || shard::run(&driver, parts))?;
        self.shards.push(shared);
        self.threads.push(thread);
        Ok(())
    }

    /// What moves the bytes.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The addresses listened on, with the ports that were taken for port 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Wakes every shard, so that an idle one takes the newest configuration too.
    pub fn wake(&self) -> impl Fn() + Send + Sync + 'static {
        let bells: Vec<_> = self
            .shards
            .iter()
            .map(|shared| Arc::clone(&shared.bell))
            .collect();
        move || bells.iter().for_each(|bell| bell.ring())
    }

    /// A look at whether the shards still come round.
    pub fn pulse(&self) -> Pulse {
        Pulse(self.shards.iter().map(|s| Arc::clone(&s.bell)).collect())
    }

    /// Sums of the shards' counters.
    pub fn stats(&self) -> impl Fn() -> Stats + Send + Sync + 'static {
        let (shards, access_log) = (self.shards.clone(), self.access_log.clone());
        move || {
            let mut stats = Stats {
                access_log_lost: access_log.as_ref().map_or(0, LogSender::lost),
                ..Stats::default()
            };
            for shared in &shards {
                stats += shared.counters.read();
            }
            stats
        }
    }

    /// Stops accepting, finishes what runs, closes idle connections.
    pub fn drain(&self) {
        self.shards
            .iter()
            .for_each(|shared| shared.order(Order::Drain));
    }

    /// Ends now.
    pub fn stop(&self) {
        self.shards
            .iter()
            .for_each(|shared| shared.order(Order::Stop));
    }

    /// Whether a shard has ended, which none does unless it was ordered to.
    pub fn has_lost_shard(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Whether every shard has ended.
    pub fn is_ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for all shards to end.
    ///
    /// # Errors
    /// What ended a shard that was not ordered to end.
    pub fn join(self) -> Result<(), String> {
        let mut errors = Vec::new();
        for (index, thread) in self.threads.into_iter().enumerate() {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => errors.push(format!("shard {index}: {error}")),
                Err(_) => errors.push(format!("shard {index} panicked")),
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.join("; "))
        }
    }
}

/// Whether the shards still come round: one that hangs leaves its bell unanswered. Not for shards that
/// were told to end.
#[derive(Debug)]
pub struct Pulse(Vec<Arc<Bell>>);

impl Pulse {
    /// Asks every shard for a sign.
    pub fn ask(&self) {
        self.0.iter().for_each(|bell| bell.ring());
    }

    /// Whether every shard has given it.
    pub fn is_answered(&self) -> bool {
        self.0.iter().all(|bell| bell.is_answered())
    }
}

/// One listening socket for each shard. An address that another program listens on is refused, also
/// when that program shares it.
fn bind(listen: &mut ListenAddress, listeners: &mut [Vec<TcpListener>]) -> Result<(), StartError> {
    let failed = |address| move |source| StartError::Listen { address, source };
    socket::check_free(listen.address).map_err(failed(listen.address))?;
    for of_shard in listeners {
        let address = listen.address;
        let listener = socket::listen(address, listen.backlog).map_err(failed(address))?;
        // Port 0: the first shard's socket decides, the others share its port.
        listen.address = listener.local_addr().map_err(failed(address))?;
        of_shard.push(listener);
    }
    Ok(())
}
