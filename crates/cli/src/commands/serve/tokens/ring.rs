//! The keys as they are just now: files are read again when they change.

use super::keys::{Contents, Key, KeyArguments};
use crate::failure::{Failure, Kind};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// Holds the keys, and looks after the files that they come from.
pub(super) struct KeyRing {
    files: KeyArguments,
    state: Mutex<State>,
}

struct State {
    keys: Arc<[Key]>,
    /// What was in the files when they were last looked at, whole or not.
    seen: Result<Contents, String>,
    /// What was judged last, good or not.
    judged: Result<Contents, String>,
}

/// How often is looked whether the files have changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

impl KeyRing {
    /// Reads the keys for the first time.
    pub(super) fn load(files: &KeyArguments) -> Result<KeyRing, Failure> {
        let contents = files.read().map_err(|why| Failure::new(Kind::Local, why))?;
        let keys = files.parse(&contents).map_err(|why| Failure::new(Kind::Usage, why))?.into();
        let state = State { keys, seen: Ok(contents.clone()), judged: Ok(contents) };
        Ok(KeyRing { files: files.clone(), state: Mutex::new(state) })
    }

    pub(super) fn keys(&self) -> Arc<[Key]> {
        self.lock().keys.clone()
    }

    /// Reads the files again now and then, for ever.
    pub(super) async fn look_after(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let ring = self.clone();
            // The disk may take its time.
            let _it_never_panics = tokio::task::spawn_blocking(move || ring.look()).await;
        }
    }

    /// Takes new keys for the old ones, if they are good. What differs from the last look may be half of what is still
    /// being written, and half of a secret looks like one: it has to be the same at two looks.
    pub(super) fn look(&self) {
        if !self.files.are_rereadable() {
            return;
        }
        let seen = self.files.read();
        let mut state = self.lock();
        let before = mem::replace(&mut state.seen, seen.clone());
        if seen != before || seen == state.judged {
            return;
        }
        match seen.as_ref().map_err(String::clone).and_then(|seen| self.files.parse(seen)) {
            Ok(keys) => {
                state.keys = keys.into();
                info!(keys = state.keys.len(), "the keys for tokens were read again");
            }
            Err(why) => warn!("the keys for tokens stay as they were: {why}"),
        }
        state.judged = seen;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
