//! The end of a log at which lines are made: buffers of one thread, filled in turn.
//!
//! Limits: a buffer goes to the writer when it has [`BUFFER_BYTES`]; at most [`BUFFERS_MAX`] are on
//! their way at a time, a bound on memory. When there is none left, because the file takes lines
//! more slowly than they come, lines are lost: they are counted, and a warning names their number.

use std::{
    fmt,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::{Duration, Instant},
};

use super::writer::{Batch, LogSender};

/// Size at which a buffer is sent to the writer.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Room behind that for the last line.
const LINE_BYTES_USUAL: usize = 4 * 1024;

/// Buffers larger than this, because of a long line, are not kept.
const KEPT_BYTES_MAX: usize = 4 * BUFFER_BYTES;

/// Most buffers of one outlet.
pub(super) const BUFFERS_MAX: usize = 16;

/// Least time between two warnings of lost lines.
const WARN_PAUSE: Duration = Duration::from_secs(10);

/// One thread's end of a log.
#[derive(Debug)]
pub struct Outlet {
    log: LogSender,
    current: Option<Vec<u8>>,
    lines: u64,
    /// Buffers that come back from the writer.
    empty: Receiver<Vec<u8>>,
    home: SyncSender<Vec<u8>>,
    losses: Losses,
}

impl Outlet {
    /// An end of that log.
    pub fn new(log: &LogSender) -> Self {
        let (home, empty) = sync_channel(BUFFERS_MAX);
        // All at once: memory that was never written costs nothing, and no request allocates later.
        for _ in 0..BUFFERS_MAX {
            // There is room for each.
            let _ = home.try_send(fresh());
        }
        Self {
            log: log.clone(),
            current: None,
            lines: 0,
            empty,
            home,
            losses: Losses::default(),
        }
    }

    /// Appends a line, which `render` writes without its end.
    pub fn line(&mut self, render: impl FnOnce(&mut Vec<u8>)) {
        if self.current.is_none() {
            self.current = self.empty.try_recv().ok();
        }
        let Some(buffer) = &mut self.current else {
            return self.lose(1);
        };
        render(buffer);
        buffer.push(b'\n');
        self.lines += 1;
        if buffer.len() >= BUFFER_BYTES {
            self.send();
        }
    }

    /// Sends what there is to the writer, and tells of lost lines when it is time.
    pub fn flush(&mut self) {
        if self.lines > 0 {
            self.send();
        }
        self.losses.warn(
            &self.log,
            &"the file does not take lines as fast as they come",
        );
    }

    fn send(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let Some(bytes) = self.current.take() else {
            return;
        };
        let home = self.home.clone();
        if let Err(mut refused) = self.log.send(Batch { bytes, lines, home }) {
            refused.clear();
            self.current = Some(refused);
            self.lose(lines);
        }
    }

    fn lose(&mut self, lines: u64) {
        self.log.lose(lines);
        self.losses.add(lines);
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Batch {
    /// Gives the buffer back to its outlet.
    pub(super) fn recycle(mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = fresh();
        }
        // An outlet that is gone needs none.
        let _ = self.home.try_send(self.bytes);
    }
}

/// An empty buffer, with room for the line that fills it.
fn fresh() -> Vec<u8> {
    Vec::with_capacity(BUFFER_BYTES + LINE_BYTES_USUAL)
}

/// Lost lines that nobody was told of yet.
#[derive(Debug, Default)]
pub(super) struct Losses {
    untold: u64,
    told: Option<Instant>,
}

impl Losses {
    pub(super) fn add(&mut self, lines: u64) {
        self.untold += lines;
    }

    /// Warns, unless that was done a moment ago.
    pub(super) fn warn(&mut self, log: &LogSender, cause: &dyn fmt::Display) {
        let is_due = self.told.is_none_or(|told| told.elapsed() >= WARN_PAUSE);
        if self.untold > 0 && is_due {
            let lines = std::mem::take(&mut self.untold);
            let path = log.path().display();
            tracing::warn!("{lines} lines of {path} are lost: {cause}");
            self.told = Some(Instant::now());
        }
    }
}
