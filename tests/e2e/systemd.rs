//! The unit, and what the node tells systemd: a socket of the test stands for systemd's.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use silverback_tests::{
    Gateway, Upstream, binary,
    gateway::{declarative, show, signal},
    skip,
    wait::{self, PATIENCE},
};

const UNIT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../packaging/systemd/silverback.service"
);

/// Longest message that is read.
const MESSAGE_BYTES_MAX: usize = 4096;

/// A node in the foreground that tells the test what it would tell systemd.
struct Node {
    gateway: Gateway,
    socket: UnixDatagram,
    child: Child,
}

impl Node {
    fn run(gateway: Gateway, watchdog_micros: Option<&str>) -> Self {
        let place = gateway.conf_file().with_file_name("notify");
        let socket = UnixDatagram::bind(&place).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut run = gateway.prepared("run");
        run.env("NOTIFY_SOCKET", &place)
            .envs(watchdog_micros.map(|micros| ("WATCHDOG_USEC", micros)));
        let log = fs::File::create(gateway.conf_file().with_file_name("stderr"));
        let run = run.stdout(Stdio::null()).stderr(log.expect("writable"));
        Self {
            child: run.spawn().expect("the binary runs"),
            gateway,
            socket,
        }
    }

    /// The next message that begins with that line.
    fn message(&self, first: &str) -> String {
        loop {
            let mut bytes = [0; MESSAGE_BYTES_MAX];
            let length = self.socket.recv(&mut bytes);
            let length = length.unwrap_or_else(|e| panic!("no {first}: {e}\n{}", self.log()));
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if text.lines().next() == Some(first) {
                return text;
            }
        }
    }

    /// Takes the messages that are there already.
    fn messages(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).expect("a socket");
        let mut messages = Vec::new();
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        let end = loop {
            match self.socket.recv(&mut bytes) {
                Ok(length) => messages.push(String::from_utf8_lossy(&bytes[..length]).into_owned()),
                Err(e) => break e,
            }
        };
        assert_eq!(end.kind(), ErrorKind::WouldBlock, "{end}");
        self.socket.set_nonblocking(false).expect("a socket");
        messages
    }

    fn log(&self) -> String {
        fs::read_to_string(self.gateway.conf_file().with_file_name("stderr")).unwrap_or_default()
    }

    /// Waits until the log has that text once more than it had.
    fn wait_for_another(&self, text: &str) {
        let before = self.log().matches(text).count();
        wait::until(text, || {
            (self.log().matches(text).count() > before).then_some(())
        });
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has ended already where the test expects so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn systemd_hears_of_the_start_of_reloads_and_of_the_end() {
    let upstream = Upstream::start("one");
    let mut node = Node::run(
        Gateway::new(&declarative(&[("/", upstream.port, "/old")])),
        None,
    );
    let ready = node.message("READY=1");
    let place = format!("proxy on http://127.0.0.1:{}", node.gateway.proxy_port);
    assert!(ready.contains(&format!("\nSTATUS={place}")), "{ready}");
    assert_eq!(node.gateway.get("/").json()["path"], "/old");

    node.gateway
        .declare(&declarative(&[("/", upstream.port, "/new")]));
    signal("HUP", node.child.id());
    let reloading = node.message("RELOADING=1");
    let micros = reloading
        .lines()
        .find_map(|l| l.strip_prefix("MONOTONIC_USEC="));
    let micros: u64 = micros.expect(&reloading).parse().expect(&reloading);
    assert!(micros > 0, "{reloading}");
    node.message("READY=1");
    assert_eq!(node.gateway.get("/").json()["path"], "/new");

    node.gateway.declare("{");
    signal("HUP", node.child.id());
    node.message("RELOADING=1");
    let refused = node.message("READY=1");
    assert!(
        refused.contains("STATUS=the last reload was refused: "),
        "{refused}"
    );

    signal("QUIT", node.child.id());
    let stopping = node.message("STOPPING=1");
    assert!(stopping.contains("running requests"), "{stopping}");
    assert!(node.child.wait().expect("it ends").success());
}

#[test]
fn the_watchdog_is_fed_as_long_as_every_shard_answers() {
    let node = Node::run(Gateway::new(&declarative(&[])), Some("400000"));
    node.message("READY=1");
    for _ in 0..3 {
        node.message("WATCHDOG=1");
    }
    let Some((mut stopper, _voice)) = stop_thread(node.child.id(), "shard-1") else {
        return skip("a hanging shard; this user may not stop a thread, or python3 is missing");
    };
    let hangs = "a shard does not answer";
    node.wait_for_another(hangs);
    // What was sent before the shard hung.
    node.messages();
    node.wait_for_another(hangs);
    assert_eq!(node.messages(), Vec::<String>::new());

    drop(stopper.stdin.take());
    assert!(stopper.wait().expect("it ends").success());
    node.message("WATCHDOG=1");
}

/// The program that keeps a thread from running until its stdin is closed, if that is allowed.
fn stop_thread(pid: u32, name: &str) -> Option<(Child, BufReader<ChildStdout>)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/stop_thread.py");
    let mut program = Command::new("python3");
    program.arg(script).args([&pid.to_string(), name]);
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = program.spawn().ok()?;
    let mut voice = BufReader::new(program.stdout.take().expect("piped"));
    let mut line = String::new();
    voice.read_line(&mut line).expect("a pipe can be read");
    if line == "stopped\n" {
        return Some((program, voice));
    }
    let status = program.wait().expect("it ends");
    assert_eq!(status.code(), Some(77), "only a refusal is expected");
    None
}

