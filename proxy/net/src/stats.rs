//! Counters of a shard, read by the control plane.

use std::sync::atomic::{AtomicU64, Ordering};

/// Sums over the shards, as nginx's stub status has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections accepted since the start.
    pub accepted: u64,
    /// Open client connections.
    pub active: u64,
    /// Connections handled since the start: all that were accepted.
    pub handled: u64,
    /// Connections that are receiving a request head.
    pub reading: u64,
    /// Connections within an exchange.
    pub writing: u64,
    /// Connections that wait for a next request.
    pub waiting: u64,
    /// Requests since the start.
    pub requests: u64,
    /// Lines of the access log that were lost, because the file did not take them.
    pub access_log_lost: u64,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.active += other.active;
        self.handled += other.handled;
        self.reading += other.reading;
        self.writing += other.writing;
        self.waiting += other.waiting;
        self.requests += other.requests;
        self.access_log_lost += other.access_log_lost;
    }
}

/// Counters that only their shard changes.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: Counter,
    active: Counter,
    writing: Counter,
    reading: Counter,
    requests: Counter,
}

/// A counter with one writer: adding needs no locked instruction.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    fn add(&self, change: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(change),
            Ordering::Relaxed,
        );
    }

    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a connection is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    Waiting,
    Reading,
    Writing,
}

impl Counters {
    /// Counts a connection; returns how many there were with it.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.add(1);
        self.active.add(1);
        self.accepted.load()
    }

    pub(crate) fn closed(&self) {
        self.active.add(1_u64.wrapping_neg());
    }

    pub(crate) fn request(&self) {
        self.requests.add(1);
    }

    pub(crate) fn changed(&self, from: Activity, to: Activity) {
        self.of(from)
            .inspect(|counter| counter.add(1_u64.wrapping_neg()));
        self.of(to).inspect(|counter| counter.add(1));
    }

    fn of(&self, activity: Activity) -> Option<&Counter> {
        match activity {
            Activity::Waiting => None,
            Activity::Reading => Some(&self.reading),
            Activity::Writing => Some(&self.writing),
        }
    }

    pub(crate) fn active(&self) -> u64 {
        self.active.load()
    }

    pub(crate) fn read(&self) -> Stats {
        let (active, reading, writing) =
            (self.active.load(), self.reading.load(), self.writing.load());
        let accepted = self.accepted.load();
        Stats {
            accepted,
            active,
            handled: accepted,
            reading,
            writing,
            waiting: active.saturating_sub(reading + writing),
            requests: self.requests.load(),
            // Counted for all shards together.
            access_log_lost: 0,
        }
    }
}
