//! What each command answers, and its exit status. The numbers are those of Kong's behaviours; `life`,
//! `bad_input`, `load` and `reload` hold the others.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener},
    os::unix::fs::{MetadataExt, chown},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use silverback_tests::{
    Gateway, Upstream,
    gateway::{bare, declarative, show, signal, stderr},
    http::Connection,
    port, skip, wait,
};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The status, with all that was said if it is another.
fn assert_status(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}", show(output));
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

/// Runs the binary outside of any prefix.
fn run(arguments: &[&str]) -> Output {
    bare().args(arguments).output().expect("the binary runs")
}

/// Whether a line begins with a time and that level.
fn is_stamped(line: &str, level: &str) -> bool {
    let time = line.get(..20).unwrap_or_default();
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    shape == "9999/99/99 99:99:99 " && line[20..].starts_with(&format!("[{level}] "))
}

// conf-cli-ops 10.76
#[test]
fn without_a_command_or_with_an_unknown_one_usage_goes_to_stderr() {
    let output = run(&[]);
    assert_status(&output, 1);
    assert_has(&stderr(&output), &["Usage: silverback"]);
    let output = run(&["foobar"]);
    assert_status(&output, 1);
    assert_has(&stderr(&output), &["foobar", "Usage: silverback"]);
    let output = run(&["config", "db-import", "x.yml"]);
    assert_status(&output, 1);
    assert_has(&stderr(&output), &["db-import"]);
}

/// Kong answers on stderr with status 1: not followed.
// conf-cli-ops 10.77
#[test]
fn help_goes_to_stdout_with_status_0() {
    let output = run(&["start", "--help"]);
    assert_status(&output, 0);
    assert_eq!(stderr(&output), "");
    let parts = ["--prefix", "Examples:", "Exit status:", "Environment:"];
    assert_has(&stdout(&output), &parts);
}

// conf-cli-ops 10.78
#[test]
fn version_is_a_line_and_a_few_with_all() {
    let output = run(&["version"]);
    assert_status(&output, 0);
    let version = stdout(&output);
    let parts: Vec<&str> = version.trim_end().split('.').collect();
    assert!(
        parts.len() == 3 && parts.iter().all(|p| p.parse::<u32>().is_ok()),
        "{version}"
    );
    let output = run(&["version", "-a"]);
    assert_has(&stdout(&output), &["Silverback: ", "\nKong: 3.9"]);
}

// conf-cli-ops 10.79
#[test]
fn with_verbosity_each_line_has_time_and_level() {
    let output = run(&["version", "--vv"]);
    assert_status(&output, 0);
    let told = stdout(&output);
    for level in ["verbose", "debug", "info"] {
        assert!(
            told.lines().any(|l| is_stamped(l, level)),
            "{level}: {told}"
        );
    }
    assert_eq!(stdout(&run(&["version", "--v"])).lines().count(), 2);
}

// conf-cli-ops 10.80, conf-cli-ops 10.81, conf-cli-ops 10.82
#[test]
fn check_judges_the_file_under_the_environment() {
    let gateway = Gateway::new(&declarative(&[]));
    let check = |variables: &[(&str, &str)]| {
        let mut check = gateway.command(&["check"]);
        check.arg(gateway.conf_file());
        check
            .envs(variables.iter().copied())
            .output()
            .expect("it runs")
    };
    let file = gateway.conf_file().display().to_string();
    let good = check(&[]);
    assert_status(&good, 0);
    assert_has(&stdout(&good), &["valid", &file]);
    let bad = check(&[("KONG_LOG_LEVEL", "bad")]);
    assert_status(&bad, 1);
    let told = stderr(&bad);
    assert!(told.lines().any(|l| is_stamped(l, "error")), "{told}");
    assert_has(&told, &["KONG_LOG_LEVEL"]);
    assert!(!gateway.prefix().exists(), "nothing is touched");
}

// conf-cli-ops 10.83
#[test]
fn start_fills_the_prefix() {
    let gateway = Gateway::started(&declarative(&[]));
    for file in [
        ".kong_env",
        "pids/nginx.pid",
        "logs/access.log",
        "logs/error.log",
        "logs/admin_access.log",
    ] {
        assert!(gateway.prefix().join(file).is_file(), "{file}");
    }
}

