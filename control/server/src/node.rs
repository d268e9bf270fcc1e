//! A running node: the agent and the Admin API on this thread's runtime, the shards on threads of
//! their own, and the signals that steer them.
//!
//! Order of a start: file descriptors, store, Admin sockets, declarative configuration, shards. So
//! whatever can be wrong is found before the first request is taken, and a shard never serves
//! anything but the configuration the node was started with. Then systemd is told, if it asked.
//!
//! Source: `kong/init.lua`; signals: nginx's `src/os/unix/ngx_process.c` as Kong documents them.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use axum::http::HeaderValue;
use silverback_admin::{Admin, Api, Counters, Headers, NodeFacts};
use silverback_cluster::agent::{
    Agent, ApplyError, Declared, Input, Outcome, Request, Turn, names::Names,
};
use silverback_proxy::{
    Driver, DriverChoice, KeepaliveConfig, ListenAddress, Proxy, ProxyConfig, ResponseHeaders,
    Stats,
};
use silverback_schema::{
    conf::{self, NodeConfig, ResponseHeader, WorkerCount},
    snapshot::{State, Store, StoreOptions},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time,
};

use crate::{
    access_log::AccessLogs,
    limits,
    log::{self, Log},
    node_id,
    notify::Notify,
    prefix::Prefix,
    receipt::Receipt,
    settings, watchdog,
};

/// Requests that run have this long to end after SIGQUIT; `quit -t` cuts them off earlier.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(3600);

/// Time the Admin API has to end its requests.
const ADMIN_END_TIME_MAX: Duration = Duration::from_secs(6);

/// Time the shards have to end after they were told to stop.
const SHARDS_END_TIME_MAX: Duration = Duration::from_secs(5);

/// Pause between two looks at whether the shards have ended.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Threads for work that blocks: name lookups, parsing, LMDB.
pub(crate) const BLOCKING_THREADS_MAX: usize = 64;

/// A node that serves.
pub(crate) struct Node {
    config: NodeConfig,
    prefix: Prefix,
    log: Log,
    notify: Arc<Notify>,
    access_logs: AccessLogs,
    agent: Agent,
    proxy: Proxy,
    apis: [JoinHandle<std::io::Result<()>>; 2],
    facts: Arc<Facts>,
    is_draining: Arc<AtomicBool>,
    shutdown: watch::Sender<bool>,
}

/// How a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Requests that run are cut off.
    Now,
    /// They may end first.
    Drained,
}

/// The tokio runtime of a node: one thread, and the pool for blocking work.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("agent-pool")
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .context("cannot start the runtime")
}

impl Node {
    /// Starts everything; when it returns, the node serves.
    ///
    /// # Errors
    ///
    /// The message says what is wrong and what to do; nothing is left running.
    pub(crate) async fn start(config: NodeConfig, log: Log) -> Result<Self> {
        if let Some(warning) = limits::raise_files()? {
            tracing::warn!("{warning}");
        }
        if let Some(warning) = settings::without_effect(&config) {
            tracing::warn!("{warning}");
        }
        let prefix = Prefix::new(&config.prefix);
        let (store, running_hash) = open_store(&config)?;
        let access_logs = AccessLogs::open(&config)?;
        let admin_sockets = bind(&config.admin_listen, "the Admin API", "admin_listen")?;
        let status_sockets = bind(&config.status_listen, "the Status API", "status_listen")?;
        warn_of_tls(&config);
        let node_id = node_id::of(&prefix, config.node_id)?;
        let rules = Arc::new(settings::rules(&config));
        let agent = Agent::new(store.clone(), running_hash, rules.clone());
        let declared = settings::declared(&config);
        match &declared {
            Some(declared) => apply(&agent, declared.clone()).await?,
            None => tracing::info!("no declarative configuration is named; POST /config takes one"),
        }
        let names = Names::start();
        let jobs = Arc::new(crate::jobs::AgentJobs::new(names.clone()));
        let proxy = Proxy::start(proxy_config(&config, &access_logs), store.clone(), jobs)
            .context("the proxy cannot start")?;
        warn_of_driver(proxy.driver());
        store.set_waker(Box::new(proxy.wake()));
        agent.check_store(declared);
        let (shutdown, is_down) = watch::channel(false);
        let is_draining = Arc::new(AtomicBool::new(false));
        let facts = Arc::new(Facts {
            stats: Box::new(proxy.stats()),
            config: Mutex::new(config.clone()),
        });
        let admin = Admin {
            agent: agent.clone(),
            node: facts.clone(),
            headers: admin_headers(&config),
            rules,
            names,
            node_id,
            body_bytes_max: body_bytes_max(&config),
            is_draining: is_draining.clone(),
            access_log: access_logs.admin.clone(),
            log_levels: Arc::new(log.clone()),
        };
        let status = Admin {
            access_log: access_logs.status.clone(),
            ..admin.clone()
        };
        let apis = [
            (admin_sockets, admin, Api::Admin),
            (status_sockets, status, Api::Status),
        ];
        let apis = apis.map(|(sockets, admin, api)| {
            tokio::spawn(silverback_admin::serve(
                sockets,
                admin,
                api,
                is_down.clone(),
            ))
        });
        Ok(Self {
            config,
            prefix,
            log,
            notify: Arc::new(Notify::from_environment()),
            access_logs,
            agent,
            proxy,
            apis,
            facts,
            is_draining,
            shutdown,
        })
    }

