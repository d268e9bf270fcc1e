//! The client side: accepting connections, and the requests of one connection in turn.

use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, RawFd},
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use monoio::{
    io::AsyncReadRent,
    net::{TcpListener, TcpStream},
};
use silverback_core::{
    exchange::{Answer, AnswerHead, Downstream, Forms, Latency, RequestId},
    http1::{
        error_page::{BodyType, ErrorKind},
        head::{REQUEST_HEAD_BYTES_MAX, is_hopeless, is_whole},
    },
};

use crate::{
    access_log::{Notes, Numbers},
    buffer::{BODY_BYTES, Buffer, HEAD_BYTES, WAIT_BYTES},
    deadline::{Slot, Waiting},
    exchange,
    panic::contain,
    shard::Shard,
    stats::Activity,
};

/// How long a connection may wait for its next request (nginx `keepalive_timeout`).
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may take for a request head, and for each piece of a body it sends or takes
/// (nginx `client_header_timeout`, `client_body_timeout`, `send_timeout`).
pub(crate) const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long, and for how many bytes, a client is listened to after the last answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// How long accepting pauses when the process is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listening socket of one shard.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    is_stopped: Cell<bool>,
}

impl Listener {
    pub(crate) fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        let listener = TcpListener::from_std(listener)?;
        Ok(Self {
            listener,
            is_stopped: Cell::new(false),
        })
    }

    /// Whether a connection waits to be accepted.
    pub(crate) fn has_waiting(&self) -> bool {
        crate::socket::is_readable(self.listener.as_raw_fd())
    }

    /// Ends accepting: the pending accept operation completes with an error.
    pub(crate) fn stop(&self) {
        self.is_stopped.set(true);
        crate::socket::shutdown(self.listener.as_raw_fd());
    }
}

/// Accepts connections until the listener is stopped. The pending accept is never dropped, which
/// would leak a connection that arrives at that moment.
pub(crate) async fn accept(shard: Rc<Shard>, listener: Rc<Listener>) {
    let mut is_failing = false;
    loop {
        match listener.listener.accept().await {
            Ok((stream, client)) => {
                is_failing = false;
                let number = shard.accepted();
                monoio::spawn(serve(Rc::clone(&shard), stream, client, number));
            }
            Err(_) if listener.is_stopped.get() => return,
            Err(error) => {
                if !is_failing {
                    tracing::error!(%error, "cannot accept connections: {}", hint(&error));
                }
                is_failing = true;
                monoio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EMFILE) => {
            "too many open files: raise the limit nofile (LimitNOFILE, ulimit -n)"
        }
        Some(libc::ENFILE) => "too many open files in the system: raise the sysctl fs.file-max",
        _ => "trying again",
    }
}

/// A client's connection.
pub(crate) struct Connection {
    pub(crate) shard: Rc<Shard>,
    pub(crate) stream: TcpStream,
    pub(crate) slot: Slot,
    pub(crate) downstream: Downstream,
    /// What was received and not used yet. Out only while the kernel has it.
    pub(crate) received: Option<Buffer>,
    /// Whether a byte of the current response was sent.
    pub(crate) has_answered: bool,
    /// What the log's line will tell of the current exchange.
    pub(crate) notes: Notes,
    pub(crate) numbers: Numbers,
    activity: Activity,
}

/// Whether a connection takes another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    KeepAlive,
    Close,
    /// No, and the client is likely to be sending still.
    Linger,
}

async fn serve(shard: Rc<Shard>, stream: TcpStream, client: SocketAddr, number: u64) {
    if let Ok(local) = stream.local_addr()
        && stream.set_nodelay(true).is_ok()
    {
        let mut connection = Connection::new(Rc::clone(&shard), stream, client, local, number);
        connection.run().await;
        connection.end();
    }
    shard.shared.counters.closed();
}

