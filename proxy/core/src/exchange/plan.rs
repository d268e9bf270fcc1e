//! What a shard derives from a snapshot to proxy the requests of a route, kept warm.
//!
//! A plan holds copies of the few facts that an exchange needs, so that no exchange keeps a snapshot
//! open while it waits. Plans are kept by entity id. On the first use after a new version the
//! record's content hash is compared: what did not change stays as it is, with its state (the
//! round-robin position). At most [`PLANS_MAX`] entries of a kind are kept; one more empties the
//! kind.

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use silverback_schema::{
    entity::Protocol,
    snapshot::{Damaged, Snapshot},
};
use uuid::Uuid;

use crate::balancer::{RoundRobin, Tried};

/// Most plans of one kind that a shard keeps.
pub const PLANS_MAX: usize = 16_384;

/// What proxying needs to know of a route.
#[derive(Debug)]
pub struct RoutePlan {
    /// The route.
    pub route: Uuid,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Whether the matched path is removed.
    pub strip_path: bool,
    /// Whether the client's Host goes upstream.
    pub preserve_host: bool,
    /// Answer to a plaintext request, when the route accepts only TLS.
    pub https_redirect: Option<u16>,
    /// Where requests go; `None`: 503.
    pub service: Option<Rc<ServicePlan>>,
}

/// What proxying needs to know of a service.
#[derive(Debug)]
pub struct ServicePlan {
    /// The service.
    pub service: Uuid,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Protocol spoken to the upstream.
    pub protocol: Protocol,
    /// Path put in front.
    pub path: Option<Box<[u8]>>,
    /// Further tries after the first one failed.
    pub retries: u32,
    /// Time to establish a connection.
    pub connect_timeout: Duration,
    /// Time between two writes.
    pub write_timeout: Duration,
    /// Time between two reads.
    pub read_timeout: Duration,
    /// Where it is.
    pub destination: Destination,
}

/// Where a service is.
#[derive(Debug)]
pub enum Destination {
    /// One host.
    Endpoint(Endpoint),
    /// The targets of an upstream entity.
    Balancer(Rc<Balancer>),
}

/// One host and port that answers requests.
#[derive(Debug)]
pub struct Endpoint {
    /// Address or name.
    pub host: EndpointHost,
    /// Port.
    pub port: u16,
    /// Host header for it.
    pub host_header: Box<[u8]>,
}

/// Address or name of an endpoint.
#[derive(Debug)]
pub enum EndpointHost {
    /// A literal address.
    Ip(IpAddr),
    /// A name to resolve.
    Name(Rc<str>),
}

/// The targets of an upstream entity and whose turn it is.
#[derive(Debug)]
pub struct Balancer {
    /// The targets.
    pub endpoints: Vec<Endpoint>,
    wheel: RefCell<RoundRobin>,
}

impl ServicePlan {
    /// The endpoint for the next try, preferring targets not tried yet. `None`: there is none with
    /// any weight.
    pub fn pick(&self, tried: &mut Tried) -> Option<&Endpoint> {
        match &self.destination {
            Destination::Endpoint(endpoint) => Some(endpoint),
            Destination::Balancer(balancer) => {
                let index = balancer.wheel.borrow_mut().next_excluding(tried)?;
                tried.insert(index);
                balancer.endpoints.get(index)
            }
        }
    }
}

impl Endpoint {
    fn new(host: &str, port: u16, protocol: Protocol, host_header: Option<&str>) -> Self {
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let name = host_header.unwrap_or(host);
        let text = match protocol.default_port() == Some(port) {
            true => name.to_owned(),
            false => format!("{name}:{port}"),
        };
        Self {
            host: match literal.parse() {
                Ok(ip) => EndpointHost::Ip(ip),
                Err(_) => EndpointHost::Name(host.into()),
            },
            port,
            host_header: text.into_bytes().into(),
        }
    }

    /// The socket address, where no name has to be resolved.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.host {
            EndpointHost::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            EndpointHost::Name(_) => None,
        }
    }
}

/// The plans of one shard.
#[derive(Debug)]
pub struct Plans {
    routes: Kept<Uuid, RoutePlan>,
    services: Kept<Uuid, ServicePlan>,
    balancers: Kept<(Box<str>, Protocol), Balancer>,
    /// Where this shard starts on every wheel, so that the shards do not all begin with the same
    /// target.
    offset: usize,
}

/// Plans of one kind, with the version they were last compared with and the hash of their record.
#[derive(Debug)]
struct Kept<K, P> {
    entries: HashMap<K, Entry<P>, ahash::RandomState>,
}

#[derive(Debug)]
struct Entry<P> {
    version: u64,
    content: u64,
    plan: Rc<P>,
}

impl<K: Hash + Eq, P> Kept<K, P> {
    fn new() -> Self {
        Self {
            entries: HashMap::default(),
        }
    }

    /// The plan, when it was already used with this version.
    fn current(&self, key: &K, version: u64) -> Option<Rc<P>> {
        let entry = self.entries.get(key)?;
        (entry.version == version).then(|| Rc::clone(&entry.plan))
    }

