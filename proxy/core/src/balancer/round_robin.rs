//! Weighted round robin over a precomputed wheel.
//!
//! Each target has as many slots as its weight says, spread evenly over the wheel; a pick takes
//! the slot under the pointer and moves on. So picks are deterministic, cost one array access
//! however many targets there are, and a full turn honours the weights exactly.

use super::Tried;

/// The most slots that weights may ask for. Up to this total (after division by their common
/// divisor) weights are exact, above it they are rounded to this precision, but never to nothing.
/// More usable targets than this get a slot each all the same.
pub const WHEEL_SLOTS_MAX: u64 = 4096;

/// Picks targets in proportion to their weights.
#[derive(Debug, Clone)]
pub struct RoundRobin {
    /// Target indices, in the order of picks.
    wheel: Box<[u32]>,
    /// The slot of the next pick.
    pointer: usize,
}

impl RoundRobin {
    /// Builds the wheel for targets with these weights; a weight of 0 is never picked.
    ///
    /// `start` moves the first pick by so many slots, so that shards do not all begin with the
    /// same target. Costs O(s log s) for s slots and allocates: not for the path of a request.
    #[must_use]
    pub fn new(weights: &[u16], start: usize) -> Self {
        let wheel = interleave(&slot_counts(weights));
        let pointer = start.checked_rem(wheel.len()).unwrap_or(0);
        Self { wheel, pointer }
    }

    /// The next target in turn; `None` if none has a weight.
    #[allow(clippy::should_implement_trait)] // It is no iterator: it may begin to answer again.
    pub fn next(&mut self) -> Option<usize> {
        self.next_where(|_| true)
    }

    /// The next target in turn that has not failed in this exchange; if all have, the next one.
    pub fn next_excluding(&mut self, tried: &Tried) -> Option<usize> {
        self.next_where(|target| !tried.contains(target))
            .or_else(|| self.next())
    }

    /// The next target in turn that `is_usable`; `None` after a full turn without one, and then
    /// the turn is where it was. Costs O(slots passed over), [`WHEEL_SLOTS_MAX`] at worst.
    pub fn next_where(&mut self, mut is_usable: impl FnMut(usize) -> bool) -> Option<usize> {
        let (before, from) = self.wheel.split_at(self.pointer);
        let turn = from.iter().chain(before);
        let (passed, target) = turn
            .map(|&target| target as usize)
            .enumerate()
            .find(|&(_, target)| is_usable(target))?;
        self.pointer = (self.pointer + passed + 1) % self.wheel.len();
        Some(target)
    }
}

/// How many slots each target gets.
fn slot_counts(weights: &[u16]) -> Vec<u64> {
    let divisor = weights
        .iter()
        .fold(0, |divisor, &weight| gcd(divisor, u64::from(weight)));
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let exact = total.checked_div(divisor).unwrap_or(0);
    let scale = |weight: u64| match exact <= WHEEL_SLOTS_MAX {
        true => weight / divisor,
        false => ((weight * WHEEL_SLOTS_MAX + total / 2) / total).max(1),
    };
    weights
        .iter()
        .map(|&weight| {
            if weight == 0 {
                0
            } else {
                scale(u64::from(weight))
            }
        })
        .collect()
}

/// Spreads the slots of each target evenly: with n slots they stand a nth of the wheel apart, each
/// target a little later than the one before, so that targets of one slot do not crowd together.
fn interleave(slots: &[u64]) -> Box<[u32]> {
    /// One full turn, as a fixed-point number that leaves room to multiply.
    const TURN: u64 = 1 << 32;
    let usable = slots.iter().filter(|&&count| count > 0).count() as u64;
    let mut placed = Vec::new();
    let indexed = (0_u32..).zip(slots).filter(|&(_, &count)| count > 0);
    for (phase, (target, &count)) in (0..).zip(indexed) {
        let offset = (2 * phase + 1) * TURN / (2 * usable);
        placed.extend((0..count).map(|nth| ((nth * TURN + offset) / count, target)));
    }
    placed.sort_unstable();
    placed.into_iter().map(|(_, target)| target).collect()
}

/// The greatest common divisor; of 0 and n it is n.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
