//! Thin views over records: what the proxy and the Admin API read, without a copy.

use flatbuffers::{ForwardsUOffset, Vector};
use uuid::Uuid;

use super::error::Damage;
use super::layout;
use super::record::uuid;
use crate::entity::{
    Algorithm, CidrPort, Entity, EntityKind, HashInput, HeaderMatch, PathHandling, Protocol,
    Protocols, Route, Service, Target, Upstream,
};
use crate::generated as fbs;

type Texts<'a> = Vector<'a, ForwardsUOffset<&'a str>>;

fn texts<'a>(texts: Option<Texts<'a>>) -> impl Iterator<Item = &'a str> {
    texts.into_iter().flatten()
}

fn owned(values: Option<Texts<'_>>) -> Vec<String> {
    texts(values).map(str::to_owned).collect()
}

macro_rules! view {
    ($(#[$doc:meta])* $name:ident of $table:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            table: fbs::$table<'a>,
            hash: u64,
        }

        impl<'a> $name<'a> {
            pub(super) fn new(table: fbs::$table<'a>, hash: u64) -> Self {
                Self { table, hash }
            }

            /// Primary key.
            pub fn id(&self) -> Uuid {
                uuid(self.table.id())
            }

            /// Equal for equal content: the key under which derived things stay warm across
            /// versions.
            pub fn content_hash(&self) -> u64 {
                self.hash
            }
        }
    };
}

view! {
    /// A service record.
    ServiceView of Service
}

impl<'a> ServiceView<'a> {
    /// Endpoint key.
    pub fn name(&self) -> Option<&'a str> {
        self.table.name()
    }

    /// Protocol spoken to the upstream.
    pub fn protocol(&self) -> Protocol {
        Protocol::from_bit(self.table.protocol()).unwrap_or(Protocol::Http)
    }

    /// IP literal, DNS name, or the name of an upstream entity.
    pub fn host(&self) -> &'a str {
        self.table.host()
    }

    /// Port; ignored when the host names an upstream entity.
    pub fn port(&self) -> u16 {
        self.table.port()
    }

    /// Path put in front of what the route leaves of the request path.
    pub fn path(&self) -> Option<&'a str> {
        self.table.path()
    }

    /// Further tries after the first one failed.
    pub fn retries(&self) -> u16 {
        self.table.retries()
    }

    /// Milliseconds to establish an upstream connection.
    pub fn connect_timeout(&self) -> u32 {
        self.table.connect_timeout()
    }

    /// Milliseconds between two writes to the upstream.
    pub fn write_timeout(&self) -> u32 {
        self.table.write_timeout()
    }

    /// Milliseconds between two reads from the upstream.
    pub fn read_timeout(&self) -> u32 {
        self.table.read_timeout()
    }

    /// Whether its routes take part.
    pub fn enabled(&self) -> bool {
        self.table.enabled()
    }

    /// Whether the upstream's certificate is checked; `None`: the node's default.
    pub fn tls_verify(&self) -> Option<bool> {
        self.table.tls_verify()
    }

    /// Longest accepted chain of the upstream's certificate.
    pub fn tls_verify_depth(&self) -> Option<u8> {
        self.table.tls_verify_depth()
    }

    /// Certificate authorities that the upstream's certificate is checked against.
    pub fn ca_certificates(&self) -> impl Iterator<Item = Uuid> + 'a {
        self.table.ca_certificates().into_iter().flatten().map(uuid)
    }

    /// Certificate shown to the upstream.
    pub fn client_certificate(&self) -> Option<Uuid> {
        self.table.client_certificate().map(uuid)
    }

    /// The complete entity.
    pub fn to_entity(&self) -> Service {
        let table = &self.table;
        Service {
            id: self.id(),
            name: table.name().map(str::to_owned),
            protocol: self.protocol(),
            host: table.host().to_owned(),
            port: table.port(),
            path: table.path().map(str::to_owned),
            retries: table.retries(),
            connect_timeout: table.connect_timeout(),
            write_timeout: table.write_timeout(),
            read_timeout: table.read_timeout(),
            enabled: table.enabled(),
            tls_verify: table.tls_verify(),
            tls_verify_depth: table.tls_verify_depth(),
            ca_certificates: self.ca_certificates().collect(),
            client_certificate: self.client_certificate(),
            tags: owned(table.tags()),
            created_at: table.created_at(),
            updated_at: table.updated_at(),
            exact: table.exact().map(Into::into),
        }
    }
}

view! {
    /// A route record.
    RouteView of Route
}

