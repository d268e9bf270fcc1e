//! Coarse deadlines that cost a store each.
//!
//! Every socket that may be waited on owns a slot. Arming a deadline writes a time into the slot;
//! one task per shard, [`sweep`](Deadlines::sweep) every [`SWEEP_INTERVAL`], shuts down the sockets
//! whose time has passed, whereupon the pending operation ends and its task sees
//! [`Slot::is_expired`]. A deadline fires up to one interval late, never early.

use monoio::{
    buf::{IoBuf, Slice},
    io::AsyncWriteRent,
    net::TcpStream,
};
use std::{
    cell::{Cell, RefCell},
    io,
    os::fd::RawFd,
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

/// Time between two sweeps.
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_millis(250);

/// What the socket of a slot is doing; a drain ends what is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// No deadline.
    Nothing,
    /// Between two requests.
    Idle,
    /// Within an exchange.
    Busy,
}

#[derive(Debug)]
struct State {
    /// Milliseconds since the shard's start; `u64::MAX`: none.
    due_ms: Cell<u64>,
    waiting: Cell<Waiting>,
    is_expired: Cell<bool>,
    socket: RawFd,
}

/// The slots of one shard.
#[derive(Debug)]
pub(crate) struct Deadlines {
    start: Instant,
    now_ms: Cell<u64>,
    slots: RefCell<Vec<Weak<State>>>,
}

impl Deadlines {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            now_ms: Cell::new(0),
            slots: RefCell::default(),
        }
    }

    /// A slot for a socket, which must outlive the slot.
    pub(crate) fn slot(&self, socket: RawFd) -> Slot {
        let state = Rc::new(State {
            due_ms: Cell::new(u64::MAX),
            waiting: Cell::new(Waiting::Nothing),
            is_expired: Cell::new(false),
            socket,
        });
        self.slots.borrow_mut().push(Rc::downgrade(&state));
        Slot { state }
    }

    /// Arms the slot: its socket is shut down when `after` has passed.
    pub(crate) fn arm(&self, slot: &Slot, waiting: Waiting, after: Duration) {
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        // The clock is as old as the last sweep: one interval more keeps a deadline from being early.
        let interval_ms = u64::try_from(SWEEP_INTERVAL.as_millis()).unwrap_or(u64::MAX);
        slot.state.due_ms.set(
            self.now_ms
                .get()
                .saturating_add(after_ms)
                .saturating_add(interval_ms),
        );
        slot.state.waiting.set(waiting);
    }

    /// Sends all of `bytes`, which come back with the number of those that were sent. The peer has
    /// `timeout` for each piece that it takes, not for all of them: who is slow, but goes on, is not
    /// cut off.
    pub(crate) async fn write_all<B: IoBuf>(
        &self,
        stream: &mut TcpStream,
        slot: &Slot,
        timeout: Duration,
        mut bytes: B,
    ) -> (io::Result<()>, usize, B) {
        let mut sent = 0;
        while sent < bytes.bytes_init() {
            self.arm(slot, Waiting::Busy, timeout);
            let (result, rest): (_, Slice<B>) = stream.write(bytes.slice(sent..)).await;
            bytes = rest.into_inner();
            match result {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), sent, bytes),
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (Err(error), sent, bytes),
            }
        }
        (Ok(()), sent, bytes)
    }

    /// Shuts down what is overdue, and forgets the slots whose sockets are gone.
    pub(crate) fn sweep(&self) {
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.now_ms.set(now_ms);
        self.slots.borrow_mut().retain(|slot| {
            let Some(state) = slot.upgrade() else {
                return false;
            };
            if state.due_ms.get() <= now_ms {
                expire(&state);
            }
            true
        });
    }

    /// Ends the wait of the sockets that wait for a next request. One that has arrived already is
    /// still read and can be answered.
    pub(crate) fn end_idle(&self) {
        for state in self.slots.borrow().iter().filter_map(Weak::upgrade) {
            if state.waiting.get() == Waiting::Idle {
                state.due_ms.set(u64::MAX);
                state.waiting.set(Waiting::Nothing);
                crate::socket::shutdown_read(state.socket);
            }
        }
    }

    /// Shuts down every socket.
    pub(crate) fn expire_all(&self) {
        for state in self.slots.borrow().iter().filter_map(Weak::upgrade) {
            expire(&state);
        }
    }
}

