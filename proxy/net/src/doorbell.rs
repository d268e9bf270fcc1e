//! How other threads reach a shard: a bell that wakes it, and a mailbox for replies.
//!
//! The bell is one end of a socket pair, which works the same on io_uring and on epoll. Ringing a
//! bell that was not answered yet costs one atomic operation.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    io::{self, Write},
    os::unix::net::UnixStream,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// The end that rings; shared by every thread that may.
#[derive(Debug)]
pub(crate) struct Bell {
    stream: UnixStream,
    is_rung: AtomicBool,
    /// Tickets of replies that arrived.
    arrived: Mutex<VecDeque<u64>>,
}

impl Bell {
    /// A bell and the end that the shard listens on.
    ///
    /// # Errors
    /// When no descriptors are left.
    pub(crate) fn new() -> io::Result<(Arc<Self>, UnixStream)> {
        let (stream, listening) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        let arrived = Mutex::default();
        Ok((
            Arc::new(Self {
                stream,
                is_rung: AtomicBool::new(false),
                arrived,
            }),
            listening,
        ))
    }

    /// Wakes the shard.
    pub(crate) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            // A full pipe means that the shard has unread rings: it will wake.
            let _ = (&self.stream).write(&[1]);
        }
    }

    /// The shard is awake: the next ring is sent again.
    pub(crate) fn answered(&self) {
        // Reads and writes in one step: what a ring that was not sent announced is seen from here
        // on. A store could pass a later look at it, and that ring would be lost.
        self.is_rung.swap(false, Ordering::AcqRel);
    }

    /// Whether the shard has been awake since the last ring.
    pub(crate) fn is_answered(&self) -> bool {
        !self.is_rung.load(Ordering::Acquire)
    }

    fn arrived(&self) -> MutexGuard<'_, VecDeque<u64>> {
        // A panic while the lock is held cannot leave the queue half changed.
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shard's side of its mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    bell: Arc<Bell>,
    waiting: RefCell<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next_ticket: u64,
    wakers: HashMap<u64, Option<Waker>>,
}

impl Mailbox {
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        Self {
            bell,
            waiting: RefCell::default(),
        }
    }

    /// Wakes the tasks whose replies have arrived.
    pub(crate) fn deliver(&self) {
        let arrived = std::mem::take(&mut *self.bell.arrived());
        for ticket in arrived {
            let waker = self
                .waiting
                .borrow_mut()
                .wakers
                .get_mut(&ticket)
                .and_then(Option::take);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// A reply to be sent from another thread, and the future that waits for it here.
    pub(crate) fn expect<T>(self: &Rc<Self>) -> (Reply<T>, Awaited<T>) {
        let mut waiting = self.waiting.borrow_mut();
        let ticket = waiting.next_ticket;
        waiting.next_ticket += 1;
        waiting.wakers.insert(ticket, None);
        let slot = Arc::new(Mutex::new(Slot::Open));
        let reply = Reply {
            slot: Arc::clone(&slot),
            ticket,
            bell: Arc::clone(&self.bell),
        };
        (
            reply,
            Awaited {
                slot,
                ticket,
                mailbox: Rc::clone(self),
            },
        )
    }
}

#[derive(Debug)]
enum Slot<T> {
    Open,
    Sent(T),
    /// The sender is gone.
    Closed,
}

/// Sends one value to the shard that waits for it; may be used on any thread.
#[derive(Debug)]
pub struct Reply<T> {
    slot: Arc<Mutex<Slot<T>>>,
    ticket: u64,
    bell: Arc<Bell>,
}

impl<T> Reply<T> {
    /// Sends the value and wakes the shard.
    pub fn send(self, value: T) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Slot::Sent(value);
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*slot, Slot::Open) {
            *slot = Slot::Closed;
        }
        drop(slot);
        self.bell.arrived().push_back(self.ticket);
        self.bell.ring();
    }
}

/// Waits for a [`Reply`]; `None` when its sender was dropped without sending.
#[derive(Debug)]
pub(crate) struct Awaited<T> {
    slot: Arc<Mutex<Slot<T>>>,
    ticket: u64,
    mailbox: Rc<Mailbox>,
}

impl<T> Future for Awaited<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *slot, Slot::Closed) {
            Slot::Sent(value) => Poll::Ready(Some(value)),
            Slot::Closed => Poll::Ready(None),
            Slot::Open => {
                *slot = Slot::Open;
                let waker = Some(context.waker().clone());
                self.mailbox
                    .waiting
                    .borrow_mut()
                    .wakers
                    .insert(self.ticket, waker);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        self.mailbox
            .waiting
            .borrow_mut()
            .wakers
            .remove(&self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, thread};

    use super::*;

    #[test]
    fn a_ring_is_answered_when_the_shard_has_woken() {
        let (bell, _listening) = Bell::new().expect("a bell");
        assert!(bell.is_answered());
        bell.ring();
        assert!(!bell.is_answered());
        bell.answered();
        assert!(bell.is_answered());
    }

    #[test]
    fn a_bell_is_rung_once_until_it_is_answered() {
        let (bell, mut listening) = Bell::new().expect("a bell");
        let mut rings = [0; 16];
        for _ in 0..3 {
            (0..5).for_each(|_| bell.ring());
            assert_eq!(listening.read(&mut rings).expect("a ring"), 1);
            bell.answered();
        }
    }

    #[test]
    fn no_ring_between_reading_and_looking_is_lost() {
        const ROUNDS: u64 = 100_000;
        let (bell, mut listening) = Bell::new().expect("a bell");
        let ringer = Arc::clone(&bell);
        let ringing = thread::spawn(move || {
            for ticket in 0..ROUNDS {
                ringer.arrived().push_back(ticket);
                ringer.ring();
            }
        });
        let mut seen = 0;
        let patience = Some(std::time::Duration::from_secs(20));
        listening.set_read_timeout(patience).expect("a timeout");
        while seen < ROUNDS {
            let count = listening.read(&mut [0; 16]).expect("no ring is lost");
            assert!(count > 0);
            bell.answered();
            seen += std::mem::take(&mut *bell.arrived()).len() as u64;
        }
        ringing.join().expect("it rings");
    }

    #[test]
    fn a_waiting_entry_leaves_with_its_waiter() {
        let (bell, _listening) = Bell::new().expect("a bell");
        let mailbox = Rc::new(Mailbox::new(bell));
        let (reply, awaited) = mailbox.expect::<u32>();
        drop(awaited);
        assert!(mailbox.waiting.borrow().wakers.is_empty());
        reply.send(1);
        mailbox.deliver();
        let (reply, awaited) = mailbox.expect::<u32>();
        drop(reply);
        let mut context = Context::from_waker(Waker::noop());
        let mut awaited = std::pin::pin!(awaited);
        assert_eq!(awaited.as_mut().poll(&mut context), Poll::Ready(None));
    }
}
