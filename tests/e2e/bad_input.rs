//! What is wrong is said in one line with what to do, and nothing is lost.

use std::{
    fs, io,
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
};

use silverback_tests::{
    Gateway, Upstream, binary,
    gateway::{declarative, show, signal, stderr},
    http::Connection,
    skip, wait,
};

/// The one line of a failed command.
fn error_line(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", show(output));
    let told = stderr(output);
    let errors: Vec<&str> = told.lines().filter(|l| l.starts_with("Error: ")).collect();
    assert_eq!(errors.len(), 1, "{told}");
    let (_, below) = told.split_once(errors[0]).expect("it was found there");
    assert!(
        below.lines().filter(|l| !l.is_empty()).count() <= 1,
        "only a hint follows the error: {told}"
    );
    errors[0].to_owned()
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

#[test]
fn an_unparsable_declarative_file_is_named_with_the_line() {
    let gateway = Gateway::new("_format_version: \"3.0\"\nservices:\n- name: [1, 2\n");
    let line = error_line(&gateway.run("start"));
    let file = gateway.declarative_file();
    assert_has(
        &line,
        &[&file.display().to_string(), "line", "failed parsing"],
    );
    assert_eq!(gateway.pid(), None);
}

#[test]
fn a_wrong_declarative_file_is_named_with_entity_and_field() {
    let gateway = Gateway::new("_format_version: \"3.0\"\nservices:\n- name: s\n  prot: 80\n");
    let line = error_line(&gateway.run("start"));
    let file = gateway.declarative_file();
    let file = file.display().to_string();
    assert_has(&line, &[&file, "services", "prot", "unknown field", "host"]);
}

#[test]
fn a_missing_declarative_file_is_named() {
    let gateway = Gateway::new("");
    fs::remove_file(gateway.declarative_file()).expect("it is there");
    let line = error_line(&gateway.run("start"));
    let file = gateway.declarative_file();
    assert_has(
        &line,
        &[
            &file.display().to_string(),
            "No such file",
            "declarative_config",
        ],
    );
}

#[test]
fn a_bad_file_at_reload_keeps_the_running_configuration() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/kept")]));
    for wrong in ["{", "_format_version: \"3.0\"\nservices: [{name: x}]\n"] {
        gateway.declare(wrong);
        let line = error_line(&gateway.run("reload"));
        let file = gateway.declarative_file().display().to_string();
        assert_has(&line, &[&file, "the node goes on as before"]);
        assert_eq!(gateway.get("/").json()["path"], "/kept");
    }
}

#[test]
fn a_bare_sighup_with_a_bad_file_is_logged_and_keeps_the_running_configuration() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/kept")]));
    gateway.declare("{");
    signal("HUP", gateway.pid().expect("it runs"));
    wait::until("the refusal in the log", || {
        gateway
            .log()
            .contains("the running configuration is kept")
            .then_some(())
    });
    assert_eq!(gateway.get("/").json()["path"], "/kept");
}

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("log_level = loud");
    let line = error_line(&gateway.run("start"));
    assert_has(&line, &["log_level", "loud", "kong.conf:8", "notice"]);
}

// conf-cli-ops 10.75
#[test]
fn a_taken_port_is_named() {
    for setting in ["proxy_listen", "admin_listen"] {
        let gateway = Gateway::new(&declarative(&[]));
        let port = match setting {
            "proxy_listen" => gateway.proxy_port,
            _ => gateway.admin_port,
        };
        let _taken = TcpListener::bind(("127.0.0.1", port)).expect("it was free");
        let line = error_line(&gateway.run("start"));
        assert_has(&line, &[&format!("127.0.0.1:{port}"), setting]);
        assert_eq!(gateway.pid(), None);
    }
}

#[test]
fn a_second_node_does_not_share_the_ports_of_the_first() {
    let first = Gateway::started(&declarative(&[]));
    let mut second = Gateway::new(&declarative(&[]));
    second.proxy_port = first.proxy_port;
    second.set("");
    let line = error_line(&second.run("start"));
    assert_has(&line, &[&format!("127.0.0.1:{}", first.proxy_port)]);
}

