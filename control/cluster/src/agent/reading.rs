//! Tells people how far the reading of a large configuration is.

use std::cell::Cell;
use std::time::{Duration, Instant};

use silverback_schema::declarative::Progress;

/// Time between two lines; a reading that is shorter says nothing.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Logs a line for each second of a reading.
pub(super) struct Reading {
    place: String,
    last: Cell<Instant>,
}

impl Reading {
    /// A reading that begins now.
    pub(super) fn begin(place: String) -> Self {
        let last = Cell::new(Instant::now());
        Self { place, last }
    }

    /// Logs a line if it is time.
    pub(super) fn report(&self, progress: Progress) {
        if self.last.get().elapsed() >= LINE_EVERY {
            self.last.set(Instant::now());
            tracing::info!("{}", line(&self.place, progress));
        }
    }
}

fn line(place: &str, progress: Progress) -> String {
    let Progress {
        bytes_read,
        bytes_total,
        entities,
    } = progress;
    let percent = bytes_read * 100 / bytes_total.max(1);
    let entities = grouped(entities);
    format!("reading the configuration {place}: {percent} %, {entities} entities")
}

/// `90000` as `90,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_place_share_and_entities() {
        let progress = Progress {
            bytes_read: 45,
            bytes_total: 100,
            entities: 90_000,
        };
        let expected = "reading the configuration kong.yml: 45 %, 90,000 entities";
        assert_eq!(line("kong.yml", progress), expected);
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
