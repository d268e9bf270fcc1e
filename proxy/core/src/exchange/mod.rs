//! One request and its response, from head to head, without I/O.
//!
//! The I/O side receives bytes and asks [`Engine::begin`] what to do with a request: forward it (the
//! upstream's head is written then) or answer it. When the upstream's head is there,
//! [`Engine::respond`] writes the client's. Everything that must outlive the receive buffer is
//! copied; nothing here waits, and a kept-alive exchange allocates nothing.

mod answer;
mod plan;

use std::{fmt, net::SocketAddr, ops::Range, rc::Rc};

use silverback_schema::snapshot::{Damaged, Snapshot};

pub use self::{
    answer::{Answer, AnswerHead, Forms},
    plan::{
        Balancer, Destination, Endpoint, EndpointHost, PLANS_MAX, Plans, RoutePlan, ServicePlan,
    },
};
use crate::{
    balancer::Tried,
    http1::{
        error_page::{BodyType, ErrorKind, Producer, negotiate},
        head::{self, BadHead, RequestHead, Version},
        request::{Framing, RequestFacts, UpstreamHead},
        response::{ClientHead, ResponseFacts, ResponseHeaders},
    },
    router::{self, Router},
    uri,
};

/// Our product token in Via and Server.
pub const PRODUCT: &str = concat!("silverback/", env!("CARGO_PKG_VERSION"));

/// A request id: 128 random bits as lower-case hexadecimal digits.
pub type RequestId = [u8; 32];

/// What an exchange needs to know of the client's connection.
#[derive(Debug)]
pub struct Downstream {
    /// Address of the peer.
    pub client: SocketAddr,
    /// Its IP address as text.
    pub client_text: String,
    /// The address it connected to.
    pub local: SocketAddr,
    /// That address's port as text.
    pub port_text: String,
}

impl Downstream {
    /// The facts of a plaintext connection.
    pub fn new(client: SocketAddr, local: SocketAddr) -> Self {
        let client_text = client.ip().to_canonical().to_string();
        Self {
            client,
            client_text,
            local,
            port_text: local.port().to_string(),
        }
    }
}

/// A request whose head is complete.
#[derive(Debug)]
pub struct Begun {
    /// Bytes of the head in the receive buffer; the body follows.
    pub head_len: usize,
    /// How the request body is delimited.
    pub framing: Framing,
    /// Whether the client's connection may stay open afterwards.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the method is HEAD.
    pub is_head: bool,
    /// Whether the method may be repeated after a part of the request was sent (RFC 9110 §9.2.2, as
    /// nginx has it: all but POST, PATCH and LOCK).
    pub is_idempotent: bool,
    /// The client's version.
    pub version: Version,
    /// In which form errors are shown.
    pub forms: Forms,
    /// What to do.
    pub next: Next,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Next {
    /// Send it on; the upstream's head was written.
    Forward(Forward),
    /// Answer it.
    Answer(Answer),
}

/// A request to send on.
#[derive(Debug)]
pub struct Forward {
    /// The route that matched.
    pub route: Rc<RoutePlan>,
    /// The service; its destination is tried.
    pub service: Rc<ServicePlan>,
    /// Position of the target of the first try, to be remembered with the next ones.
    pub tried: Tried,
    /// The first try's address, where no name has to be resolved.
    pub first: Try,
    /// Where the Host value stands in the written head; `None`: it must not change with the target.
    pub host_range: Option<Range<usize>>,
}

/// One target to try.
#[derive(Clone, Debug)]
pub enum Try {
    /// Connect to this address.
    Address(SocketAddr),
    /// Resolve this name first.
    Name(Rc<str>, u16),
}

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl Try {
    /// What must be done to reach `endpoint`.
    pub fn of(endpoint: &Endpoint) -> Self {
        match &endpoint.host {
            EndpointHost::Ip(ip) => Self::Address(SocketAddr::new(*ip, endpoint.port)),
            EndpointHost::Name(name) => Self::Name(Rc::clone(name), endpoint.port),
        }
    }
}

impl Forward {
    /// Chooses the target of the next try and puts its Host value into the written head.
    pub fn retry(&mut self, upstream_head: &mut Vec<u8>) -> Option<Try> {
        let endpoint = self.service.pick(&mut self.tried)?;
        if let Some(range) = &mut self.host_range {
            upstream_head.splice(range.clone(), endpoint.host_header.iter().copied());
            range.end = range.start + endpoint.host_header.len();
        }
        Some(Try::of(endpoint))
    }
}

/// A response whose head is complete.
#[derive(Debug)]
pub struct Responded {
    /// Bytes of the head in the receive buffer; the body follows.
    pub head_len: usize,
    /// Status code.
    pub status: u16,
    /// How the upstream delimits the body.
    pub framing: Framing,
    /// How the body goes to the client.
    pub relay: Relay,
    /// Whether the upstream's connection may be used again.
    pub upstream_keep_alive: bool,
    /// Whether the client's connection stays open.
    pub keep_alive: bool,
}

/// How a body goes from the upstream to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relay {
    /// Byte for byte.
    AsIs,
    /// Its chunks are unwrapped, for a client that knows none.
    Dechunk,
    /// It is wrapped in chunks, because its end is the upstream's close.
    Chunk,
}

