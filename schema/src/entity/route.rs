//! A route: which requests a service gets (`kong/db/schema/entities/routes.lua`,
//! `routes_subschemas.lua`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::expression::{self, Subsystem};
use super::shared::{
    CREATED_AT, ID, NAME, PORT, PROTOCOL, SNI, STRING, TAGS, UPDATED_AT, boolean, integer,
    list_json, reference, reference_json, string, strings, switch, uuid, with_exact,
};
use super::{Protocol, Protocols};
use crate::conf::RouterFlavor;
use crate::field::{
    Check, Default, EntityCheck, Errors, Field, Fields, Kind, Mode, REQUIRED, Record, Row, Schema,
    Type, host, push_entity_error, text,
};

/// A validated route.
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
    /// What requests must be like, instead of the matchers; flavor `expressions` only.
    pub expression: Option<String>,
    /// Order among expressions, higher first.
    pub priority: u64,
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
    /// The fields, as a JSON object, that Kong shows differently than the typed ones would.
    pub exact: Option<Box<str>>,
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

/// The entity as data, for the flavor `traditional_compatible`.
pub static SCHEMA: Schema = schema(WILDCARD_FIELDS.split_at(MATCHER_FIELDS).0);

/// The entity for the flavor `traditional`, whose server names have no wildcards.
pub static TRADITIONAL: Schema = schema(PLAIN_FIELDS.split_at(MATCHER_FIELDS).0);

/// The entity for the flavor `expressions`, with two more fields.
pub static EXPRESSIONS: Schema = schema(&WILDCARD_FIELDS);

/// The entity for a flavor.
pub fn schema_of(flavor: RouterFlavor) -> &'static Schema {
    match flavor {
        RouterFlavor::Traditional => &TRADITIONAL,
        RouterFlavor::TraditionalCompatible => &SCHEMA,
        RouterFlavor::Expressions => &EXPRESSIONS,
    }
}

const fn schema(fields: &'static [Field]) -> Schema {
    Schema::new("routes", fields)
        .endpoint_key("name")
        .complete(choose_group)
        .checks(&[
            EntityCheck::Custom {
                sources: &[],
                run: check_snis,
            },
            EntityCheck::Custom {
                sources: &[],
                run: check_group,
            },
            EntityCheck::Custom {
                sources: &[],
                run: check_expression,
            },
        ])
}

/// Fields that every flavor has; those after them are for expressions.
const MATCHER_FIELDS: usize = ALL_FIELDS - 2;
const ALL_FIELDS: usize = 23;

static WILDCARD_FIELDS: [Field; ALL_FIELDS] = fields(&Type::with(
    Kind::String,
    &[Check::Text(host::wildcard_server_name)],
));
static PLAIN_FIELDS: [Field; ALL_FIELDS] = fields(&SNI);

const fn fields(server_name: &'static Type) -> [Field; ALL_FIELDS] {
    [
        ID,
        CREATED_AT,
        UPDATED_AT,
        Field::new("name", NAME)
            .unique()
            .description("Name of the route."),
        Field::new(
            "protocols",
            Type::with(
                Kind::Set(&PROTOCOL),
                &[Check::LenMin(1), Check::ExclusiveSubsets(PROTOCOL_GROUPS)],
            ),
        )
        .required()
        .default(Default::Strings(&["http", "https"]))
        .description("Protocols that the route accepts."),
        Field::new(
            "https_redirect_status_code",
            Type::with(
                Kind::Integer,
                &[Check::OneOfIntegers(&[426, 301, 302, 307, 308])],
            ),
        )
        .required()
        .default(Default::Integer(426))
        .description("Answer to a plaintext request where only TLS is accepted."),
        switch("strip_path", true)
            .description("Whether the matched path is removed before the request goes on."),
        switch("preserve_host", false)
            .description("Whether the client's Host header goes on unchanged."),
        switch("request_buffering", true)
            .description("Whether the whole request is read before it goes on."),
        switch("response_buffering", true)
            .description("Whether the answer is read ahead of the client."),
        Field::new("tags", TAGS).description("Free labels."),
        Field::new("service", Type::new(Kind::Foreign("services")))
            .description("Where matched requests go."),
        Field::new("snis", Type::new(Kind::Set(server_name)))
            .description("TLS server names, one of which must match."),
        Field::new("sources", CIDR_PORTS).description("Client addresses, one of which must match."),
        Field::new("destinations", CIDR_PORTS)
            .description("Local addresses, one of which must match."),
        Field::new("methods", METHODS).description("Methods, one of which must match."),
        Field::new("hosts", HOSTS).description("Host names, one of which must match."),
        Field::new("paths", PATHS)
            .description("Prefixes and regexes (~/…), one of which must match."),
        Field::new("headers", HEADERS)
            .description("Headers, each of which must have one of its values."),
        Field::new("regex_priority", Type::new(Kind::Integer))
            .default(Default::Integer(0))
            .description("Order among regex paths, higher first."),
        Field::new(
            "path_handling",
            Type::with(Kind::String, &[Check::OneOf(&["v0", "v1"])]),
        )
        .default(Default::String("v0"))
        .description("How service path and request path are joined."),
        Field::new("expression", STRING)
            .description("What requests must be like, instead of the matchers."),
        Field::new(
            "priority",
            Type::with(Kind::Integer, &[Check::Between(0, PRIORITY_MAX)]),
        )
        .required()
        .default(Default::Integer(0))
        .description("Order among expressions, higher first."),
    ]
}

