//! The time that is told to the chat.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wskit_hub::Timestamp;

/// The wall time of the start and what has passed since, so that it never steps back.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    started_at: Duration,
}

impl Clock {
    pub(super) fn start() -> Clock {
        let started_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { started: Instant::now(), started_at }
    }

    pub(super) fn now(&self) -> Timestamp {
        let milliseconds = (self.started_at + self.started.elapsed()).as_millis();
        Timestamp::from_unix_milliseconds(u64::try_from(milliseconds).unwrap_or(u64::MAX))
    }

    /// Differs from one start to the next.
    pub(super) fn entropy(&self) -> u64 {
        self.started_at.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(40)
    }
}