/// What the I/O side measured until the upstream's head came.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// Milliseconds from the last choice of a target to the upstream's head.
    pub upstream_ms: u64,
    /// Milliseconds from the request's head to the last choice of a target.
    pub proxy_ms: u64,
}

impl Latency {
    /// Milliseconds from the request's head until now.
    pub fn total_ms(self) -> u64 {
        self.upstream_ms + self.proxy_ms
    }
}

/// Why an upstream's head is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUpstream {
    /// It is no HTTP/1 response head, or too large.
    Head(BadHead),
    /// Its framing is ambiguous.
    Framing,
    /// It switches protocols, which was not asked for.
    Upgrade,
}

/// The thinking of one shard: router, plans, and the scratch space they reuse.
#[derive(Debug)]
pub struct Engine {
    router: Router,
    plans: Plans,
    headers: ResponseHeaders,
    path: Vec<u8>,
    target: Vec<u8>,
    host: Vec<u8>,
}

impl Engine {
    /// An engine for the shard of that index.
    pub fn new(headers: ResponseHeaders, shard: usize) -> Self {
        Self {
            router: Router::new(),
            plans: Plans::new(shard),
            headers,
            path: Vec::new(),
            target: Vec::new(),
            host: Vec::new(),
        }
    }

    /// Which headers are added to responses.
    pub fn headers(&self) -> &ResponseHeaders {
        &self.headers
    }

    /// Decides about the request whose head starts `bytes`; `None` while the head is incomplete.
    ///
    /// `out` receives the upstream's head when the request is to be forwarded; what it held is
    /// dropped.
    pub fn begin(
        &mut self,
        snapshot: Option<&Snapshot>,
        downstream: &Downstream,
        bytes: &[u8],
        request_id: &RequestId,
        out: &mut Vec<u8>,
    ) -> Option<Begun> {
        out.clear();
        let parsed = head::with_request(bytes, |head| {
            self.begin_whole(snapshot, downstream, &head, request_id, out)
        });
        match parsed {
            Ok(begun) => begun,
            Err(bad) => Some(Begun::refused(bad.into(), forms(None, None))),
        }
    }

    fn begin_whole(
        &mut self,
        snapshot: Option<&Snapshot>,
        downstream: &Downstream,
        head: &RequestHead<'_, '_>,
        request_id: &RequestId,
        out: &mut Vec<u8>,
    ) -> Begun {
        let facts = match RequestFacts::read(head) {
            Ok(facts) => facts,
            Err(refusal) => {
                return Begun::refused(refusal.into(), forms_of(head));
            }
        };
        let mut begun = Begun {
            head_len: head.len,
            framing: facts.framing,
            keep_alive: facts.keep_alive,
            expects_continue: facts.expects_continue && head.version == Version::Http11,
            is_head: head.method == b"HEAD",
            is_idempotent: !matches!(head.method, b"POST" | b"PATCH" | b"LOCK"),
            version: head.version,
            forms: forms(facts.accept, facts.content_type),
            next: error(ErrorKind::NoRoute),
        };
        begun.next = self.next(snapshot, downstream, head, &facts, request_id, out);
        if let Next::Answer(answer) = &begun.next {
            begun.keep_alive &= !answer.closes();
        }
        begun
    }

