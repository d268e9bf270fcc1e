//! The access log of a listener: notes each request, counts the bytes of its answer's body, and tells
//! the log when the answer has been handed over, or the client is gone.
//!
//! Limits: a request that is refused before it is one (a malformed head) is not logged; of an answer
//! only the body is counted.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, Method, Request, Response, Uri, Version},
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    service::Service,
};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;

/// Status of a request whose client went away before there was an answer, as nginx has it.
const CLIENT_GONE: u16 = 499;

/// Takes a line for each request.
pub trait AccessLog: Send + Sync {
    /// Logs a request that has ended. Must not wait.
    fn log(&self, exchange: &Exchange<'_>);
}

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The client.
    pub client: SocketAddr,
    /// The address it connected to.
    pub local: SocketAddr,
    /// Method.
    pub method: &'a Method,
    /// Request target.
    pub target: &'a Uri,
    /// Version of the request.
    pub version: Version,
    /// Headers of the request.
    pub headers: &'a HeaderMap,
    /// Status of the answer; 499 when the client did not wait for it.
    pub status: u16,
    /// Bytes of the answer's body.
    pub body_bytes: u64,
    /// Time since the request's head.
    pub elapsed: Duration,
}

/// Endpoints, and the log of their requests.
#[derive(Clone)]
pub(crate) struct Logged {
    router: Router,
    log: Option<Arc<dyn AccessLog>>,
}

impl Logged {
    pub(crate) fn new(router: Router, log: Option<Arc<dyn AccessLog>>) -> Self {
        Self { router, log }
    }

    /// The endpoints for one connection.
    pub(crate) fn on(self, stream: &TcpStream) -> OnConnection {
        let ends = (stream.peer_addr().ok()).zip(stream.local_addr().ok());
        OnConnection {
            service: TowerToHyperService::new(self.router),
            // Without addresses the connection is gone already.
            log: self.log.zip(ends),
        }
    }
}

/// The endpoints as one connection has them.
pub(crate) struct OnConnection {
    service: TowerToHyperService<Router>,
    log: Option<(Arc<dyn AccessLog>, (SocketAddr, SocketAddr))>,
}

type Answered<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl Service<Request<Incoming>> for OnConnection {
    type Response = Response<Body>;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = Answered<Self::Error>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let Some((log, ends)) = &self.log else {
            return Box::pin(self.service.call(request));
        };
        let mut note = Note::of(&request, Arc::clone(log), *ends);
        let answered = self.service.call(request);
        Box::pin(async move {
            let answer = answered.await?;
            note.status = answer.status().as_u16();
            Ok(answer.map(|body| Body::new(Counted { body, note })))
        })
    }
}

/// What is noted of a request; logged when it is dropped.
struct Note {
    log: Arc<dyn AccessLog>,
    client: SocketAddr,
    local: SocketAddr,
    method: Method,
    target: Uri,
    version: Version,
    headers: HeaderMap,
    status: u16,
    body_bytes: u64,
    start: Instant,
}

impl Note {
    fn of(
        request: &Request<Incoming>,
        log: Arc<dyn AccessLog>,
        (client, local): (SocketAddr, SocketAddr),
    ) -> Self {
        Self {
            log,
            client,
            local,
            method: request.method().clone(),
            target: request.uri().clone(),
            version: request.version(),
            headers: request.headers().clone(),
            status: CLIENT_GONE,
            body_bytes: 0,
            start: Instant::now(),
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.log.log(&Exchange {
            client: self.client,
            local: self.local,
            method: &self.method,
            target: &self.target,
            version: self.version,
            headers: &self.headers,
            status: self.status,
            body_bytes: self.body_bytes,
            elapsed: self.start.elapsed(),
        });
    }
}

/// A body whose bytes are counted on their way.
struct Counted {
    body: Body,
    note: Note,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            self.note.body_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
