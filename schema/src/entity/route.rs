//! A route: which requests a service gets (`kong/db/schema/entities/routes.lua`,
//! `routes_subschemas.lua`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::shared::{
    CREATED_AT, ID, NAME, PORT, PROTOCOL, STRING, TAGS, UPDATED_AT, boolean, integer, list_json,
    reference, reference_json, string, strings, switch, uuid,
};
use super::{Protocol, Protocols};
use crate::field::{
    Check, Default, EntityCheck, Errors, Field, Fields, Kind, REQUIRED, Record, Row, Schema, Type,
    host, push_entity_error, text,
};

/// A validated route of a traditional flavor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Primary key.
    pub id: Uuid,
    /// Endpoint key; unique when given.
    pub name: Option<String>,
    /// Protocols that this route accepts.
    pub protocols: Protocols,
    /// Upper-case method names; empty: any.
    pub methods: Vec<String>,
    /// Host names, each with at most one `*` label and an optional `:port`; empty: any.
    pub hosts: Vec<String>,
    /// Prefixes (`/…`) and regexes (`~/…`); empty: any.
    pub paths: Vec<String>,
    /// Headers that must be present, each with one of its values.
    pub headers: Vec<HeaderMatch>,
    /// TLS server names; empty: any.
    pub snis: Vec<String>,
    /// Client addresses; empty: any.
    pub sources: Vec<CidrPort>,
    /// Local addresses; empty: any.
    pub destinations: Vec<CidrPort>,
    /// Answer to a plaintext request for a TLS-only route: 426, 301, 302, 307 or 308.
    pub https_redirect_status_code: u16,
    /// Order among regex paths, higher first.
    pub regex_priority: i64,
    /// Whether the matched path is removed before the request goes upstream.
    pub strip_path: bool,
    /// How service path and request path are joined.
    pub path_handling: PathHandling,
    /// Whether the client's Host header goes upstream unchanged.
    pub preserve_host: bool,
    /// Whether the whole request body is read before the upstream is contacted.
    pub request_buffering: bool,
    /// Whether the upstream's answer is read ahead of the client.
    pub response_buffering: bool,
    /// The service; `None`: matched requests get 503.
    pub service: Option<Uuid>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

/// One header condition: any value of the request's header equals, or with `~*` matches, one of
/// `values`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Header name as configured.
    pub name: String,
    /// Accepted values, as configured.
    pub values: Vec<String>,
}

/// An address condition; at least one half is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CidrPort {
    /// Address or network in CIDR form.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<u16>,
}

/// How service path and request path are joined (`kong/router/utils.lua`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathHandling {
    /// Slashes between the parts are made one.
    #[default]
    V0,
    /// Plain concatenation; honoured by the flavor `traditional` only.
    V1,
}

impl PathHandling {
    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V1 => "v1",
        }
    }
}

/// The entity as data, for the flavors `traditional` and `traditional_compatible`.
pub static SCHEMA: Schema = Schema {
    name: "routes",
    fields: &[
        ID,
        CREATED_AT,
        UPDATED_AT,
        Field::new("name", NAME),
        Field::new(
            "protocols",
            Type::with(
                Kind::Set(&PROTOCOL),
                &[Check::LenMin(1), Check::ExclusiveSubsets(PROTOCOL_GROUPS)],
            ),
        )
        .required()
        .default(Default::Strings(&["http", "https"])),
        Field::new(
            "https_redirect_status_code",
            Type::with(
                Kind::Integer,
                &[Check::OneOfIntegers(&[426, 301, 302, 307, 308])],
            ),
        )
        .required()
        .default(Default::Integer(426)),
        switch("strip_path", true),
        switch("preserve_host", false),
        switch("request_buffering", true),
        switch("response_buffering", true),
        Field::new("tags", TAGS),
        Field::new("service", Type::new(Kind::Foreign("services"))),
        Field::new(
            "snis",
            Type::new(Kind::Set(&Type::with(
                Kind::String,
                &[Check::Text(host::wildcard_server_name)],
            ))),
        ),
        Field::new("sources", CIDR_PORTS),
        Field::new("destinations", CIDR_PORTS),
        Field::new(
            "methods",
            Type::new(Kind::Set(&Type::with(
                Kind::String,
                &[Check::Text(text::method)],
            ))),
        ),
        Field::new(
            "hosts",
            Type::new(Kind::Array(&Type::with(
                Kind::String,
                &[Check::Text(host::route_host)],
            ))),
        ),
        Field::new(
            "paths",
            Type::new(Kind::Array(&Type::with(
                Kind::String,
                &[Check::Text(text::route_path)],
            ))),
        ),
        Field::new(
            "headers",
            Type::new(Kind::Map(
                &Type::with(Kind::String, &[Check::Text(text::route_header_name)]),
                &Type::new(Kind::Array(&STRING)),
            )),
        ),
        Field::new("regex_priority", Type::new(Kind::Integer)).default(Default::Integer(0)),
        Field::new(
            "path_handling",
            Type::with(Kind::String, &[Check::OneOf(&["v0", "v1"])]),
        )
        .default(Default::String("v0")),
    ],
    prepare: choose_group,
    entity_checks: &[
        EntityCheck::Custom(check_snis),
        EntityCheck::Custom(check_group),
    ],
};