const METHODS: Type = Type::new(Kind::Set(&Type::with(
    Kind::String,
    &[Check::Text(text::method)],
)));
const HOSTS: Type = Type::new(Kind::Array(&Type::with(
    Kind::String,
    &[Check::Text(host::route_host)],
)));
const PATHS: Type = Type::new(Kind::Array(&Type::with(
    Kind::String,
    &[Check::Text(text::route_path)],
)));
const HEADERS: Type = Type::new(Kind::Map(
    &Type::with(Kind::String, &[Check::Text(text::route_header_name)]),
    &Type::new(Kind::Array(&STRING)),
));

/// Highest priority of an expression.
const PRIORITY_MAX: i64 = (1 << 46) - 1;

const CIDR_PORTS: Type = Type::new(Kind::Set(&Type::new(Kind::Record(
    &Record::new(&[
        Field::new(
            "ip",
            Type::with(Kind::String, &[Check::Text(host::ip_or_cidr)]),
        )
        .description("Address or network."),
        Field::new("port", PORT).description("Port."),
    ])
    .checks(&[EntityCheck::AtLeastOneOf(&["ip", "port"])]),
))));

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
    /// Protocol that must be present (`""`: any), fields of which one must be given, and when.
    asks: &'static [(&'static str, &'static [&'static str], &'static str)],
    subsystem: Subsystem,
}

/// Fields that expressions make harmless where they are forbidden otherwise.
const ADDRESSES: [&str; 2] = ["sources", "destinations"];

static HTTP: Group = Group {
    forbidden: &ADDRESSES,
    forbidden_when: "'http' or 'https'",
    asks: &[
        (
            "https",
            &["methods", "hosts", "headers", "paths", "snis"],
            "'https'",
        ),
        ("http", &["methods", "hosts", "headers", "paths"], "'http'"),
    ],
    subsystem: Subsystem::Http,
};

static STREAM: Group = Group {
    forbidden: &["methods", "hosts", "paths", "headers"],
    forbidden_when: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
    asks: &[(
        "",
        &["sources", "destinations", "snis"],
        "'tcp', 'tls' or 'udp'",
    )],
    subsystem: Subsystem::Stream,
};

static PASSTHROUGH: Group = Group {
    forbidden: &["methods", "hosts", "paths", "headers"],
    forbidden_when: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
    asks: &[("", &["snis"], "'tls_passthrough'")],
    subsystem: Subsystem::Stream,
};

