//! The access log of a shard: what is noted of an exchange while it runs, and its line at the end.
//!
//! A line is rendered into a buffer of the shard: no lock, no system call, and no allocation once
//! the buffers are there. A full buffer, or one that is as old as the sweep's interval, goes to the
//! thread that writes the file. Times come from clock readings that the exchange has anyway, or
//! from the last sweep; only a format that tells exact durations looks at the clock again.
//!
//! | module | owns |
//! |---|---|
//! | `outlet` | buffers of lines, their way to the writer and back, and what is lost on it |
//! | `writer` | the thread of one log file; opening it again |

mod outlet;
mod writer;

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::Instant,
};

use silverback_core::{
    access_log::{Entry, Format, Forwarded},
    exchange::{Downstream, Latency, RequestId, RoutePlan},
    timestamp::Timestamp,
};

pub use self::{
    outlet::Outlet,
    writer::{LogFile, LogSender},
};
use crate::local_time;

/// The server's name, for requests that name none.
pub(crate) const SERVER_NAME: &str = "kong";

/// Status of a request whose client went away before there was an answer, as nginx has it.
const CLIENT_GONE: u16 = 499;

/// Where the shards' access log goes, and its format.
#[derive(Clone, Debug)]
pub struct AccessLogConfig {
    /// How a line looks.
    pub format: Format,
    /// The file.
    pub file: LogSender,
}

/// The access log of one shard.
pub(crate) struct AccessLog {
    format: Format,
    outlet: RefCell<Outlet>,
    clock: Cell<Clock>,
}

/// The wall clock at a moment of the other clock.
#[derive(Clone, Copy)]
struct Clock {
    moment: Instant,
    wall: Timestamp,
}

impl Clock {
    fn now() -> Self {
        Self {
            moment: Instant::now(),
            wall: local_time::now(),
        }
    }

    /// The wall clock at another moment.
    fn at(self, moment: Instant) -> Timestamp {
        let since = moment.saturating_duration_since(self.moment);
        Timestamp {
            unix_ms: self.wall.unix_ms + crate::exchange::millis(since),
            ..self.wall
        }
    }
}

impl AccessLog {
    pub(crate) fn new(config: &AccessLogConfig) -> Self {
        Self {
            format: config.format.clone(),
            outlet: RefCell::new(Outlet::new(&config.file)),
            clock: Cell::new(Clock::now()),
        }
    }

    /// Looks at the clock and sends what waits to the file.
    pub(crate) fn sweep(&self) {
        self.clock.set(Clock::now());
        self.outlet.borrow_mut().flush();
    }

    fn log(&self, client: &Downstream, connection: Numbers, notes: &Notes) {
        let clock = self.clock.get();
        let moment = if self.format.needs_clock() {
            Instant::now()
        } else {
            notes.latest.max(clock.moment)
        };
        let since = |start| crate::exchange::millis(moment.saturating_duration_since(start));
        let entry = Entry {
            head: &notes.head,
            client: client.client,
            local: client.local,
            server_name: SERVER_NAME,
            connection: connection.number,
            connection_requests: connection.requests,
            request_id: Some(&notes.id),
            status: notes.status.unwrap_or(CLIENT_GONE),
            bytes_sent: notes.sent,
            body_bytes_sent: notes.sent.saturating_sub(notes.head_sent),
            time: clock.at(moment),
            request_ms: since(notes.start),
            route: notes.route.as_deref(),
            upstream: notes.latency.map(|latency| Forwarded {
                address: notes.upstream,
                status: notes.status.unwrap_or(CLIENT_GONE),
                latency,
                response_ms: since(notes.chosen),
            }),
        };
        self.outlet
            .borrow_mut()
            .line(|out| self.format.render(&entry, out));
    }
}

/// Which connection, and how many requests it has had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) number: u64,
    pub(crate) requests: u64,
}

/// What is noted of an exchange for its line.
#[derive(Debug)]
pub(crate) struct Notes {
    /// The request head as received.
    pub(crate) head: Vec<u8>,
    pub(crate) id: RequestId,
    /// Status of the answer, once it begins.
    pub(crate) status: Option<u16>,
    /// Bytes sent to the client, and how many of them were the answer's head.
    pub(crate) sent: u64,
    pub(crate) head_sent: u64,
    pub(crate) start: Instant,
    /// When the last target was chosen.
    pub(crate) chosen: Instant,
    /// The latest moment that is known.
    pub(crate) latest: Instant,
    pub(crate) route: Option<Rc<RoutePlan>>,
    /// Address of the last target.
    pub(crate) upstream: Option<SocketAddr>,
    /// What forwarding took, if it was tried.
    pub(crate) latency: Option<Latency>,
}

impl Notes {
    /// Notes of an exchange that begins.
    pub(crate) fn new(head: Vec<u8>, id: RequestId, start: Instant) -> Self {
        Self {
            head,
            id,
            status: None,
            sent: 0,
            head_sent: 0,
            start,
            chosen: start,
            latest: start,
            route: None,
            upstream: None,
            latency: None,
        }
    }

    /// Writes the line, if there is a log.
    pub(crate) fn log(&self, log: Option<&AccessLog>, client: &Downstream, connection: Numbers) {
        if let Some(log) = log {
            log.log(client, connection, self);
        }
    }
}