const CIDR_PORTS: Type = Type::new(Kind::Set(&Type::new(Kind::Record(&Record {
    fields: &[
        Field::new(
            "ip",
            Type::with(Kind::String, &[Check::Text(host::ip_or_cidr)]),
        ),
        Field::new("port", PORT),
    ],
    entity_checks: &[EntityCheck::AtLeastOneOf(&["ip", "port"])],
}))));

/// Protocols that a route can have together.
const PROTOCOL_GROUPS: &[&[&str]] = &[
    &["http", "https"],
    &["tcp", "tls", "udp"],
    &["tls_passthrough"],
    &["grpc", "grpcs"],
];

/// What the protocols of a route forbid and ask for.
struct Group {
    forbidden: &'static [&'static str],
    forbidden_when: &'static str,
    /// Protocol that must be present, fields of which one must be given, the message.
    asks: &'static [(&'static str, &'static [&'static str], &'static str)],
}

static HTTP: Group = Group {
    forbidden: &["sources", "destinations"],
    forbidden_when: "'http' or 'https'",
    asks: &[
        (
            "https",
            &["methods", "hosts", "headers", "paths", "snis"],
            "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is \
             'https'",
        ),
        (
            "http",
            &["methods", "hosts", "headers", "paths"],
            "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
        ),
    ],
};

static STREAM: Group = Group {
    forbidden: &["methods", "hosts", "paths", "headers"],
    forbidden_when: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
    asks: &[(
        "",
        &["sources", "destinations", "snis"],
        "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or \
         'udp'",
    )],
};

static PASSTHROUGH: Group = Group {
    forbidden: &["methods", "hosts", "paths", "headers"],
    forbidden_when: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
    asks: &[(
        "",
        &["snis"],
        "must set snis when 'protocols' is 'tls_passthrough'",
    )],
};

static GRPC: Group = Group {
    forbidden: &["methods", "sources", "destinations"],
    forbidden_when: "'grpc' or 'grpcs'",
    asks: &[
        (
            "grpcs",
            &["hosts", "headers", "paths", "snis"],
            "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'",
        ),
        (
            "grpc",
            &["hosts", "headers", "paths"],
            "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'",
        ),
    ],
};

fn group_of(protocol: &str) -> Option<&'static Group> {
    match protocol {
        "http" | "https" => Some(&HTTP),
        "tcp" | "tls" | "udp" => Some(&STREAM),
        "tls_passthrough" => Some(&PASSTHROUGH),
        "grpc" | "grpcs" => Some(&GRPC),
        _ => None,
    }
}

/// The protocols that are texts; those of the default when none are given.
fn protocol_names(protocols: Option<&Value>) -> Vec<&str> {
    match protocols {
        None => vec!["http", "https"],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(_) => Vec::new(),
    }
}

/// The protocols select the rules of a route: without known ones nothing else is looked at. The
/// default of `strip_path` depends on them.
fn choose_group(object: &mut Map<String, Value>) -> Result<(), Errors> {
    let protocols = object.get("protocols");
    let refuse = |text: String| {
        Err([("protocols".to_owned(), Value::String(text))]
            .into_iter()
            .collect())
    };
    match protocols {
        None => return Ok(()),
        Some(Value::Null) => return refuse(REQUIRED.into()),
        Some(Value::Array(list)) if list.is_empty() => return refuse("unknown type: nil".into()),
        Some(_) => {}
    }
    let names = protocol_names(protocols);
    let Some(first) = names.first() else {
        return Ok(());
    };
    let Some(known) = names.iter().find(|name| group_of(name).is_some()) else {
        return refuse(format!("unknown type: {first}"));
    };
    if matches!(*known, "grpc" | "grpcs") && !object.contains_key("strip_path") {
        object.insert("strip_path".into(), false.into());
    }
    Ok(())
}

fn check_snis(fields: &Fields<'_>, errors: &mut Errors) {
    const TLS: [&str; 4] = ["grpcs", "https", "tls", "tls_passthrough"];
    if !fields.is_given("snis") || errors.contains_key("protocols") {
        return;
    }
    let names = protocol_names(Some(fields.value("protocols")));
    if !names.iter().any(|name| TLS.contains(name)) {
        errors.insert("snis".into(), "length must be 0".into());
        push_entity_error(
            errors,
            "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or \
             'tls_passthrough'",
        );
    }
}

