//! One exchange on the wire: the request goes to an upstream, its answer to the client.
//!
//! The thinking is `silverback_core::exchange`'s; here bytes move, in simple order: send, then
//! receive. Neither body is held: a piece is received, sent on, and only then the next one received,
//! so the slower side sets the pace. An answer is received with room in front, into which its edited
//! head is written, so that head and body leave in one piece.
//!
//! A failed try is repeated on another target while the service's `retries` last, if the request can
//! be sent again: no byte of an answer came, its body (if any) is still at hand, and nothing was
//! sent yet or the method is idempotent. A reused connection that died is replaced without counting.

mod failure;
mod request_body;
mod response_body;

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use monoio::io::AsyncReadRent;
use silverback_core::{
    exchange::{
        Answer, AnswerHead, BadUpstream, Begun, Forward, Latency, Next, Relay, RequestId,
        Responded, Try,
    },
    http1::{
        chunked::LAST_CHUNK,
        error_page::ErrorKind,
        head::{RESPONSE_HEAD_BYTES_MAX, is_whole},
    },
};
use silverback_schema::entity::Protocol;

use crate::{
    buffer::{BODY_BYTES, Buffer, HEADROOM_BYTES, LARGE_BYTES},
    deadline::Waiting,
    downstream::{After, Connection},
    upstream,
};
use failure::{Failure, FailureKind, answer_to};
use request_body::{Body, Piece};
use response_body::{Rest, wrap};

/// What the client gets that waits for it before it sends a body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Most bytes of a request body that are read only to get to the next request.
const DISCARD_BYTES_MAX: u64 = 1024 * 1024;

/// Interim responses that an upstream may send before its answer.
const INTERIM_MAX: u32 = 16;

/// Serves the request whose head has been received. `is_last`: the connection closes afterwards.
pub(crate) async fn run(connection: &mut Connection, id: &RequestId, is_last: bool) -> After {
    let start = Instant::now();
    connection.note(*id, start);
    let mut head = connection.shard.scratch();
    let begun = {
        let Connection {
            shard,
            downstream,
            received,
            notes,
            ..
        } = &mut *connection;
        let bytes = received.as_ref().map_or(&[][..], Buffer::filled);
        let begun = shard
            .think(|engine, snapshot| engine.begin(snapshot, downstream, bytes, id, &mut head));
        // Of a head that was refused there is no end.
        let len = begun.as_ref().map_or(0, |begun| begun.head_len);
        let noted = if len > 0 { &bytes[..len] } else { bytes };
        notes.head.extend_from_slice(noted);
        begun
    };
    let Some(mut begun) = begun else {
        // The head filled its buffer without an end that the parser accepts.
        connection.notes.status = Some(400);
        connection.log();
        return After::Close;
    };
    begun.keep_alive &= !is_last && !connection.shard.is_draining.get();
    connection.received().consume(begun.head_len);
    let next = std::mem::replace(
        &mut begun.next,
        Next::Answer(Answer::Error(ErrorKind::Internal)),
    );
    let body = Body::new(begun.framing);
    let mut exchange = Exchange {
        connection,
        id,
        begun,
        body,
    };
    let after = match next {
        Next::Answer(answer) => exchange.answer(&answer).await,
        Next::Forward(forward) => exchange.forward(forward, &mut head).await,
    };
    exchange.connection.shard.recycle(head);
    exchange.connection.log();
    after
}

struct Exchange<'a> {
    connection: &'a mut Connection,
    id: &'a RequestId,
    begun: Begun,
    body: Body,
}