// conf-cli-ops 10.86
#[test]
fn start_with_vv_shows_sorted_settings_and_masks_secrets() {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set("pg_password = in-the-file");
    let mut start = gateway.prepared("start");
    start.env("KONG_PG_RO_PASSWORD", "in-the-environment");
    let output = start.arg("--vv").output().expect("it runs");
    assert_status(&output, 0);
    let told = stdout(&output);
    assert_has(
        &told,
        &[
            "[debug] pg_password = ******",
            "[debug] environment variable KONG_PG_RO_PASSWORD = ******",
            "[info] Silverback started",
        ],
    );
    assert!(!told.contains("in-the-"), "{told}");
    let keys: Vec<&str> = told
        .lines()
        .filter_map(|l| l.split_once(" [debug] ")?.1.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| !key.contains(' '))
        .collect();
    assert!(keys.len() > 10 && keys.is_sorted(), "{keys:?}");
}

// conf-cli-ops 10.88
#[test]
fn stop_succeeds_although_a_secret_cannot_be_resolved() {
    let gateway = Gateway::started(&declarative(&[]));
    let mut stop = gateway.command(&["stop"]);
    stop.env("KONG_PREFIX", gateway.prefix())
        .env("KONG_PG_PASSWORD", "{vault://env/gone}")
        .env("KONG_LOG_LEVEL", "{vault://env/gone}");
    let output = stop.output().expect("it runs");
    assert_status(&output, 0);
    assert_eq!(stdout(&output), "Silverback stopped\n");
}

// conf-cli-ops 10.90
#[test]
fn quit_waits_first_while_the_node_serves() {
    let upstream = Upstream::start("one");
    let gateway = Gateway::started(&declarative(&[("/", upstream.port, "/x")]));
    let before = Instant::now();
    let mut quit = gateway.prepared("quit");
    let quit = quit.args(["-w", "2"]).stdout(Stdio::piped()).spawn();
    assert_eq!(gateway.get("/").status, 200);
    let output = quit.expect("it runs").wait_with_output().expect("it ends");
    assert_eq!(stdout(&output), "Silverback stopped (gracefully)\n");
    assert!(before.elapsed() >= Duration::from_secs(2));
}

#[test]
fn quit_is_content_when_the_node_ends_while_it_waits() {
    let gateway = Gateway::started(&declarative(&[]));
    let mut quit = gateway.prepared("quit");
    let quit = quit.args(["-w", "60"]).stderr(Stdio::piped()).spawn();
    signal("TERM", gateway.pid().expect("it runs"));
    let output = quit.expect("it runs").wait_with_output().expect("it ends");
    // It may also have come too late to find a node at all.
    let told = stderr(&output);
    match output.status.code() {
        Some(0) => assert!(is_stamped(&told, "error"), "{told}"),
        _ => assert_has(&told, &["is not running in"]),
    }
}

// conf-cli-ops 10.91
#[test]
fn restart_starts_a_stopped_node_and_replaces_a_running_one() {
    let gateway = Gateway::new(&declarative(&[]));
    let output = gateway.run("restart");
    assert_eq!(stdout(&output), "Silverback started\n", "{}", show(&output));
    let first = gateway.pid().expect("it runs");
    let output = gateway.run("restart");
    assert_eq!(
        stdout(&output),
        "Silverback stopped\nSilverback started\n",
        "{}",
        show(&output)
    );
    assert_ne!(gateway.pid().expect("it runs"), first);
}

#[test]
fn restart_with_a_bad_file_leaves_the_node_running() {
    let gateway = Gateway::started(&declarative(&[]));
    let pid = gateway.pid();
    gateway.declare("{");
    assert_status(&gateway.run("restart"), 1);
    gateway.set("log_level = loud");
    assert_status(&gateway.run("restart"), 1);
    assert_eq!(gateway.pid(), pid);
    assert_status(&gateway.run("health"), 0);
}

