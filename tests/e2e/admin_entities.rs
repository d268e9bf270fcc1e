//! Every kind of entity through the Admin API of a node without a database: lists, tags, keys, forms,
//! the order of refusals, and what a refused write says. `tests/compat` replays Kong's own answers;
//! here is what those leave out.
//!
//! A check is a request, the status, and values of the answer by JSON pointer.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use silverback_tests::{Gateway, http::Response};

const CERTIFICATE: &str = include_str!("../../schema/src/entity/fixtures/rsa.crt");
const KEY: &str = include_str!("../../schema/src/entity/fixtures/rsa.key");
const OTHER_CERTIFICATE: &str = include_str!("../../schema/src/entity/fixtures/other.crt");
const OTHER_KEY: &str = include_str!("../../schema/src/entity/fixtures/other.key");
const AUTHORITY: &str = include_str!("../../schema/src/entity/fixtures/ca.crt");
const PUBLIC_KEY: &str = include_str!("../../schema/src/entity/fixtures/ec.pub");

const CERTIFICATE_ID: &str = "c0000000-0000-4000-8000-000000000001";
const AUTHORITY_ID: &str = "ca000000-0000-4000-8000-000000000001";
const UNUSED_ID: &str = "00000000-0000-4000-8000-0000000000ff";

/// The body of a 404.
const MISSING: &str = r#"{"message":"Not found"}"#;

/// Entities of every kind that a file may hold.
fn everything() -> String {
    let services = (0..10).map(|n| {
        let tags = match n % 2 {
            0 => json!(["all", "even", "\u{1f98d}"]),
            _ => json!(["all", "corp_ a"]),
        };
        let routes = (0..3).map(|r| json!({ "name": format!("s{n}r{r}"), "paths": [format!("/{n}/{r}")] }));
        json!({ "name": format!("s{n}"), "host": "a.test", "tags": tags, "routes": routes.collect::<Value>() })
    });
    let limit = |second| json!({ "name": "rate-limiting", "config": { "second": second, "policy": "local" } });
    json!({
        "_format_version": "3.0",
        "services": services.collect::<Value>(),
        "consumers": [{
            "username": "ann b", "custom_id": "7", "tags": ["people"],
            "plugins": [limit(1), { "name": "request-size-limiting" }],
            "acls": [{ "group": "g" }],
            "basicauth_credentials": [{ "username": "u", "password": "p" }],
            "hmacauth_credentials": [{ "username": "u", "secret": "x" }],
            "jwt_secrets": [{ "key": "k", "secret": "x" }],
            "keyauth_credentials": [{ "key": "k" }],
            "oauth2_credentials": [{ "name": "app", "client_id": "i", "redirect_uris": ["https://a.test/"] }],
        }, { "username": "bob" }],
        "certificates": [
            { "id": CERTIFICATE_ID, "cert": CERTIFICATE, "key": KEY,
              "snis": [{ "name": "b.test" }, { "name": "a.test" }] },
            { "cert": OTHER_CERTIFICATE, "key": OTHER_KEY, "snis": [{ "name": "other.test" }] },
        ],
        "ca_certificates": [{ "id": AUTHORITY_ID, "cert": AUTHORITY }],
        "upstreams": [{ "name": "u", "tags": ["all"], "client_certificate": CERTIFICATE_ID, "targets": [
            { "target": "10.20.30.40", "created_at": 1.5 },
            { "target": "50.60.70.80:90", "created_at": 2.5, "weight": 0 },
            { "target": "[::1]:81", "created_at": 3.5 },
        ] }],
        "key_sets": [{ "name": "ks", "keys": [
            { "name": "k", "kid": "1", "pem": { "public_key": PUBLIC_KEY } },
        ] }],
        "vaults": [{ "name": "env", "prefix": "my-env", "config": { "prefix": "S_" } }],
        "plugins": [limit(5), { "name": "key-auth", "route": "s0r0", "instance_name": "auth" }],
    })
    .to_string()
}

/// What is wrong with a node's answers.
struct Checks<'g> {
    gateway: &'g Gateway,
    wrong: Vec<String>,
}