impl Exchange<'_> {
    /// Sends an answer of our own.
    async fn answer(&mut self, answer: &Answer) -> After {
        let can_discard = self.body.is_done || self.can_discard_body();
        let keep_alive = self.begun.keep_alive && !answer.closes() && can_discard;
        let mut out = self.connection.shard.scratch();
        let latency = self.latency(Instant::now());
        let head = AnswerHead {
            forms: self.begun.forms,
            keep_alive,
            is_head: self.begun.is_head,
            latency,
            now: SystemTime::now(),
            request_id: self.id,
            settings: &self.connection.shard.config.response_headers,
        };
        let head_len = answer.write(&head, &mut out);
        self.note_answer(answer.status(), head_len);
        let (is_sent, out) = self.connection.send(out).await;
        self.connection.shard.recycle(out);
        if is_sent && keep_alive && self.discard_body().await {
            return After::KeepAlive;
        }
        if is_sent && (answer.closes() || !self.body.is_done) {
            return After::Linger;
        }
        After::Close
    }

    /// Whether the rest of the request body is worth reading for the sake of the next request.
    fn can_discard_body(&self) -> bool {
        // A client that was not told to continue may send the body, or not.
        !self.begun.expects_continue && self.body.remaining <= DISCARD_BYTES_MAX
    }

    /// Reads the request body to its end and drops it. False: it did not end in time or in order.
    async fn discard_body(&mut self) -> bool {
        let mut bytes = 0;
        let mut out = self.connection.shard.scratch();
        while !self.body.is_done && bytes <= DISCARD_BYTES_MAX {
            out.clear();
            let before = self.connection.received().len() as u64;
            match self.body.piece(self.connection.received(), &mut out) {
                Ok(Piece::Received) => self.connection.received().reset(0),
                Ok(Piece::Copied) => {}
                Ok(Piece::Missing) if self.connection.receive_body().await => {}
                Ok(Piece::Missing) | Err(_) => break,
            }
            bytes += before;
        }
        self.connection.shard.recycle(out);
        self.body.is_done
    }

    /// What the exchange took until now; noted if its request was sent on.
    fn latency(&mut self, now: Instant) -> Latency {
        let notes = &mut self.connection.notes;
        let latency = Latency {
            upstream_ms: millis(now.saturating_duration_since(notes.chosen)),
            proxy_ms: millis(notes.chosen.saturating_duration_since(notes.start)),
        };
        notes.latest = now;
        if notes.route.is_some() {
            notes.latency = Some(latency);
        }
        latency
    }

    /// Notes an answer that begins to be sent.
    fn note_answer(&mut self, status: u16, head_len: usize) {
        let notes = &mut self.connection.notes;
        notes.status = Some(status);
        notes.head_sent = head_len as u64;
    }

    /// Tries targets until one answers.
    async fn forward(&mut self, mut forward: Forward, head: &mut Vec<u8>) -> After {
        self.connection.notes.route = Some(std::rc::Rc::clone(&forward.route));
        let mut target = forward.first.clone();
        let mut retries_left = forward.service.retries;
        let mut is_fresh_wanted = false;
        loop {
            let failure = match self
                .try_target(&forward, &target, head, is_fresh_wanted)
                .await
            {
                Ok(after) => return after,
                Err(failure) => failure,
            };
            if self.connection.has_answered {
                return After::Close;
            }
            if matches!(failure.kind, FailureKind::Client) {
                let is_late = self.connection.slot.is_expired();
                self.connection.notes.status = is_late.then_some(408);
                return After::Close;
            }
            self.log(&failure, &target, head);
            let can_repeat = !self.body.is_spent
                && (!failure.is_sent || self.begun.is_idempotent)
                && !matches!(
                    failure.kind,
                    FailureKind::Bad(_) | FailureKind::Protocol(_) | FailureKind::ClientBody
                );
            if can_repeat && failure.is_reused && !matches!(failure.kind, FailureKind::TimedOut) {
                is_fresh_wanted = true;
                continue;
            }
            if !can_repeat || retries_left == 0 {
                return self.answer(&answer_to(failure.kind)).await;
            }
            retries_left -= 1;
            is_fresh_wanted = false;
            match forward.retry(head) {
                Some(next) => target = next,
                None => return self.answer(&Answer::Error(ErrorKind::NoPeerLeft)).await,
            }
            self.connection.notes.chosen = Instant::now();
        }
    }

    /// Sends the request to one target and its answer to the client.
    async fn try_target(
        &mut self,
        forward: &Forward,
        target: &Try,
        head: &mut Vec<u8>,
        is_fresh_wanted: bool,
    ) -> Result<After, Failure> {
        let unsent = |kind| Failure {
            kind,
            is_sent: false,
            is_reused: false,
        };
        let service = &forward.service;
        if service.protocol != Protocol::Http {
            return Err(unsent(FailureKind::Protocol(service.protocol)));
        }
        let address = self.address(target).await.map_err(unsent)?;
        self.connection.notes.upstream = Some(address);
        let shard = std::rc::Rc::clone(&self.connection.shard);
        let pooled = if is_fresh_wanted {
            None
        } else {
            let is_final = !self.begun.is_idempotent || !self.body.is_done;
            shard
                .pools
                .take(&address, self.connection.notes.chosen, is_final)
        };
        let mut upstream = match pooled {
            Some(upstream) => upstream,
            None => upstream::connect(address, service.connect_timeout, &shard.deadlines)
                .await
                .map_err(|error| match error.kind() {
                    io::ErrorKind::TimedOut => unsent(FailureKind::TimedOut),
                    _ => unsent(FailureKind::Connect(error)),
                })?,
        };
        let is_reused = upstream.is_reused;
        let result = self.converse(forward, &mut upstream, head).await;
        let sent = |kind| Failure {
            kind,
            is_sent: true,
            is_reused,
        };
        let (after, is_upstream_free) = result.map_err(sent)?;
        if is_upstream_free && !shard.is_draining.get() {
            // A long answer makes the connection look older than it is; a slow upstream does not.
            shard.pools.give(upstream, self.connection.notes.latest);
        }
        Ok(after)
    }

    async fn address(&self, target: &Try) -> Result<SocketAddr, FailureKind> {
        match target {
            Try::Address(address) => Ok(*address),
            Try::Name(name, port) => self
                .connection
                .shard
                .names
                .resolve(name, *port)
                .await
                .map_err(|error| FailureKind::Name(name.to_string(), error)),
        }
    }

    /// The conversation with a connected upstream. Says whether the upstream's connection may be
    /// used again.
    async fn converse(
        &mut self,
        forward: &Forward,
        upstream: &mut upstream::Connection,
        head: &mut Vec<u8>,
    ) -> Result<(After, bool), FailureKind> {
        let write_timeout = forward.service.write_timeout;
        self.send_bytes(upstream, head, write_timeout).await?;
        let mut cut_off = None;
        if !self.body.is_done {
            match self.send_body(upstream, write_timeout).await {
                Ok(()) => {}
                // It takes no more of the body; perhaps because it has answered already.
                Err(kind @ (FailureKind::Send(_) | FailureKind::TimedOut)) => {
                    self.begun.keep_alive = false;
                    cut_off = Some(kind);
                }
                Err(kind) => return Err(kind),
            }
        }
        let mut answer = self.connection.shard.buffers.take(BODY_BYTES);
        answer.reset(HEADROOM_BYTES);
        let read_timeout = forward.service.read_timeout;
        let (answer, result) = self
            .receive_answer(upstream, answer, head, read_timeout)
            .await;
        match result {
            Ok(responded) => {
                let (after, is_upstream_free) = self
                    .relay(upstream, answer, head, &responded, read_timeout)
                    .await;
                Ok(match cut_off {
                    None => (after, is_upstream_free),
                    Some(_) => (After::Linger, false),
                })
            }
            Err(kind) => {
                self.connection.shard.buffers.give(answer);
                Err(cut_off.unwrap_or(kind))
            }
        }
    }

    /// Sends the bytes of `out`, which come back.
    async fn send_bytes(
        &mut self,
        upstream: &mut upstream::Connection,
        out: &mut Vec<u8>,
        timeout: Duration,
    ) -> Result<(), FailureKind> {
        let deadlines = &self.connection.shard.deadlines;
        let (stream, slot) = (&mut upstream.stream, &upstream.slot);
        let (result, _, bytes) = deadlines
            .write_all(stream, slot, timeout, std::mem::take(out))
            .await;
        *out = bytes;
        sent(result, upstream)
    }

    /// Sends the request body piece by piece.
    async fn send_body(
        &mut self,
        upstream: &mut upstream::Connection,
        timeout: Duration,
    ) -> Result<(), FailureKind> {
        if self.begun.expects_continue && self.connection.received().is_empty() {
            let (is_sent, _) = self.connection.send(CONTINUE).await;
            self.connection.has_answered = false;
            self.connection.notes.sent = 0;
            if !is_sent {
                return Err(FailureKind::Client);
            }
        }
        let mut out = self.connection.shard.scratch();
        while !self.body.is_done {
            out.clear();
            match self.body.piece(self.connection.received(), &mut out)? {
                Piece::Missing => {
                    if !self.connection.receive_body().await {
                        return Err(FailureKind::Client);
                    }
                }
                Piece::Copied => {
                    self.body.is_spent = true;
                    self.send_bytes(upstream, &mut out, timeout).await?;
                }
                Piece::Received => {
                    self.body.is_spent = true;
                    self.send_received(upstream, timeout).await?;
                }
            }
        }
        self.connection.shard.recycle(out);
        Ok(())
    }

    /// Sends all that was received from the client.
    async fn send_received(
        &mut self,
        upstream: &mut upstream::Connection,
        timeout: Duration,
    ) -> Result<(), FailureKind> {
        let Some(buffer) = self.connection.received.take() else {
            return Ok(());
        };
        let deadlines = &self.connection.shard.deadlines;
        let (stream, slot) = (&mut upstream.stream, &upstream.slot);
        let (result, _, mut buffer) = deadlines.write_all(stream, slot, timeout, buffer).await;
        buffer.reset(0);
        self.connection.received = Some(buffer);
        sent(result, upstream)
    }

    /// Receives the upstream's head and writes the client's to `out`.
    async fn receive_answer(
        &mut self,
        upstream: &mut upstream::Connection,
        mut answer: Buffer,
        out: &mut Vec<u8>,
        timeout: Duration,
    ) -> (Buffer, Result<Responded, FailureKind>) {
        let mut looked_at = 0;
        let mut interim_left = INTERIM_MAX;
        loop {
            let (result, buffer) = self.receive(upstream, answer, timeout).await;
            answer = buffer;
            match result {
                Ok(0) => return (answer, Err(FailureKind::Closed)),
                Ok(_) => {}
                Err(kind) => return (answer, Err(kind)),
            }
            while is_whole(answer.filled(), looked_at) || answer.len() >= RESPONSE_HEAD_BYTES_MAX {
                looked_at = 0;
                let latency = self.latency(Instant::now());
                let bytes = answer.filled();
                let responded = self
                    .connection
                    .shard
                    .think(|engine, _| engine.respond(&self.begun, bytes, latency, self.id, out));
                match responded {
                    Ok(Some(responded)) if responded.status >= 200 => {
                        return (answer, Ok(responded));
                    }
                    Ok(Some(interim)) if interim_left > 0 => {
                        interim_left -= 1;
                        answer.consume(interim.head_len);
                    }
                    Ok(_) => {
                        let bad = silverback_core::http1::head::BadHead::Malformed;
                        return (answer, Err(FailureKind::Bad(BadUpstream::Head(bad))));
                    }
                    Err(bad) => return (answer, Err(FailureKind::Bad(bad))),
                }
            }
            looked_at = answer.len();
        }
    }

    async fn receive(
        &mut self,
        upstream: &mut upstream::Connection,
        buffer: Buffer,
        timeout: Duration,
    ) -> (Result<usize, FailureKind>, Buffer) {
        self.connection
            .shard
            .deadlines
            .arm(&upstream.slot, Waiting::Busy, timeout);
        let (result, buffer) = upstream.stream.read(buffer).await;
        let result = match result {
            // What has arrived counts, also when it took the deadline of sending to read it.
            Ok(count) if count > 0 => Ok(count),
            _ if upstream.slot.is_expired() => Err(FailureKind::TimedOut),
            Ok(count) => Ok(count),
            Err(error) => Err(FailureKind::Receive(error)),
        };
        (result, buffer)
    }

    /// Sends head and body to the client. The answer has begun: a failure from here on can only
    /// end the client's connection.
    async fn relay(
        &mut self,
        upstream: &mut upstream::Connection,
        mut piece: Buffer,
        head: &mut Vec<u8>,
        responded: &Responded,
        timeout: Duration,
    ) -> (After, bool) {
        self.note_answer(responded.status, head.len());
        let mut rest = Rest::new(responded);
        piece.skip(responded.head_len);
        let mut is_ok = rest.take(&mut piece).is_ok();
        if responded.relay == Relay::Chunk {
            wrap(&mut piece);
        }
        if !piece.prepend(head) {
            (is_ok, *head) = self.send_all(is_ok, std::mem::take(head)).await;
        }
        if !piece.is_empty() {
            (is_ok, piece) = self.send_all(is_ok, piece).await;
        }
        while is_ok && !rest.is_done {
            piece = self.next_buffer(piece, &rest);
            let (result, buffer) = self.receive(upstream, piece, timeout).await;
            piece = buffer;
            is_ok = match result {
                Ok(0) => rest.close(),
                Ok(_) => rest.take(&mut piece).is_ok(),
                Err(_) => false,
            };
            if responded.relay == Relay::Chunk && !piece.is_empty() {
                wrap(&mut piece);
            }
            if !piece.is_empty() {
                (is_ok, piece) = self.send_all(is_ok, piece).await;
            }
        }
        self.connection.shard.buffers.give(piece);
        if is_ok && responded.relay == Relay::Chunk {
            is_ok = self.connection.send(LAST_CHUNK).await.0;
        }
        if !is_ok {
            return (After::Close, false);
        }
        let after = if responded.keep_alive {
            After::KeepAlive
        } else {
            After::Close
        };
        (after, responded.upstream_keep_alive && rest.is_clean)
    }

    /// Sends a piece if all went well so far; says whether it still does.
    async fn send_all<B: monoio::buf::IoBuf>(&mut self, is_ok: bool, piece: B) -> (bool, B) {
        if !is_ok {
            return (false, piece);
        }
        self.connection.send(piece).await
    }

    /// A buffer for the next piece of a body: a larger one once the body proved large.
    fn next_buffer(&mut self, mut piece: Buffer, rest: &Rest) -> Buffer {
        if piece.capacity() < LARGE_BYTES && rest.is_large() {
            self.connection.shard.buffers.give(piece);
            piece = self.connection.shard.buffers.take(LARGE_BYTES);
        }
        // Room for the length line of a chunk.
        piece.reset(HEADROOM_BYTES);
        piece
    }

    /// Tells of a try that failed; `head` is what was to be sent.
    fn log(&self, failure: &Failure, target: &Try, head: &[u8]) {
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let upstream = format!("http://{target}{}", String::from_utf8_lossy(path));
        let kind = &failure.kind;
        if failure.is_reused {
            tell!(debug, self.connection, upstream, "kept connection: {kind}");
        } else {
            tell!(warn, self.connection, upstream, "upstream: {kind}");
        }
    }
}

fn sent(result: io::Result<()>, upstream: &upstream::Connection) -> Result<(), FailureKind> {
    match result {
        _ if upstream.slot.is_expired() => Err(FailureKind::TimedOut),
        Ok(()) => Ok(()),
        Err(error) => Err(FailureKind::Send(error)),
    }
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
