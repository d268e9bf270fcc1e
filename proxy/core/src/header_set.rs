//! A set of header positions in one head, as bits.

use crate::http1::head::HEADERS_MAX;

const WORDS: usize = HEADERS_MAX.div_ceil(64);

/// Positions below [`HEADERS_MAX`].
#[derive(Clone, Debug, Default)]
pub struct HeaderSet {
    words: [u64; WORDS],
}

impl HeaderSet {
    /// Adds a position; positions past the limit do not occur in a parsed head.
    pub fn insert(&mut self, index: usize) {
        debug_assert!(
            index < HEADERS_MAX,
            "a head has at most {HEADERS_MAX} fields"
        );
        if let Some(word) = self.words.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether the position was added.
    pub fn contains(&self, index: usize) -> bool {
        self.words
            .get(index / 64)
            .is_some_and(|word| word & 1 << (index % 64) != 0)
    }
}
