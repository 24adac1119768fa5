//! How much is kept.

use std::time::Duration;

/// How much of everything a store keeps. The oldest messages go first; an offset is never used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages of one stream.
    pub messages_max: u64,
    /// Bytes of payload of one stream.
    pub bytes_max: u64,
    /// How old a message may become. A stream whose last message is older is forgotten with its offsets: the next
    /// one of its name has another epoch.
    pub age_max: Duration,
    /// Streams at a time. Beyond it no new one is begun; nothing that is kept makes place.
    pub streams_max: usize,
    /// Bytes of payload that wait to be kept. Beyond it appending is refused as [`Busy`](crate::Error::Busy).
    pub waiting_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            messages_max: 10_000,
            bytes_max: 16 * 1024 * 1024,
            age_max: Duration::from_secs(30 * 24 * 60 * 60),
            streams_max: 10_000,
            waiting_bytes_max: 32 * 1024 * 1024,
        }
    }
}

impl Bounds {
    /// The latest time, in milliseconds, at which what was said is too old to be kept.
    #[must_use]
    pub fn too_old_at(&self, now: u64) -> u64 {
        now.saturating_sub(u64::try_from(self.age_max.as_millis()).unwrap_or(u64::MAX))
    }
}
