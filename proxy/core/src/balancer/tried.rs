//! The targets that failed in one exchange.

/// How many failed targets are remembered: enough for the default of 5 retries. Beyond that the
/// oldest is forgotten, and may be tried again.
pub const TRIED_MAX: usize = 8;

/// A small set of target indices, on the stack.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tried {
    targets: [usize; TRIED_MAX],
    /// How many were ever inserted; the oldest are overwritten.
    count: usize,
}

impl Tried {
    /// Remembers that `target` failed.
    pub fn insert(&mut self, target: usize) {
        if !self.contains(target) {
            self.targets[self.count % TRIED_MAX] = target;
            self.count += 1;
        }
    }

    /// Whether `target` is known to have failed.
    #[must_use]
    pub fn contains(&self, target: usize) -> bool {
        self.targets[..self.count.min(TRIED_MAX)].contains(&target)
    }
}
