//! The nearest known key to a misspelt one.

use super::key::{KEYS, OTHER_KEYS};

/// Longest name that is compared: the work grows with the product of the lengths.
const COMPARED_BYTES_MAX: usize = 64;

/// The known key with the fewest edits from `name`, if it is near enough to be a slip of the hand.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let known = KEYS
        .iter()
        .map(|key| key.name)
        .chain(OTHER_KEYS.iter().copied());
    known
        .map(|key| (distance(name.as_bytes(), key.as_bytes()), key))
        .filter(|(edits, key)| *edits <= key.len() / 3 + 1)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, key)| key)
}

/// Levenshtein distance.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
