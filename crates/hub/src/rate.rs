//! How often a member may send.

use crate::limits::Limits;
use crate::timestamp::Timestamp;

/// A token bucket: it fills at `messages_per_second_max`, holds `messages_burst_max`, and a message takes one for
/// every `messages_counted_bytes` begun.
#[derive(Debug)]
pub(crate) struct Rate {
    /// In thousandths of a message, so that one millisecond's share is a whole number and nothing is rounded.
    credit: u64,
    capacity: u64,
    per_millisecond: u64,
    counted_bytes: usize,
    counted_until: Timestamp,
}

const ONE_MESSAGE: u64 = 1000;

impl Rate {
    /// A full bucket.
    pub(crate) fn new(limits: &Limits, now: Timestamp) -> Self {
        let capacity = u64::from(limits.messages_burst_max) * ONE_MESSAGE;
        let per_millisecond = u64::from(limits.messages_per_second_max) * ONE_MESSAGE / 1000;
        let counted_bytes = limits.messages_counted_bytes.max(1);
        Self { credit: capacity, capacity, per_millisecond, counted_bytes, counted_until: now }
    }

    /// What may be refused before its sender has to go: ten times as much at once as may be done, and as much for long.
    pub(crate) fn patience(limits: &Limits, now: Timestamp) -> Self {
        let burst = limits.messages_burst_max.saturating_mul(10);
        Self::new(&Limits { messages_burst_max: burst, ..limits.clone() }, now)
    }

    /// Takes out one message of so many bytes; `false` means that it is too early for it.
    #[must_use]
    pub(crate) fn take(&mut self, bytes: usize, now: Timestamp) -> bool {
        self.credit = self.credit_at(now);
        self.counted_until = self.counted_until.max(now);
        let count = u64::try_from(bytes.div_ceil(self.counted_bytes)).unwrap_or(u64::MAX);
        // The largest message has to fit a full bucket, and even the smallest needs one that is not empty.
        let cost = count.saturating_mul(ONE_MESSAGE).min(self.capacity).max(ONE_MESSAGE);
        match self.credit.checked_sub(cost) {
            Some(rest) => {
                self.credit = rest;
                true
            }
            None => false,
        }
    }

    /// Whether nothing is missing, as in a new one.
    pub(crate) fn is_full(&self, now: Timestamp) -> bool {
        self.credit_at(now) == self.capacity
    }

    fn credit_at(&self, now: Timestamp) -> u64 {
        let elapsed =
            now.unix_milliseconds().saturating_sub(self.counted_until.unix_milliseconds());
        let earned = elapsed.saturating_mul(self.per_millisecond);
        self.credit.saturating_add(earned).min(self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_milliseconds(milliseconds)
    }

    #[test]
    fn a_burst_then_a_steady_pace_to_the_millisecond() {
        let limits =
            Limits { messages_per_second_max: 4, messages_burst_max: 3, ..Limits::default() };
        let mut rate = Rate::new(&limits, at(0));
        assert!((0..3).all(|_| rate.take(1, at(0))));
        assert!(!rate.take(1, at(0)));
        assert!(!rate.take(1, at(249)));
        assert!(rate.take(1, at(250)));
        assert!(!rate.take(1, at(499)));
        assert!(rate.take(1, at(500)));
        // A long silence earns the burst and no more.
        assert!((0..3).all(|_| rate.take(1, at(1_000_000))));
        assert!(!rate.take(1, at(1_000_000)));
    }

    #[test]
    fn a_large_message_counts_as_several_but_always_fits_a_full_bucket() {
        let limits = Limits {
            messages_per_second_max: 1,
            messages_burst_max: 3,
            messages_counted_bytes: 100,
            ..Limits::default()
        };
        let mut rate = Rate::new(&limits, at(0));
        assert!(rate.take(200, at(0)));
        assert!(!rate.take(101, at(0)));
        assert!(rate.take(100, at(0)));
        assert!(!rate.take(0, at(0)));
        assert!(!rate.take(usize::MAX, at(2_999)));
        assert!(rate.take(usize::MAX, at(3_000)));
    }

    #[test]
    fn a_burst_of_none_lets_nothing_through() {
        let mut rate = Rate::new(&Limits { messages_burst_max: 0, ..Limits::default() }, at(0));
        assert!(!rate.take(0, at(u64::MAX)));
    }

    #[test]
    fn time_that_steps_back_earns_nothing() {
        let limits =
            Limits { messages_per_second_max: 1, messages_burst_max: 1, ..Limits::default() };
        let mut rate = Rate::new(&limits, at(5_000));
        assert!(rate.take(1, at(5_000)));
        assert!(!rate.take(1, at(0)));
        assert!(!rate.take(1, at(5_999)));
        assert!(rate.take(1, at(6_000)));
        assert!(rate.take(1, at(u64::MAX)));
    }
}
