//! Rooms that nobody was in and nothing is kept of: who begins one after another is to leave some to others.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::limits::Limits;
use crate::lock::lock;
use crate::rate::Rate;
use crate::timestamp::Timestamp;

/// Who has begun rooms within the last hour, and how many each may begin still.
#[derive(Debug, Default)]
pub(crate) struct Beginnings(Mutex<HashMap<String, Rate>>);

/// Beyond so many, whoever comes for the first time is not counted.
const BEGINNERS_MAX: usize = 100_000;

impl Beginnings {
    /// Counts a room; `false` means that it is too early for it.
    #[must_use]
    pub(crate) fn take(&self, who: &str, limits: &Limits, now: Timestamp) -> bool {
        let mut beginners = lock(&self.0);
        if let Some(rate) = beginners.get_mut(who) {
            return rate.take(1, now);
        }
        let mut rate = Rate::of_beginnings(limits, now);
        let may_begin = rate.take(1, now);
        if may_begin && beginners.len() < BEGINNERS_MAX {
            beginners.insert(who.to_owned(), rate);
        }
        may_begin
    }

    /// Forgets those who may begin as many as anybody who comes for the first time.
    pub(crate) fn expire(&self, now: Timestamp) {
        lock(&self.0).retain(|_, rate| !rate.is_full(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_those_of_an_hour_may_be_begun_at_once_and_then_each_after_its_share_of_it() {
        let at = Timestamp::from_unix_milliseconds;
        let limits = Limits { rooms_begun_per_hour_max: 3, ..Limits::default() };
        let beginnings = Beginnings::default();
        let take = |who, milliseconds| beginnings.take(who, &limits, at(milliseconds));
        let third = 20 * 60 * 1_000;
        assert!((0..3).all(|_| take("ann", 0)));
        assert!(!take("ann", 0) && take("bob", 0));
        assert!(!take("ann", third - 1));
        assert!(take("ann", third) && !take("ann", third));
        beginnings.expire(at(third));
        assert_eq!(lock(&beginnings.0).len(), 1, "nothing is missing to bob any more");
        beginnings.expire(at(4 * third));
        assert!(lock(&beginnings.0).is_empty());
        let none = Limits { rooms_begun_per_hour_max: 0, ..Limits::default() };
        assert!(!beginnings.take("eve", &none, at(0)));
    }
}
