//! Entities to records. Every field of the structs is written, so that a record can be read back as
//! the entity it came from. Also what `keys` and `children` list of an entity.

use std::borrow::Cow;

use flatbuffers::{FlatBufferBuilder, ForwardsUOffset, Vector, WIPOffset};
use uuid::Uuid;

use super::json;
use super::record::{Encoder, id};
use crate::entity::{
    Algorithm, CidrPort, Entity, EntityKind, HashInput, HeaderMatch, PathHandling, Route, Service,
    Target, Upstream,
};
use crate::generated as fbs;

type Builder = FlatBufferBuilder<'static>;
type Strings = WIPOffset<Vector<'static, ForwardsUOffset<&'static str>>>;

/// An entity that has a record of its own.
pub(super) trait Encode {
    /// What it is.
    fn kind(&self) -> EntityKind;
    /// Primary key.
    fn id(&self) -> Uuid;
    /// The value of a unique field; `None`: null.
    fn unique(&self, field: &str) -> Option<Cow<'_, str>>;
    /// What a field refers to; `None`: null.
    fn reference(&self, field: &str) -> Option<Uuid>;
    /// The sealed record, valid until the next one.
    fn encode<'e>(&self, encoder: &'e mut Encoder) -> &'e [u8];
}

impl Encode for Service {
    fn kind(&self) -> EntityKind {
        EntityKind::SERVICES
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self, field: &str) -> Option<Cow<'_, str>> {
        match field {
            "name" => self.name.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        match field {
            "client_certificate" => self.client_certificate,
            _ => None,
        }
    }

    fn encode<'e>(&self, encoder: &'e mut Encoder) -> &'e [u8] {
        let b = &mut encoder.builder;
        let name = text(b, self.name.as_deref());
        let host = b.create_string(&self.host);
        let path = text(b, self.path.as_deref());
        let ca_certificates: Vec<_> = self.ca_certificates.iter().map(|uuid| id(*uuid)).collect();
        let ca_certificates =
            (!ca_certificates.is_empty()).then(|| b.create_vector(&ca_certificates));
        let client_certificate = self.client_certificate.map(id);
        let tags = strings(b, &self.tags);
        let args = fbs::ServiceArgs {
            id: Some(&id(self.id)),
            name,
            protocol: self.protocol as u8,
            host: Some(host),
            port: self.port,
            path,
            retries: self.retries,
            connect_timeout: self.connect_timeout,
            write_timeout: self.write_timeout,
            read_timeout: self.read_timeout,
            enabled: self.enabled,
            tls_verify: self.tls_verify,
            tls_verify_depth: self.tls_verify_depth,
            ca_certificates,
            client_certificate: client_certificate.as_ref(),
            tags,
            created_at: self.created_at,
            updated_at: self.updated_at,
            exact: text(b, self.exact.as_deref()),
        };
        let root = fbs::Service::create(b, &args);
        encoder.seal(root)
    }
}

impl Encode for Route {
    fn kind(&self) -> EntityKind {
        EntityKind::ROUTES
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self, field: &str) -> Option<Cow<'_, str>> {
        match field {
            "name" => self.name.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        match field {
            "service" => self.service,
            _ => None,
        }
    }

    fn encode<'e>(&self, encoder: &'e mut Encoder) -> &'e [u8] {
        let b = &mut encoder.builder;
        let name = text(b, self.name.as_deref());
        let methods = strings(b, &self.methods);
        let hosts = strings(b, &self.hosts);
        let paths = strings(b, &self.paths);
        let headers = header_matches(b, &self.headers);
        let snis = strings(b, &self.snis);
        let sources = cidr_ports(b, &self.sources);
        let destinations = cidr_ports(b, &self.destinations);
        let tags = strings(b, &self.tags);
        let service = self.service.map(id);
        let args = fbs::RouteArgs {
            id: Some(&id(self.id)),
            name,
            protocols: self.protocols.0,
            methods,
            hosts,
            paths,
            headers,
            snis,
            sources,
            destinations,
            https_redirect_status_code: self.https_redirect_status_code,
            regex_priority: self.regex_priority,
            strip_path: self.strip_path,
            path_handling: u8::from(self.path_handling == PathHandling::V1),
            preserve_host: self.preserve_host,
            request_buffering: self.request_buffering,
            response_buffering: self.response_buffering,
            service: service.as_ref(),
            tags,
            created_at: self.created_at,
            updated_at: self.updated_at,
            exact: text(b, self.exact.as_deref()),
            expression: text(b, self.expression.as_deref()),
            priority: self.priority,
        };
        let root = fbs::Route::create(b, &args);
        encoder.seal(root)
    }
}

