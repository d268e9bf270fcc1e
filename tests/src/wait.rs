//! Waiting for a state.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything may take; generous, because test machines are busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Waits until the look gives something.
///
/// # Panics
///
/// It gave nothing within [`PATIENCE`]; the message says what was waited for.
#[expect(
    clippy::disallowed_methods,
    reason = "a look at another process, with a deadline"
)]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(LOOK_PAUSE);
    }
}
