//! What the access log tells of each kind of exchange, and that it holds up nobody.

mod harness;

use std::{
    fs,
    io::Write,
    net::Shutdown,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{Client, DRIVERS, Gateway, PATIENCE, Upstream, config, eventually, ok};
use silverback_core::access_log::Formats;
use silverback_proxy::{AccessLogConfig, DriverChoice, LogFile};
use tempfile::TempDir;

/// A gateway that logs, and its log.
struct Logging {
    gateway: Gateway,
    log: Option<LogFile>,
    path: PathBuf,
    _folder: TempDir,
}

impl Logging {
    /// Serves `yaml`; lines have the format with that text.
    fn start(driver: DriverChoice, yaml: &str, text: &str) -> Self {
        Self::prepared(driver, yaml, text, |_| {})
    }

    /// The same with a log file that is prepared.
    fn prepared(driver: DriverChoice, yaml: &str, text: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        let path = folder.path().join("access.log");
        prepare(&path);
        let log = LogFile::open(&path).expect("a log file");
        let formats = Formats::with_declared(&format!("test {text}")).expect("a format");
        let access_log = AccessLogConfig {
            format: formats.find("test").expect("it is declared"),
            file: log.sender().clone(),
        };
        Self {
            gateway: Gateway::start_logging(driver, yaml, access_log),
            log: Some(log),
            path,
            _folder: folder,
        }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).expect("the log is text")
    }

    /// Waits for these lines; there may be no others.
    fn expect(&self, lines: &[&str]) {
        let expected = lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>();
        let end = std::time::Instant::now() + PATIENCE;
        while self.text() != expected && self.text().len() <= expected.len() {
            assert!(std::time::Instant::now() < end, "{:?}", self.text());
            std::thread::yield_now();
        }
        assert_eq!(self.text(), expected);
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            log.finish(PATIENCE);
        }
    }
}

#[test]
fn each_answer_has_a_line_with_the_bytes_of_its_body() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("hello"));
        let logging = Logging::start(
            driver,
            &config(upstream.port, ""),
            "'$request $status $body_bytes_sent $upstream_status $service_name/$route_name \
             $connection_requests'",
        );
        let mut client = logging.gateway.connect();
        assert_eq!(client.get("/one").text(), "hello");
        assert_eq!(client.get("/two?x").text(), "hello");
        client.send("PUT /three HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!(client.response().status, 200);
        logging.expect(&[
            "GET /one HTTP/1.1 200 5 200 s/r 1",
            "GET /two?x HTTP/1.1 200 5 200 s/r 2",
            "PUT /three HTTP/1.1 200 5 200 s/r 3",
        ]);
    }
}

#[test]
fn the_id_of_the_line_is_that_of_the_answer() {
    for driver in DRIVERS {
        let logging = Logging::start(
            driver,
            "_format_version: '3.0'",
            "'$kong_request_id $status'",
        );
        let answer = logging.gateway.connect().get("/nowhere");
        let id = answer.header("x-kong-request-id").expect("an id");
        logging.expect(&[&format!("{id} 404")]);
    }
}

#[test]
fn the_gateways_own_answers_are_logged_with_their_bodies() {
    for driver in DRIVERS {
        let logging = Logging::start(
            driver,
            &config(Upstream::closed_port(), "  retries: 0\n"),
            "'$request_method $status $body_bytes_sent $upstream_addr'",
        );
        let mut client = logging.gateway.connect();
        let answer = client.get("/");
        assert_eq!(answer.status, 502, "{answer:?}");
        let head = client
            .send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            .response_to("HEAD");
        assert_eq!(head.status, 502);
        eventually("two lines", || logging.text().lines().count() == 2);
        let text = logging.text();
        let (get, head) = text.split_once('\n').expect("two lines");
        assert!(
            get.starts_with(&format!("GET 502 {} 127.0.0.1:", answer.body.len())),
            "{get}"
        );
        assert!(head.starts_with("HEAD 502 0 127.0.0.1:"), "{head}");
    }
}