impl Encode for Upstream {
    fn kind(&self) -> EntityKind {
        EntityKind::UPSTREAMS
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self, field: &str) -> Option<Cow<'_, str>> {
        match field {
            "name" => Some(Cow::Borrowed(&self.name)),
            _ => None,
        }
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        match field {
            "client_certificate" => self.client_certificate,
            _ => None,
        }
    }

    fn encode<'e>(&self, encoder: &'e mut Encoder) -> &'e [u8] {
        let b = &mut encoder.builder;
        let name = b.create_string(&self.name);
        let host_header = text(b, self.host_header.as_deref());
        let hash_on_header = text(b, self.hash_on_header.as_deref());
        let hash_fallback_header = text(b, self.hash_fallback_header.as_deref());
        let hash_on_cookie = text(b, self.hash_on_cookie.as_deref());
        let hash_on_cookie_path = text(b, Some(&self.hash_on_cookie_path));
        let hash_on_query_arg = text(b, self.hash_on_query_arg.as_deref());
        let hash_fallback_query_arg = text(b, self.hash_fallback_query_arg.as_deref());
        let hash_on_uri_capture = text(b, self.hash_on_uri_capture.as_deref());
        let hash_fallback_uri_capture = text(b, self.hash_fallback_uri_capture.as_deref());
        let healthchecks = text(b, Some(&self.healthchecks.to_string()));
        let tags = strings(b, &self.tags);
        let client_certificate = self.client_certificate.map(id);
        let args = fbs::UpstreamArgs {
            id: Some(&id(self.id)),
            name: Some(name),
            algorithm: position(&Algorithm::ALL, &self.algorithm),
            slots: self.slots,
            host_header,
            tags,
            created_at: self.created_at,
            updated_at: self.updated_at,
            hash_on: position(&HashInput::ALL, &self.hash_on),
            hash_fallback: position(&HashInput::ALL, &self.hash_fallback),
            hash_on_header,
            hash_fallback_header,
            hash_on_cookie,
            hash_on_cookie_path,
            hash_on_query_arg,
            hash_fallback_query_arg,
            hash_on_uri_capture,
            hash_fallback_uri_capture,
            healthchecks,
            client_certificate: client_certificate.as_ref(),
            use_srv_name: self.use_srv_name,
            exact: text(b, self.exact.as_deref()),
        };
        let root = fbs::Upstream::create(b, &args);
        encoder.seal(root)
    }
}

impl Encode for Target {
    fn kind(&self) -> EntityKind {
        EntityKind::TARGETS
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self, _field: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        match field {
            "upstream" => Some(self.upstream),
            _ => None,
        }
    }

    fn encode<'e>(&self, encoder: &'e mut Encoder) -> &'e [u8] {
        let b = &mut encoder.builder;
        let target = b.create_string(&self.target);
        let tags = strings(b, &self.tags);
        let args = fbs::TargetArgs {
            id: Some(&id(self.id)),
            upstream: Some(&id(self.upstream)),
            target: Some(target),
            weight: self.weight,
            tags,
            created_at: self.created_at,
            updated_at: self.updated_at,
            exact: text(b, self.exact.as_deref()),
        };
        let root = fbs::Target::create(b, &args);
        encoder.seal(root)
    }
}

