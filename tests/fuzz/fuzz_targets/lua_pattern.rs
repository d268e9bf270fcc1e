//! Lua patterns on any text: an end within bounded time, and laws that every pattern obeys.
//!
//! A NUL ends the pattern.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_schema::field::pattern::is_match;

fuzz_target!(|input: &[u8]| {
    let Ok(input) = str::from_utf8(input) else {
        return;
    };
    let (pattern, text) = input.split_once('\0').unwrap_or((input, ""));
    let found = is_match(pattern, text);
    assert_eq!(found, is_match(pattern, text));
    let escaped: String = pattern
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(char::from)
        .collect();
    assert_eq!(is_match(&escaped, text), text.contains(&escaped));
    assert_eq!(is_match(&format!("^{escaped}$"), text), text == escaped);
});
