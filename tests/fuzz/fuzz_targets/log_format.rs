//! Formats of access logs in nginx's syntax, and the lines they make of a request.
//!
//! A NUL ends the declaration; what follows is the head of the request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_core::access_log::{Entry, Formats};
use silverback_core::timestamp::Timestamp;

fuzz_target!(|input: &[u8]| {
    let mut halves = input.splitn(2, |byte| *byte == 0);
    let declaration = halves.next().unwrap_or_default();
    let head = halves.next().unwrap_or_default();
    let Ok(declaration) = str::from_utf8(declaration) else {
        return;
    };
    let formats = match Formats::with_declared(declaration) {
        Ok(formats) => formats,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Formats::default()
        }
    };
    let declared = declaration.split_whitespace().next().unwrap_or_default();
    for name in [declared, "kong_log_format", "combined"] {
        let Ok(format) = formats.find(name) else {
            continue;
        };
        let (mut line, mut again) = (Vec::new(), Vec::new());
        format.render(&entry(head), &mut line);
        format.render(&entry(head), &mut again);
        assert_eq!(line, again);
        if name == "combined" && declared != name {
            // Whatever was sent, it stays on one line.
            assert!(
                line.iter().all(|byte| (b' '..0x7f).contains(byte)),
                "{line:?}"
            );
        }
    }
});

fn entry(head: &[u8]) -> Entry<'_> {
    Entry {
        head,
        client: ([10, 0, 0, 9], 4711).into(),
        local: ([127, 0, 0, 1], 8000).into(),
        server_name: "kong",
        connection: 12,
        connection_requests: 3,
        request_id: Some(b"0123456789abcdef0123456789abcdef"),
        status: 200,
        bytes_sent: 180,
        body_bytes_sent: 12,
        time: Timestamp {
            unix_ms: 1_735_689_599_042,
            offset_s: 3600,
        },
        request_ms: 1_005,
        route: None,
        upstream: None,
    }
}