fn check_group(fields: &Fields<'_>, errors: &mut Errors) {
    let names = protocol_names(Some(fields.value("protocols")));
    let Some(group) = names.iter().find_map(|name| group_of(name)) else {
        return;
    };
    let mut refuse = |field: &str| {
        let text = format!(
            "cannot set '{field}' when 'protocols' is {}",
            group.forbidden_when
        );
        errors.insert(field.to_owned(), text.into());
    };
    for field in group
        .forbidden
        .iter()
        .filter(|field| !fields.value(field).is_null())
    {
        refuse(field);
    }
    if group.forbidden_when == GRPC.forbidden_when && fields.value("strip_path") == true {
        refuse("strip_path");
    }
    let mut asks = group.asks.iter();
    let asked = asks.find(|(protocol, ..)| protocol.is_empty() || names.contains(protocol));
    if let Some((_, any_of, text)) = asked
        && !any_of.iter().any(|field| fields.is_given(field))
    {
        push_entity_error(errors, *text);
    }
}

impl Route {
    /// Types a validated row. `id` and `now` (Unix seconds) stand in for what it leaves out.
    pub fn from_row(mut row: Row, id: Uuid, now: i64) -> Self {
        let protocols = |value: Value| {
            let list = value.as_array();
            let names = list.into_iter().flatten().filter_map(Value::as_str);
            names.filter_map(Protocol::from_name).collect()
        };
        Self {
            id: uuid(&row.take("id")).unwrap_or(id),
            created_at: integer(&row.take("created_at"), now),
            updated_at: now,
            name: string(row.take("name")),
            protocols: protocols(row.take("protocols")),
            https_redirect_status_code: integer(&row.take("https_redirect_status_code"), 426),
            strip_path: boolean(&row.take("strip_path"), true),
            preserve_host: boolean(&row.take("preserve_host"), false),
            request_buffering: boolean(&row.take("request_buffering"), true),
            response_buffering: boolean(&row.take("response_buffering"), true),
            tags: strings(row.take("tags")),
            service: reference(&row.take("service")),
            snis: strings(row.take("snis")),
            sources: cidr_ports(row.take("sources")),
            destinations: cidr_ports(row.take("destinations")),
            methods: strings(row.take("methods")),
            hosts: strings(row.take("hosts")),
            paths: strings(row.take("paths")),
            headers: header_matches(row.take("headers")),
            regex_priority: integer(&row.take("regex_priority"), 0),
            path_handling: match row.take("path_handling").as_str() {
                Some("v1") => PathHandling::V1,
                _ => PathHandling::V0,
            },
        }
    }

    /// The entity as Kong shows it.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "name": self.name,
            "protocols": self.protocols.iter().map(Protocol::name).collect::<Value>(),
            "https_redirect_status_code": self.https_redirect_status_code,
            "strip_path": self.strip_path,
            "preserve_host": self.preserve_host,
            "request_buffering": self.request_buffering,
            "response_buffering": self.response_buffering,
            "tags": list_json(&self.tags),
            "service": reference_json(self.service),
            "snis": list_json(&self.snis),
            "sources": cidr_ports_json(&self.sources),
            "destinations": cidr_ports_json(&self.destinations),
            "methods": list_json(&self.methods),
            "hosts": list_json(&self.hosts),
            "paths": list_json(&self.paths),
            "headers": headers_json(&self.headers),
            "regex_priority": self.regex_priority,
            "path_handling": self.path_handling.name(),
        })
    }
}

fn cidr_ports(value: Value) -> Vec<CidrPort> {
    let Value::Array(list) = value else {
        return Vec::new();
    };
    let typed = |mut record: Value| CidrPort {
        ip: record.get_mut("ip").map(Value::take).and_then(string),
        port: record
            .get("port")
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok()),
    };
    list.into_iter().map(typed).collect()
}

fn cidr_ports_json(list: &[CidrPort]) -> Value {
    if list.is_empty() {
        return Value::Null;
    }
    list.iter()
        .map(|entry| json!({ "ip": entry.ip, "port": entry.port }))
        .collect()
}

fn header_matches(value: Value) -> Vec<HeaderMatch> {
    let Value::Object(map) = value else {
        return Vec::new();
    };
    map.into_iter()
        .map(|(name, values)| HeaderMatch {
            name,
            values: strings(values),
        })
        .collect()
}

fn headers_json(headers: &[HeaderMatch]) -> Value {
    if headers.is_empty() {
        return Value::Null;
    }
    let members = headers
        .iter()
        .map(|header| (header.name.clone(), header.values.clone()));
    members
        .map(|(name, values)| (name, Value::from(values)))
        .collect::<Map<_, _>>()
        .into()
}
