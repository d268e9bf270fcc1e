//! Lua patterns, in which Kong's schemas say what texts may look like, so that one text serves the
//! check and `/schemas`.
//!
//! Supported: classes (`%a %d %l %s %u %w %x %p %c` and their complements), sets with ranges, `.`,
//! anchors, the repetitions `* + - ?`. Captures, `%b` and `%f` are not: no schema uses them.
//! Texts are bytes. The time is bounded by `STEPS_MAX`; a text that needs more does not match.
//!
//! Source: the reference manual of Lua 5.1, section 5.4.1.

/// Comparisons of one match.
const STEPS_MAX: usize = 1_000_000;

/// Whether a text contains the pattern (or is it, where anchored).
pub fn is_match(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let mut steps = 0;
    if let Some(anchored) = pattern.strip_prefix(b"^") {
        return matches_here(anchored, text, &mut steps);
    }
    (0..=text.len()).any(|start| matches_here(pattern, &text[start..], &mut steps))
}

fn matches_here(pattern: &[u8], text: &[u8], steps: &mut usize) -> bool {
    *steps += 1;
    if *steps > STEPS_MAX {
        return false;
    }
    if pattern.is_empty() {
        return true;
    }
    if pattern == b"$" {
        return text.is_empty();
    }
    let (item, rest) = pattern.split_at(item_length(pattern));
    let fits = |at: usize| text.get(at).is_some_and(|byte| item_fits(item, *byte));
    match rest.first() {
        Some(b'?') => {
            (fits(0) && matches_here(&rest[1..], &text[1..], steps))
                || matches_here(&rest[1..], text, steps)
        }
        Some(b'-') => {
            let mut end = 0;
            loop {
                if matches_here(&rest[1..], &text[end..], steps) {
                    return true;
                }
                if *steps > STEPS_MAX || !fits(end) {
                    return false;
                }
                end += 1;
            }
        }
        Some(repeat @ (b'*' | b'+')) => {
            let least = usize::from(*repeat == b'+');
            let most = (0..).take_while(|at| fits(*at)).count();
            (least..=most)
                .rev()
                .any(|end| matches_here(&rest[1..], &text[end..], steps))
        }
        _ => fits(0) && matches_here(rest, &text[1..], steps),
    }
}

/// Bytes of the first item: a character, an escape, or a set.
fn item_length(pattern: &[u8]) -> usize {
    match pattern {
        [b'%', _, ..] => 2,
        [b'[', rest @ ..] => {
            let mut at = usize::from(rest.first() == Some(&b'^'));
            // A bracket that comes first stands for itself.
            let first = at;
            while at < rest.len() && (rest[at] != b']' || at == first) {
                at += if rest[at] == b'%' { 2 } else { 1 };
            }
            (at + 2).min(pattern.len())
        }
        _ => 1,
    }
}

fn item_fits(item: &[u8], byte: u8) -> bool {
    match item {
        b"." => true,
        [b'%', class] => class_fits(*class, byte),
        [b'[', b'^', set @ .., b']'] => !set_fits(set, byte),
        [b'[', set @ .., b']'] => set_fits(set, byte),
        [plain] => *plain == byte,
        _ => false,
    }
}

fn set_fits(mut set: &[u8], byte: u8) -> bool {
    while !set.is_empty() {
        let (fits, used) = match set {
            [b'%', class, ..] => (class_fits(*class, byte), 2),
            [low, b'-', high, ..] => ((*low..=*high).contains(&byte), 3),
            [plain, ..] => (*plain == byte, 1),
            [] => return false,
        };
        if fits {
            return true;
        }
        set = &set[used..];
    }
    false
}

fn class_fits(class: u8, byte: u8) -> bool {
    let fits = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => return class == byte,
    };
    fits != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn patterns_match_as_in_lua() {
        for (pattern, text, expected) in [
            ("^[%a_-][%a%d_-]*$", "my-var_1", true),
            ("^[%a_-][%a%d_-]*$", "1x", false),
            ("^%u+$", "GET", true),
            ("^%u+$", "Get", false),
            ("//", "/a//b", true),
            ("^%d+%-%d+$", "200-299", true),
            ("^%d+%-%d+$", "200_299", false),
            ("^[^*]*%*?[^*]*$", "a.*", true),
            ("^[^*]*%*?[^*]*$", "*.*", false),
            ("a-b", "aaab", true),
            ("^.+$", "", false),
            ("[]]", "]", true),
            ("^%S+$", "a b", false),
        ] {
            assert_eq!(is_match(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_pattern_that_takes_too_long_does_not_match() {
        let text = "a".repeat(4000);
        assert!(!is_match("^a*a*a*a*b$", &text));
    }
}