#[test]
fn a_damaged_store_is_set_aside_with_a_warning() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/x")]));
    assert!(gateway.run("stop").status.success());
    let data = gateway.prefix().join("dbless.lmdb/data.mdb");
    let length = fs::metadata(&data).expect("it is there").len();
    let garbage: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
    fs::write(&data, garbage).expect("writable");
    let again = gateway.run("start");
    assert!(again.status.success(), "{}", show(&again));
    assert_has(
        &gateway.log(),
        &["[warn]", "the stored configuration cannot be used"],
    );
    assert_eq!(gateway.get("/").json()["path"], "/x");
}

#[test]
fn records_damaged_in_place_are_written_again() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/needle", upstream.port, "/x")]));
    assert!(gateway.run("stop").status.success());
    let data = gateway.prefix().join("dbless.lmdb/data.mdb");
    let mut bytes = fs::read(&data).expect("readable");
    let mut flipped = 0;
    for at in 0..bytes.len() - 7 {
        if &bytes[at..at + 7] == b"/needle" {
            bytes[at] = b'!';
            flipped += 1;
        }
    }
    assert!(flipped > 0, "the record is in the file");
    fs::write(&data, bytes).expect("writable");
    let again = gateway.run("start");
    assert!(again.status.success(), "{}", show(&again));
    assert_eq!(gateway.get("/needle").json()["path"], "/x");
}

#[test]
fn a_prefix_that_cannot_be_written_is_named() {
    let gateway = Gateway::new(&declarative(&[]));
    let mut start = gateway.prepared("start");
    let line = error_line(
        &start
            .args(["-p", "/proc/silverback"])
            .output()
            .expect("it runs"),
    );
    assert_has(
        &line,
        &["cannot write in the prefix /proc/silverback", "-p"],
    );
}

// conf-cli-ops 10.85
#[test]
fn a_prefix_that_is_a_file_is_named() {
    let gateway = Gateway::new(&declarative(&[]));
    fs::write(gateway.prefix(), "").expect("writable");
    let line = error_line(&gateway.run("start"));
    assert_has(&line, &["is not a directory", "-p"]);
}

/// Whether this user may mount a file system in a namespace of its own.
fn may_mount() -> bool {
    let mut trial = Command::new("unshare");
    trial.args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    trial.output().is_ok_and(|o| o.status.success())
}

/// A node in the foreground on a file system of that size.
struct OnSmallDisk {
    gateway: Gateway,
    child: Child,
}

impl OnSmallDisk {
    fn run(gateway: Gateway, size: &str) -> Self {
        fs::create_dir(gateway.prefix()).expect("the scratch directory is writable");
        let script = format!("mount -t tmpfs -o size={size} tmpfs \"$0\" && exec \"$@\"");
        let mut shell = Command::new("unshare");
        shell
            .args(["-rm", "sh", "-c", &script])
            .arg(gateway.prefix());
        shell
            .arg(binary::path())
            .args(["run", "-c"])
            .arg(gateway.conf_file());
        let child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self {
            gateway,
            child: child.expect("unshare runs"),
        }
    }
}