impl Connection {
    fn new(
        shard: Rc<Shard>,
        stream: TcpStream,
        client: SocketAddr,
        local: SocketAddr,
        number: u64,
    ) -> Self {
        let socket: RawFd = stream.as_raw_fd();
        Self {
            slot: shard.deadlines.slot(socket),
            received: Some(shard.buffers.take(WAIT_BYTES)),
            downstream: Downstream::new(client, local),
            shard,
            stream,
            has_answered: false,
            notes: Notes::new(Vec::new(), [0; 32], Instant::now()),
            numbers: Numbers {
                number,
                requests: 0,
            },
            activity: Activity::Waiting,
        }
    }

    async fn run(&mut self) {
        while self.receive_head().await {
            self.numbers.requests += 1;
            self.activity(Activity::Writing);
            self.shard.shared.counters.request();
            let is_last = self.numbers.requests >= self.shard.config.client_requests_max;
            let id = self.shard.request_id();
            self.has_answered = false;
            match contain(exchange::run(self, &id, is_last)).await {
                Ok(After::KeepAlive) if !is_last && !self.shard.is_draining.get() => {}
                Ok(After::Linger) => return self.linger().await,
                Ok(_) if self.has_unread() => return self.linger().await,
                Ok(_) => return,
                Err(panic) => return self.apologise(&id, &panic).await,
            }
            self.activity(Activity::Waiting);
            self.shrink();
        }
        self.log_unfinished();
    }

    /// Begins the notes of an exchange.
    pub(crate) fn note(&mut self, id: RequestId, start: Instant) {
        let head = self.shard.scratch();
        self.notes = Notes::new(head, id, start);
    }

    /// Writes the line of the exchange that was noted.
    pub(crate) fn log(&mut self) {
        let log = self.shard.access_log.as_ref();
        self.notes.log(log, &self.downstream, self.numbers);
        self.shard.recycle(std::mem::take(&mut self.notes.head));
        self.notes.route = None;
    }

    /// Logs a request whose head did not come to its end, as nginx does.
    fn log_unfinished(&mut self) {
        if self.received().is_empty() {
            return;
        }
        self.numbers.requests += 1;
        let id = self.shard.request_id();
        self.note(id, Instant::now());
        let Self {
            notes, received, ..
        } = self;
        let bytes = received.as_ref().map_or(&[][..], Buffer::filled);
        notes.head.extend_from_slice(bytes);
        notes.status = Some(if self.slot.is_expired() { 408 } else { 400 });
        self.log();
    }

    /// Receives until a request head is complete or over its limit. False: the client is gone.
    async fn receive_head(&mut self) -> bool {
        let mut looked_at = 0;
        loop {
            let len = self.received().len();
            if len > 0 && looked_at == 0 {
                self.activity(Activity::Reading);
                self.shard
                    .deadlines
                    .arm(&self.slot, Waiting::Busy, CLIENT_TIMEOUT);
            }
            let filled = self.received().filled();
            if is_whole(filled, looked_at) || is_hopeless(filled) || len >= REQUEST_HEAD_BYTES_MAX {
                self.slot.disarm();
                return true;
            }
            looked_at = len;
            if len == 0 {
                self.shard
                    .deadlines
                    .arm(&self.slot, Waiting::Idle, KEEPALIVE_TIMEOUT);
            }
            if self.received().room() == 0 {
                self.grow(HEAD_BYTES);
            }
            if !self.receive().await {
                return false;
            }
        }
    }

    /// Receives behind what is there. False: the client is gone or too slow.
    async fn receive(&mut self) -> bool {
        let Some(buffer) = self.received.take() else {
            return false;
        };
        let (result, buffer) = self.stream.read(buffer).await;
        self.received = Some(buffer);
        // What came too late could not be answered: the socket is shut down.
        matches!(result, Ok(count) if count > 0) && !self.slot.is_expired()
    }

    /// Whether the client sent bytes that nobody will read. Closing would then reset the connection,
    /// and the end of the answer could get lost.
    fn has_unread(&mut self) -> bool {
        !self.received().is_empty() || crate::socket::is_readable(self.stream.as_raw_fd())
    }