// conf-cli-ops 10.92, conf-cli-ops 10.93
#[test]
fn health_says_whether_the_node_runs() {
    let gateway = Gateway::new(&declarative(&[]));
    let path = gateway.prefix().display().to_string();
    let by_environment = || {
        let mut health = gateway.command(&["health"]);
        let health = health.env("KONG_PREFIX", gateway.prefix());
        health.output().expect("it runs")
    };
    for unknown in [gateway.run("health"), by_environment()] {
        assert_status(&unknown, 1);
        assert_has(&stderr(&unknown), &["no such prefix", &path]);
    }
    assert_status(&gateway.run("start"), 0);
    for running in [gateway.run("health"), by_environment()] {
        assert_status(&running, 0);
        let expected = format!("nginx.......running\n\nSilverback is healthy at {path}\n");
        assert_eq!(stdout(&running), expected);
    }
    assert_status(&gateway.run("stop"), 0);
    for stopped in [gateway.run("health"), by_environment()] {
        assert_status(&stopped, 1);
        assert_has(&stderr(&stopped), &["not running in", &path]);
    }
}

// conf-cli-ops 10.94
#[test]
fn a_killed_node_is_not_healthy_and_starts_again() {
    let gateway = Gateway::started(&declarative(&[]));
    let killed = gateway.pid().expect("it runs");
    signal("KILL", killed);
    wait::until("the node to be gone", || {
        (gateway.run("health").status.code() == Some(1)).then_some(())
    });
    assert_eq!(gateway.pid(), Some(killed), "its pid file is still there");
    assert_status(&gateway.run("start"), 0);
    assert_ne!(gateway.pid(), Some(killed));
    assert_status(&gateway.run("health"), 0);
}

// conf-cli-ops 10.95
#[test]
fn prepare_fills_the_prefix_and_opens_no_port() {
    let gateway = Gateway::new(&declarative(&[]));
    let output = gateway.run("prepare");
    assert_status(&output, 0);
    assert_eq!(stdout(&output), "");
    assert!(gateway.prefix().join(".kong_env").is_file());
    assert!(gateway.prefix().join("logs/error.log").is_file());
    assert_eq!(gateway.pid(), None);
    for port in [gateway.proxy_port, gateway.admin_port] {
        assert!(Connection::open(port).is_err(), "{port} is open");
    }
}

// conf-cli-ops 10.96
#[test]
fn prepare_succeeds_with_a_secret_that_start_and_reload_refuse() {
    const SECRET: &str = "{vault://env/gone}";
    let gateway = Gateway::started(&declarative(&[]));
    gateway.set(&format!("pg_password = {SECRET}"));
    let refused = gateway.run("reload");
    assert_status(&refused, 1);
    assert_has(&stderr(&refused), &["pg_password", SECRET]);
    assert_status(&gateway.run("restart"), 1);
    assert_status(&gateway.run("health"), 0);
    let prepared = gateway.run("prepare");
    assert_status(&prepared, 0);
    assert_has(&stderr(&prepared), &["[warn]", "pg_password", SECRET]);
    let kept = fs::read_to_string(gateway.prefix().join(".kong_env")).expect("written");
    assert_has(&kept, &[&format!("pg_password = {SECRET}")]);
    for command in ["drain", "health", "quit"] {
        assert_status(&gateway.run(command), 0);
    }
    let refused = gateway.run("start");
    assert_status(&refused, 1);
    assert_has(&stderr(&refused), &["pg_password", SECRET]);
}

#[test]
fn what_root_makes_in_a_prefix_belongs_to_the_owner_of_the_prefix() {
    const OWNER: u32 = 1;
    let gateway = Gateway::new(&declarative(&[]));
    fs::create_dir(gateway.prefix()).expect("the scratch directory is writable");
    if chown(gateway.prefix(), Some(OWNER), Some(OWNER)).is_err() {
        return skip("a prefix of another user; only root may make one");
    }
    assert_status(&gateway.run("start"), 0);
    assert_status(&gateway.run("reload"), 0);
    for file in [
        ".kong_env",
        "logs",
        "logs/error.log",
        "pids",
        "pids/reload.ask",
    ] {
        let meta = fs::metadata(gateway.prefix().join(file)).expect(file);
        assert_eq!((meta.uid(), meta.gid()), (OWNER, OWNER), "{file}");
    }
}

