//! Tells systemd that the node is alive, as long as it is: this runs on the agent's thread, and asks
//! every shard for a sign each time.
//!
//! A shard that hangs gets no new connections served although the process looks well; systemd then
//! ends the node and starts it again. While the node ends, shards are no longer asked: the time of
//! an end is bounded by the unit's `TimeoutStopSec`.
//!
//! Cost: one wake-up of each shard for each message, two messages in the time that systemd allows.

use std::{sync::Arc, time::Duration};

use silverback_proxy::Pulse;
use tokio::{sync::watch, time};

use crate::notify::Notify;

/// Messages in the time that systemd allows.
const BEATS: u32 = 2;

/// Pause between two looks for the shards' sign.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Runs until it is dropped; at once over when systemd wants no sign.
pub(crate) async fn feed(notify: Arc<Notify>, pulse: Pulse, is_ending: watch::Receiver<bool>) {
    let Some(time_max) = notify.watchdog() else {
        return;
    };
    let mut beat = time::interval(time_max / BEATS);
    beat.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        // A shard that was only slow is heard at once, not at the next beat.
        while !*is_ending.borrow() && !answers(&pulse, time_max / BEATS / 2).await {
            tracing::error!("a shard does not answer: systemd is not told that the node is alive");
        }
        notify.alive();
    }
}

/// Whether every shard gives a sign in time.
async fn answers(pulse: &Pulse, time_max: Duration) -> bool {
    pulse.ask();
    let answered = async {
        while !pulse.is_answered() {
            time::sleep(LOOK_PAUSE).await;
        }
    };
    time::timeout(time_max, answered).await.is_ok()
}
