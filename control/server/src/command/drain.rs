//! `silverback drain`: tells the node by its Status API that it should no longer say it is ready.
//!
//! Source: `kong/cmd/drain.lua`. The exit status is 0 also when the node could not be told, since
//! scripts go on with `quit` then. Deviation: the first status listener without TLS is asked; this
//! version serves no other.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::Result;
use silverback_schema::conf::NodeConfig;

use crate::{cli::NodeArguments, settings, terminal};

/// Time for the connection, and again for the answer.
const TIME_MAX: Duration = Duration::from_secs(1);

/// `HTTP/1.1 204`.
const STATUS_BYTES: usize = 12;

/// The status of an order that was taken.
const TAKEN: &str = "204";

const ORDER: &str = r#"{"status":"draining"}"#;

pub(super) fn drain(arguments: &NodeArguments) -> Result<()> {
    let prefix = settings::prefix_of(arguments)?;
    prefix.expect_there()?;
    let config = if prefix.settings_file().exists() {
        settings::read_prepared(&prefix)?
    } else {
        settings::read(arguments)?
    };
    terminal::say(order(&config));
    Ok(())
}

/// Gives the order; the answer says how that went.
fn order(config: &NodeConfig) -> String {
    let mut listeners = config.status_listen.iter().filter(|l| !l.ssl);
    let Some(listener) = listeners.next() else {
        return "there is no status listener without TLS to tell the node by; set status_listen"
            .into();
    };
    // An address such as 0.0.0.0 leads to this machine too.
    let url = format!("http://{}/status/ready", listener.address);
    match post(listener.address) {
        Ok(status) if status == TAKEN => {
            format!("the node is draining: {url} says so from now on")
        }
        Ok(status) => format!("the node was not told to drain: {url} answered {status}"),
        Err(e) => format!("the node was not told to drain: {url}: {e}"),
    }
}

/// Sends the order. Answers the three digits of the status.
fn post(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIME_MAX)?;
    stream.set_write_timeout(Some(TIME_MAX))?;
    stream.set_read_timeout(Some(TIME_MAX))?;
    let length = ORDER.len();
    write!(
        stream,
        "POST /status/ready HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{ORDER}"
    )?;
    let mut line = [0; STATUS_BYTES];
    stream.read_exact(&mut line)?;
    let status = std::str::from_utf8(&line).ok();
    let status = status.and_then(|l| l.strip_prefix("HTTP/1.1 "));
    status
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other("the answer is not HTTP/1.1"))
}