// conf-cli-ops 10.97
#[test]
fn start_without_daemon_stays_in_the_foreground() {
    let gateway = Gateway::new(&declarative(&[]));
    let mut start = gateway.prepared("start");
    start.env("KONG_NGINX_DAEMON", "off").stdout(Stdio::piped());
    let mut child = start.spawn().expect("the binary runs");
    let mut ready = String::new();
    let mut told = BufReader::new(child.stdout.take().expect("piped"));
    told.read_line(&mut ready).expect("a pipe can be read");
    assert_has(&ready, &["Silverback is ready"]);
    assert_eq!(gateway.pid(), Some(child.id()));
    assert!(child.try_wait().expect("it is ours").is_none());
    signal("TERM", child.id());
    assert!(child.wait().expect("it ends").success());
}

/// Answers one request with that status line; the request comes back.
fn answer_once(listener: TcpListener, status_line: &'static str) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"}") && stream.read(&mut byte).expect("a request") == 1 {
            request.push(byte[0]);
        }
        let answer = format!("{status_line}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).expect("an answer");
        // The other side may have closed already.
        let _ = stream.shutdown(Shutdown::Write);
        String::from_utf8_lossy(&request).into_owned()
    })
}

fn drain_with(status_listen: &str) -> Output {
    let gateway = Gateway::new(&declarative(&[]));
    gateway.set(&format!("status_listen = {status_listen}"));
    assert_status(&gateway.run("prepare"), 0);
    let output = gateway.run("drain");
    assert_status(&output, 0);
    output
}

// conf-cli-ops 10.98
#[test]
fn drain_posts_to_the_first_status_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let server = answer_once(listener, "HTTP/1.1 204 No Content");
    let output = drain_with(&format!("{address}, 127.0.0.1:{}", port::free()));
    assert_has(&stdout(&output), &["draining", &address]);
    let request = server.join().expect("no panic");
    assert!(
        request.starts_with("POST /status/ready HTTP/1.1\r\n"),
        "{request}"
    );
    assert_has(
        &request,
        &[
            &format!("\r\nHost: {address}\r\n"),
            "\r\nContent-Type: application/json\r\n",
        ],
    );
    assert!(
        request.ends_with("\r\n\r\n{\"status\":\"draining\"}"),
        "{request}"
    );
}

// conf-cli-ops 10.99
#[test]
fn drain_says_why_it_could_not_and_ends_with_0() {
    let off = drain_with("off");
    assert_has(&stdout(&off), &["no status listener"]);
    let closed = format!("127.0.0.1:{}", port::free());
    let refused = drain_with(&closed);
    assert_has(&stdout(&refused), &[&closed, "refused"]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let server = answer_once(listener, "HTTP/1.1 400 Bad Request");
    let unexpected = drain_with(&address);
    assert_has(&stdout(&unexpected), &[&address, "400"]);
    server.join().expect("no panic");
}

#[test]
fn drain_gives_up_after_a_second() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("it is bound").to_string();
    let output = drain_with(&address);
    assert_has(&stdout(&output), &["not told", &address]);
}

// conf-cli-ops 10.100
#[test]
fn config_init_writes_a_sample_that_a_node_starts_with() {
    let gateway = Gateway::new(&declarative(&[]));
    let file = gateway.declarative_file();
    fs::remove_file(&file).expect("it is there");
    let output = gateway.command(&["config", "init"]).output();
    let output = output.expect("it runs");
    assert_status(&output, 0);
    assert_eq!(stdout(&output), "");
    let sample = fs::read_to_string(&file).expect("./kong.yml is written");
    let again = gateway.command(&["config", "init"]).output();
    let again = again.expect("it runs");
    assert_status(&again, 1);
    assert_has(&stderr(&again), &["kong.yml exists already"]);
    assert_eq!(fs::read_to_string(&file).expect("readable"), sample);
    let parse = gateway.command(&["config", "parse", "kong.yml"]).output();
    let parse = parse.expect("it runs");
    assert_status(&parse, 0);
    assert_eq!(stdout(&parse).lines().count(), 1, "{}", show(&parse));
    assert_status(&gateway.run("start"), 0);
    assert_eq!(gateway.get("/").status, 404);
}

