//! The demonstration.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use silverback_tests::{
    gateway::{bare, show, signal},
    http::Connection,
    port, skip,
};

#[test]
fn the_check_sends_every_example_and_ends_well() {
    let output = bare()
        .args(["quickstart", "--check"])
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", show(&output));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        told.contains("examples were answered as expected"),
        "{told}"
    );
    assert_eq!(
        told.matches("$ curl").count(),
        told.matches("-> as expected").count(),
        "{told}"
    );
}

/// The demonstration while it serves.
struct Demo {
    child: Child,
    proxy: u16,
    admin: u16,
    _directory: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let (proxy, admin) = (port::free(), port::free());
        let mut child = bare()
            .args(["quickstart", "--proxy-port", &proxy.to_string()])
            .args(["--admin-port", &admin.to_string(), "-p"])
            .arg(directory.path().join("quickstart"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let told = BufReader::new(child.stdout.take().expect("piped"));
        let ready = told
            .lines()
            .map_while(Result::ok)
            .find(|l| l.contains("Ctrl-C ends it"));
        assert!(ready.is_some(), "it said that it is ready");
        Self {
            child,
            proxy,
            admin,
            _directory: directory,
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already where the test expects so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_a_page_until_it_is_interrupted_and_leaves_nothing() {
    let mut demo = Demo::start();
    let mut connection = Connection::open(demo.proxy).expect("it serves");
    for (path, kind) in [
        ("/page", "text/html"),
        ("/page/style.css", "text/css"),
        ("/page/picture.svg", "image/svg"),
    ] {
        let answer = connection.get(path, &[]).expect("an answer");
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer
                .header("content-type")
                .is_some_and(|k| k.starts_with(kind)),
            "{path}"
        );
    }
    signal("INT", demo.child.id());
    assert!(demo.child.wait().expect("it ends").success());
    for port in [demo.proxy, demo.admin] {
        Connection::open(port).expect_err("nothing listens any more");
    }
}

#[test]
fn a_browser_gets_the_page_with_its_stylesheet_and_picture() {
    let mut version = Command::new("chromium");
    if version.arg("--version").output().is_err() {
        return skip("a page in a browser; needs: apt-get install chromium");
    }
    let demo = Demo::start();
    let profile = tempfile::tempdir().expect("a scratch directory");
    // A browser that hangs must not hang the tests.
    let output = Command::new("timeout")
        .args(["120", "chromium", "--headless", "--no-sandbox"])
        .args(["--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-sync"])
        .args(["--disable-component-update", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=3000", "--dump-dom"])
        .arg(format!("http://127.0.0.1:{}/page", demo.proxy))
        .output()
        .expect("timeout runs");
    let page = String::from_utf8_lossy(&output.stdout);
    let seen = "Your browser got a picture of 480 × 120 points and a stylesheet of 5 rules.";
    assert!(page.contains(seen), "{}", show(&output));
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("the system has a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let directory = tempfile::tempdir().expect("a scratch directory");
    let output = bare()
        .args([
            "quickstart",
            "--admin-port",
            "0",
            "--proxy-port",
            &port,
            "-p",
        ])
        .arg(directory.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.starts_with(&format!("Error: port {port} is taken; ")),
        "{told}"
    );
    assert!(told.contains("--proxy-port"), "{told}");
}
