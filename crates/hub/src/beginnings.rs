//! Rooms that nobody was in and nothing is kept of: who begins one after another is to leave some to others.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::limits::Limits;
use crate::lock::lock;
use crate::timestamp::Timestamp;

/// For each who has begun rooms, until when that is paid off: each room costs its share of an hour, and an hour may be
/// owed.
#[derive(Debug, Default)]
pub(crate) struct Beginnings(Mutex<HashMap<String, u64>>);

const HOUR_MILLISECONDS: u64 = 60 * 60 * 1_000;

/// Beyond so many, whoever comes for the first time is not counted.
const BEGINNERS_MAX: usize = 100_000;

impl Beginnings {
    /// Counts a room; `false` means that it is too early for it.
    #[must_use]
    pub(crate) fn take(&self, who: &str, limits: &Limits, now: Timestamp) -> bool {
        let Some(cost) = HOUR_MILLISECONDS.checked_div(limits.rooms_begun_per_hour_max) else {
            return false;
        };
        let now = now.unix_milliseconds();
        let mut owed = lock(&self.0);
        let paid = owed.get(who).map_or(now, |until| now.max(*until)).saturating_add(cost);
        if paid > now.saturating_add(HOUR_MILLISECONDS) {
            return false;
        }
        if let Some(until) = owed.get_mut(who) {
            *until = paid;
        } else if owed.len() < BEGINNERS_MAX {
            owed.insert(who.to_owned(), paid);
        }
        true
    }

    /// Forgets those who owe nothing.
    pub(crate) fn expire(&self, now: Timestamp) {
        lock(&self.0).retain(|_, until| *until > now.unix_milliseconds());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_be_begun_in_an_hour_and_then_each_after_its_share_of_it() {
        let at = Timestamp::from_unix_milliseconds;
        let limits = Limits { rooms_begun_per_hour_max: 3, ..Limits::default() };
        let beginnings = Beginnings::default();
        let take = |who, milliseconds| beginnings.take(who, &limits, at(milliseconds));
        let third = HOUR_MILLISECONDS / 3;
        assert!((0..3).all(|_| take("ann", 0)));
        assert!(!take("ann", 0) && take("bob", 0));
        assert!(!take("ann", third - 1));
        assert!(take("ann", third) && !take("ann", third));
        beginnings.expire(at(third));
        assert_eq!(lock(&beginnings.0).len(), 1, "bob owes nothing any more");
        beginnings.expire(at(third + HOUR_MILLISECONDS));
        assert!(lock(&beginnings.0).is_empty());
        let none = Limits { rooms_begun_per_hour_max: 0, ..Limits::default() };
        assert!(!beginnings.take("eve", &none, at(0)));
    }
}
