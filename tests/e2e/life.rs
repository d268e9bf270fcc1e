//! Start, stop, quit, reload.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, thread};

use silverback_tests::{
    Gateway, Upstream,
    gateway::{declarative, show, signal, stderr},
    http::Connection,
    wait,
};

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn start_returns_when_the_node_serves() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::new(&declarative(&[("/a", upstream.port, "/x")]));
    let output = gateway.run("start");
    assert_eq!(stdout(&output), "Silverback started\n", "{}", show(&output));
    assert_eq!(gateway.get("/a/b").json()["path"], "/x/b");
    let settings = gateway.prefix().join(".kong_env");
    let mode = fs::metadata(&settings)
        .expect("written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let settings = fs::read_to_string(&settings).expect("readable");
    assert!(settings.contains(&format!("proxy_listen = 127.0.0.1:{}", gateway.proxy_port)));
}

// conf-cli-ops 10.84
#[test]
fn a_second_start_is_refused_and_changes_nothing() {
    let gateway = Gateway::started(&declarative(&[]));
    let settings = gateway.prefix().join(".kong_env");
    let before = fs::read_to_string(&settings).expect("readable");
    gateway.set("log_level = debug");
    let output = gateway.run("start");
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.starts_with("Error: Silverback is already running in "),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&settings).expect("readable"), before);
}

// conf-cli-ops 10.87
#[test]
fn stop_returns_when_the_node_is_gone() {
    let gateway = Gateway::started(&declarative(&[]));
    for _ in 0..3 {
        let output = gateway.run("stop");
        assert_eq!(stdout(&output), "Silverback stopped\n", "{}", show(&output));
        assert_eq!(gateway.pid(), None);
        let again = gateway.run("start");
        assert!(again.status.success(), "{}", show(&again));
    }
}

// conf-cli-ops 10.87, conf-cli-ops 10.124
#[test]
fn commands_for_a_node_that_is_not_there_say_so() {
    let gateway = Gateway::new(&declarative(&[]));
    for command in ["stop", "quit", "reload"] {
        let output = gateway.run(command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(
            stderr(&output).starts_with("Error: no such prefix: "),
            "{}",
            show(&output)
        );
    }
    fs::create_dir(gateway.prefix()).expect("the scratch directory is writable");
    for command in ["stop", "quit", "reload"] {
        let output = gateway.run(command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        let told = stderr(&output);
        assert!(
            told.starts_with("Error: Silverback is not running in "),
            "{told}"
        );
    }
}

// conf-cli-ops 10.89
#[test]
fn quit_lets_the_running_request_end() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "")]));
    let port = gateway.proxy_port;
    let request = thread::spawn(move || Connection::open(port)?.get("/hold", &[]));
    upstream.wait_until_held();
    let quit = gateway
        .prepared("quit")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    wait::until("the listener to close", || {
        Connection::open(port).is_err().then_some(())
    });
    upstream.release();
    let answer = request.join().expect("no panic").expect("the answer comes");
    assert_eq!(answer.status, 200);
    let output = quit.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(gateway.pid(), None);
}

// conf-cli-ops 10.89
#[test]
fn quit_cuts_a_request_off_after_its_time() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "")]));
    let port = gateway.proxy_port;
    let request = thread::spawn(move || Connection::open(port)?.get("/hold", &[]));
    upstream.wait_until_held();
    let output = gateway
        .prepared("quit")
        .args(["-t", "1"])
        .output()
        .expect("the binary runs");
    assert_eq!(
        stdout(&output),
        "Timeout, Silverback stopped forcefully\n",
        "{}",
        show(&output)
    );
    request
        .join()
        .expect("no panic")
        .expect_err("it was cut off");
}

// conf-cli-ops 10.118
#[test]
fn reload_returns_when_the_new_configuration_serves() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/old")]));
    assert_eq!(gateway.get("/").json()["path"], "/old");
    let pid = gateway.pid();
    gateway.declare(&declarative(&[("/", upstream.port, "/new")]));
    gateway.reload();
    assert_eq!(gateway.get("/").json()["path"], "/new");
    assert_eq!(gateway.pid(), pid);
}

#[test]
fn reload_keeps_connections() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/old")]));
    let mut connection = Connection::open(gateway.proxy_port).expect("it serves");
    assert_eq!(
        connection.get("/", &[]).expect("an answer").json()["path"],
        "/old"
    );
    gateway.declare(&declarative(&[("/", upstream.port, "/new")]));
    gateway.reload();
    assert_eq!(
        connection.get("/", &[]).expect("an answer").json()["path"],
        "/new"
    );
}

#[test]
fn reload_names_what_only_a_restart_changes() {
    let gateway = Gateway::started(&declarative(&[]));
    gateway.set("upstream_keepalive_pool_size = 7\nlog_level = info");
    let output = gateway.run("reload");
    assert!(output.status.success(), "{}", show(&output));
    let told = stderr(&output);
    assert!(
        told.contains("upstream_keepalive_pool_size changed"),
        "{told}"
    );
    assert!(!told.contains("log_level"), "{told}");
}

#[test]
fn a_renamed_log_is_left_alone_after_usr1() {
    let gateway = Gateway::started(&declarative(&[]));
    let log = gateway.prefix().join("logs/error.log");
    fs::rename(&log, log.with_extension("old")).expect("the scratch directory is writable");
    signal("USR1", gateway.pid().expect("it runs"));
    wait::until("the log to be opened again", || {
        gateway.log().contains("SIGUSR1").then_some(())
    });
}