// conf-cli-ops 10.101
#[test]
fn config_parse_names_each_bad_field() {
    let bad = "_format_version: \"3.0\"\nservices:\n- {name: a, host: x, port: 99999}\n\
               - {name: b, host: x, protocol: gopher}\n";
    let gateway = Gateway::new(bad);
    let output = gateway.command(&["config", "parse", "kong.yml"]).output();
    let output = output.expect("it runs");
    assert_status(&output, 1);
    let told = stderr(&output);
    let errors: Vec<&str> = told.lines().filter(|l| is_stamped(l, "error")).collect();
    assert_eq!(errors.len(), 2, "{told}");
    assert_has(errors[0], &["services[1].port: "]);
    assert_has(errors[1], &["services[2].protocol: "]);
    assert_has(&told, &["Error: declarative configuration kong.yml"]);
    fs::write(gateway.declarative_file().with_extension("txt"), bad).expect("writable");
    let unknown = gateway.command(&["config", "parse", "kong.txt"]).output();
    let unknown = unknown.expect("it runs");
    assert_status(&unknown, 1);
    assert_has(&stderr(&unknown), &["unknown file type"]);
}

// conf-cli-ops 10.102
#[test]
fn config_parse_needs_a_file() {
    let output = run(&["config", "parse"]);
    assert_status(&output, 1);
    assert_has(&stderr(&output), &["<FILE>", "Usage: "]);
    let output = run(&["config", "parse", "/nonexistent/kong.yml"]);
    assert_status(&output, 1);
    assert_has(&stderr(&output), &["cannot read /nonexistent/kong.yml"]);
}

// conf-cli-ops 10.104
#[test]
fn config_db_import_without_a_database_names_the_endpoint() {
    let output = run(&["config", "db_import", "kong.yml"]);
    assert_status(&output, 1);
    assert_has(&stderr(&output), &["database = off", "/config"]);
}

#[test]
fn options_of_kongs_without_effect_are_taken_with_a_warning() {
    let gateway = Gateway::new(&declarative(&[]));
    let nginx = ["--nginx-conf", "x", "--nginx-conf-flags=a,b"];
    let database = ["--run-migrations", "--db-timeout", "5", "--lock-timeout=7"];
    for command in ["start", "restart"] {
        let mut command = gateway.prepared(command);
        let output = command.args(nginx).args(database).output();
        let output = output.expect("it runs");
        assert_status(&output, 0);
        let told = stderr(&output);
        let warnings = told.lines().filter(|l| l.contains("has no effect"));
        assert!(warnings.clone().all(|l| is_stamped(l, "warn")), "{told}");
        assert_eq!(warnings.count(), 5, "{told}");
    }
    for command in ["reload", "prepare"] {
        let output = gateway.prepared(command).args(nginx).output();
        let output = output.expect("it runs");
        assert_status(&output, 0);
        assert_has(&stderr(&output), &["--nginx-conf has no effect"]);
    }
}

#[test]
fn a_failure_is_followed_by_a_hint_unless_it_is_verbose_already() {
    let failed = run(&["health", "-p", "/nonexistent"]);
    assert_has(&stderr(&failed), &["Error: no such prefix", "\n\n", "--vv"]);
    let verbose = run(&["health", "-p", "/nonexistent", "--vv"]);
    assert!(!stderr(&verbose).contains("--vv"), "{}", show(&verbose));
}

#[test]
fn completions_are_scripts_of_the_shells() {
    for (shell, has) in [
        ("bash", "complete -F _silverback"),
        ("zsh", "#compdef silverback"),
        ("fish", "complete -c silverback"),
    ] {
        let output = run(&["completions", shell]);
        assert_status(&output, 0);
        assert_has(&stdout(&output), &[has, "db_import", "nginx-conf-flags"]);
    }
    assert_status(&run(&["completions", "cmd"]), 1);
    let script = stdout(&run(&["completions", "bash"]));
    let mut bash = Command::new("bash");
    match bash.args(["-n", "-c", &script]).output() {
        Ok(output) => assert_status(&output, 0),
        Err(_) => skip("the syntax of the completions; needs bash"),
    }
}

#[test]
fn every_command_has_a_man_page() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let mut man = bare();
    let output = man.arg("man").arg(directory.path()).output();
    assert_status(&output.expect("it runs"), 0);
    for page in ["", "-start", "-run", "-config", "-config-db_import"] {
        let page = directory.path().join(format!("silverback{page}.1"));
        let text = fs::read_to_string(&page).expect("it is written");
        assert_has(&text, &[".TH silverback", ".SH OPTIONS", "Exit status:"]);
    }
    let first = run(&["man"]);
    assert_has(
        &stdout(&first),
        &[".TH silverback", "silverback\\-start(1)"],
    );
}