fn expire(state: &State) {
    state.is_expired.set(true);
    state.due_ms.set(u64::MAX);
    state.waiting.set(Waiting::Nothing);
    crate::socket::shutdown(state.socket);
}

/// The deadline of one socket.
#[derive(Debug)]
pub(crate) struct Slot {
    state: Rc<State>,
}

impl Slot {
    /// Takes the deadline away.
    pub(crate) fn disarm(&self) {
        self.state.due_ms.set(u64::MAX);
        self.state.waiting.set(Waiting::Nothing);
    }

    /// Whether the socket was shut down because its time had passed, or by the shard's end.
    pub(crate) fn is_expired(&self) -> bool {
        self.state.is_expired.get()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net,
        os::fd::AsRawFd,
    };

    use super::*;

    /// Two connected sockets with buffers as small as the kernel grants.
    fn narrow_pair() -> (net::TcpStream, net::TcpStream) {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
            .expect("a socket");
        listener.set_recv_buffer_size(4096).expect("a size");
        let any = net::SocketAddr::from(([127, 0, 0, 1], 0));
        listener.bind(&any.into()).expect("a port");
        listener.listen(1).expect("it listens");
        let listener: net::TcpListener = listener.into();
        let address = listener.local_addr().expect("an address");
        let near = net::TcpStream::connect(address).expect("a connection");
        socket2::SockRef::from(&near)
            .set_send_buffer_size(4096)
            .expect("a size");
        (near, listener.accept().expect("a connection").0)
    }

    #[test]
    fn ending_the_idle_lets_what_has_arrived_be_read_and_answered() {
        let deadlines = Deadlines::new();
        let (mut near, mut far) = narrow_pair();
        let slot = deadlines.slot(near.as_raw_fd());
        deadlines.arm(&slot, Waiting::Idle, Duration::from_secs(60));
        far.write_all(b"request").expect("it is sent");
        deadlines.end_idle();
        let mut received = [0; 7];
        near.read_exact(&mut received).expect("it is there");
        assert_eq!(near.read(&mut [0]).expect("an end"), 0);
        near.write_all(b"answer").expect("it is sent");
        far.read_exact(&mut [0; 6]).expect("it arrives");
        assert!(!slot.is_expired());
    }

    #[test]
    fn only_what_is_idle_is_ended() {
        let deadlines = Deadlines::new();
        let (near, far) = narrow_pair();
        let slot = deadlines.slot(near.as_raw_fd());
        deadlines.arm(&slot, Waiting::Busy, Duration::from_secs(60));
        deadlines.end_idle();
        far.set_nonblocking(true).expect("a flag");
        let error = (&far).read(&mut [0]).expect_err("it is open");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn each_piece_that_the_peer_takes_arms_the_deadline_anew() {
        let (near, mut far) = narrow_pair();
        let mut runtime = monoio::RuntimeBuilder::<monoio::LegacyDriver>::new()
            .enable_timer()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            near.set_nonblocking(true).expect("a flag");
            let deadlines = Rc::new(Deadlines::new());
            let mut stream = TcpStream::from_std(near).expect("a stream");
            let slot = deadlines.slot(stream.as_raw_fd());
            let state = Rc::clone(&slot.state);
            let writer = Rc::clone(&deadlines);
            let timeout = Duration::from_secs(1);
            let bytes = vec![b'x'; 1_000_000];
            let len = bytes.len();
            let writing =
                monoio::spawn(
                    async move { writer.write_all(&mut stream, &slot, timeout, bytes).await },
                );
            while state.due_ms.get() == u64::MAX {
                monoio::time::sleep(Duration::from_millis(1)).await;
            }
            let before = state.due_ms.get();
            deadlines.now_ms.set(5_000);
            let mut received = 0;
            let mut piece = vec![0; 16 * 1024];
            far.set_nonblocking(true).expect("a flag");
            let mut is_armed_anew = false;
            while received < len {
                match far.read(&mut piece) {
                    Ok(count) => received += count,
                    Err(_) => monoio::time::sleep(Duration::from_millis(1)).await,
                }
                is_armed_anew |= received < len && state.due_ms.get() >= before + 5_000;
            }
            assert!(is_armed_anew);
            let (result, sent, bytes) = writing.await;
            assert!(result.is_ok() && sent == len && bytes.len() == len);
        });
    }
}
