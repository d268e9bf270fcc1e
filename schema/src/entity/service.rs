//! A service: where requests go (`kong/db/schema/entities/services.lua`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Protocol;
use super::shared::{
    BOOLEAN, CREATED_AT, ID, NAME, PATH, PORT, PROTOCOL, TAGS, UPDATED_AT, UUID, boolean, integer,
    list_json, reference, reference_json, string, strings, switch, uuid, with_exact,
};
use crate::field::{
    Check, Conditional, Default, EntityCheck, Errors, Field, Kind, Match, Row, Schema, Type, host,
};

/// A validated service. Timeouts are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Primary key.
    pub id: Uuid,
    /// Endpoint key; unique when given.
    pub name: Option<String>,
    /// Protocol spoken to the upstream.
    pub protocol: Protocol,
    /// IP literal, DNS name, or the name of an upstream entity.
    pub host: String,
    /// Port; ignored when `host` names an upstream entity.
    pub port: u16,
    /// Path put in front of what the route leaves of the request path.
    pub path: Option<String>,
    /// Further tries after the first one failed.
    pub retries: u16,
    /// Milliseconds to establish an upstream connection.
    pub connect_timeout: u32,
    /// Milliseconds between two writes to the upstream.
    pub write_timeout: u32,
    /// Milliseconds between two reads from the upstream.
    pub read_timeout: u32,
    /// A disabled service takes all its routes out of the router.
    pub enabled: bool,
    /// Whether the upstream's certificate is checked; `None`: the node's default.
    pub tls_verify: Option<bool>,
    /// Longest accepted chain of the upstream's certificate.
    pub tls_verify_depth: Option<u8>,
    /// Certificate authorities that the upstream's certificate is checked against.
    pub ca_certificates: Vec<Uuid>,
    /// Certificate shown to the upstream.
    pub client_certificate: Option<Uuid>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// The fields, as a JSON object, that Kong shows differently than the typed ones would.
    pub exact: Option<Box<str>>,
}

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "services",
    &[
        ID,
        CREATED_AT,
        UPDATED_AT,
        Field::new("name", NAME)
            .unique()
            .description("Name of the service."),
        Field::new(
            "retries",
            Type::with(Kind::Integer, &[Check::Between(0, 32_767)]),
        )
        .default(Default::Integer(RETRIES as i64))
        .description("Further tries after the first one failed."),
        Field::new("protocol", PROTOCOL)
            .required()
            .default(Default::String("http"))
            .description("Protocol spoken to the upstream."),
        Field::new(
            "host",
            Type::with(Kind::String, &[Check::Text(host::without_port)]),
        )
        .required()
        .description("Host name or address of the upstream, or the name of an upstream entity."),
        Field::new("port", PORT)
            .required()
            .default(Default::Integer(80))
            .description("Port of the upstream."),
        Field::new("path", PATH).description("Path put in front of the request path."),
        Field::new("connect_timeout", TIMEOUT)
            .default(Default::Integer(TIMEOUT_MS as i64))
            .description("Milliseconds to connect to the upstream."),
        Field::new("write_timeout", TIMEOUT)
            .default(Default::Integer(TIMEOUT_MS as i64))
            .description("Milliseconds between two writes to the upstream."),
        Field::new("read_timeout", TIMEOUT)
            .default(Default::Integer(TIMEOUT_MS as i64))
            .description("Milliseconds between two reads from the upstream."),
        Field::new("tags", TAGS).description("Free labels."),
        Field::new(
            "client_certificate",
            Type::new(Kind::Foreign("certificates")),
        )
        .description("Certificate shown to the upstream."),
        Field::new("tls_verify", BOOLEAN)
            .description("Whether the upstream's certificate is checked; null: as the node says."),
        Field::new(
            "tls_verify_depth",
            Type::with(Kind::Integer, &[Check::Between(0, 64)]),
        )
        .description("Longest accepted chain of the upstream's certificate."),
        Field::new("ca_certificates", Type::new(Kind::Array(&UUID)))
            .description("Authorities that the upstream's certificate is checked against."),
        switch("enabled", true)
            .description("A disabled service takes its routes out of the router."),
    ],
)
.endpoint_key("name")
.prepare(expand_url)
.checks(&[
    EntityCheck::Conditional(Conditional::new(
        "protocol",
        Match::OneOf(&["tcp", "tls", "udp", "grpc", "grpcs"]),
        "path",
        Match::Null,
    )),
    only_with_tls("client_certificate"),
    only_with_tls("tls_verify"),
    only_with_tls("tls_verify_depth"),
    only_with_tls("ca_certificates"),
]);

/// Further tries of a service that says nothing.
const RETRIES: u16 = 5;
/// Each timeout of a service that says nothing, milliseconds.
const TIMEOUT_MS: u32 = 60_000;
const TIMEOUT: Type = Type::with(Kind::Integer, &[Check::Between(1, 2_147_483_646)]);