    /// The plan, when its record did not change and `is_valid` agrees; else the one that `build`
    /// makes.
    fn renew(
        &mut self,
        key: K,
        version: u64,
        content: u64,
        is_valid: impl FnOnce(&P) -> bool,
        build: impl FnOnce() -> P,
    ) -> Rc<P> {
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.content == content
            && is_valid(&entry.plan)
        {
            entry.version = version;
            return Rc::clone(&entry.plan);
        }
        if self.entries.len() >= PLANS_MAX {
            self.entries.clear();
        }
        let plan = Rc::new(build());
        self.entries.insert(
            key,
            Entry {
                version,
                content,
                plan: Rc::clone(&plan),
            },
        );
        plan
    }
}

impl Plans {
    /// An empty set; `offset` is where this shard starts on every wheel.
    pub fn new(offset: usize) -> Self {
        Self {
            routes: Kept::new(),
            services: Kept::new(),
            balancers: Kept::new(),
            offset,
        }
    }

    /// The plan of a route that the router found in `snapshot`.
    ///
    /// # Errors
    /// When a record is damaged.
    pub fn route(
        &mut self,
        snapshot: &Snapshot,
        route: &Uuid,
    ) -> Result<Option<Rc<RoutePlan>>, Damaged> {
        let version = snapshot.version();
        if let Some(plan) = self.routes.current(route, version) {
            return Ok(Some(plan));
        }
        let Some(view) = snapshot.route(route)? else {
            return Ok(None);
        };
        let service = match view.service() {
            Some(service) => self.service(snapshot, &service)?,
            None => None,
        };
        let is_same = |plan: &RoutePlan| match (&plan.service, &service) {
            (Some(before), Some(now)) => Rc::ptr_eq(before, now),
            (None, None) => true,
            _ => false,
        };
        let protocols = view.protocols();
        let is_tls_only =
            protocols.contains(Protocol::Https) && !protocols.contains(Protocol::Http);
        let build = || RoutePlan {
            route: *route,
            name: view.name().map(Box::from),
            strip_path: view.strip_path(),
            preserve_host: view.preserve_host(),
            https_redirect: is_tls_only.then(|| view.https_redirect_status_code()),
            service: service.clone(),
        };
        Ok(Some(self.routes.renew(
            *route,
            version,
            view.content_hash(),
            is_same,
            build,
        )))
    }

    fn service(
        &mut self,
        snapshot: &Snapshot,
        service: &Uuid,
    ) -> Result<Option<Rc<ServicePlan>>, Damaged> {
        let version = snapshot.version();
        if let Some(plan) = self.services.current(service, version) {
            return Ok(Some(plan));
        }
        let Some(view) = snapshot.service(service)? else {
            return Ok(None);
        };
        let balancer = self.balancer(snapshot, view.host(), view.protocol())?;
        let is_same = |plan: &ServicePlan| match (&plan.destination, &balancer) {
            (Destination::Balancer(before), Some(now)) => Rc::ptr_eq(before, now),
            (Destination::Endpoint(_), None) => true,
            _ => false,
        };
        let build = || ServicePlan {
            service: *service,
            name: view.name().map(Box::from),
            protocol: view.protocol(),
            path: view.path().map(|path| path.as_bytes().into()),
            retries: view.retries().into(),
            connect_timeout: Duration::from_millis(view.connect_timeout().into()),
            write_timeout: Duration::from_millis(view.write_timeout().into()),
            read_timeout: Duration::from_millis(view.read_timeout().into()),
            destination: match balancer.clone() {
                Some(balancer) => Destination::Balancer(balancer),
                None => Destination::Endpoint(Endpoint::new(
                    view.host(),
                    view.port(),
                    view.protocol(),
                    None,
                )),
            },
        };
        Ok(Some(self.services.renew(
            *service,
            version,
            view.content_hash(),
            is_same,
            build,
        )))
    }

    /// The balancer of the upstream entity of that name, if there is one.
    fn balancer(
        &mut self,
        snapshot: &Snapshot,
        name: &str,
        protocol: Protocol,
    ) -> Result<Option<Rc<Balancer>>, Damaged> {
        let Some(view) = snapshot.upstream_by_name(name)? else {
            return Ok(None);
        };
        let version = snapshot.version();
        let key = (Box::from(name), protocol);
        if let Some(balancer) = self.balancers.current(&key, version) {
            return Ok(Some(balancer));
        }
        let targets = snapshot.targets_of(&view.id())?;
        let content = view.content_hash()
            ^ targets.as_ref().map_or(
                0,
                silverback_schema::snapshot::view::TargetListView::content_hash,
            );
        let offset = self.offset;
        let build = || {
            let (endpoints, weights) = targets
                .iter()
                .flat_map(silverback_schema::snapshot::view::TargetListView::iter)
                .filter_map(|target| {
                    let (host, port) = target.target.rsplit_once(':')?;
                    let port = port.parse().ok()?;
                    let endpoint = Endpoint::new(host, port, protocol, view.host_header());
                    Some((endpoint, target.weight))
                })
                .unzip::<_, _, Vec<_>, Vec<u16>>();
            Balancer {
                endpoints,
                wheel: RefCell::new(RoundRobin::new(&weights, offset)),
            }
        };
        Ok(Some(self.balancers.renew(
            key,
            version,
            content,
            |_| true,
            build,
        )))
    }
}
