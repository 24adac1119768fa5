//! Commits on their way to whoever delivers them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::message::Commit;

/// A queue of commits with one reader, for those who make a store.
#[derive(Debug)]
pub struct Commits<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    ready: VecDeque<Commit<T>>,
    reader: Option<Waker>,
}

impl<T> Default for Commits<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { ready: VecDeque::new(), reader: None }) }
    }
}

impl<T> Commits<T> {
    /// Puts in what was committed together, and wakes the reader once for it.
    pub fn put(&self, commits: impl IntoIterator<Item = Commit<T>>) {
        let mut state = lock(&self.state);
        state.ready.extend(commits);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Puts in what is committed while it is appended: who appends looks for it, so the reader is not woken.
    pub fn put_without_waking(&self, commits: impl IntoIterator<Item = Commit<T>>) {
        lock(&self.state).ready.extend(commits);
    }

    /// The next commit, if one is ready.
    pub fn next(&self) -> Option<Commit<T>> {
        lock(&self.state).ready.pop_front()
    }

    /// The next commit; the waker of the last call is woken for it.
    pub fn poll(&self, context: &Context<'_>) -> Poll<Commit<T>> {
        let mut state = lock(&self.state);
        match state.ready.pop_front() {
            Some(commit) => Poll::Ready(commit),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Locks also after a panic of another holder: every change below a lock of this crate leaves usable data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