static GRPC: Group = Group {
    forbidden: &["methods", "sources", "destinations"],
    forbidden_when: "'grpc' or 'grpcs'",
    asks: &[
        ("grpcs", &["hosts", "headers", "paths", "snis"], "'grpcs'"),
        ("grpc", &["hosts", "headers", "paths"], "'grpc'"),
    ],
    subsystem: Subsystem::Http,
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
/// default of `strip_path` depends on them, except that a change keeps what is stored.
fn choose_group(object: &mut Map<String, Value>, mode: Mode) -> Result<(), Errors> {
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
    if matches!(*known, "grpc" | "grpcs")
        && mode != Mode::Update
        && !object.contains_key("strip_path")
    {
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
    let has_expressions = has_expressions(fields);
    let mut refuse = |field: &str| {
        let text = format!(
            "cannot set '{field}' when 'protocols' is {}",
            group.forbidden_when
        );
        // What is wrong with the value itself goes before.
        errors.entry(field).or_insert(text.into());
    };
    for field in group.forbidden {
        let is_harmless = has_expressions && ADDRESSES.contains(field);
        if !is_harmless && !fields.value(field).is_null() {
            refuse(field);
        }
    }
    if group.forbidden_when == GRPC.forbidden_when && fields.value("strip_path") == true {
        refuse("strip_path");
    }
    let mut asks = group.asks.iter();
    let asked = asks.find(|(protocol, ..)| protocol.is_empty() || names.contains(protocol));
    if let Some((_, any_of, when)) = asked {
        let further = has_expressions.then_some(&"expression");
        let any_of: Vec<&str> = any_of.iter().chain(further).copied().collect();
        if !any_of.iter().any(|field| fields.is_given(field)) {
            push_entity_error(errors, must_set(&any_of, when));
        }
    }
}

fn must_set(any_of: &[&str], when: &str) -> String {
    if let [only] = any_of {
        return format!("must set {only} when 'protocols' is {when}");
    }
    let quoted: Vec<String> = any_of.iter().map(|field| format!("'{field}'")).collect();
    let list = quoted.join(", ");
    format!("must set one of {list} when 'protocols' is {when}")
}

fn has_expressions(fields: &Fields<'_>) -> bool {
    fields.context.rules.router_flavor == RouterFlavor::Expressions
}

/// Fields that an expression stands instead of.
const MATCHERS: [&str; 7] = [
    "methods",
    "hosts",
    "paths",
    "headers",
    "snis",
    "sources",
    "destinations",
];

fn check_expression(fields: &Fields<'_>, errors: &mut Errors) {
    let is_faulty = |name: &&str| errors.contains_key(*name);
    if !has_expressions(fields)
        || ["protocols", "expression", "priority", "regex_priority"]
            .iter()
            .any(is_faulty)
    {
        return;
    }
    if let Err(problem) = expression_problem(fields) {
        push_entity_error(
            errors,
            format!("Router Expression failed validation: {problem}"),
        );
    }
}

fn expression_problem(fields: &Fields<'_>) -> Result<(), String> {
    const ALL: &str = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or \
                       'destinations' simultaneously";
    let has_matchers = MATCHERS.iter().any(|field| fields.is_given(field));
    let is_set = |name: &str| {
        fields
            .value(name)
            .as_i64()
            .is_some_and(|number| number != 0)
    };
    let Some(text) = fields.value("expression").as_str() else {
        if has_matchers && is_set("priority") {
            return Err(format!("cannot set 'priority' with {ALL}"));
        }
        return Ok(());
    };
    if has_matchers {
        return Err(format!("cannot set 'expression' with {ALL}"));
    }
    if is_set("regex_priority") {
        return Err("cannot set 'regex_priority' with 'expression' simultaneously".into());
    }
    let names = protocol_names(Some(fields.value("protocols")));
    let group = names.iter().find_map(|name| group_of(name));
    expression::check(text, group.map_or(Subsystem::Http, |group| group.subsystem))
}

impl Route {
    /// Types a validated row. `id` and `now` (Unix seconds) stand in for what it leaves out.
    pub fn from_row(mut row: Row, id: Uuid, now: i64) -> Self {
        let protocols = |value: Value| {
            let list = value.as_array();
            let names = list.into_iter().flatten().filter_map(Value::as_str);
            names.filter_map(Protocol::from_name).collect()
        };
        let is_expression = row.value("expression").is_string();
        let exact = row.exact(|name, value| match name {
            "protocols" => !is_in_order(value),
            // Shown for nothing else than expressions, unless they stand here.
            "expression" | "priority" => !is_expression,
            _ => false,
        });
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
            expression: string(row.take_known("expression")),
            priority: integer(&row.take_known("priority"), 0_i64).unsigned_abs(),
            exact,
        }
    }

    /// The entity as Kong shows it.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
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
        });
        if let Some(expression) = &self.expression {
            json["expression"] = expression.as_str().into();
            json["priority"] = self.priority.into();
        }
        with_exact(json, self.exact.as_deref())
    }
}

/// Whether protocols stand in the order in which [`Protocols`] gives them back.
fn is_in_order(protocols: &Value) -> bool {
    let list = protocols.as_array().map_or(&[][..], Vec::as_slice);
    let names = list.iter().filter_map(Value::as_str);
    let typed: Protocols = names.clone().filter_map(Protocol::from_name).collect();
    typed.iter().map(Protocol::name).eq(names)
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
