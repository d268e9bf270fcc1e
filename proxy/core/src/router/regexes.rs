//! Compiled patterns, kept by their text.
//!
//! Two generations bound the cache: when the young one is full it becomes the old one, and whatever
//! is used again moves back. So at most twice [`GENERATION_MAX`] patterns are held, and those in
//! use stay.

use std::collections::HashMap;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// Patterns in a generation.
const GENERATION_MAX: usize = 4096;
/// Bytes of one compiled pattern; the limit that patterns are validated with.
const PATTERN_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Bytes of one pattern's lazily built automaton.
const AUTOMATON_BYTES_MAX: usize = 1024 * 1024;

/// A bounded cache of compiled patterns.
#[derive(Debug, Default)]
pub struct RegexCache {
    young: HashMap<Box<str>, Option<Regex>>,
    old: HashMap<Box<str>, Option<Regex>>,
}

impl RegexCache {
    /// Where `pattern` first matches in `text`. A pattern that does not compile never matches.
    pub fn find(&mut self, pattern: &str, text: &str) -> Option<Range<usize>> {
        self.compiled(pattern)?
            .find(text)
            .map(|found| found.range())
    }

    /// Number of patterns held.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether no pattern is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn compiled(&mut self, pattern: &str) -> Option<&Regex> {
        if !self.young.contains_key(pattern) {
            let (text, regex) = self
                .old
                .remove_entry(pattern)
                .unwrap_or_else(|| (pattern.into(), compile(pattern)));
            if self.young.len() >= GENERATION_MAX {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(text, regex);
        }
        self.young.get(pattern)?.as_ref()
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(AUTOMATON_BYTES_MAX)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_holds_more_than_two_generations() {
        let mut cache = RegexCache::default();
        for number in 0..GENERATION_MAX * 3 {
            let (pattern, text) = (format!("^/{number}$"), format!("/{number}"));
            assert!(cache.find(&pattern, &text).is_some());
        }
        assert!(cache.len() <= 2 * GENERATION_MAX);
    }

    #[test]
    fn a_pattern_that_does_not_compile_never_matches() {
        assert_eq!(RegexCache::default().find("(", "("), None);
    }
}
