//! How often something may be done.

use crate::limits::Limits;
use crate::timestamp::Timestamp;

/// A token bucket: it fills at a steady pace, holds what may be done at once, and whatever is done takes its share out.
#[derive(Debug)]
pub(crate) struct Rate {
    /// In parts of a share, of which there are as many as milliseconds in the period, so that what one millisecond earns
    /// is a whole number and nothing is rounded.
    credit: u64,
    capacity: u64,
    per_millisecond: u64,
    share: u64,
    counted_until: Timestamp,
}

const SECOND_MILLISECONDS: u64 = 1_000;
const HOUR_MILLISECONDS: u64 = 60 * 60 * 1_000;

impl Rate {
    /// What a member may send.
    pub(crate) fn of_messages(limits: &Limits, now: Timestamp) -> Self {
        let (per_second, burst) = (limits.messages_per_second_max, limits.messages_burst_max);
        Self::new(per_second.into(), SECOND_MILLISECONDS, burst.into(), now)
    }

    /// What may be refused before its sender has to go: ten times as much at once as may be sent, and as much for long.
    pub(crate) fn of_refusals(limits: &Limits, now: Timestamp) -> Self {
        let (per_second, burst) = (limits.messages_per_second_max, limits.messages_burst_max);
        Self::new(per_second.into(), SECOND_MILLISECONDS, u64::from(burst) * 10, now)
    }

    /// How many rooms may be begun: those of an hour at once.
    pub(crate) fn of_beginnings(limits: &Limits, now: Timestamp) -> Self {
        let per_hour = limits.rooms_begun_per_hour_max;
        Self::new(per_hour, HOUR_MILLISECONDS, per_hour, now)
    }

    /// A full bucket.
    fn new(per_period: u64, period_milliseconds: u64, burst: u64, now: Timestamp) -> Self {
        let capacity = burst.saturating_mul(period_milliseconds);
        let (per_millisecond, share) = (per_period, period_milliseconds);
        Self { credit: capacity, capacity, per_millisecond, share, counted_until: now }
    }

    /// Takes out so many shares; `false` means that it is too early for them.
    #[must_use]
    pub(crate) fn take(&mut self, shares: u64, now: Timestamp) -> bool {
        self.credit = self.credit_at(now);
        self.counted_until = self.counted_until.max(now);
        // The most has to fit a full bucket, and even the least needs one that is not empty.
        let cost = shares.saturating_mul(self.share).min(self.capacity).max(self.share);
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

    fn per_second(count: u64, burst: u64) -> Rate {
        Rate::new(count, SECOND_MILLISECONDS, burst, at(0))
    }

    #[test]
    fn a_burst_then_a_steady_pace_to_the_millisecond() {
        let mut rate = per_second(4, 3);
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
    fn many_shares_at_once_always_fit_a_full_bucket() {
        let mut rate = per_second(1, 3);
        assert!(rate.take(2, at(0)));
        assert!(!rate.take(2, at(0)));
        assert!(rate.take(1, at(0)));
        assert!(!rate.take(0, at(0)));
        assert!(!rate.take(u64::MAX, at(2_999)));
        assert!(rate.take(u64::MAX, at(3_000)));
    }

    #[test]
    fn a_burst_of_none_lets_nothing_through() {
        assert!(!per_second(5, 0).take(0, at(u64::MAX)));
    }

    #[test]
    fn time_that_steps_back_earns_nothing() {
        let mut rate = Rate::new(1, SECOND_MILLISECONDS, 1, at(5_000));
        assert!(rate.take(1, at(5_000)));
        assert!(!rate.take(1, at(0)));
        assert!(!rate.take(1, at(5_999)));
        assert!(rate.take(1, at(6_000)));
        assert!(rate.take(1, at(u64::MAX)));
    }
}
