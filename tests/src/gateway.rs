//! The gateway under test: the real binary with a prefix of its own.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    thread,
};

use tempfile::TempDir;

use crate::{
    binary,
    http::{Connection, Response},
    port,
};

/// A gateway, started or not. Dropped, it is stopped; if the test fails its log is shown.
#[derive(Debug)]
pub struct Gateway {
    directory: TempDir,
    /// The proxy's port.
    pub proxy_port: u16,
    /// The Admin API's port.
    pub admin_port: u16,
}

impl Gateway {
    /// Prepares a gateway with that declarative configuration; nothing is started.
    ///
    /// # Panics
    ///
    /// The scratch directory cannot be written.
    pub fn new(declarative: &str) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let gateway = Self {
            directory,
            proxy_port: port::free(),
            admin_port: port::free(),
        };
        gateway.declare(declarative);
        gateway.set("");
        gateway
    }

    /// Prepares and starts a gateway.
    ///
    /// # Panics
    ///
    /// It does not start; its output is shown.
    pub fn started(declarative: &str) -> Self {
        let gateway = Self::new(declarative);
        let output = gateway.run("start");
        assert!(output.status.success(), "start failed: {}", show(&output));
        gateway
    }

    /// Writes the node's settings: the usual ones, and those lines.
    ///
    /// # Panics
    ///
    /// The scratch directory cannot be written.
    pub fn set(&self, further: &str) {
        let conf = format!(
            "prefix = {}\n\
             database = off\n\
             declarative_config = {}\n\
             proxy_listen = 127.0.0.1:{}\n\
             admin_listen = 127.0.0.1:{}\n\
             status_listen = off\n\
             nginx_worker_processes = 2\n\
             {further}\n",
            self.prefix().display(),
            self.declarative_file().display(),
            self.proxy_port,
            self.admin_port,
        );
        fs::write(self.conf_file(), conf).expect("the scratch directory is writable");
    }

    /// Writes the declarative file.
    ///
    /// # Panics
    ///
    /// The scratch directory cannot be written.
    pub fn declare(&self, declarative: &str) {
        // Renamed into place, so that a node never reads half of it.
        let fresh = self.directory.path().join("kong.yml.new");
        fs::write(&fresh, declarative).expect("the scratch directory is writable");
        fs::rename(fresh, self.declarative_file()).expect("the scratch directory is writable");
    }

    /// The node's directory.
    pub fn prefix(&self) -> PathBuf {
        self.directory.path().join("prefix")
    }

    /// `kong.conf`.
    pub fn conf_file(&self) -> PathBuf {
        self.directory.path().join("kong.conf")
    }

    /// `kong.yml`.
    pub fn declarative_file(&self) -> PathBuf {
        self.directory.path().join("kong.yml")
    }

    /// A command line of the binary, without the settings of this process's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare();
        command.args(arguments).current_dir(self.directory.path());
        command
    }

    /// Runs a command that takes `-c` (start, run, reload) or `-p` (stop, quit, health).
    ///
    /// # Panics
    ///
    /// The binary cannot be run.
    pub fn run(&self, command: &str) -> Output {
        self.prepared(command).output().expect("the binary runs")
    }

    /// The command line that [`Gateway::run`] runs.
    pub fn prepared(&self, command: &str) -> Command {
        let (option, path) = match command {
            "stop" | "quit" | "health" => ("-p", self.prefix()),
            _ => ("-c", self.conf_file()),
        };
        let mut prepared = self.command(&[command, option]);
        prepared.arg(path);
        prepared
    }

    /// Reloads.
    ///
    /// # Panics
    ///
    /// The reload fails; its output is shown.
    pub fn reload(&self) {
        let output = self.run("reload");
        assert!(output.status.success(), "reload failed: {}", show(&output));
    }

    /// Sends a GET to the proxy on a fresh connection.
    ///
    /// # Panics
    ///
    /// There is no answer.
    pub fn get(&self, path: &str) -> Response {
        self.get_with(path, &[])
    }

    /// The same with headers.
    ///
    /// # Panics
    ///
    /// There is no answer.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let answer = Connection::open(self.proxy_port).and_then(|mut c| c.get(path, headers));
        answer.unwrap_or_else(|e| panic!("no answer to GET {path}: {e}"))
    }

    /// Sends a request to the Admin API.
    ///
    /// # Panics
    ///
    /// There is no answer.
    pub fn admin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let connection = Connection::open(self.admin_port);
        let answer = connection.and_then(|mut c| c.request(method, path, headers, body));
        answer.unwrap_or_else(|e| panic!("no answer to {method} {path} of the Admin API: {e}"))
    }

    /// The node's process id, if its pid file is there.
    pub fn pid(&self) -> Option<u32> {
        let text = fs::read_to_string(self.prefix().join("pids/nginx.pid")).ok()?;
        text.trim().parse().ok()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.prefix().join("logs/error.log")).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.pid().is_some() {
            // A node that is about to end by itself is as good as stopped.
            let _ = self.run("stop");
        }
        if thread::panicking() {
            eprintln!("--- log of {}\n{}---", self.prefix().display(), self.log());
        }
    }
}

/// The binary without arguments and without the settings of this process's environment.
pub fn bare() -> Command {
    let mut command = Command::new(binary::path());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("KONG_") || name.starts_with("SILVERBACK_") {
            command.env_remove(name);
        }
    }
    command
}

/// Sends a signal, by the shell's own `kill`: not every machine has the program.
///
/// # Panics
///
/// There is no such process.
pub fn signal(name: &str, pid: u32) {
    let kill = format!("kill -{name} {pid}");
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.expect("sh runs").success(), "{kill}");
}

/// Status, stdout and stderr of a command, for messages.
pub fn show(output: &Output) -> String {
    format!(
        "{}\nstdout: {}\nstderr: {}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )
}

/// stderr as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A declarative file with services at `http://127.0.0.1:port` + path, one route each.
pub fn declarative(routes: &[(&str, u16, &str)]) -> String {
    let mut text = "_format_version: \"3.0\"\nservices:\n".to_owned();
    for (index, (path, port, upstream_path)) in routes.iter().enumerate() {
        text += &format!(
            "- name: s{index}\n  url: http://127.0.0.1:{port}{upstream_path}\n  \
             routes:\n  - name: r{index}\n    paths: [\"{path}\"]\n"
        );
    }
    text
}