    /// Routes the request.
    fn next(
        &mut self,
        snapshot: Option<&Snapshot>,
        downstream: &Downstream,
        head: &RequestHead<'_, '_>,
        facts: &RequestFacts<'_>,
        request_id: &RequestId,
        out: &mut Vec<u8>,
    ) -> Next {
        let mut path = std::mem::take(&mut self.path);
        let raw_path = facts.target.path;
        let next = match uri::normalise(raw_path, &mut path) {
            Err(_) => error(ErrorKind::BadRequest),
            Ok(normal) => {
                let request = Routing {
                    downstream,
                    head,
                    facts,
                };
                let path = normal.of(raw_path, &path);
                match self.route(snapshot, &request, path, request_id, out) {
                    Ok(next) => next,
                    Err(damaged) => {
                        let request_id = str::from_utf8(request_id).unwrap_or_default();
                        tracing::error!(%damaged, request_id, "a request cannot be routed");
                        error(ErrorKind::Internal)
                    }
                }
            }
        };
        self.path = path;
        next
    }

    fn route(
        &mut self,
        snapshot: Option<&Snapshot>,
        request: &Routing<'_, '_>,
        path: &[u8],
        request_id: &RequestId,
        out: &mut Vec<u8>,
    ) -> Result<Next, Damaged> {
        let Some(snapshot) = snapshot else {
            return Ok(error(ErrorKind::Internal));
        };
        let facts = request.facts;
        let port = facts
            .authority
            .and_then(|authority| authority.port_number());
        let found = self.router.find(
            snapshot,
            &router::Request {
                method: request.head.method,
                host: host_without_port(facts),
                port: port.unwrap_or(request.downstream.local.port()),
                path,
                https: false,
                sni: None,
                source: request.downstream.client,
                destination: request.downstream.local,
                headers: &Fields(request.head.headers),
            },
        )?;
        let Some(found) = found else {
            return Ok(error(ErrorKind::NoRoute));
        };
        let Some(plan) = self.plans.route(snapshot, &found.route)? else {
            return Ok(error(ErrorKind::NoRoute));
        };
        if let Some(status) = plan.https_redirect {
            return Ok(Next::Answer(self.https_answer(status, request)));
        }
        let Some(service) = &plan.service else {
            return Ok(error(ErrorKind::NoService));
        };
        let mut tried = Tried::default();
        let Some(endpoint) = service.pick(&mut tried) else {
            return Ok(error(ErrorKind::NoPeer));
        };
        let strip = (plan.strip_path && found.by_path).then_some(found.prefix_len);
        self.target.clear();
        uri::join(service.path.as_deref(), path, strip, &mut self.target);
        if let Some(query) = facts.target.query {
            self.target.push(b'?');
            self.target.extend_from_slice(query);
        }
        let preserved = facts.host.filter(|_| plan.preserve_host);
        let host = preserved.unwrap_or(&endpoint.host_header);
        forwarded_host(facts, &mut self.host);
        let upstream_head = UpstreamHead {
            target: &self.target,
            host,
            client: request.downstream.client_text.as_bytes(),
            scheme: b"http",
            forwarded_host: &self.host,
            forwarded_port: request.downstream.port_text.as_bytes(),
            forwarded_path: facts.target.path,
            forwarded_prefix: strip
                .map(|length| &path[..length])
                .filter(|prefix| !matches!(*prefix, b"" | b"/")),
            request_id,
            product: PRODUCT.as_bytes(),
        };
        let host_at = upstream_head.write(request.head, facts, out);
        Ok(Next::Forward(Forward {
            service: Rc::clone(service),
            route: Rc::clone(&plan),
            tried,
            first: Try::of(endpoint),
            host_range: preserved.is_none().then(|| host_at..host_at + host.len()),
        }))
    }

    /// The answer to a plaintext request on a route that accepts only TLS.
    fn https_answer(&mut self, status: u16, request: &Routing<'_, '_>) -> Answer {
        if status == 426 {
            return Answer::Error(ErrorKind::HttpsRequired);
        }
        forwarded_host(request.facts, &mut self.host);
        let mut location = b"https://".to_vec();
        location.extend_from_slice(&self.host);
        location.extend_from_slice(request.facts.target.path);
        if let Some(query) = request.facts.target.query {
            location.push(b'?');
            location.extend_from_slice(query);
        }
        Answer::Redirect { status, location }
    }