impl Checks<'_> {
    /// Runs checks; at the end all that are wrong are told.
    fn on(gateway: &Gateway, run: impl FnOnce(&mut Checks<'_>)) {
        let wrong = Vec::new();
        let mut checks = Checks { gateway, wrong };
        run(&mut checks);
        let wrong = checks.wrong;
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    /// Sends `METHOD /path`. A body that begins with a brace or bracket is JSON, another a form.
    fn ask(&mut self, request: &str, body: &str) -> Response {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let kind = match body.as_bytes().first() {
            None => "",
            Some(b'{' | b'[') => "application/json",
            Some(_) => "application/x-www-form-urlencoded",
        };
        let headers = [("Content-Type", kind)];
        let headers = if kind.is_empty() { &[][..] } else { &headers };
        self.gateway.admin(method, path, headers, body.as_bytes())
    }

    /// Compares the status, and values of the answer by pointer; `""` is the whole answer.
    fn answers(&mut self, request: &str, body: &str, status: u16, expected: Value) {
        let answer = self.ask(request, body);
        let text = answer.text();
        let told = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut wrong = Vec::new();
        if answer.status != status {
            wrong.push(format!("status {}, not {status}", answer.status));
        }
        for (pointer, value) in expected.as_object().expect("pointers") {
            let found = told.pointer(pointer);
            if found != Some(value) {
                wrong.push(format!("{pointer}: {found:?}, not {value}"));
            }
        }
        if !wrong.is_empty() {
            self.wrong.push(format!(
                "{request} {body}\n  {}\n  {text}",
                wrong.join("\n  ")
            ));
        }
    }

    /// A GET that succeeds.
    fn shows(&mut self, path: &str, expected: Value) {
        self.answers(&format!("GET {path}"), "", 200, expected);
    }

    /// A refusal with a code.
    fn refuses(&mut self, request: &str, body: &str, (status, code): (u16, u8), message: &str) {
        let expected = json!({ "/code": code, "/message": message });
        self.answers(request, body, status, expected);
    }

    /// A refusal with a message alone.
    fn says(&mut self, request: &str, body: &str, status: u16, message: &str) {
        self.answers(request, body, status, json!({ "": { "message": message } }));
    }

    /// A write that only the lack of a database stands against.
    fn would(&mut self, request: &str, body: &str, what: &str) {
        let text = format!("cannot {what} when not using a database");
        self.refuses(request, body, (405, 12), &text);
    }
}

/// The pages of a list, by its links: the numbers of entities, and all of them.
fn pages(gateway: &Gateway, first: &str) -> (Vec<usize>, Vec<Value>) {
    let (mut counts, mut all) = (Vec::new(), Vec::new());
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        assert!(counts.len() < 50, "the list {first} does not end");
        let page = gateway.admin("GET", &path, &[], b"");
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let page = page.json();
        let data = page["data"].as_array().expect("a list");
        counts.push(data.len());
        all.extend(data.iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
        assert_eq!(page.get("offset").is_some(), next.is_some(), "{page}");
    }
    (counts, all)
}

fn distinct(entities: &[Value]) -> usize {
    let ids: BTreeSet<String> = entities.iter().map(|e| e["id"].to_string()).collect();
    ids.len()
}

#[test]
fn every_kind_is_listed_and_shown() {
    let gateway = Gateway::started(&everything());
    Checks::on(&gateway, |check| {
        for (path, count) in [
            ("services", 10),
            ("routes", 30),
            ("consumers", 2),
            ("certificates", 2),
            ("snis", 3),
            ("ca_certificates", 1),
            ("upstreams", 1),
            ("key-sets", 1),
            ("keys", 1),
            ("vaults", 1),
            ("plugins", 4),
            ("acls", 1),
            ("basic-auths", 1),
            ("hmac-auths", 1),
            ("jwts", 1),
            ("key-auths", 1),
            ("oauth2", 1),
            ("oauth2_tokens", 0),
        ] {
            let list = gateway.admin("GET", &format!("/{path}"), &[], b"");
            assert_eq!(list.status, 200, "{path}: {}", list.text());
            let list = list.json();
            let data = list["data"].as_array().expect("a list");
            assert_eq!(data.len(), count, "{path}: {list}");
            assert!(list["next"].is_null() && list.get("offset").is_none());
            for entity in data {
                let id = entity["id"].as_str().expect("an id");
                check.shows(&format!("/{path}/{id}"), json!({ "": entity }));
            }
        }
        let names = json!(["a.test", "b.test"]);
        for key in [CERTIFICATE_ID, "a.test"] {
            check.shows(
                &format!("/certificates/{key}"),
                json!({ "/id": CERTIFICATE_ID, "/snis": names }),
            );
        }
        check.shows("/snis/other.test", json!({ "/name": "other.test" }));
        check.shows(
            "/certificates/a.test/snis/b.test",
            json!({ "/certificate/id": CERTIFICATE_ID }),
        );
        check.shows("/consumers/ann%20b", json!({ "/custom_id": "7" }));
        check.shows("/consumers/ann+b", json!({ "/custom_id": "7" }));
        check.shows("/consumers/ann%20b/key-auth/k", json!({ "/key": "k" }));
        check.shows("/consumers/ann%20b/acls/g", json!({ "/group": "g" }));
        check.shows("/consumers/ann%20b/jwt/k", json!({ "/key": "k" }));
        check.shows("/key-auths/k/consumer", json!({ "/username": "ann b" }));
        check.shows("/key-sets/ks/keys/k", json!({ "/kid": "1" }));
        check.shows("/keys/k/set", json!({ "/name": "ks" }));
        check.shows("/vaults/my-env", json!({ "/config/prefix": "S_" }));
        check.shows("/plugins/auth/route", json!({ "/name": "s0r0" }));
        check.shows("/routes/s1r1/service", json!({ "/name": "s1" }));
        check.shows("/services/s1/routes/s1r1", json!({ "/name": "s1r1" }));
        check.shows(
            "/upstreams/u/client_certificate",
            json!({ "/id": CERTIFICATE_ID }),
        );
        check.shows(
            &format!("/certificates/{CERTIFICATE_ID}/upstreams"),
            json!({ "/data/0/name": "u" }),
        );
        check.shows(
            "/consumers?custom_id=7",
            json!({ "/data/0/username": "ann b", "/next": null }),
        );
        check.shows(
            "/consumers?custom_id=8",
            json!({ "": { "data": [], "next": null } }),
        );
        let all = gateway.admin("GET", "/consumers", &[], b"").json();
        check.shows("/consumers?username=bob", json!({ "": all }));
        for query in ["custom_id=", "custom_id"] {
            check.says(
                &format!("GET /consumers?{query}"),
                "",
                400,
                "custom_id must be an unempty string",
            );
        }
    });
}

#[test]
fn what_is_not_there_or_cannot_be_is_told_apart() {
    let gateway = Gateway::started(&everything());
    Checks::on(&gateway, |check| {
        for path in [
            "/services/none",
            "/services//",
            "/parameters",
            "/workspaces",
            "/targets",
            "/snis/a.test/certificate",
            "/services/none/routes",
            "/services/s0/routes/s1r0",
            "/services/s0/client_certificate",
            "/plugins/auth/service",
            "/upstreams/v/targets/all",
            "/upstreams/v/health",
            "/cache/none",
            "/consumers/bob/key-auth/k",
        ] {
            check.says(&format!("GET {path}"), "", 404, "Not found");
        }
        check.refuses("GET /services/a%20b", "", (400, 10),
            "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~");
        check.answers(
            "GET /services/a%20b",
            "",
            400,
            json!({ "/name": "invalid unique name" }),
        );
        check.refuses(
            "PUT /upstreams/1.2.3.4",
            "{}",
            (400, 10),
            "Invalid name ('1.2.3.4'); no ip addresses allowed",
        );
        check.refuses(
            "PUT /vaults/env",
            "{}",
            (400, 10),
            "must not be one of: env",
        );
        let no_id = r#"invalid primary key: '{id="expected a valid UUID"}'"#;
        for path in [
            "/ca_certificates/x",
            "/certificates/a.test/services",
            "/certificates/a.test/upstreams",
        ] {
            check.refuses(&format!("GET {path}"), "", (400, 1), no_id);
        }
        for path in [
            "/certificates/no.test",
            "/certificates/no.test/snis",
            "/certificates/no.test/snis/a.test",
        ] {
            check.says(&format!("GET {path}"), "", 404, "SNI not found");
        }
        check.says("DELETE /certificates/no.test", "", 404, "SNI not found");
        let missing =
            format!("could not find the entity with primary key '{{id=\"{UNUSED_ID}\"}}'");
        check.refuses(
            &format!("GET /certificates/{UNUSED_ID}"),
            "",
            (404, 6),
            &missing,
        );
        check.refuses(
            &format!("PATCH /services/{UNUSED_ID}"),
            "{}",
            (404, 6),
            &missing,
        );
        check.refuses(
            "PATCH /services/none",
            "{}",
            (404, 6),
            r#"could not find the entity with '{name="none"}'"#,
        );
        check.says("PATCH /services/s0/routes/s1r0", "{}", 404, "Not found");
        check.answers("DELETE /services/none", "", 204, json!({}));
        check.answers(&format!("DELETE /services/{UNUSED_ID}"), "", 204, json!({}));
        check.says("DELETE /services/s0/routes/none", "", 404, "Not found");
        check.says(
            "DELETE /upstreams/u/targets/1.1.1.1:1",
            "",
            404,
            "Not found",
        );
    });
}

#[test]
fn pages_follow_each_other() {
    let gateway = Gateway::started(&everything());
    for (path, counts, distinct_ids) in [
        ("/services?size=3", &[3, 3, 3, 1][..], 10),
        ("/services?size=10", &[10], 10),
        ("/services?size=2&tags=even", &[2, 2, 1], 5),
        ("/services?size=4&tags=even/corp_%20a", &[4, 4, 2], 10),
        // Size is not repeated in the links of lists below an entity.
        ("/services/s0/routes?size=2", &[2, 1], 3),
        ("/consumers/ann%20b/plugins?size=1", &[1, 1], 2),
        ("/upstreams/u/targets?size=1", &[1, 2], 3),
        ("/upstreams/u/targets/all?size=2", &[2, 1], 3),
    ] {
        let (found, all) = pages(&gateway, path);
        assert_eq!(found, counts, "{path}");
        assert_eq!(distinct(&all), distinct_ids, "{path}");
    }
    let (_, targets) = pages(&gateway, "/upstreams/u/targets?size=1");
    let targets: Vec<&Value> = targets.iter().map(|target| &target["target"]).collect();
    let newest_first = [
        "[0000:0000:0000:0000:0000:0000:0000:0001]:81",
        "50.60.70.80:90",
        "10.20.30.40:8000",
    ];
    assert_eq!(targets, newest_first);

    let link = |path: &str| {
        let page = gateway.admin("GET", path, &[], b"").json();
        let offset = page["offset"].as_str().expect("there is more");
        let next = page["next"].as_str().expect("there is more");
        next.replace(offset, "OFFSET")
    };
    assert_eq!(link("/services?size=3"), "/services?offset=OFFSET&size=3");
    assert_eq!(
        link("/services?size=3&tags=corp_%20a"),
        "/services?offset=OFFSET&tags=corp_%20a&size=3"
    );
    assert_eq!(
        link("/consumers/ann%20b/plugins?size=1&tags=x"),
        "/consumers/ann%20b/plugins?offset=OFFSET"
    );
    assert_eq!(
        link("/upstreams/u/targets/all?size=1"),
        "/upstreams/u/targets/all?offset=OFFSET"
    );
}

#[test]
fn lists_take_sizes_offsets_and_tags() {
    let gateway = Gateway::started(&everything());
    let count = |path: &str| {
        let list = gateway.admin("GET", path, &[], b"");
        assert_eq!(list.status, 200, "{path}: {}", list.text());
        list.json()["data"].as_array().expect("a list").len()
    };
    for (path, expected) in [
        ("/services?foo=bar", 10),
        ("/services?tags=all,even", 5),
        ("/services?tags=even,corp_%20a", 0),
        ("/services?tags=%F0%9F%A6%8D", 5),
        ("/services?tags=\u{1f98d}", 5),
        ("/services?tags=''", 0),
        ("/services?tags=even&tags=none", 5),
        ("/services?tags=1,2,3,4,5", 0),
        ("/consumers/ann%20b/plugins?tags=none", 2),
        ("/tags/none", 0),
        ("/tags/all", 11),
        ("/tags/all?tags=x", 11),
        ("/tags/people?size=1", 1),
        ("/tags", 27),
    ] {
        assert_eq!(count(path), expected, "{path}");
    }
    let (counts, _) = pages(&gateway, "/tags?size=20");
    assert_eq!(counts.iter().sum::<usize>(), 27, "{counts:?}");
    Checks::on(&gateway, |check| {
        check.shows(
            "/tags/people",
            json!({ "/data/0/tag": "people", "/data/0/entity_name": "consumers" }),
        );
        check.answers("GET /services?size=x", "", 400,
            json!({ "": { "code": 9, "name": "invalid size", "message": "size must be a number" } }));
        for size in ["0", "1001", "1.5", "-1"] {
            check.refuses(
                &format!("GET /services?size={size}"),
                "",
                (400, 9),
                "size must be an integer between 1 and 1000",
            );
        }
        check.answers("GET /services?offset=x", "", 400, json!({ "": {
            "code": 7, "name": "invalid offset", "message": "'x' is not a valid offset: bad base64 encoding",
        } }));
        for path in ["/services", "/consumers/ann%20b/plugins"] {
            for (tags, problem) in [
                ("a,b/c", "invalid filter syntax"),
                ("a/b,c", "invalid filter syntax"),
                ("%FF", "invalid filter syntax"),
                ("", "cannot be null"),
                ("1,2,3,4,5,6", "cannot query more than 5 tags"),
            ] {
                let message = format!("invalid option (tags: {problem})");
                check.answers(&format!("GET {path}?tags={tags}"), "", 400, json!({ "": {
                    "code": 11, "name": "invalid options", "message": message, "options": { "tags": problem },
                } }));
            }
        }
        check.answers(
            "GET /tags/%FF",
            "",
            400,
            json!({ "/code": 10, "/name": "invalid unique tag" }),
        );
        let many: Vec<String> = (0..1001).map(|n| format!("a{n}=1")).collect();
        check.says(
            &format!("GET /plugins?{}", many.join("&")),
            "",
            400,
            "Too many arguments",
        );
        check.says("POST /plugins", &many.join("&"), 400, "Too many arguments");
    });
    let invalid = gateway.admin("GET", "/tags/%FF", &[], b"").text();
    assert!(invalid.contains("invalid utf-8"), "{invalid}");
}

#[test]
fn refusals_come_in_kongs_order() {
    let gateway = Gateway::started(&everything());
    let send = |method: &str, path: &str, kind: &str, body: &str| {
        let headers = [("Content-Type", kind)];
        let headers = if kind.is_empty() { &[][..] } else { &headers };
        gateway.admin(method, path, headers, body.as_bytes())
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    for (method, path, kind, body, status) in [
        // The content type comes before the path and the method.
        ("POST", "/nothing", "text/plain", "x", 415),
        ("PATCH", "/services", "text/plain", "x", 415),
        ("POST", "/consumers", "", "invalid", 415),
        ("POST", "/consumers", "application/yaml", "a: 1", 415),
        ("POST", "/nothing", JSON, "{", 404),
        ("OPTIONS", "/nothing", "", "", 404),
        ("GET", "/nothing", "text/plain", "", 404),
        ("PATCH", "/services", JSON, "{", 405),
        ("GEEEET", "/", "", "", 405),
        ("DELETE", "/consumers", "", "", 405),
        ("PUT", "/upstreams/u/targets/", JSON, "{}", 405),
        ("POST", "/routes/s0r0", JSON, "{}", 405),
        // The body comes before the entity.
        ("PATCH", "/services/none", JSON, "{", 400),
        ("POST", "/services/none/routes", JSON, "[]", 400),
        ("POST", "/consumers", JSON, "", 400),
        ("POST", "/services/none/routes", JSON, "{}", 404),
        ("POST", "/consumers", FORM, "", 400),
        ("POST", "/consumers", "multipart/form-data", "", 400),
        ("POST", "/consumers", "", "", 400),
        // What is not read does not matter.
        ("GET", "/services/s0", JSON, "{", 200),
        ("DELETE", "/services/none", JSON, "{", 204),
        ("GET", "/services/", "", "", 200),
        ("GET", "/upstreams/u/targets/", "", "", 200),
    ] {
        let answer = send(method, path, kind, body);
        let told = answer.text();
        assert_eq!(
            answer.status, status,
            "{method} {path} {kind} {body:?}: {told}"
        );
    }
    let broken = send("POST", "/services", JSON, r#"{"hello": "world""#);
    assert_eq!(broken.text(), r#"{"message":"Cannot parse JSON body"}"#);
    let head = send("HEAD", "/nothing", "", "");
    assert_eq!((head.status, head.text().as_str()), (404, ""));
    assert_eq!(send("GET", "/nothing", "", "").text(), MISSING);
    for (path, methods) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/plugins/enabled", "GET, HEAD, OPTIONS"),
        ("/routes", "GET, HEAD, OPTIONS, POST"),
        ("/consumers/none/key-auth", "GET, HEAD, OPTIONS, POST"),
        ("/routes/none", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (
            "/routes/none/service",
            "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        ),
        ("/config", "GET, HEAD, OPTIONS, POST"),
        ("/cache/x", "DELETE, GET, HEAD, OPTIONS"),
        ("/cache", "DELETE, OPTIONS"),
        ("/schemas/routes/validate", "OPTIONS, POST"),
        ("/upstreams/u/targets/t/healthy", "OPTIONS, PUT"),
    ] {
        let options = send("OPTIONS", path, "", "");
        assert_eq!(
            (options.status, options.text()),
            (204, String::new()),
            "{path}"
        );
        for header in ["allow", "access-control-allow-methods"] {
            assert_eq!(options.header(header), Some(methods), "{path} {header}");
        }
        assert_eq!(
            options.header("access-control-allow-headers"),
            Some("Content-Type")
        );
    }
    let asked = [
        ("Access-Control-Request-Headers", "X-A,X-B"),
        ("Origin", "http://a.test"),
    ];
    let options = gateway.admin("OPTIONS", "/", &asked, b"");
    assert_eq!(
        options.header("access-control-allow-headers"),
        Some("X-A,X-B")
    );
    assert_eq!(
        options.header("access-control-allow-origin"),
        Some("http://a.test")
    );
    assert_eq!(
        gateway
            .admin("GET", "/", &asked, b"")
            .header("access-control-allow-headers"),
        None
    );
    let (get, head) = (
        send("GET", "/services", "", ""),
        send("HEAD", "/services", "", ""),
    );
    for header in ["content-type", "content-length", "server"] {
        assert_eq!(get.header(header), head.header(header), "{header}");
    }
}

#[test]
fn writes_are_checked_and_then_refused() {
    let gateway = Gateway::started(&everything());
    let unresolved = |key: &str| {
        format!(
            "the foreign key cannot be resolved with '{{{key}}}' for an existing 'services' entity"
        )
    };
    Checks::on(&gateway, |check| {
        check.would(
            "POST /routes",
            r#"{"paths":["/x"]}"#,
            "create 'routes' entities",
        );
        check.would(
            &format!("PUT /routes/{UNUSED_ID}"),
            r#"{"paths":["/x"]}"#,
            "create or update 'routes' entities",
        );
        check.would(
            "PUT /services/s0",
            r#"{"host":"h"}"#,
            "create or update 'services' entities by 'name'",
        );
        check.would(
            "PUT /consumers/x",
            "{}",
            "create or update 'consumers' entities by 'username'",
        );
        check.would(
            "PATCH /services/s0",
            "",
            "update 'services' entities by 'name'",
        );
        check.would(
            "PATCH /services/s0",
            r#"{"path":null,"retries":0}"#,
            "update 'services' entities by 'name'",
        );
        check.would(
            "DELETE /services/s0",
            "",
            "remove 'services' entities by 'name'",
        );
        check.would(
            &format!("DELETE /ca_certificates/{AUTHORITY_ID}"),
            "",
            "remove 'ca_certificates' entities",
        );
        check.would(
            "POST /services/s0/routes",
            r#"{"paths":["/x"],"service":null}"#,
            "create 'routes' entities",
        );
        check.would(
            "POST /consumers/bob/key-auth",
            "",
            "create 'keyauth_credentials' entities",
        );
        check.would(
            "POST /routes",
            r#"{"paths":["/x"],"service":{"name":"s0"}}"#,
            "create 'routes' entities",
        );
        check.would(
            "PUT /upstreams/u/targets/10.20.30.40",
            r#"{"weight":1}"#,
            "update 'targets' entities",
        );
        check.says("DELETE /routes/s0r0/service", "", 405, "Method not allowed");
        check.says("DELETE /plugins/auth/service", "", 404, "Not found");
        // What is wrong is told first.
        check.refuses(
            "POST /services",
            "{}",
            (400, 2),
            "schema violation (host: required field missing)",
        );
        check.refuses(
            "PUT /services/s0",
            "{}",
            (400, 2),
            "schema violation (host: required field missing)",
        );
        check.answers("PATCH /services/s0", r#"{"host":null,"port":-1}"#, 400, json!({
            "/fields": { "host": "required field missing", "port": "value should be between 0 and 65535" },
        }));
        check.answers(
            "PATCH /services/s0",
            r#"{"healthy":1}"#,
            400,
            json!({ "/fields": { "healthy": "unknown field" } }),
        );
        check.answers(
            "PATCH /plugins/auth",
            r#"{"config":{"key_names":[]}}"#,
            405,
            json!({ "/code": 12 }),
        );
        check.answers(
            "PATCH /plugins/auth",
            r#"{"config":{"nothing":1}}"#,
            400,
            json!({
                "/fields": { "config": { "nothing": "unknown field" } },
            }),
        );
        check.answers("PATCH /upstreams/u", r#"{"healthchecks":{"active":{"concurrency":0}}}"#, 400, json!({
            "/fields/healthchecks/active/concurrency": "value should be between 1 and 2147483648",
        }));
        let text = unresolved(r#"name="none""#);
        check.answers(
            "POST /routes",
            r#"{"paths":["/x"],"service":{"name":"none"}}"#,
            400,
            json!({ "": {
            "code": 13, "name": "foreign keys unresolved",
            "message": format!("foreign key unresolved (service.name: {text})"),
            "fields": { "service": { "name": text } },
        } }),
        );
        check.refuses(
            "POST /routes",
            r#"{"paths":["/x"],"service":{}}"#,
            (400, 2),
            "schema violation (service.id: missing primary key)",
        );
        check.answers(
            "POST /routes",
            r#"{"paths":["/x"],"service":{"id":"x"}}"#,
            400,
            json!({
                "/fields": { "service": { "id": "expected a valid UUID" } },
            }),
        );
        check.answers(
            "POST /plugins",
            r#"{"name":"cors","route":{"id":"x"}}"#,
            400,
            json!({
                "/fields": { "route": { "id": "expected a valid UUID" } },
            }),
        );
        check.answers(
            "POST /routes",
            r#"{"paths":["/x"],"service":{"name":"a b"}}"#,
            400,
            json!({ "/code": 2 }),
        );
        check.answers(
            "POST /plugins",
            r#"{"name":1}"#,
            400,
            json!({ "/fields": { "name": "expected a string" } }),
        );
        check.answers(
            "POST /plugins",
            r#"{"name":"none"}"#,
            400,
            json!({ "/fields/name":
            "plugin 'none' not enabled; add it to the 'plugins' configuration property" }),
        );
    });
}

#[test]
fn forms_say_what_json_does() {
    let gateway = Gateway::started(&everything());
    Checks::on(&gateway, |check| {
        for form in [
            "methods[]=GET&methods[]=POST",
            "methods=GET&methods=POST",
            "methods[1]=GET&methods[2]=POST",
            "methods%5B1%5D=GET",
            "methods=GET",
            "paths=/&strip_path=true",
            "headers.x-a=1",
            "headers.x-a[]=1&headers.x-a[]=2",
            "protocols=tcp&sources[1].ip=1.2.3.4&sources[1].port=80",
        ] {
            check.answers(
                "POST /schemas/routes/validate",
                form,
                200,
                json!({ "/message": "schema validation successful" }),
            );
        }
        check.answers(
            "POST /schemas/routes/validate",
            "methods=GET,POST",
            400,
            json!({ "/code": 2 }),
        );
        check.answers(
            "POST /schemas/routes/validate",
            "paths=/&strip_path=1",
            400,
            json!({ "/fields": { "strip_path": "expected a boolean" } }),
        );
        check.answers(
            "POST /schemas/upstreams/validate",
            "name=a&slots=0x50&healthchecks.active.healthy.interval=1.5",
            200,
            json!({}),
        );
        check.answers(
            "POST /schemas/upstreams/validate",
            "name=a&slots=10.5",
            400,
            json!({ "/fields": { "slots": "expected an integer" } }),
        );
        check.answers("POST /consumers", "username=", 400, json!({
            "/fields/@entity/0": "at least one of these fields must be non-empty: 'custom_id', 'username'",
        }));
        let plugins = gateway.admin("GET", "/plugins", &[], b"").json();
        let plugins = plugins["data"].as_array().expect("a list").iter();
        let limits: Vec<&Value> = plugins.filter(|p| p["name"] == "rate-limiting").collect();
        let id = limits[0]["id"].as_str().expect("an id");
        check.would(
            &format!("PATCH /plugins/{id}"),
            "config.second=5",
            "update 'plugins' entities",
        );
        check.answers(
            &format!("PATCH /plugins/{id}"),
            "config.second=x",
            400,
            json!({ "/fields": { "config": { "second": "expected a number" } } }),
        );
    });
}

#[test]
fn the_node_tells_of_itself() {
    let gateway = Gateway::started(&everything());
    let node = gateway.admin("GET", "/", &[], b"").json();
    for (field, value) in [
        ("version", "3.9.3"),
        ("edition", "community"),
        ("tagline", "Welcome to kong"),
    ] {
        assert_eq!(node[field], value);
    }
    assert_eq!(
        node["plugins"]["enabled_in_cluster"],
        json!(["key-auth", "rate-limiting", "request-size-limiting"])
    );
    let available = node["plugins"]["available_on_server"]
        .as_object()
        .expect("an object");
    assert_eq!(available.len(), 45);
    assert!(node["pids"]["master"].is_u64() && node["pids"]["workers"][0].is_u64());
    assert!(node["configuration"].is_object() && node.get("prng_seeds").is_none());
    let enabled = gateway.admin("GET", "/plugins/enabled", &[], b"").json();
    let enabled = enabled["enabled_plugins"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!(enabled.len(), 45);
    for name in &enabled {
        let name = name.as_str().expect("a name");
        assert!(available.contains_key(name), "{name}");
        for path in [
            format!("/schemas/plugins/{name}"),
            format!("/plugins/schema/{name}"),
        ] {
            let schema = gateway.admin("GET", &path, &[], b"");
            assert_eq!(schema.status, 200, "{path}");
            assert!(
                schema.json()["fields"].is_array(),
                "{path}: {}",
                schema.text()
            );
        }
    }
    let endpoints = gateway.admin("GET", "/endpoints", &[], b"").json();
    let endpoints: Vec<&str> = endpoints["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        endpoints.is_sorted_by_key(|path| path.split('/').collect::<Vec<_>>()),
        "{endpoints:?}"
    );
    for path in [
        "/plugins",
        "/basic-auths/{basicauth_credentials}",
        "/schemas/plugins/validate",
    ] {
        assert!(endpoints.contains(&path), "{path}");
    }
    Checks::on(&gateway, |check| {
        for (path, name) in [
            ("/schemas/none", "entity"),
            ("/schemas/plugins/none", "plugin"),
            ("/schemas/vaults/none", "vault"),
        ] {
            check.says(
                &format!("GET {path}"),
                "",
                404,
                &format!("No {name} named 'none'"),
            );
        }
        for kind in [
            "services",
            "routes",
            "keyauth_credentials",
            "key_sets",
            "vaults/env",
        ] {
            check.answers(&format!("GET /schemas/{kind}"), "", 200, json!({}));
        }
        check.answers("GET /timers", "", 200, json!({ "/stats/timers": {} }));
        check.answers("DELETE /cache", "", 204, json!({}));
        check.answers("DELETE /cache/x", "", 204, json!({}));
        let text = "this endpoint is only available when Kong is configured to run as Control Plane for the cluster";
        for path in ["/clustering/data-planes", "/clustering/status"] {
            check.says(&format!("GET {path}"), "", 400, text);
        }
        check.says(
            "PUT /upstreams/u/targets/10.20.30.40:8000/healthy",
            "",
            400,
            "no healthchecker found for u",
        );
        check.says(
            "PUT /upstreams/u/targets/1.1.1.1:1/healthy",
            "",
            404,
            "Not found",
        );
    });
    let robots = gateway.admin("GET", "/robots.txt", &[], b"").text();
    assert!(robots.lines().any(|line| line == "Disallow: /"), "{robots}");
}