#[test]
fn an_upstream_that_is_silent_is_logged_with_its_address_and_504() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| while connection.request().is_some() {});
        let yaml = config(upstream.port, "  retries: 0\n  read_timeout: 300\n");
        let text = "'$status $upstream_status $upstream_addr $request_time'";
        let logging = Logging::start(driver, &yaml, text);
        assert_eq!(logging.gateway.connect().get("/").status, 504);
        eventually("a line", || !logging.text().is_empty());
        let line = logging.text();
        let seconds = line
            .strip_prefix(&format!("504 504 127.0.0.1:{} ", upstream.port))
            .and_then(|rest| rest.trim_end().parse::<f64>().ok());
        assert!(seconds.is_some_and(|seconds| seconds >= 0.3), "{line}");
    }
}

#[test]
fn what_is_no_request_is_logged_as_far_as_it_came() {
    for driver in DRIVERS {
        let logging = Logging::start(driver, "_format_version: '3.0'", "'\"$request\" $status'");
        let sent: [(&[u8], &str); 4] = [
            (b"GET  x\r\n\r\n", "\"GET  x\" 400"),
            (
                b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
                "\"CONNECT a:1 HTTP/1.1\" 400",
            ),
            (
                b"\x16\x03\x01\" 200\n1.2.3.4 forged\r\n\r\n",
                "\"\\x16\\x03\\x01\\x22 200\" 400",
            ),
            (
                b"GET /unfinished HTTP/1.1\r\nHos",
                "\"GET /unfinished HTTP/1.1\" 400",
            ),
        ];
        let mut lines = Vec::new();
        for (bytes, line) in sent {
            let mut client = logging.gateway.connect();
            client.stream.write_all(bytes).expect("it is sent");
            client.stream.shutdown(Shutdown::Write).expect("an end");
            lines.push(line);
            logging.expect(&lines);
        }
    }
}

#[test]
fn a_client_that_goes_away_before_the_answer_is_logged_as_499() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("late"));
        let yaml = config(upstream.port, "");
        let logging = Logging::start(driver, &yaml, "'$request_uri $status $body_bytes_sent'");
        let mut client = logging.gateway.connect();
        client.send("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
        client.stream.shutdown(Shutdown::Both).expect("it goes");
        logging.expect(&["/gone 499 0"]);
    }
}

#[test]
fn a_body_that_breaks_off_counts_as_far_as_it_was_sent() {
    for driver in DRIVERS {
        let upstream = Upstream::start(|connection, _| {
            connection.request();
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        });
        let yaml = config(upstream.port, "");
        let logging = Logging::start(driver, &yaml, "'$status $body_bytes_sent $bytes_sent'");
        let mut client = logging.gateway.connect();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut client.stream, &mut all).expect("an end");
        logging.expect(&[&format!("200 3 {}", all.len())]);
    }
}

#[test]
fn the_lines_of_the_last_moment_are_written_at_the_end() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("hello"));
        let mut logging = Logging::start(driver, &config(upstream.port, ""), "'$request_uri'");
        let mut client = logging.gateway.connect();
        for n in 0..100 {
            assert_eq!(client.get(&format!("/{n}")).status, 200);
        }
        let proxy = logging.gateway.proxy.take().expect("it runs");
        proxy.drain();
        proxy.join().expect("it ends in order");
        assert!(logging.log.take().expect("it is there").finish(PATIENCE));
        let expected = (0..100).map(|n| format!("/{n}\n")).collect::<String>();
        assert_eq!(logging.text(), expected);
    }
}

#[test]
fn a_log_that_nobody_reads_holds_up_no_request() {
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("hello"));
        // Each line is some thousand bytes long, so that the buffers fill soon.
        let text = format!("'{}'", "$http_long".repeat(8));
        let mut logging = Logging::prepared(driver, &config(upstream.port, ""), &text, |path| {
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo runs").success());
        });
        let mut client: Client = logging.gateway.connect();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nLong: {}\r\n\r\n",
            "x".repeat(1800)
        );
        let stats = logging.gateway.proxy.as_ref().expect("it runs").stats();
        eventually("lines to be lost", || {
            assert_eq!(client.send(&request).response().status, 200);
            stats().access_log_lost > 0
        });
        assert_eq!(client.send(&request).response().status, 200);
        // Its writer is stuck in the pipe for as long as this process lives: nobody waits for it.
        drop(logging.log.take());
    }
}