impl<'a> RouteView<'a> {
    /// Endpoint key.
    pub fn name(&self) -> Option<&'a str> {
        self.table.name()
    }

    /// Protocols that this route accepts.
    pub fn protocols(&self) -> Protocols {
        Protocols(self.table.protocols())
    }

    /// Upper-case method names; empty: any.
    pub fn methods(&self) -> impl Iterator<Item = &'a str> {
        texts(self.table.methods())
    }

    /// Host names as configured; empty: any.
    pub fn hosts(&self) -> impl Iterator<Item = &'a str> {
        texts(self.table.hosts())
    }

    /// Prefixes and regexes as configured; empty: any.
    pub fn paths(&self) -> impl Iterator<Item = &'a str> {
        texts(self.table.paths())
    }

    /// Answer to a plaintext request for a TLS-only route.
    pub fn https_redirect_status_code(&self) -> u16 {
        self.table.https_redirect_status_code()
    }

    /// Whether the matched path is removed before the request goes upstream.
    pub fn strip_path(&self) -> bool {
        self.table.strip_path()
    }

    /// How service path and request path are joined.
    pub fn path_handling(&self) -> PathHandling {
        if self.table.path_handling() == 1 {
            PathHandling::V1
        } else {
            PathHandling::V0
        }
    }

    /// Whether the client's Host header goes upstream unchanged.
    pub fn preserve_host(&self) -> bool {
        self.table.preserve_host()
    }

    /// Whether the whole request body is read before the upstream is contacted.
    pub fn request_buffering(&self) -> bool {
        self.table.request_buffering()
    }

    /// Whether the upstream's answer is read ahead of the client.
    pub fn response_buffering(&self) -> bool {
        self.table.response_buffering()
    }

    /// The service; `None`: matched requests get 503.
    pub fn service(&self) -> Option<Uuid> {
        self.table.service().map(uuid)
    }

    /// The complete entity.
    pub fn to_entity(&self) -> Route {
        let table = &self.table;
        Route {
            id: self.id(),
            name: table.name().map(str::to_owned),
            protocols: self.protocols(),
            methods: owned(table.methods()),
            hosts: owned(table.hosts()),
            paths: owned(table.paths()),
            headers: table
                .headers()
                .into_iter()
                .flatten()
                .map(header_match)
                .collect(),
            snis: owned(table.snis()),
            sources: table
                .sources()
                .into_iter()
                .flatten()
                .map(cidr_port)
                .collect(),
            destinations: table
                .destinations()
                .into_iter()
                .flatten()
                .map(cidr_port)
                .collect(),
            https_redirect_status_code: table.https_redirect_status_code(),
            regex_priority: table.regex_priority(),
            strip_path: table.strip_path(),
            path_handling: self.path_handling(),
            preserve_host: table.preserve_host(),
            request_buffering: table.request_buffering(),
            response_buffering: table.response_buffering(),
            service: self.service(),
            tags: owned(table.tags()),
            created_at: table.created_at(),
            updated_at: table.updated_at(),
            expression: table.expression().map(str::to_owned),
            priority: table.priority(),
            exact: table.exact().map(Into::into),
        }
    }
}

fn header_match(header: fbs::HeaderMatch<'_>) -> HeaderMatch {
    HeaderMatch {
        name: header.name().to_owned(),
        values: owned(Some(header.values())),
    }
}

fn cidr_port(address: fbs::CidrPort<'_>) -> CidrPort {
    CidrPort {
        ip: address.ip().map(str::to_owned),
        port: address.port(),
    }
}

view! {
    /// An upstream record.
    UpstreamView of Upstream
}

impl<'a> UpstreamView<'a> {
    /// The host name by which services refer to it.
    pub fn name(&self) -> &'a str {
        self.table.name()
    }

    /// How a target is chosen.
    pub fn algorithm(&self) -> Algorithm {
        Algorithm::ALL
            .get(usize::from(self.table.algorithm()))
            .copied()
            .unwrap_or_default()
    }

    /// Size of the hashing ring.
    pub fn slots(&self) -> u32 {
        self.table.slots()
    }

    /// Host header sent to the targets instead of their own names.
    pub fn host_header(&self) -> Option<&'a str> {
        self.table.host_header()
    }

    /// The complete entity.
    pub fn to_entity(&self) -> Upstream {
        let table = &self.table;
        Upstream {
            id: self.id(),
            name: table.name().to_owned(),
            algorithm: self.algorithm(),
            hash_on: hash_input(table.hash_on()),
            hash_fallback: hash_input(table.hash_fallback()),
            hash_on_header: table.hash_on_header().map(str::to_owned),
            hash_fallback_header: table.hash_fallback_header().map(str::to_owned),
            hash_on_cookie: table.hash_on_cookie().map(str::to_owned),
            hash_on_cookie_path: table.hash_on_cookie_path().unwrap_or("/").to_owned(),
            hash_on_query_arg: table.hash_on_query_arg().map(str::to_owned),
            hash_fallback_query_arg: table.hash_fallback_query_arg().map(str::to_owned),
            hash_on_uri_capture: table.hash_on_uri_capture().map(str::to_owned),
            hash_fallback_uri_capture: table.hash_fallback_uri_capture().map(str::to_owned),
            slots: table.slots(),
            healthchecks: table
                .healthchecks()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default(),
            host_header: table.host_header().map(str::to_owned),
            client_certificate: table.client_certificate().map(uuid),
            use_srv_name: table.use_srv_name(),
            tags: owned(table.tags()),
            created_at: table.created_at(),
            updated_at: table.updated_at(),
            exact: table.exact().map(Into::into),
        }
    }
}

