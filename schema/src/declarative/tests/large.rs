//! A file of 100 MB, measured by hand: `cargo test -p silverback-schema large -- --ignored
//! --nocapture`.

use std::cell::Cell;
use std::fmt::Write as _;
use std::time::Instant;

use crate::declarative::{Format, Options, parse};

/// Entities of the file.
const ENTITIES: usize = 200_000;
/// Bytes of a description in each fourth entity, to reach 100 MB.
const PADDING: usize = 1_500;

fn file(format: Format) -> String {
    let is_json = format == Format::Json;
    let mut text = match is_json {
        true => "{\"_format_version\":\"3.0\",\n\"services\": [\n".to_owned(),
        false => "_format_version: '3.0'\nservices:\n".to_owned(),
    };
    let padding = "x".repeat(PADDING);
    for n in 0..ENTITIES / 4 {
        let (start, end) = match is_json {
            true if n > 0 => (",", ""),
            true => ("", ""),
            false => ("- ", ""),
        };
        let _ = writeln!(
            text,
            "{start}{{\"name\": \"s{n}\", \"host\": \"h{n}.test\", \"_comment\": \"{padding}\", \
             \"routes\": [{{\"name\": \"r{n}\", \"paths\": [\"/p/{n}\"], \"plugins\": [{{\"name\": \
             \"request-size-limiting\"}}]}}], \"plugins\": [{{\"name\": \"request-size-limiting\", \
             \"config\": {{\"allowed_payload_size\": {n}}}}}]}}{end}"
        );
    }
    text.push_str(if is_json { "]}" } else { "" });
    text
}

/// Most memory that the process ever had, kB.
fn peak_kb() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("unknown").to_owned()
}

#[test]
#[ignore = "takes a minute and is a measurement"]
fn a_large_file_loads_with_progress() {
    for format in [Format::Json, Format::Yaml] {
        let text = file(format);
        let reports = Cell::new(0);
        let progress = |_| reports.set(reports.get() + 1);
        let options = Options {
            progress: Some(&progress),
            ..Options::default()
        };
        let begin = Instant::now();
        let config = parse(text.as_bytes(), Some(format), &options).expect("loads");
        let took = begin.elapsed();
        let (bytes, peak) = (text.len(), peak_kb());
        eprintln!(
            "{format:?}: {bytes} bytes, {took:?}, {peak}, {} reports",
            reports.get()
        );
        let found = config.services.len() + config.routes.len() + config.entities.len();
        assert_eq!(found, ENTITIES);
        assert!(reports.get() >= 10, "{}", reports.get());
    }
}