    /// Serves until a signal ends it. Further signals during the drain make it end at once.
    pub(crate) async fn run(mut self, mut signals: Signals) -> Result<()> {
        self.notify.ready(&self.places());
        let feed = watchdog::feed(
            self.notify.clone(),
            self.proxy.pulse(),
            self.shutdown.subscribe(),
        );
        // Ends with the runtime: until then it says that the node is alive.
        tokio::spawn(feed);
        let end = loop {
            let order = tokio::select! {
                order = signals.next() => order,
                () = a_shard_ended(&self.proxy) => return self.give_up(&mut signals).await,
            };
            match order {
                Order::Reload => self.reload().await,
                Order::Reopen => {
                    self.log.reopen();
                    self.access_logs.reopen();
                    tracing::info!("log files were opened again (SIGUSR1)");
                }
                Order::End(end) => break end,
            }
        };
        self.end(end, &mut signals).await
    }

    /// Ends everything.
    pub(crate) async fn end(self, end: End, signals: &mut Signals) -> Result<()> {
        let _ = self.shutdown.send(true);
        self.notify.stopping(match end {
            End::Drained => "finishing the running requests",
            End::Now => "ending at once",
        });
        if end == End::Drained {
            tracing::info!("finishing the running requests");
            self.proxy.drain();
            finish(&self.proxy, signals).await;
        }
        self.proxy.stop();
        for api in self.apis {
            if time::timeout(ADMIN_END_TIME_MAX, api).await.is_err() {
                tracing::warn!("the Admin API or the Status API did not end in time");
            }
        }
        let joined = tokio::task::spawn_blocking(move || self.proxy.join());
        let joined = time::timeout(SHARDS_END_TIME_MAX, joined).await;
        let logs = self.access_logs;
        let finished = tokio::task::spawn_blocking(move || logs.finish());
        // A panic of the writer was told where it happened.
        let _ = finished.await;
        match joined {
            Ok(Ok(Ok(()))) => tracing::info!("the node ended"),
            Ok(Ok(Err(e))) => bail!("the node ended, but not well: {e}"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the shards did not end in time"),
        }
        Ok(())
    }

    /// A shard ended that nobody told to: the node ends too, so that whoever watches it can start
    /// it again; a node that serves with half its shards would look healthy.
    async fn give_up(self, signals: &mut Signals) -> Result<()> {
        tracing::error!("a shard ended by itself; the node ends with it");
        self.end(End::Now, signals).await?;
        bail!("a shard ended by itself; the log says more, start the node again")
    }

    async fn reload(&mut self) {
        tracing::info!("reading the configuration again (SIGHUP)");
        self.notify.reloading();
        let receipt = Receipt::begin(&self.prefix);
        let outcome = self.try_reload().await;
        match &outcome {
            Ok(warnings) => {
                warnings.iter().for_each(|w| tracing::warn!("{w}"));
                tracing::info!("the configuration was reloaded");
                self.notify.ready(&self.places());
            }
            Err(e) => {
                let told = log::told(e);
                tracing::error!("{told}; the running configuration is kept");
                self.notify
                    .ready(&format!("the last reload was refused: {told}"));
            }
        }
        receipt.end(&outcome);
    }

    async fn try_reload(&mut self) -> Result<Vec<String>> {
        let fresh = settings::load_prepared(&self.prefix)?;
        if let Some(declared) = settings::declared(&fresh) {
            apply(&self.agent, declared).await?;
        }
        self.log.configure_level(fresh.log_level);
        let warnings = needs_restart(&self.config, &fresh);
        self.config.log_level = fresh.log_level;
        self.config.declarative_config = fresh.declarative_config;
        self.config.declarative_config_string = fresh.declarative_config_string;
        self.facts.set_config(&self.config);
        // As in Kong, a reload ends the draining.
        self.is_draining.store(false, Ordering::Relaxed);
        Ok(warnings)
    }

    /// What is served where, for the line that says the node is ready.
    pub(crate) fn places(&self) -> String {
        let list = |addresses: Vec<SocketAddr>| match addresses.is_empty() {
            true => "nowhere".to_owned(),
            false => addresses
                .iter()
                .map(|a| format!("http://{a}"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let admin = plain(&self.config.admin_listen)
            .map(|l| l.address)
            .collect();
        let proxy = plain(&self.config.proxy_listen)
            .map(|l| l.address)
            .collect();
        format!("proxy on {}, Admin API on {}", list(proxy), list(admin))
    }
}

/// Waits until the draining shards have ended, but no longer than that may take, and only until a
/// signal says to end at once.
async fn finish(proxy: &Proxy, signals: &mut Signals) {
    let told_to_stop = async { while signals.next().await != Order::End(End::Now) {} };
    let idle = async {
        while !proxy.is_ended() {
            time::sleep(LOOK_PAUSE).await;
        }
    };
    tokio::select! {
        _ = time::timeout(DRAIN_TIME_MAX, idle) => {}
        () = told_to_stop => tracing::info!("told to end at once: requests are cut off"),
    }
}

async fn a_shard_ended(proxy: &Proxy) {
    while !proxy.has_lost_shard() {
        time::sleep(LOOK_PAUSE).await;
    }
}

async fn apply(agent: &Agent, declared: Declared) -> Result<(), ApplyError> {
    let place = declared.place();
    let request = Request {
        input: Input::Declared(declared),
        source: place.clone(),
        turn: Turn::Wait,
        unless_running: false,
        flatten: false,
    };
    if let Outcome::Accepted(accepted) = agent.apply(request).await? {
        tracing::info!(
            "configuration {} from {place} is running",
            accepted.config.hash
        );
        // A large configuration takes its time to free.
        tokio::task::spawn_blocking(move || drop(accepted));
    }
    Ok(())
}

/// The listeners without TLS, the only ones served so far.
fn plain(listeners: &[conf::Listener]) -> impl Iterator<Item = &conf::Listener> {
    listeners.iter().filter(|l| !l.ssl)
}

fn open_store(config: &NodeConfig) -> Result<(Arc<Store>, Option<String>)> {
    let map_bytes = usize::try_from(config.lmdb_map_size).unwrap_or(usize::MAX);
    let options = StoreOptions::with_map_size(map_bytes);
    let opened = Store::open(&config.lmdb_environment_path, &options)?;
    match opened.state {
        State::Fresh => {}
        State::Loaded => tracing::info!("the stored configuration is taken over"),
        State::SetAside { reason, kept_as } => tracing::warn!(
            "the stored configuration cannot be used: {reason}; it is kept as {} and the node \
             begins with an empty one",
            kept_as.display()
        ),
    }
    let running_hash = opened.store.meta()?.config_hash;
    let running_hash = (!running_hash.is_empty()).then_some(running_hash);
    Ok((Arc::new(opened.store), running_hash))
}

fn warn_of_tls(config: &NodeConfig) {
    let lists = [
        &config.admin_listen,
        &config.status_listen,
        &config.proxy_listen,
    ];
    for listener in lists.into_iter().flatten().filter(|l| l.ssl) {
        tracing::warn!(
            "{} is left closed: this version serves no TLS",
            listener.address
        );
    }
}

fn bind(listeners: &[conf::Listener], api: &str, key: &str) -> Result<Vec<TcpListener>> {
    plain(listeners)
        .map(|l| {
            TcpListener::bind(l.address).with_context(|| {
                format!(
                    "cannot listen on {} for {api}; end the program that has it, or set {key}",
                    l.address
                )
            })
        })
        .collect()
}

fn proxy_config(config: &NodeConfig, logs: &AccessLogs) -> ProxyConfig {
    let shards = match config.nginx_worker_processes {
        WorkerCount::Count(count) => usize::from(count),
        WorkerCount::Auto => std::thread::available_parallelism().map_or(1, usize::from),
    };
    ProxyConfig {
        listeners: plain(&config.proxy_listen)
            .map(|l| ListenAddress {
                address: l.address,
                backlog: l.backlog,
            })
            .collect(),
        shards,
        pin: config.nginx_worker_processes == WorkerCount::Auto,
        driver: DriverChoice::Best,
        upstream_keepalive: KeepaliveConfig {
            pool_size: config.upstream_keepalive_pool_size as usize,
            requests_max: u64::from(config.upstream_keepalive_max_requests),
            idle_timeout: config.upstream_keepalive_idle_timeout,
        },
        client_requests_max: u64::from(config.nginx_http_keepalive_requests),
        response_headers: response_headers(config.headers),
        access_log: logs.proxy.clone(),
        drain_timeout: DRAIN_TIME_MAX,
    }
}

fn response_headers(shown: conf::ResponseHeaders) -> ResponseHeaders {
    ResponseHeaders {
        server: shown.contains(ResponseHeader::Server),
        via: shown.contains(ResponseHeader::Via),
        proxy_latency: shown.contains(ResponseHeader::ProxyLatency),
        upstream_latency: shown.contains(ResponseHeader::UpstreamLatency),
        response_latency: shown.contains(ResponseHeader::ResponseLatency),
        upstream_status: shown.contains(ResponseHeader::UpstreamStatus),
        request_id: shown.contains(ResponseHeader::RequestId),
    }
}

/// The longest body of the Admin API; 0 is no limit.
fn body_bytes_max(config: &NodeConfig) -> usize {
    match config.nginx_admin_client_max_body_size {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
    }
}

fn admin_headers(config: &NodeConfig) -> Headers {
    const SERVER: &str = concat!("silverback/", env!("CARGO_PKG_VERSION"));
    let server = config.headers.contains(ResponseHeader::Server);
    Headers {
        server: server.then(|| HeaderValue::from_static(SERVER)),
        latency: config.headers.contains(ResponseHeader::AdminLatency),
    }
}

fn warn_of_driver(driver: &Driver) {
    if let Driver::Epoll { reason } = driver {
        tracing::warn!(
            "io_uring cannot be used, epoll serves instead and takes more CPU: {reason}"
        );
    }
}

/// Names the settings that differ and that only a restart can change.
fn needs_restart(running: &NodeConfig, fresh: &NodeConfig) -> Vec<String> {
    let (old, new) = (settings::values(running), settings::values(fresh));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter(|k| conf::find(k).is_some_and(|row| !row.reloadable))
        .filter(|k| old.get(*k) != new.get(*k))
        .map(|k| format!("{k} changed: that takes a restart, the node goes on with the old value"))
        .collect()
}

/// What the Admin API asks of the rest of the node.
struct Facts {
    stats: Box<dyn Fn() -> Stats + Send + Sync>,
    config: Mutex<NodeConfig>,
}

impl Facts {
    fn set_config(&self, config: &NodeConfig) {
        *self.config() = config.clone();
    }

    fn config(&self) -> MutexGuard<'_, NodeConfig> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NodeFacts for Facts {
    fn counters(&self) -> Counters {
        let s = (self.stats)();
        Counters {
            accepted: s.accepted,
            active: s.active,
            handled: s.handled,
            reading: s.reading,
            writing: s.writing,
            waiting: s.waiting,
            requests: s.requests,
        }
    }

    fn configuration(&self) -> serde_json::Value {
        self.config().effective().into()
    }

    fn hostname(&self) -> String {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// SIGHUP.
    Reload,
    /// SIGUSR1.
    Reopen,
    /// SIGQUIT, SIGTERM, SIGINT.
    End(End),
}

/// The signals of a node. From its creation on they wait to be asked for instead of ending the
/// process.
pub(crate) struct Signals {
    hup: Signal,
    usr1: Signal,
    quit: Signal,
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Takes the signals over; within a runtime.
    pub(crate) fn take() -> Result<Self> {
        let take = |kind| signal(kind).context("cannot handle signals");
        Ok(Self {
            hup: take(SignalKind::hangup())?,
            usr1: take(SignalKind::user_defined1())?,
            quit: take(SignalKind::quit())?,
            term: take(SignalKind::terminate())?,
            int: take(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.term.recv() => Order::End(End::Now),
            _ = self.int.recv() => Order::End(End::Now),
            _ = self.quit.recv() => Order::End(End::Drained),
            _ = self.hup.recv() => Order::Reload,
            _ = self.usr1.recv() => Order::Reopen,
        }
    }
}
