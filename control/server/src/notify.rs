//! What systemd is told: that the node serves, reloads, ends, and that it is alive.
//!
//! A message is one datagram of `NAME=value` lines to the socket that `NOTIFY_SOCKET` names: a path,
//! or `@` and a name of Linux's abstract namespace. Without that variable nothing is sent. Written out
//! here instead of taken from a crate, because the standard library does nearly all of it.
//!
//! Limit: a message that systemd does not take within [`SEND_TIME_MAX`] is given up with a warning.
//!
//! Source: `sd_notify(3)`, `sd_watchdog_enabled(3)`.

use std::{
    ffi::OsString,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::log::one_line;

/// Longest wait for a message to be taken.
const SEND_TIME_MAX: Duration = Duration::from_secs(1);

/// Where the messages go.
#[derive(Debug)]
pub(crate) struct Notify {
    target: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// What the environment says; a socket that cannot be used is warned of.
    #[expect(
        clippy::disallowed_methods,
        reason = "variables of systemd's protocol, not settings"
    )]
    pub(crate) fn from_environment() -> Self {
        let watchdog = std::env::var("WATCHDOG_USEC").ok();
        let pid = std::env::var("WATCHDOG_PID").ok();
        let target = std::env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let connected = connect(&name);
            let warn = |e| tracing::warn!("systemd cannot be told anything: {name:?}: {e}");
            connected.map_err(warn).ok()
        });
        Self {
            target,
            watchdog: watchdog_time(watchdog.as_deref(), pid.as_deref(), std::process::id()),
        }
    }

    /// Time within which systemd wants to hear that the node is alive, if it does.
    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.target.as_ref().and(self.watchdog)
    }

    /// The node serves, for the first time or again.
    pub(crate) fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// The node reads its configuration again; [`Self::ready`] follows.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.send(&format!(
            "RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=reading the configuration again"
        ));
    }

    /// The node ends.
    pub(crate) fn stopping(&self, status: &str) {
        self.send(&format!("STOPPING=1\nSTATUS={}", one_line(status)));
    }

    /// The node is alive.
    pub(crate) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, message: &str) {
        let Some((socket, address)) = &self.target else {
            return;
        };
        if let Err(e) = socket.send_to_addr(message.as_bytes(), address) {
            let what = message.lines().next().unwrap_or_default();
            tracing::warn!("systemd did not take the message {what}: {e}");
        }
    }
}

fn connect(name: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(SEND_TIME_MAX))?;
    Ok((socket, address))
}

/// The time, if there is one and it is meant for this process.
fn watchdog_time(micros: Option<&str>, pid: Option<&str>, own_pid: u32) -> Option<Duration> {
    let is_ours = pid.is_none_or(|pid| pid.parse() == Ok(own_pid));
    let micros = micros?.parse().ok().filter(|micros| *micros > 0)?;
    is_ours.then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_fed_only_by_the_process_that_it_is_for() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog_time(Some("1000000"), None, 7), second);
        assert_eq!(watchdog_time(Some("1000000"), Some("7"), 7), second);
        assert_eq!(watchdog_time(Some("1000000"), Some("8"), 7), None);
        for wrong in [None, Some("0"), Some("-1"), Some("soon")] {
            assert_eq!(watchdog_time(wrong, None, 7), None);
        }
    }

    #[test]
    fn sockets_with_a_path_and_with_a_name_are_reached() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let path = directory.path().join("notify");
        let name = format!("@silverback-notify-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).expect("a socket");
        let address = SocketAddr::from_abstract_name(&name[1..]).expect("a short name");
        let by_name = UnixDatagram::bind_addr(&address).expect("a socket");
        for (name, socket) in [(path.into_os_string(), by_path), (name.into(), by_name)] {
            let notify = Notify {
                target: Some(connect(&name).expect("it is there")),
                watchdog: None,
            };
            notify.ready("two\nlines");
            let mut message = [0; 100];
            let length = socket.recv(&mut message).expect("a message");
            assert_eq!(&message[..length], b"READY=1\nSTATUS=two\\nlines");
        }
    }
}
