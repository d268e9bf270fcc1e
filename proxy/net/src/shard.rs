//! One shard: a pinned thread with its own runtime, listeners, pools and caches.
//!
//! Nothing here is shared with other shards but the snapshot's pages and a few atomics. A request
//! reads the configuration between two waits only, so a shard can change to a new version whenever
//! the doorbell rings: it drops its read transaction and takes a new one, whatever the size of the
//! configuration.

use std::{
    cell::{Cell, RefCell},
    io,
    net::TcpListener,
    os::unix::net::UnixStream,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use monoio::io::AsyncReadRent;
use silverback_core::exchange::{Engine, RequestId};
use silverback_schema::snapshot::{Snapshot, Store};

use crate::{
    ProxyConfig,
    access_log::AccessLog,
    buffer::Pool,
    deadline::{Deadlines, SWEEP_INTERVAL},
    doorbell::{Bell, Mailbox},
    downstream,
    job::JobQueue,
    names::Names,
    ring::{self, Driver},
    stats::Counters,
    upstream::Pools,
};

/// Time between two looks at how many connections a draining shard still has.
const DRAIN_INTERVAL: Duration = Duration::from_millis(20);

/// How often a draining shard looks whether connections still wait to be accepted.
const ACCEPT_REST_INTERVAL: Duration = Duration::from_millis(1);
const ACCEPT_RESTS_MAX: u32 = 100;

/// Most send buffers that a shard keeps.
const SCRATCH_MAX: usize = 1024;

/// Largest send buffer that is kept.
const SCRATCH_BYTES_MAX: usize = 64 * 1024;

/// What the shards are told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Order {
    Run = 0,
    Drain = 1,
    Stop = 2,
}

/// What other threads share with one shard.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) bell: Arc<Bell>,
    pub(crate) counters: Counters,
    order: AtomicU8,
}

impl Shared {
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        Self {
            bell,
            counters: Counters::default(),
            order: AtomicU8::new(Order::Run as u8),
        }
    }

    /// Gives an order; a later one is never milder.
    pub(crate) fn order(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.bell.ring();
    }

    fn ordered(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Run,
            1 => Order::Drain,
            _ => Order::Stop,
        }
    }
}

/// What a shard is started with.
pub(crate) struct Parts {
    pub(crate) index: usize,
    pub(crate) config: Arc<ProxyConfig>,
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) store: Arc<Store>,
    pub(crate) jobs: Arc<dyn JobQueue>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) listening: UnixStream,
}

/// The state of a shard.
pub(crate) struct Shard {
    pub(crate) config: Arc<ProxyConfig>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) deadlines: Deadlines,
    pub(crate) buffers: Pool,
    pub(crate) pools: Pools,
    pub(crate) names: Names,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) is_draining: Cell<bool>,
    index: usize,
    store: Arc<Store>,
    snapshot: RefCell<Option<Snapshot>>,
    epoch: Cell<Option<u64>>,
    engine: RefCell<Engine>,
    scratch: RefCell<Vec<Vec<u8>>>,
    random: RefCell<fastrand::Rng>,
}

/// Runs a shard on the calling thread until it is ordered to end.
///
/// # Errors
/// When the runtime cannot be built or the listeners cannot be used.
pub(crate) fn run(driver: &Driver, parts: Parts) -> io::Result<()> {
    // epoll needs sockets that do not block; io_uring would answer "try again" on them.
    let is_epoll = matches!(driver, Driver::Epoll { .. });
    parts.listening.set_nonblocking(is_epoll)?;
    for listener in &parts.listeners {
        listener.set_nonblocking(is_epoll)?;
    }
    if parts.config.pin {
        pin(parts.index);
    }
    ring::run(driver, serve(parts))?
}

/// Binds the thread to a processor; where that is refused it runs anywhere.
fn pin(index: usize) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if let Err(error) = monoio::utils::bind_to_cpu_set([index % processors]) {
        tracing::warn!(shard = index, %error, "cannot pin the shard to a processor");
    }
}

async fn serve(parts: Parts) -> io::Result<()> {
    let mailbox = Rc::new(Mailbox::new(Arc::clone(&parts.shared.bell)));
    let shard = Rc::new(Shard {
        deadlines: Deadlines::new(),
        buffers: Pool::default(),
        pools: Pools::new(parts.config.upstream_keepalive),
        names: Names::new(Arc::clone(&parts.jobs), Rc::clone(&mailbox)),
        access_log: parts.config.access_log.as_ref().map(AccessLog::new),
        is_draining: Cell::new(false),
        index: parts.index,
        snapshot: RefCell::default(),
        epoch: Cell::new(None),
        engine: RefCell::new(Engine::new(parts.config.response_headers, parts.index)),
        scratch: RefCell::default(),
        random: RefCell::new(fastrand::Rng::new()),
        config: parts.config,
        shared: parts.shared,
        store: parts.store,
    });
    shard.refresh();
    let listeners = parts
        .listeners
        .into_iter()
        .map(|listener| downstream::Listener::new(listener).map(Rc::new))
        .collect::<io::Result<Vec<_>>>()?;
    for listener in &listeners {
        monoio::spawn(downstream::accept(Rc::clone(&shard), Rc::clone(listener)));
    }
    monoio::spawn(sweep(Rc::clone(&shard)));
    answer_bell(&shard, &mailbox, parts.listening).await?;
    shard.end(&listeners, &mailbox).await;
    Ok(())
}