fn hash_input(position: u8) -> HashInput {
    HashInput::ALL
        .get(usize::from(position))
        .copied()
        .unwrap_or_default()
}

view! {
    /// A target record.
    TargetView of Target
}

impl TargetView<'_> {
    /// The complete entity.
    pub fn to_entity(&self) -> Target {
        let table = &self.table;
        Target {
            id: self.id(),
            upstream: uuid(table.upstream()),
            target: table.target().to_owned(),
            weight: table.weight(),
            tags: owned(table.tags()),
            created_at: table.created_at(),
            updated_at: table.updated_at(),
            exact: table.exact().map(Into::into),
        }
    }
}

/// The entity in a record of a kind without a type of its own.
///
/// # Errors
/// When the record names a kind or reference that there is not.
pub(super) fn entity(table: &fbs::Entity<'_>) -> Result<Entity, Damage> {
    let kind = EntityKind::of_name(table.kind()).ok_or(Damage::Inconsistent)?;
    let references = table.references().into_iter().flatten().map(|reference| {
        let link = layout::reference(kind, reference.field()).ok_or(Damage::Inconsistent)?;
        Ok((link.field, uuid(reference.id())))
    });
    let references = references.collect::<Result<_, _>>()?;
    Ok(Entity {
        kind,
        id: uuid(table.id()),
        references,
        json: table.json().into(),
    })
}

/// What a balancer needs of an upstream's targets: oldest first.
#[derive(Clone, Copy, Debug)]
pub struct TargetListView<'a> {
    table: fbs::TargetList<'a>,
    hash: u64,
}

/// One target of a [`TargetListView`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalancerTarget<'a> {
    /// Primary key of the target.
    pub id: Uuid,
    /// `host:port`
    pub target: &'a str,
    /// Share of the requests; 0 takes it out of rotation.
    pub weight: u16,
}

impl<'a> TargetListView<'a> {
    pub(super) fn new(table: fbs::TargetList<'a>, hash: u64) -> Self {
        Self { table, hash }
    }

    /// Equal for equal lists.
    pub fn content_hash(&self) -> u64 {
        self.hash
    }

    /// Number of targets.
    pub fn len(&self) -> usize {
        self.table.targets().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets.
    pub fn iter(&self) -> impl Iterator<Item = BalancerTarget<'a>> + 'a {
        self.table.targets().iter().map(|each| BalancerTarget {
            id: uuid(each.id()),
            target: each.target(),
            weight: each.weight(),
        })
    }
}

/// Kinds that can be counted, far more than there are.
const KINDS_MAX: usize = 64;

/// A number for each kind of entity, without an allocation: every reader's snapshot has them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; KINDS_MAX]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; KINDS_MAX])
    }
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Counts {
    /// The number of entities of a kind.
    pub fn of(&self, kind: EntityKind) -> u64 {
        self.0.get(kind.index()).copied().unwrap_or_default()
    }

    /// The kinds that there are entities of, with their number.
    pub fn iter(&self) -> impl Iterator<Item = (EntityKind, u64)> {
        let all = EntityKind::all().map(|kind| (kind, self.of(kind)));
        all.filter(|(_, count)| *count > 0)
    }

    /// Adds to the number of a kind, which does not become negative.
    pub(super) fn add(&mut self, kind: EntityKind, more: i64) {
        if let Some(count) = self.0.get_mut(kind.index()) {
            *count = count.saturating_add_signed(more);
        }
    }

    fn from_table(table: &fbs::Meta<'_>) -> Self {
        let mut counts = Self::default();
        for stored in table.counts() {
            let kind = EntityKind::of_name(stored.kind());
            if let Some(count) = kind.and_then(|kind| counts.0.get_mut(kind.index())) {
                *count = stored.count();
            }
        }
        counts
    }
}

/// What is known of a version as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Counts up by one with each commit; 0: nothing was ever applied.
    pub version: u64,
    /// The program that wrote it.
    pub silverback_version: String,
    /// The hash given with the configuration, else one derived from its content.
    pub config_hash: String,
    /// Where the configuration came from.
    pub source: String,
    /// Unix milliseconds of the commit.
    pub written_at: i64,
    /// How many entities of each kind there are.
    pub counts: Counts,
    /// Sum of the content hashes of all entities.
    pub(super) content: u128,
}

impl Meta {
    pub(super) fn from_table(table: &fbs::Meta<'_>) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            version: table.version(),
            silverback_version: text(table.silverback_version()),
            config_hash: text(table.config_hash()),
            source: text(table.source()),
            written_at: table.written_at(),
            counts: Counts::from_table(table),
            content: table.content().map_or(0, |id| uuid(id).as_u128()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted() {
        assert!(EntityKind::all().count() <= KINDS_MAX);
    }
}
