//! Users whom the server knows, however many connections each of them has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};

use crate::closing::Refusal;
use crate::limits::Limits;
use crate::lock::lock;
use crate::rate::Rate;
use crate::timestamp::Timestamp;

/// Who is here, or was just now, and how much each has sent.
#[derive(Debug, Default)]
pub(crate) struct Users(Mutex<HashMap<Arc<str>, Held>>);

#[derive(Debug)]
struct Held {
    memberships: usize,
    /// All memberships of a user send within one rate.
    rate: Arc<Mutex<Rate>>,
}

/// One membership of a user, counted as long as this is held.
#[derive(Debug)]
pub(crate) struct UserPlace {
    users: Arc<Users>,
    user: Arc<str>,
    rate: Arc<Mutex<Rate>>,
}

/// Beyond so many users, who goes is forgotten at once.
const USERS_REMEMBERED_MAX: usize = 100_000;

impl Users {
    pub(crate) fn enter(
        self: &Arc<Self>,
        user: &str,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<UserPlace, Refusal> {
        let user: Arc<str> = user.into();
        let mut users = lock(&self.0);
        let memberships = users.get(&user).map_or(0, |held| held.memberships);
        if memberships >= limits.memberships_per_user_max {
            return Err(Refusal::TooManyOfUser);
        }
        let new =
            || Held { memberships, rate: Arc::new(Mutex::new(Rate::of_messages(limits, now))) };
        let held = users.entry(user.clone()).or_insert_with(new);
        held.memberships += 1;
        Ok(UserPlace { users: self.clone(), rate: held.rate.clone(), user })
    }

    /// Forgets those who went and may send as much as anybody who comes for the first time.
    pub(crate) fn expire(&self, now: Timestamp) {
        lock(&self.0).retain(|_, held| held.memberships > 0 || !lock(&held.rate).is_full(now));
    }
}

impl UserPlace {
    /// As [`Rate::take`], for all memberships of the user together.
    pub(crate) fn take(&self, shares: u64, now: Timestamp) -> bool {
        lock(&self.rate).take(shares, now)
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        let mut users = lock(&self.users.0);
        let is_full = users.len() > USERS_REMEMBERED_MAX;
        if let Entry::Occupied(mut held) = users.entry(self.user.clone()) {
            held.get_mut().memberships -= 1;
            // What was sent counts still if the user comes back at once.
            if held.get().memberships == 0 && is_full {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_went_is_forgotten_once_nothing_is_missing() {
        let at = Timestamp::from_unix_milliseconds;
        let users = Arc::<Users>::default();
        let limits = Limits::default();
        let place = users.enter("ann", &limits, at(0)).unwrap();
        assert!(place.take(1, at(0)));
        let known = |milliseconds| {
            users.expire(at(milliseconds));
            lock(&users.0).len()
        };
        assert_eq!(known(200), 1, "it is here");
        drop(place);
        assert_eq!([known(199), known(200)], [1, 0]);
    }
}
