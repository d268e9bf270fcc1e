//! Moments as log lines write them, without a clock: the time and the distance from UTC are passed
//! in.
//!
//! Source: nginx's `src/core/ngx_times.c` (the three forms).

use crate::http1::request::{put, put_number};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A moment at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub unix_ms: u64,
    /// Seconds by which local time is ahead of UTC.
    pub offset_s: i32,
}

/// A moment in the Gregorian calendar, local time.
struct Calendar {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Timestamp {
    /// Appends `23/Nov/2026:20:05:54 +0100`, as access logs have it.
    pub fn write_access(self, out: &mut Vec<u8>) {
        let at = self.calendar();
        put_two(out, at.day);
        let month = usize::try_from(at.month - 1).map_or("", |month| MONTHS[month]);
        put(out, &[b"/", month.as_bytes(), b"/"]);
        put_number(out, at.year);
        out.push(b':');
        at.write_time(out);
        out.push(b' ');
        self.write_offset(b"", out);
    }

    /// Appends `2026-11-23T20:05:54+01:00` (ISO 8601).
    pub fn write_iso8601(self, out: &mut Vec<u8>) {
        let at = self.calendar();
        at.write_date(b'-', out);
        out.push(b'T');
        at.write_time(out);
        self.write_offset(b":", out);
    }

    /// Appends `2026/11/23 20:05:54`, as error logs have it.
    pub fn write_error(self, out: &mut Vec<u8>) {
        let at = self.calendar();
        at.write_date(b'/', out);
        out.push(b' ');
        at.write_time(out);
    }

    /// Appends seconds since 1970 with milliseconds: `1795464354.123`.
    pub fn write_msec(self, out: &mut Vec<u8>) {
        put_millis(out, self.unix_ms);
    }

    fn write_offset(self, separator: &[u8], out: &mut Vec<u8>) {
        out.push(if self.offset_s < 0 { b'-' } else { b'+' });
        let minutes = u64::from(self.offset_s.unsigned_abs() / 60);
        put_two(out, minutes / 60);
        out.extend_from_slice(separator);
        put_two(out, minutes % 60);
    }

    fn calendar(self) -> Calendar {
        let local = (self.unix_ms / 1000).saturating_add_signed(self.offset_s.into());
        let (year, month, day) = date(local / 86_400);
        Calendar {
            year,
            month,
            day,
            hour: local / 3600 % 24,
            minute: local / 60 % 60,
            second: local % 60,
        }
    }
}

impl Calendar {
    fn write_date(&self, separator: u8, out: &mut Vec<u8>) {
        put_number(out, self.year);
        for part in [self.month, self.day] {
            out.push(separator);
            put_two(out, part);
        }
    }

    fn write_time(&self, out: &mut Vec<u8>) {
        put_two(out, self.hour);
        for part in [self.minute, self.second] {
            out.push(b':');
            put_two(out, part);
        }
    }
}

/// Appends a number of seconds with three places, as nginx writes durations.
pub(crate) fn put_millis(out: &mut Vec<u8>, millis: u64) {
    put_number(out, millis / 1000);
    let rest = millis % 1000;
    out.push(b'.');
    out.extend([rest / 100, rest / 10 % 10, rest % 10].map(digit));
}

fn put_two(out: &mut Vec<u8>, number: u64) {
    out.extend([number / 10 % 10, number % 10].map(digit));
}

fn digit(number: u64) -> u8 {
    b'0' + u8::try_from(number).unwrap_or_default()
}

/// Year, month and day of a day counted from 1970-01-01 (Gregorian calendar).
fn date(days: u64) -> (u64, u64, u64) {
    // Years that begin in March put the leap day last; 719,468 days lie before 1970-01-01.
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (
        era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day_of_month,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(Timestamp, &mut Vec<u8>), unix_s: u64, offset_s: i32) -> String {
        let mut out = Vec::new();
        let unix_ms = unix_s * 1000 + 7;
        write(Timestamp { unix_ms, offset_s }, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn times_are_written_as_kong_writes_them() {
        let stamp = |unix_s| written(Timestamp::write_error, unix_s, 0);
        assert_eq!(stamp(0), "1970/01/01 00:00:00");
        assert_eq!(stamp(951_782_399), "2000/02/28 23:59:59");
        assert_eq!(stamp(951_782_400), "2000/02/29 00:00:00");
        assert_eq!(stamp(1_735_689_599), "2024/12/31 23:59:59");
        assert_eq!(stamp(4_107_542_400), "2100/03/01 00:00:00");
    }

    #[test]
    fn local_time_says_how_far_it_is_from_utc() {
        let access = |offset_s| written(Timestamp::write_access, 1_735_689_599, offset_s);
        assert_eq!(access(0), "31/Dec/2024:23:59:59 +0000");
        assert_eq!(access(3600), "01/Jan/2025:00:59:59 +0100");
        assert_eq!(access(-12_600), "31/Dec/2024:20:29:59 -0330");
        let iso = written(Timestamp::write_iso8601, 1_735_689_599, 19_800);
        assert_eq!(iso, "2025-01-01T05:29:59+05:30");
    }

    #[test]
    fn durations_have_three_places() {
        assert_eq!(written(Timestamp::write_msec, 12, 0), "12.007");
    }
}