#[test]
fn systemd_takes_the_unit() {
    let text = fs::read_to_string(UNIT).expect("it is there");
    let directory = tempfile::tempdir().expect("a scratch directory");
    let unit = directory.path().join("silverback.service");
    let binary = binary::path().display().to_string();
    fs::write(&unit, text.replace("/usr/bin/silverback", &binary)).expect("writable");
    let mut verify = Command::new("systemd-analyze");
    let verify = verify.args(["verify", "--man=no"]).arg(&unit).output();
    let Ok(output) = verify else {
        return skip("the systemd unit; needs: apt-get install systemd");
    };
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        show(&output)
    );
}

#[test]
fn the_unit_calls_commands_that_exist() {
    let text = fs::read_to_string(Path::new(UNIT)).expect("it is there");
    let commands: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("Exec"))
        .filter_map(|l| l.split_once("=/usr/bin/silverback ").map(|(_, c)| c))
        .collect();
    assert_eq!(commands, ["run", "prepare", "reload"]);
    for command in commands {
        let mut binary = silverback_tests::gateway::bare();
        let output = binary.args([command, "--help"]).output().expect("it runs");
        assert!(output.status.success(), "{}", show(&output));
    }
}

/// What `systemctl reload` does, one command after the other.
#[test]
fn the_units_reload_takes_up_edits_and_refuses_bad_ones() {
    let upstream = Upstream::start("one");
    let node = Node::run(
        Gateway::new(&declarative(&[("/", upstream.port, "/old")])),
        None,
    );
    node.message("READY=1");
    let gateway = &node.gateway;
    gateway.set("log_level = info");
    gateway.declare(&declarative(&[("/", upstream.port, "/new")]));
    let reload = || {
        let mut reload = gateway.command(&["reload", "-p"]);
        // The unit's default file, /etc/kong/kong.conf, names it; here the environment does.
        reload.env("KONG_DECLARATIVE_CONFIG", gateway.declarative_file());
        let reload = reload.env("KONG_DATABASE", "off").arg(gateway.prefix());
        reload.output().expect("it runs")
    };
    let prepared = gateway.run("prepare");
    assert!(prepared.status.success(), "{}", show(&prepared));
    let reloaded = reload();
    assert!(reloaded.status.success(), "{}", show(&reloaded));
    assert_eq!(gateway.get("/").json()["path"], "/new");
    let settings = fs::read_to_string(gateway.prefix().join(".kong_env")).expect("written");
    assert!(settings.contains("log_level = info"), "{settings}");

    gateway.set("log_level = loud");
    assert_eq!(gateway.run("prepare").status.code(), Some(1));
    gateway.declare("{");
    assert_eq!(reload().status.code(), Some(1));
    assert_eq!(gateway.get("/").json()["path"], "/new");
}
