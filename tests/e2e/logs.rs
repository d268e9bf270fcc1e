//! Access and error logs of a node. The numbers are those of the black-box behaviours in the
//! reference of configuration, command line and operations (`conf-cli-ops`).

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::Value;
use silverback_tests::{
    Gateway, Upstream,
    gateway::{declarative, show, signal, stderr},
    http::Connection,
    port, wait,
};

/// A gateway with these settings and one route, `/`.
fn started(settings: &str, upstream_port: u16) -> Gateway {
    let gateway = Gateway::new(&declarative(&[("/", upstream_port, "")]));
    gateway.set(settings);
    let output = gateway.run("start");
    assert!(output.status.success(), "{}", show(&output));
    gateway
}

fn path(gateway: &Gateway, name: &str) -> PathBuf {
    gateway.prefix().join("logs").join(name)
}

/// The lines of a log so far; none if there is no such file.
fn lines(gateway: &Gateway, name: &str) -> Vec<String> {
    let text = fs::read_to_string(path(gateway, name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until a log has that many lines.
fn wait_for_lines(gateway: &Gateway, name: &str, count: usize) -> Vec<String> {
    wait::until(&format!("{count} lines in {name}"), || {
        let lines = lines(gateway, name);
        (lines.len() >= count).then_some(lines)
    })
}

/// The line of the error log that holds the text.
fn error_line(gateway: &Gateway, text: &str) -> String {
    wait::until(&format!("{text:?} in the error log"), || {
        let log = gateway.log();
        log.lines()
            .find(|line| line.contains(text))
            .map(str::to_owned)
    })
}

// conf-cli-ops 10.144
#[test]
fn a_line_of_the_proxy_ends_with_the_request_id_of_the_answer() {
    let upstream = Upstream::start("one");
    let gateway = started("", upstream.port);
    let agent = [("User-Agent", "test/1"), ("Referer", "http://r.test/")];
    let answer = gateway.get_with("/a?b=c", &agent);
    let id = answer.header("x-kong-request-id").expect("an id");
    let line = &wait_for_lines(&gateway, "access.log", 1)[0];
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    let end = format!(
        "] \"GET /a?b=c HTTP/1.1\" 200 {} \"http://r.test/\" \"test/1\" kong_request_id: \"{id}\"",
        answer.body.len()
    );
    assert!(line.ends_with(&end), "{line}\nshould end with\n{end}");
    assert_eq!(id.len(), 32, "{id}");
}

// conf-cli-ops 10.145
#[test]
fn error_lines_tell_of_their_request_and_lines_of_the_admin_api_have_no_id() {
    let gateway = started("", port::free());
    let answer = gateway.get("/broken");
    assert_eq!(answer.status, 502, "{}", answer.text());
    let id = answer.header("x-kong-request-id").expect("an id");
    let line = error_line(&gateway, &format!("request_id: \"{id}\""));
    for part in [
        " [warn] ",
        ", client: 127.0.0.1, server: kong, request: \"GET /broken HTTP/1.1\", upstream: \
         \"http://127.0.0.1:",
        ", host: \"localhost\", request_id: ",
    ] {
        assert!(line.contains(part), "{line}\nlacks\n{part}");
    }
    assert_eq!(gateway.admin("GET", "/status", &[], b"").status, 200);
    let admin = &wait_for_lines(&gateway, "admin_access.log", 1)[0];
    assert!(admin.starts_with("127.0.0.1 - - ["), "{admin}");
    assert!(admin.contains("] \"GET /status HTTP/1.1\" 200 "), "{admin}");
    assert!(admin.ends_with(" \"-\" \"-\""), "{admin}");
    let mut connection = Connection::open(gateway.admin_port).expect("it serves");
    connection
        .send(b"HEAD /status HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect("it is sent");
    connection.response(true).expect("an answer");
    let admin = &wait_for_lines(&gateway, "admin_access.log", 2)[1];
    assert!(
        admin.contains("] \"HEAD /status HTTP/1.1\" 200 0 "),
        "{admin}"
    );
}

// conf-cli-ops 10.146
#[test]
fn a_log_that_is_off_is_not_written() {
    let upstream = Upstream::start("one");
    let gateway = started("proxy_access_log = off", upstream.port);
    assert_eq!(gateway.get("/").status, 200);
    assert_eq!(gateway.admin("GET", "/nothing", &[], b"").status, 404);
    let admin = wait_for_lines(&gateway, "admin_access.log", 1);
    assert!(
        admin[0].contains("\"GET /nothing HTTP/1.1\" 404 "),
        "{admin:?}"
    );
    assert!(gateway.run("stop").status.success());
    assert_eq!(lines(&gateway, "access.log"), [""; 0]);
}

// conf-cli-ops 10.130
#[test]
fn renamed_logs_are_followed_by_fresh_ones_and_no_line_is_lost() {
    let upstream = Upstream::start("one");
    let gateway = started("", upstream.port);
    let is_over = Arc::new(AtomicBool::new(false));
    let (proxy_port, is_told) = (gateway.proxy_port, is_over.clone());
    let load = thread::spawn(move || {
        let mut connection = Connection::open(proxy_port).expect("it serves");
        let mut count = 0;
        while !is_told.load(Ordering::SeqCst) {
            connection
                .get(&format!("/{count}"), &[])
                .expect("an answer");
            count += 1;
        }
        count
    });
    gateway.admin("GET", "/status", &[], b"");
    wait_for_lines(&gateway, "access.log", 1);
    wait_for_lines(&gateway, "admin_access.log", 1);
    for name in ["access.log", "admin_access.log"] {
        let log = path(&gateway, name);
        fs::rename(&log, log.with_extension("old")).expect("the scratch directory is writable");
    }
    signal("USR1", gateway.pid().expect("it runs"));
    wait_for_lines(&gateway, "access.log", 1);
    gateway.admin("GET", "/nothing", &[], b"");
    wait_for_lines(&gateway, "admin_access.log", 1);
    is_over.store(true, Ordering::SeqCst);
    let count: usize = load.join().expect("no panic");
    assert!(gateway.run("quit").status.success());
    let mut all = lines(&gateway, "access.old");
    all.extend(lines(&gateway, "access.log"));
    assert_eq!(all.len(), count);
    for (number, line) in all.iter().enumerate() {
        assert!(
            line.contains(&format!("\"GET /{number} ")),
            "{number}: {line}"
        );
    }
    assert_eq!(lines(&gateway, "admin_access.old").len(), 1);
    assert!(gateway.log().contains("SIGUSR1"), "{}", gateway.log());
}

// conf-cli-ops 10.63
#[test]
fn a_declared_format_is_written_and_an_undeclared_one_fails_the_start() {
    let upstream = Upstream::start("one");
    let settings = "nginx_http_log_format = mine '$request_id'\nproxy_access_log = logs/a.log mine";
    let gateway = started(settings, upstream.port);
    let answer = gateway.get("/");
    let id = answer.header("x-kong-request-id").expect("an id");
    assert_eq!(wait_for_lines(&gateway, "a.log", 1), [id]);
    for (wrong, named) in [
        (
            "proxy_access_log = logs/a.log yours",
            ["proxy_access_log", "\"yours\""],
        ),
        (
            "nginx_http_log_format = mine '$nothing'",
            ["nginx_http_log_format", "$nothing"],
        ),
        (
            "admin_access_log = syslog:server=unix:/dev/log",
            ["admin_access_log", "syslog"],
        ),
        (
            "proxy_access_log = /dev/stdout",
            ["proxy_access_log", "background"],
        ),
        (
            "proxy_access_log = nowhere/a.log",
            ["proxy_access_log", "nowhere/a.log"],
        ),
    ] {
        let gateway = Gateway::new(&declarative(&[]));
        gateway.set(wrong);
        let output = gateway.run("start");
        assert_eq!(output.status.code(), Some(1), "{wrong}: {}", show(&output));
        let told = stderr(&output);
        for part in named {
            assert!(told.contains(part), "{wrong}: {told}");
        }
        assert_eq!(gateway.pid(), None);
    }
}

// conf-cli-ops 10.97
#[test]
fn a_node_in_the_foreground_logs_to_its_stdout() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::new(&declarative(&[("/", upstream.port, "")]));
    let mut node = gateway
        .prepared("start")
        .env("KONG_NGINX_DAEMON", "off")
        .env("KONG_PROXY_ACCESS_LOG", "/dev/stdout")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut told = BufReader::new(node.stdout.take().expect("a pipe")).lines();
    let mut next = || told.next().expect("a line").expect("it is text");
    let ready = next();
    assert!(ready.starts_with("Silverback is ready"), "{ready}");
    assert_eq!(gateway.get("/here").status, 200);
    let line = next();
    assert!(line.contains("\"GET /here HTTP/1.1\" 200 "), "{line}");
    signal("QUIT", node.id());
    assert!(node.wait().expect("it ends").success());
}

#[test]
fn json_lines_are_json_whatever_is_sent() {
    let upstream = Upstream::start("one");
    let settings = "proxy_access_log = logs/access.log json\nadmin_access_log = logs/admin.log \
                    json\nerror_log_format = json\nnginx_worker_processes = 1";
    let gateway = started(settings, upstream.port);
    let hostile = [
        ("User-Agent", "\"}\\ \u{e9}\u{2028}\t{"),
        ("Referer", "\u{7f}x"),
    ];
    gateway.get_with("/a", &hostile[..1]);
    let mut raw = Connection::open(gateway.proxy_port).expect("it serves");
    raw.send(b"GET /\"\\\xff\x01 HTTP/1.1\r\nHost: \"\r\n\r\n")
        .expect("it is sent");
    raw.response(false).expect("an answer");
    gateway.admin("GET", "/status", &hostile[..1], b"");
    let parse = |line: &String| -> Value {
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))
    };
    let all = wait_for_lines(&gateway, "access.log", 2);
    let values: Vec<Value> = all.iter().map(parse).collect();
    assert_eq!(values[0]["user_agent"], hostile[0].1);
    assert_eq!(values[0]["service"], "s0");
    assert_eq!(values[0]["status"], 200);
    assert_eq!(values[1]["status"], 400, "{}", values[1]);
    let admin = parse(&wait_for_lines(&gateway, "admin.log", 1)[0]);
    assert_eq!(admin["uri"], "/status");
    assert_eq!(admin["user_agent"], hostile[0].1);
    let errors = lines(&gateway, "error.log");
    assert!(!errors.is_empty());
    errors
        .iter()
        .map(parse)
        .for_each(|value| assert!(value["message"].is_string(), "{value}"));
}

#[test]
fn lines_to_the_journal_carry_their_severity_and_no_time() {
    let gateway = Gateway::new(&declarative(&[]));
    let path = gateway.conf_file().with_file_name("journal");
    let stream = fs::File::create(&path).expect("the scratch directory is writable");
    let facts = stream.metadata().expect("it is there");
    let mut node = gateway
        .prepared("run")
        .env("JOURNAL_STREAM", format!("{}:{}", facts.dev(), facts.ino()))
        .stdout(Stdio::null())
        .stderr(stream)
        .spawn()
        .expect("the binary runs");
    let told = || fs::read_to_string(&path).expect("it is text");
    wait::until("a line", || told().contains("is running").then_some(()));
    signal("TERM", node.id());
    assert!(node.wait().expect("it ends").success());
    for line in told().lines() {
        assert!(line.starts_with("<5>[notice] "), "{line}");
    }
}

#[test]
fn no_client_forges_a_line() {
    let gateway = started("", port::free());
    let attempts: [&[u8]; 4] = [
        b"GET /\" 200 1 \"-\" \"-\" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nUser-Agent: x\" kong_request_id: \"0\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\x0bb\r\nReferer: \x1b[2J\x85\r\n\r\n",
        b"\x16\x03\x01\n127.0.0.1 - - [forged] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\r\n\r\n",
    ];
    for (number, attempt) in attempts.iter().enumerate() {
        let mut connection = Connection::open(gateway.proxy_port).expect("it serves");
        connection.send(attempt).expect("it is sent");
        let status = connection.response(false).expect("an answer").status;
        assert!(status >= 400, "{status}");
        let lines = wait_for_lines(&gateway, "access.log", number + 1);
        assert_eq!(lines.len(), number + 1, "{lines:?}");
        let line = &lines[number];
        // Request, referrer, agent and id are quoted, and nothing else is.
        assert_eq!(line.matches('"').count(), 8, "{line}");
        assert!(
            line.is_ascii() && !line.contains(|c: char| c.is_ascii_control()),
            "{line:?}"
        );
        assert!(line.contains(&format!(" {status} ")), "{line}");
    }
    for line in gateway.log().lines() {
        assert!(line.starts_with("20"), "no line of its own: {line:?}");
    }
}

#[test]
fn a_log_that_nobody_reads_holds_up_neither_requests_nor_the_end() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::new(&declarative(&[("/", upstream.port, "")]));
    // Long lines fill the buffers soon.
    let text = "$http_long".repeat(16);
    gateway.set(&format!(
        "nginx_worker_processes = 1\nproxy_access_log = logs/pipe long\n\
         nginx_http_log_format = long '{text}'"
    ));
    fs::create_dir_all(gateway.prefix().join("logs")).expect("the scratch directory is writable");
    let made = Command::new("mkfifo").arg(path(&gateway, "pipe")).status();
    assert!(made.expect("mkfifo runs").success());
    let output = gateway.run("start");
    assert!(output.status.success(), "{}", show(&output));
    let mut connection = Connection::open(gateway.proxy_port).expect("it serves");
    let long = "x".repeat(1800);
    let told = wait::until("a warning of lost lines", || {
        let answer = connection.get("/", &[("Long", &long)]).expect("an answer");
        assert_eq!(answer.status, 200);
        let log = gateway.log();
        log.lines()
            .find(|line| line.contains("are lost"))
            .map(str::to_owned)
    });
    assert!(
        told.contains("logs/pipe are lost: the file does not take"),
        "{told}"
    );
    let output = gateway.run("stop");
    assert!(output.status.success(), "{}", show(&output));
}