    /// Receives a piece of the request body behind what is there. False: there is none to come.
    pub(crate) async fn receive_body(&mut self) -> bool {
        if self.received().capacity() < BODY_BYTES {
            self.grow(BODY_BYTES);
        }
        self.shard
            .deadlines
            .arm(&self.slot, Waiting::Busy, CLIENT_TIMEOUT);
        let is_more = self.receive().await;
        self.slot.disarm();
        is_more
    }

    /// Reads what the client still sends, for a moment, so that closing does not reset the
    /// connection before the client has read the answer (nginx `lingering_close`).
    async fn linger(&mut self) {
        crate::socket::shutdown_write(self.stream.as_raw_fd());
        // One deadline for all of it; a drain does not wait for it.
        self.shard
            .deadlines
            .arm(&self.slot, Waiting::Idle, LINGER_TIMEOUT);
        let mut bytes = 0;
        self.received().reset(0);
        while bytes < LINGER_BYTES_MAX && self.receive().await {
            bytes += self.received().len();
            self.received().reset(0);
        }
    }

    /// What was received and not used yet.
    pub(crate) fn received(&mut self) -> &mut Buffer {
        self.received
            .get_or_insert_with(|| self.shard.buffers.take(WAIT_BYTES))
    }

    /// Makes room: moves what is there to the front, into a buffer of the size if it is larger.
    fn grow(&mut self, size: usize) {
        self.received().compact();
        if self.received().capacity() < size {
            self.replace(size);
        }
    }

    /// Goes back to the small buffer when what is left fits, so that waiting costs little memory.
    fn shrink(&mut self) {
        if self.received().capacity() > WAIT_BYTES && self.received().len() <= WAIT_BYTES {
            self.replace(WAIT_BYTES);
        }
    }

    fn replace(&mut self, size: usize) {
        let mut buffer = self.shard.buffers.take(size);
        if let Some(before) = self.received.take() {
            buffer.append(before.filled());
            self.shard.buffers.give(before);
        }
        self.received = Some(buffer);
    }

    /// Sends bytes to the client. False: the client is gone or too slow.
    pub(crate) async fn send<B: monoio::buf::IoBuf>(&mut self, bytes: B) -> (bool, B) {
        self.has_answered = true;
        let (stream, slot) = (&mut self.stream, &self.slot);
        let deadlines = &self.shard.deadlines;
        let (result, sent, bytes) = deadlines
            .write_all(stream, slot, CLIENT_TIMEOUT, bytes)
            .await;
        self.notes.sent += sent as u64;
        self.slot.disarm();
        (result.is_ok(), bytes)
    }

    /// Answers 500 after a panic, if nothing was answered yet.
    async fn apologise(&mut self, id: &RequestId, panic: &str) {
        tell!(
            error,
            self,
            "an exchange panicked, its connection is closed: {panic}"
        );
        if self.has_answered {
            return self.log();
        }
        let mut out = Vec::new();
        let head = AnswerHead {
            forms: Forms {
                access: BodyType::Json,
                proxy: BodyType::Json,
            },
            keep_alive: false,
            is_head: false,
            latency: Latency {
                upstream_ms: 0,
                proxy_ms: 0,
            },
            now: SystemTime::now(),
            request_id: id,
            settings: &self.shard.config.response_headers,
        };
        let answer = Answer::Error(ErrorKind::Internal);
        self.notes.head_sent = answer.write(&head, &mut out) as u64;
        self.notes.status = Some(answer.status());
        let is_sent = self.send(out).await.0;
        self.log();
        if is_sent {
            self.linger().await;
        }
    }

    fn activity(&mut self, activity: Activity) {
        self.shard.shared.counters.changed(self.activity, activity);
        self.activity = activity;
    }

    fn end(mut self) {
        self.activity(Activity::Waiting);
        if let Some(buffer) = self.received.take() {
            self.shard.buffers.give(buffer);
        }
    }
}
