//! The proxies that are compared, each with one worker on the same core and the same duties: the
//! forwarded headers, `Via` and a request id towards the upstream, kept upstream connections, no
//! access log.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::option::Options;
use crate::process::{self, PROXY_CORE, Process, pinned};
use crate::scene::{Scene, free_port, is_up, nginx_configuration};

/// Bodies from here on get larger buffers in nginx, so that it need not spill them to disk.
const LARGE_BODY_BYTES: usize = 16 * 1024;

/// Which processes of a contestant count.
enum Accounting {
    /// nginx: the worker, a child of the master.
    Children,
    /// All of it: the process, its threads, and what it starts.
    Family,
}

/// A proxy that is up. Dropping it stops it.
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) port: u16,
    process: Process,
    accounting: Accounting,
}

impl Contestant {
    /// The processes whose CPU time is the contestant's cost.
    ///
    /// # Errors
    /// The contestant is gone.
    pub(crate) fn pids(&self) -> Result<Vec<u32>> {
        match self.accounting {
            Accounting::Children => process::children(self.process.pid()),
            Accounting::Family => process::family(self.process.pid()),
        }
        .with_context(|| format!("{} is gone", self.name))
    }

    /// The process that does the work.
    ///
    /// # Errors
    /// The contestant is gone.
    pub(crate) fn worker(&self) -> Result<u32> {
        let pids = self.pids()?;
        pids.first()
            .copied()
            .with_context(|| format!("{} has no worker", self.name))
    }
}

/// Starts the subject first, then its peers; nginx, to which all are compared, comes last.
///
/// # Errors
/// One of them does not come up.
pub(crate) fn start_all(options: &Options, scene: &Scene) -> Result<Vec<Contestant>> {
    let mut contestants = Vec::new();
    if options.is_self_test {
        contestants.push(start_nginx("nginx again", options, scene)?);
    } else {
        contestants.push(start_silverback(options, scene)?);
    }
    if options.has_haproxy {
        contestants.push(start_haproxy(scene)?);
    }
    contestants.push(start_nginx("nginx", options, scene)?);
    Ok(contestants)
}

fn start(
    name: &str,
    folder: &Path,
    port: u16,
    command: Command,
    accounting: Accounting,
) -> Result<Contestant> {
    let mut process = Process::spawn(name, folder, command)?;
    process.wait_until(|| is_up(port))?;
    Ok(Contestant {
        name: name.to_owned(),
        port,
        process,
        accounting,
    })
}

fn start_silverback(options: &Options, scene: &Scene) -> Result<Contestant> {
    let folder = scene.folder.join("silverback");
    fs::create_dir_all(&folder)?;
    let (port, admin_port) = (free_port()?, free_port()?);
    let declarative = folder.join("kong.yml");
    fs::write(&declarative, kong_yml(scene.upstream_port))?;
    let conf = folder.join("kong.conf");
    fs::write(&conf, kong_conf(&folder, &declarative, port, admin_port))?;
    let binary = options.silverback.canonicalize().with_context(|| {
        format!(
            "no gateway at {}: build it first",
            options.silverback.display()
        )
    })?;
    let mut command = pinned(PROXY_CORE, binary);
    command.args(["run", "-c"]).arg(conf);
    start("silverback", &folder, port, command, Accounting::Family)
}

fn kong_conf(folder: &Path, declarative: &Path, port: u16, admin_port: u16) -> String {
    format!(
        "prefix = {prefix}\n\
         database = off\n\
         declarative_config = {declarative}\n\
         proxy_listen = 127.0.0.1:{port}\n\
         admin_listen = 127.0.0.1:{admin_port}\n\
         nginx_worker_processes = 1\n\
         proxy_access_log = off\n\
         log_level = warn\n",
        prefix = folder.join("prefix").display(),
        declarative = declarative.display(),
    )
}

fn kong_yml(upstream_port: u16) -> String {
    format!(
        "_format_version: \"3.0\"\n\
         services:\n\
         - name: upstream\n\
         \x20 url: http://127.0.0.1:{upstream_port}\n\
         \x20 routes:\n\
         \x20 - name: all\n\
         \x20   paths: [\"/\"]\n"
    )
}

