//! Random texts: the keys and secrets that the node makes for credentials.

use aws_lc_rs::rand;

/// Characters of a text that the node makes.
pub(super) const LENGTH: usize = 32;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Bytes from here on are drawn again, so that every character is as likely as any other.
const FAIR_BYTES: u8 = 248;

/// Letters and digits that nobody can guess.
///
/// # Panics
/// If the system has no randomness: a node without it must not make secrets.
pub(super) fn text() -> String {
    let mut text = String::with_capacity(LENGTH);
    while text.len() < LENGTH {
        let mut bytes = [0; LENGTH];
        rand::fill(&mut bytes).expect("the system has randomness");
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BYTES);
        let drawn = fair.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        text.extend(drawn.take(LENGTH - text.len()));
    }
    text
}
