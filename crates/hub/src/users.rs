//! Users whom the server knows, however many connections each of them has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};

use crate::closing::Refusal;
use crate::limits::Limits;
use crate::lock::lock;
use crate::rate::Rate;
use crate::timestamp::Timestamp;

/// Who is here, and how much each has sent.
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
        let new = || Held { memberships, rate: Arc::new(Mutex::new(Rate::new(limits, now))) };
        let held = users.entry(user.clone()).or_insert_with(new);
        held.memberships += 1;
        Ok(UserPlace { users: self.clone(), rate: held.rate.clone(), user })
    }
}

impl UserPlace {
    /// As [`Rate::take`], for all memberships of the user together.
    pub(crate) fn take(&self, bytes: usize, now: Timestamp) -> bool {
        lock(&self.rate).take(bytes, now)
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        if let Entry::Occupied(mut held) = lock(&self.users.0).entry(self.user.clone()) {
            held.get_mut().memberships -= 1;
            if held.get().memberships == 0 {
                held.remove();
            }
        }
    }
}