impl Drop for OnSmallDisk {
    fn drop(&mut self) {
        // It has ended already where the test expects so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_disk_that_is_full_at_start_is_named() {
    if !may_mount() {
        return skip("a full disk; this user may not mount a small file system");
    }
    let upstream = Upstream::start("one");
    let gateway = Gateway::new(&declarative(&[("/", upstream.port, "/x")]));
    let mut node = OnSmallDisk::run(gateway, "16k");
    let output = Output {
        status: node.child.wait().expect("it ends"),
        stdout: Vec::new(),
        stderr: read(node.child.stderr.take().expect("piped")),
    };
    assert_has(
        &error_line(&output),
        &["space", &node.gateway.prefix().display().to_string()],
    );
}

fn read(mut pipe: impl io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("a pipe can be read");
    bytes
}

#[test]
fn a_disk_that_fills_up_keeps_the_running_configuration() {
    if !may_mount() {
        return skip("a full disk; this user may not mount a small file system");
    }
    let upstream = Upstream::start("one");
    let kept = declarative(&[("/", upstream.port, "/kept")]);
    let node = OnSmallDisk::run(Gateway::new(&kept), "1m");
    let gateway = &node.gateway;
    wait::until("the node to serve", || {
        Connection::open(gateway.admin_port).ok()
    });
    let paths: Vec<String> = (0..20_000).map(|n| format!("/many/{n}")).collect();
    let many: Vec<_> = paths
        .iter()
        .map(|p| (p.as_str(), upstream.port, "/many"))
        .collect();
    let kind = [("Content-Type", "text/yaml")];
    let full = gateway.admin("POST", "/config", &kind, declarative(&many).as_bytes());
    assert_eq!(full.status, 500, "{}", full.text());
    assert_eq!(gateway.get("/").json()["path"], "/kept");
    let small = declarative(&[("/", upstream.port, "/small")]);
    let small = gateway.admin("POST", "/config", &kind, small.as_bytes());
    assert_eq!(small.status, 201, "{}", small.text());
    assert_eq!(gateway.get("/").json()["path"], "/small");
}

#[test]
fn too_few_file_descriptors_are_named_with_what_to_do() {
    let gateway = Gateway::new(&declarative(&[]));
    let limited = |files: u32| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$@\""), "sh"]);
        shell
            .arg(binary::path())
            .args(["start", "-c"])
            .arg(gateway.conf_file());
        shell.output().expect("sh runs")
    };
    let line = error_line(&limited(64));
    assert_has(&line, &["64 files", "ulimit -n", "LimitNOFILE"]);
    let output = limited(1000);
    assert!(output.status.success(), "{}", show(&output));
    assert_has(&gateway.log(), &["[warn]", "1000 files", "LimitNOFILE"]);
}

#[test]
fn without_io_uring_epoll_serves_with_a_warning() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::new(&declarative(&[("/", upstream.port, "/x")]));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/without_io_uring.py");
    let mut start = Command::new("python3");
    start
        .arg(script)
        .arg(binary::path())
        .args(["start", "-c"])
        .arg(gateway.conf_file());
    let output = start.output().expect("python3 runs");
    assert!(output.status.success(), "{}", show(&output));
    assert_has(&gateway.log(), &["[warn]", "io_uring", "epoll"]);
    assert_eq!(gateway.get("/").json()["path"], "/x");
}

#[test]
fn check_shows_every_error() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("log_level = loud\nnginx_daemon = maybe");
    let output = gateway
        .command(&["check"])
        .arg(gateway.conf_file())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert_eq!(
        told.lines().filter(|l| l.contains(" [error] ")).count(),
        2,
        "{told}"
    );
    gateway.set("");
    let output = gateway
        .command(&["check"])
        .arg(gateway.conf_file())
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", show(&output));
    assert_has(&String::from_utf8_lossy(&output.stdout), &["is valid"]);
}

#[test]
fn settings_and_fields_without_effect_are_named_at_load() {
    let gateway = Gateway::new(
        "_format_version: \"3.0\"\nupstreams:\n- {name: hashed, algorithm: least-connections}\n",
    );
    gateway.set("trusted_ips = 0.0.0.0/0\nssl_cert = /secret");
    let settings = "no effect in this version: ssl_cert, trusted_ips";
    let output = gateway.run("start");
    assert!(output.status.success(), "{}", show(&output));
    assert_has(&stderr(&output), &["[warn]", settings]);
    let field =
        "upstreams.algorithm: targets are taken in turn by weight, as by round-robin: hashed";
    assert_has(&gateway.log(), &[settings, field]);
    assert!(
        !gateway.log().contains("status_listen"),
        "{}",
        gateway.log()
    );
}