    /// Writes the client's head for the upstream's head that starts `bytes`; `None` while that head
    /// is incomplete. `out` is replaced only then: an interim response (1xx) yields its length and
    /// status and leaves `out` alone, for the request that it holds may have to be sent again.
    ///
    /// # Errors
    /// Why the upstream's head is not passed on.
    pub fn respond(
        &self,
        begun: &Begun,
        bytes: &[u8],
        latency: Latency,
        request_id: &RequestId,
        out: &mut Vec<u8>,
    ) -> Result<Option<Responded>, BadUpstream> {
        head::with_response(bytes, |head| {
            if head.status == 101 {
                return Err(BadUpstream::Upgrade);
            }
            let facts = ResponseFacts::read(&head, begun.is_head, &self.headers)
                .map_err(|_| BadUpstream::Framing)?;
            let (framing, relay) = towards_client(facts.framing, begun.version);
            let responded = Responded {
                head_len: head.len,
                status: head.status,
                framing: facts.framing,
                relay,
                upstream_keep_alive: facts.keep_alive,
                keep_alive: begun.keep_alive && framing != Framing::Close,
            };
            if head.status >= 200 {
                let client_head = ClientHead {
                    settings: &self.headers,
                    framing,
                    keep_alive: responded.keep_alive,
                    upstream_latency_ms: latency.upstream_ms,
                    proxy_latency_ms: latency.proxy_ms,
                    request_id,
                    product: PRODUCT.as_bytes(),
                };
                out.clear();
                client_head.write(&head, &facts, out);
            }
            Ok(responded)
        })
        .map_err(BadUpstream::Head)?
        .transpose()
    }
}

/// The parts of a request that routing and forwarding read.
struct Routing<'a, 'b> {
    downstream: &'a Downstream,
    head: &'a RequestHead<'a, 'b>,
    facts: &'a RequestFacts<'b>,
}

/// The Host header as routes are matched against: as sent, but for the port.
fn host_without_port<'b>(facts: &RequestFacts<'b>) -> &'b [u8] {
    let host = facts.host.unwrap_or_default();
    let port = facts.authority.and_then(|authority| authority.port);
    port.map_or(host, |port| &host[..host.len() - port.len() - 1])
}

/// X-Forwarded-Host: the authority of an absolute-form target or the Host header, lower-case and
/// without port; `kong` when the request has none.
fn forwarded_host(facts: &RequestFacts<'_>, out: &mut Vec<u8>) {
    out.clear();
    match facts.target.authority.or(facts.authority) {
        Some(authority) => authority.write_lower(out),
        None => out.extend_from_slice(b"kong"),
    }
}

/// How a body is delimited towards a client, and what must be done to it.
fn towards_client(framing: Framing, version: Version) -> (Framing, Relay) {
    match (framing, version) {
        (Framing::Chunked, Version::Http10) => (Framing::Close, Relay::Dechunk),
        (Framing::Close, Version::Http11) => (Framing::Chunked, Relay::Chunk),
        (framing, _) => (framing, Relay::AsIs),
    }
}

/// An error as the next step.
fn error(kind: ErrorKind) -> Next {
    Next::Answer(Answer::Error(kind))
}

/// In which form a client that sends these fields is shown errors.
fn forms(accept: Option<&[u8]>, content_type: Option<&[u8]>) -> Forms {
    let default_type = BodyType::Plain;
    Forms {
        access: negotiate(accept, content_type, Producer::Access),
        proxy: negotiate(accept, content_type, Producer::Proxy { default_type }),
    }
}

/// The same for a head whose facts were not read.
fn forms_of(head: &RequestHead<'_, '_>) -> Forms {
    let value = |name: &str| {
        head.headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .map(|f| f.value)
    };
    forms(value("accept"), value("content-type"))
}

impl Begun {
    /// A request that is answered at once and after which the connection closes.
    fn refused(answer: Answer, forms: Forms) -> Self {
        Self {
            head_len: 0,
            framing: Framing::None,
            keep_alive: false,
            expects_continue: false,
            is_head: false,
            is_idempotent: false,
            version: Version::Http11,
            forms,
            next: Next::Answer(answer),
        }
    }
}

/// The fields of a head, as the router asks for them.
struct Fields<'h, 'b>(&'h [httparse::Header<'b>]);

impl router::Headers for Fields<'_, '_> {
    fn for_each_value(&self, name: &str, f: &mut dyn FnMut(&[u8]) -> bool) {
        for field in self.0 {
            if is_same_name(field.name, name) && f(field.value) {
                return;
            }
        }
    }
}

/// Header names are equal without regard to case, and `_` equals `-` (`kong/router/fields.lua`).
fn is_same_name(sent: &str, wanted: &str) -> bool {
    let fold = |byte: u8| {
        if byte == b'_' {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        }
    };
    sent.len() == wanted.len()
        && sent
            .bytes()
            .zip(wanted.bytes())
            .all(|(sent, wanted)| fold(sent) == fold(wanted))
}