async fn sweep(shard: Rc<Shard>) {
    let mut interval = monoio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        shard.deadlines.sweep();
        shard.pools.sweep();
        if let Some(log) = &shard.access_log {
            log.sweep();
        }
    }
}

/// Does what other threads ask for, until the shard is ordered to end.
async fn answer_bell(
    shard: &Rc<Shard>,
    mailbox: &Mailbox,
    listening: UnixStream,
) -> io::Result<()> {
    let mut listening = monoio::net::UnixStream::from_std(listening)?;
    let mut rings = vec![0_u8; 64];
    loop {
        let (read, buffer) = listening.read(rings).await;
        rings = buffer;
        match read {
            Ok(0) => return Err(io::Error::other("the doorbell is gone")),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        shard.shared.bell.answered();
        mailbox.deliver();
        shard.refresh();
        if shard.shared.ordered() != Order::Run {
            return Ok(());
        }
    }
}

impl Shard {
    /// Takes the newest version of the configuration, if there is a newer one.
    fn refresh(&self) {
        let epoch = self.store.epoch();
        if self.epoch.get() == Some(epoch) {
            return;
        }
        // The old version is let go first: the map can only grow when nobody reads.
        self.snapshot.take();
        match self.store.reader() {
            Ok(snapshot) => {
                self.snapshot.replace(Some(snapshot));
                self.epoch.set(Some(epoch));
            }
            Err(error) => tracing::error!(%error, "cannot read the configuration"),
        }
    }

    /// Runs `think` with the engine and the newest configuration.
    pub(crate) fn think<R>(&self, think: impl FnOnce(&mut Engine, Option<&Snapshot>) -> R) -> R {
        self.refresh();
        think(
            &mut self.engine.borrow_mut(),
            self.snapshot.borrow().as_ref(),
        )
    }

    /// Counts a connection; returns its number, which no other of the node has.
    pub(crate) fn accepted(&self) -> u64 {
        let before = self.shared.counters.accepted() - 1;
        before * self.config.shards as u64 + self.index as u64 + 1
    }

    /// A fresh request id.
    pub(crate) fn request_id(&self) -> RequestId {
        let bits = self.random.borrow_mut().u128(..);
        let mut id = [0; 32];
        for (index, digit) in id.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(bits >> (index * 4) & 15) as usize];
        }
        id
    }

    /// An empty send buffer.
    pub(crate) fn scratch(&self) -> Vec<u8> {
        self.scratch
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(1024))
    }

    /// Takes a send buffer back.
    pub(crate) fn recycle(&self, mut scratch: Vec<u8>) {
        scratch.clear();
        let mut kept = self.scratch.borrow_mut();
        if kept.len() < SCRATCH_MAX && scratch.capacity() <= SCRATCH_BYTES_MAX {
            kept.push(scratch);
        }
    }

    /// Stops accepting and ends: by finishing what runs, or at once.
    async fn end(&self, listeners: &[Rc<downstream::Listener>], mailbox: &Mailbox) {
        self.is_draining.set(true);
        self.accept_rest(listeners).await;
        for listener in listeners {
            listener.stop();
        }
        self.pools.clear();
        self.drain(mailbox).await;
        let active = self.shared.counters.active();
        if active > 0 {
            tracing::warn!(active, "closing connections that did not finish in time");
        }
        self.deadlines.expire_all();
        if let Some(log) = &self.access_log {
            log.sweep();
        }
        // Nobody reads the configuration here any more: its pages may be used again.
        self.snapshot.take();
    }

    /// Lets the connections be accepted that the kernel has established: closing the listener would
    /// reset them.
    async fn accept_rest(&self, listeners: &[Rc<downstream::Listener>]) {
        for _ in 0..ACCEPT_RESTS_MAX {
            let is_wanted = self.shared.ordered() == Order::Drain;
            if !is_wanted || !listeners.iter().any(|listener| listener.has_waiting()) {
                return;
            }
            monoio::time::sleep(ACCEPT_REST_INTERVAL).await;
        }
    }

    /// Waits until the connections have ended, or the time is over. The bell is looked at here: an
    /// exchange may wait for a reply, the writer for this shard to let go of a version.
    async fn drain(&self, mailbox: &Mailbox) {
        let limit = Instant::now() + self.config.drain_timeout;
        while self.shared.ordered() == Order::Drain && Instant::now() < limit {
            mailbox.deliver();
            self.refresh();
            self.deadlines.end_idle();
            if self.shared.counters.active() == 0 {
                return;
            }
            monoio::time::sleep(DRAIN_INTERVAL).await;
        }
    }
}
