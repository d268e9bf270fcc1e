//! Listeners and connections of the Admin API and of the Status API.
//!
//! Limits: [`CONNECTIONS_MAX`] connections at a time (further ones wait in the kernel's queue);
//! a request head must arrive within [`HEAD_TIME_MAX`]; at shutdown, requests that run have
//! [`SHUTDOWN_TIME_MAX`] to end.

use std::{
    net::TcpListener as StdListener,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use silverback_cluster::agent::{Agent, names::Names};
use silverback_schema::field::Rules;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time,
};
use uuid::Uuid;

use crate::{
    Headers, LogLevels, NodeFacts,
    access_log::{AccessLog, Logged},
    dispatch::dispatch,
    route::Routes,
};

/// Connections served at a time, over all listeners.
const CONNECTIONS_MAX: usize = 1024;

/// Time for a request head, and of idleness between two requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);

/// Time that running requests have after the shutdown began.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(5);

/// Pause after a failed accept: descriptors are short, and come back as connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The Kong whose Admin API this is: clients choose what they send by it.
pub(crate) const KONG_VERSION: &str = "3.9.3";

/// What the endpoints work with; clones share it.
#[derive(Clone)]
pub struct Admin {
    /// Applies configurations.
    pub agent: Agent,
    /// The rest of the node.
    pub node: Arc<dyn NodeFacts>,
    /// Which headers answers carry.
    pub headers: Headers,
    /// What the node's configuration says of entities.
    pub rules: Arc<Rules>,
    /// Resolves names, for the health of targets.
    pub names: Names,
    /// The node's id.
    pub node_id: Uuid,
    /// Longest request body.
    pub body_bytes_max: usize,
    /// Whether load balancers were told to stay away; set by `POST /status/ready`.
    pub is_draining: Arc<AtomicBool>,
    /// Where lines about requests go; `None`: nowhere.
    pub access_log: Option<Arc<dyn AccessLog>>,
    /// The error log.
    pub log_levels: Arc<dyn LogLevels>,
}

/// The APIs that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Everything.
    Admin,
    /// What monitoring needs; nothing can be changed but readiness.
    Status,
}

/// An API and what it works with.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) admin: Admin,
    pub(crate) api: Api,
    pub(crate) routes: Arc<Routes>,
}

/// Serves an API on bound listeners, until `shutdown` turns true; then lets running requests
/// end. Runs on the current tokio runtime.
///
/// # Errors
///
/// A listener could not be handed to the runtime.
pub async fn serve(
    listeners: Vec<StdListener>,
    admin: Admin,
    api: Api,
    shutdown: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let log = admin.access_log.clone();
    let routes = Arc::new(match api {
        Api::Admin => Routes::admin(),
        Api::Status => Routes::status(),
    });
    let served = Served { admin, api, routes };
    let app = Logged::new(Router::new().fallback(dispatch).with_state(served), log);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut loops = JoinSet::new();
    for listener in listeners {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        loops.spawn(accept(
            listener,
            app.clone(),
            room.clone(),
            shutdown.clone(),
        ));
    }
    while loops.join_next().await.is_some() {}
    Ok(())
}

async fn accept(
    listener: TcpListener,
    app: Logged,
    room: Arc<Semaphore>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let taken = tokio::select! {
            taken = take(&listener, &room) => taken,
            _ = shutdown.wait_for(|down| *down) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match taken {
            Ok((stream, permit)) => {
                connections.spawn(converse(stream, permit, app.clone(), shutdown.clone()));
            }
            Err(e) => {
                tracing::warn!("the Admin API cannot accept a connection: {e}");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if time::timeout(SHUTDOWN_TIME_MAX, ended).await.is_err() {
        tracing::warn!("requests to the Admin API were cut off by the shutdown");
    }
}

async fn take(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = room
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

async fn converse(
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
    app: Logged,
    mut shutdown: watch::Receiver<bool>,
) {
    // Small answers should not wait for the client's acknowledgement; failing that is harmless.
    let _ = stream.set_nodelay(true);
    let app = app.on(&stream);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), app);
    let mut connection = std::pin::pin!(connection);
    let is_down = async move { drop(shutdown.wait_for(|down| *down).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = is_down => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!("a connection to the Admin API ended: {e}");
    }
}
