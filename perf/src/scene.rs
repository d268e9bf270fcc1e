//! What all contestants share: a working folder, free ports, the upstream and its known answer.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::contestant::nginx_command;
use crate::fact;
use crate::option::Options;
use crate::process::{LOAD_CORE, Process};

/// Configurations, logs and sockets of the run; made anew each time.
const FOLDER: &str = "target/perf";
/// The longest answer that nginx can hold as a word of its configuration.
const INLINE_BODY_BYTES_MAX: usize = 3 * 1024;
/// How long a single checked request may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The stage of one run. Dropping it stops the upstream.
pub(crate) struct Scene {
    /// Absolute path of the working folder.
    pub(crate) folder: PathBuf,
    /// Where the upstream listens, on 127.0.0.1.
    pub(crate) upstream_port: u16,
    /// The answer that every contestant must relay.
    pub(crate) body: Vec<u8>,
    _upstream: Process,
}

impl Scene {
    /// Makes the folder and starts the upstream.
    ///
    /// # Errors
    /// The folder cannot be made, or the upstream does not answer.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let folder = fresh_folder(Path::new(FOLDER))?;
        let body = alphabet(options.body_bytes);
        let upstream_port = free_port()?;
        let upstream = start_upstream(&folder.join("upstream"), upstream_port, &body)?;
        let scene = Self {
            folder,
            upstream_port,
            body,
            _upstream: upstream,
        };
        scene.check_answer(upstream_port).context("the upstream")?;
        Ok(scene)
    }

    /// Asks at `port` and compares the answer byte for byte with the upstream's body.
    ///
    /// # Errors
    /// No answer, or another one.
    pub(crate) fn check_answer(&self, port: u16) -> Result<()> {
        let body = body_of(&ask(port)?)?;
        ensure!(
            body == self.body,
            "answers with another body: {} bytes instead of {}, or other ones",
            body.len(),
            self.body.len()
        );
        Ok(())
    }
}

fn fresh_folder(path: &Path) -> Result<PathBuf> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot empty {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path.canonicalize()?)
}

/// A body in which every shift or loss shows.
fn alphabet(length: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(length).collect()
}

/// A port of 127.0.0.1 that is free now.
///
/// # Errors
/// None is.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Whether a GET at `port` is answered with 200.
pub(crate) fn is_up(port: u16) -> bool {
    ask(port).is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200 "))
}

/// All bytes that answer `GET /` at `port`, over a connection of its own.
fn ask(port: u16) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn body_of(answer: &[u8]) -> Result<Vec<u8>> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end = end.context("an answer without a complete head")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.lines().next().unwrap_or_default();
    ensure!(
        status.starts_with("http/1.1 200"),
        "answers {status:?} instead of 200"
    );
    if head.contains("transfer-encoding") {
        bail!("answers in chunks although the upstream gives a length");
    }
    Ok(answer[end + 4..].to_vec())
}

fn start_upstream(folder: &Path, port: u16, body: &[u8]) -> Result<Process> {
    let text = std::str::from_utf8(body).context("the alphabet is text")?;
    fs::create_dir_all(folder)?;
    let answer = if body.len() <= INLINE_BODY_BYTES_MAX {
        format!("default_type text/plain; return 200 \"{text}\";")
    } else {
        fs::write(folder.join("index.html"), body)?;
        format!(
            "root {}; open_file_cache max=8; tcp_nopush on;",
            folder.display()
        )
    };
    let server = format!("server {{ listen 127.0.0.1:{port}; location / {{ {answer} }} }}");
    let configuration = nginx_configuration(folder, &server);
    let command = nginx_command(LOAD_CORE, folder, &configuration)?;
    let mut process = Process::spawn("the upstream", folder, command)?;
    process.wait_until(|| is_up(port))?;
    Ok(process)
}

/// An nginx configuration with one worker, no access log, and connections that are kept for ever.
pub(crate) fn nginx_configuration(folder: &Path, inner: &str) -> String {
    let folder = folder.display();
    // As root, nginx would hand its worker to an account that cannot enter the working folder.
    let user = if fact::is_root() { "user root;" } else { "" };
    format!(
        "{user} worker_processes 1; daemon off; pid {folder}/nginx.pid;\n\
         events {{ worker_connections 8192; }}\n\
         http {{\n\
         access_log off; sendfile on; tcp_nodelay on;\n\
         keepalive_requests 1000000000; keepalive_timeout 300s;\n\
         client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp;\n\
         fastcgi_temp_path {folder}/temp; uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;\n\
         {inner}\n\
         }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_what_follows_the_head() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(body_of(answer).unwrap(), b"ok");
    }

    #[test]
    fn other_answers_are_refused() {
        for answer in [
            &b"HTTP/1.1 404 Not Found\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"",
        ] {
            assert!(
                body_of(answer).is_err(),
                "{}",
                String::from_utf8_lossy(answer)
            );
        }
    }

    #[test]
    fn a_shifted_body_differs() {
        assert_eq!(alphabet(28), b"abcdefghijklmnopqrstuvwxyzab");
    }
}
