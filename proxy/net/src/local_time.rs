//! The wall clock, and how far local time is from UTC.
//!
//! The C library reads the time zone once (`TZ`, else `/etc/localtime`) and knows its summer times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use silverback_core::timestamp::Timestamp;

/// The time as log lines have it.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    Timestamp {
        unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        offset_s: offset_s(since.as_secs()),
    }
}

/// Seconds by which local time was ahead of UTC at a time after 1970.
#[allow(unsafe_code)] // the standard library does not know time zones
fn offset_s(unix_s: u64) -> i32 {
    let Ok(at) = libc::time_t::try_from(unix_s) else {
        return 0;
    };
    // SAFETY: an all-zero `tm` is valid: numbers, and a pointer that may be null.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live variables; nothing in this process changes the environment.
    let is_known = !unsafe { libc::localtime_r(&raw const at, &raw mut local) }.is_null();
    match is_known {
        true => i32::try_from(local.tm_gmtoff).unwrap_or_default(),
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_a_day_away_from_utc() {
        let stamp = now();
        assert!(stamp.unix_ms > 1_700_000_000_000, "{stamp:?}");
        assert!(stamp.offset_s.abs() < 86_400, "{stamp:?}");
        assert_eq!(stamp.offset_s % 60, 0, "{stamp:?}");
    }
}