fn start_nginx(name: &str, options: &Options, scene: &Scene) -> Result<Contestant> {
    let folder = scene.folder.join(name.replace(' ', "-"));
    fs::create_dir_all(&folder)?;
    let port = free_port()?;
    let server = nginx_server(port, scene.upstream_port, options.body_bytes);
    let command = nginx_command(PROXY_CORE, &folder, &nginx_configuration(&folder, &server))?;
    start(name, &folder, port, command, Accounting::Children)
}

fn nginx_server(port: u16, upstream_port: u16, body_bytes: usize) -> String {
    let buffers = if body_bytes < LARGE_BODY_BYTES {
        ""
    } else {
        "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k; \
         proxy_max_temp_file_size 0;"
    };
    format!(
        "upstream backend {{ server 127.0.0.1:{upstream_port}; keepalive 128; \
         keepalive_requests 1000000000; keepalive_timeout 300s; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{\n\
         proxy_pass http://backend; proxy_http_version 1.1; {buffers}\n\
         proxy_set_header Connection \"\";\n\
         proxy_set_header Via \"1.1 nginx\";\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header X-Forwarded-Proto $scheme;\n\
         proxy_set_header X-Forwarded-Host $host;\n\
         proxy_set_header X-Forwarded-Port $server_port;\n\
         proxy_set_header X-Forwarded-Path $request_uri;\n\
         proxy_set_header X-Real-IP $remote_addr;\n\
         proxy_set_header X-Kong-Request-Id $request_id;\n\
         add_header Via \"1.1 nginx\";\n\
         add_header X-Kong-Upstream-Latency $upstream_response_time;\n\
         add_header X-Kong-Proxy-Latency $request_time;\n\
         add_header X-Kong-Request-Id $request_id;\n\
         }} }}"
    )
}

/// Writes the configuration and gives the command that runs nginx with it in the foreground.
///
/// # Errors
/// The configuration cannot be written.
pub(crate) fn nginx_command(core: &str, folder: &Path, configuration: &str) -> Result<Command> {
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = pinned(core, "nginx");
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(file)
        .arg("-e")
        .arg(folder.join("error.log"));
    Ok(command)
}

fn start_haproxy(scene: &Scene) -> Result<Contestant> {
    let folder = scene.folder.join("haproxy");
    fs::create_dir_all(&folder)?;
    let port = free_port()?;
    let file = folder.join("haproxy.cfg");
    fs::write(&file, haproxy_configuration(port, scene.upstream_port))?;
    let mut command = pinned(PROXY_CORE, "haproxy");
    command.args(["-db", "-f"]).arg(file);
    start("haproxy", &folder, port, command, Accounting::Family)
}

fn haproxy_configuration(port: u16, upstream_port: u16) -> String {
    format!(
        "global\n  nbthread 1\n  maxconn 8192\n\
         defaults\n  mode http\n  option http-keep-alive\n  http-reuse always\n\
         \x20 timeout connect 5s\n  timeout client 300s\n  timeout server 300s\n\
         frontend proxy\n  bind 127.0.0.1:{port}\n  option forwardfor\n\
         \x20 unique-id-format %{{+X}}o%ci%cp%fi%fp%Ts%rt\n\
         \x20 unique-id-header X-Kong-Request-Id\n\
         \x20 http-request set-header Via \"1.1 haproxy\"\n\
         \x20 http-request set-header X-Forwarded-Proto http\n\
         \x20 http-request set-header X-Forwarded-Host %[req.hdr(host)]\n\
         \x20 http-request set-header X-Forwarded-Port %[dst_port]\n\
         \x20 http-request set-header X-Forwarded-Path %[path]\n\
         \x20 http-request set-header X-Real-IP %[src]\n\
         \x20 http-response set-header Via \"1.1 haproxy\"\n\
         \x20 http-response set-header X-Kong-Request-Id %[unique-id]\n\
         \x20 default_backend upstream\n\
         backend upstream\n  server one 127.0.0.1:{upstream_port}\n"
    )
}