const fn only_with_tls(field: &'static str) -> EntityCheck {
    EntityCheck::Conditional(Conditional::new(
        "protocol",
        Match::NotOneOf(&["https", "tls"]),
        field,
        Match::Null,
    ))
}

/// The shorthand `url`: replaces protocol, host, port and path.
fn expand_url(object: &mut Map<String, Value>) -> Result<(), Errors> {
    let problem = match object.swap_remove("url") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(url)) if !url.is_empty() => {
            let url = Url::parse(&url);
            object.insert("protocol".into(), url.protocol.into());
            object.insert("host".into(), url.host.map_or(Value::Null, Value::from));
            object.insert("port".into(), url.port);
            object.insert("path".into(), url.path.map_or(Value::Null, Value::from));
            return Ok(());
        }
        Some(Value::String(_)) => "length must be at least 1",
        Some(_) => "expected a string",
    };
    Err([("url".to_owned(), Value::from(problem))]
        .into_iter()
        .collect())
}

/// A URL as Kong splits it (LuaSocket's rules); what it lacks is for the validation to say.
struct Url<'a> {
    protocol: &'a str,
    host: Option<&'a str>,
    port: Value,
    path: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Self {
        let rest = url.split_once('#').map_or(url, |(rest, _)| rest);
        let (scheme, rest) = match rest.split_once(':') {
            Some((scheme, after)) if is_scheme(scheme) => (Some(scheme), after),
            _ => (None, rest),
        };
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(after) => {
                let end = after.find(['/', '?']).unwrap_or(after.len());
                (Some(&after[..end]), &after[end..])
            }
            None => (None, rest),
        };
        let path = rest.split_once('?').map_or(rest, |(path, _)| path);
        let (host, port) = authority.map_or((None, None), split_authority);
        let protocol = scheme.unwrap_or(match port {
            Some("443") => "https",
            _ => "http",
        });
        let port = match port {
            Some(port) => port
                .parse::<i64>()
                .map_or_else(|_| port.into(), Value::from),
            None if protocol == "https" => 443.into(),
            None => 80.into(),
        };
        Self {
            protocol,
            host: host.filter(|host| !host.is_empty()),
            port,
            path: Some(path).filter(|path| !path.is_empty()),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Host and port, without user information and without the brackets of IPv6.
fn split_authority(authority: &str) -> (Option<&str>, Option<&str>) {
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if let Some((host, after)) = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return (Some(host), after.strip_prefix(':'));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (Some(host), Some(port)),
        None => (Some(authority), None),
    }
}

impl Service {
    /// Types a validated row. `id` and `now` (Unix seconds) stand in for what it leaves out.
    pub fn from_row(mut row: Row, id: Uuid, now: i64) -> Self {
        let exact = row.exact(|_, _| false);
        Self {
            id: uuid(&row.take("id")).unwrap_or(id),
            created_at: integer(&row.take("created_at"), now),
            updated_at: now,
            name: string(row.take("name")),
            retries: integer(&row.take("retries"), RETRIES),
            protocol: string(row.take("protocol"))
                .and_then(|name| Protocol::from_name(&name))
                .unwrap_or(Protocol::Http),
            host: string(row.take("host")).unwrap_or_default(),
            port: integer(&row.take("port"), 80),
            path: string(row.take("path")),
            connect_timeout: integer(&row.take("connect_timeout"), TIMEOUT_MS),
            write_timeout: integer(&row.take("write_timeout"), TIMEOUT_MS),
            read_timeout: integer(&row.take("read_timeout"), TIMEOUT_MS),
            tags: strings(row.take("tags")),
            client_certificate: reference(&row.take("client_certificate")),
            tls_verify: row.take("tls_verify").as_bool(),
            tls_verify_depth: row
                .take("tls_verify_depth")
                .as_u64()
                .and_then(|depth| u8::try_from(depth).ok()),
            ca_certificates: row
                .take("ca_certificates")
                .as_array()
                .map_or_else(Vec::new, |ids| ids.iter().filter_map(uuid).collect()),
            enabled: boolean(&row.take("enabled"), true),
            exact,
        }
    }

    /// The entity as Kong shows it.
    pub fn to_json(&self) -> Value {
        let authorities = self
            .ca_certificates
            .iter()
            .map(Uuid::to_string)
            .collect::<Vec<_>>();
        let json = json!({
            "id": self.id.to_string(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "name": self.name,
            "retries": self.retries,
            "protocol": self.protocol.name(),
            "host": self.host,
            "port": self.port,
            "path": self.path,
            "connect_timeout": self.connect_timeout,
            "write_timeout": self.write_timeout,
            "read_timeout": self.read_timeout,
            "tags": list_json(&self.tags),
            "client_certificate": reference_json(self.client_certificate),
            "tls_verify": self.tls_verify,
            "tls_verify_depth": self.tls_verify_depth,
            "ca_certificates": list_json(&authorities),
            "enabled": self.enabled,
        });
        with_exact(json, self.exact.as_deref())
    }
}