impl Encode for Entity {
    fn kind(&self) -> EntityKind {
        self.kind
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self, field: &str) -> Option<Cow<'_, str>> {
        json::text(&self.json, field).map(Cow::Owned)
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        let found = self.references.iter().find(|(name, _)| *name == field);
        found.map(|(_, id)| *id)
    }

    fn encode<'e>(&self, encoder: &'e mut Encoder) -> &'e [u8] {
        let b = &mut encoder.builder;
        let kind = b.create_string(self.kind.name());
        let references = entity_references(b, &self.references);
        let json = b.create_string(&self.json);
        let args = fbs::EntityArgs {
            id: Some(&id(self.id)),
            kind: Some(kind),
            references,
            json: Some(json),
        };
        let root = fbs::Entity::create(b, &args);
        encoder.seal(root)
    }
}

/// The balancer's list of an upstream, in the order given.
pub(super) fn target_list<'e>(
    encoder: &'e mut Encoder,
    upstream: Uuid,
    targets: &[&Target],
) -> &'e [u8] {
    let b = &mut encoder.builder;
    let lines: Vec<_> = targets
        .iter()
        .map(|target| {
            let text = b.create_string(&target.target);
            let args = fbs::BalancerTargetArgs {
                id: Some(&id(target.id)),
                target: Some(text),
                weight: target.weight,
            };
            fbs::BalancerTarget::create(b, &args)
        })
        .collect();
    let lines = b.create_vector(&lines);
    let args = fbs::TargetListArgs {
        upstream: Some(&id(upstream)),
        targets: Some(lines),
    };
    let root = fbs::TargetList::create(b, &args);
    encoder.seal(root)
}

fn text(b: &mut Builder, value: Option<&str>) -> Option<WIPOffset<&'static str>> {
    value.map(|value| b.create_string(value))
}

fn strings(b: &mut Builder, values: &[String]) -> Option<Strings> {
    match values {
        [] => None,
        // One element is by far the commonest; it needs no list of offsets.
        [one] => {
            let one = b.create_string(one);
            Some(b.create_vector(&[one]))
        }
        many => {
            let offsets: Vec<_> = many.iter().map(|each| b.create_string(each)).collect();
            Some(b.create_vector(&offsets))
        }
    }
}

type Tables<T> = Option<WIPOffset<Vector<'static, ForwardsUOffset<T>>>>;

fn entity_references(
    b: &mut Builder,
    references: &[(&'static str, Uuid)],
) -> Tables<fbs::EntityReference<'static>> {
    if references.is_empty() {
        return None;
    }
    let offsets: Vec<_> = references
        .iter()
        .map(|(field, uuid)| {
            let field = b.create_string(field);
            let args = fbs::EntityReferenceArgs {
                field: Some(field),
                id: Some(&id(*uuid)),
            };
            fbs::EntityReference::create(b, &args)
        })
        .collect();
    Some(b.create_vector(&offsets))
}

fn header_matches(b: &mut Builder, headers: &[HeaderMatch]) -> Tables<fbs::HeaderMatch<'static>> {
    if headers.is_empty() {
        return None;
    }
    let offsets: Vec<_> = headers
        .iter()
        .map(|header| {
            let name = b.create_string(&header.name);
            let values: Vec<_> = header
                .values
                .iter()
                .map(|each| b.create_string(each))
                .collect();
            let values = b.create_vector(&values);
            let args = fbs::HeaderMatchArgs {
                name: Some(name),
                values: Some(values),
            };
            fbs::HeaderMatch::create(b, &args)
        })
        .collect();
    Some(b.create_vector(&offsets))
}

fn cidr_ports(b: &mut Builder, addresses: &[CidrPort]) -> Tables<fbs::CidrPort<'static>> {
    if addresses.is_empty() {
        return None;
    }
    let offsets: Vec<_> = addresses
        .iter()
        .map(|address| {
            let ip = text(b, address.ip.as_deref());
            fbs::CidrPort::create(
                b,
                &fbs::CidrPortArgs {
                    ip,
                    port: address.port,
                },
            )
        })
        .collect();
    Some(b.create_vector(&offsets))
}

/// Where a value stands in the list of all values.
fn position<T: PartialEq>(all: &[T], value: &T) -> u8 {
    let at = all.iter().position(|each| each == value);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
}
