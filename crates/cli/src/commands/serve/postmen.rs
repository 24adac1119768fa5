//! Who carries deliveries from mailboxes to sockets.

use super::line::Line;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tokio::task::coop::has_budget_remaining;
use tokio::task::yield_now;

/// Carry what waits, one member after the other.
///
/// A delivery could wake the member's task, but of a task's memory and of what it watches a delivery needs nothing, and
/// when thousands are delivered to in turn all of it has to come from far away.
#[derive(Default)]
pub(super) struct Postmen {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// For whom something waits.
    waiting: VecDeque<Arc<Line>>,
    /// Postmen that have nothing to do.
    idle: Vec<Waker>,
}

/// How many members who has spoken carries for before it goes on. Counted besides tokio's budget, for writes of HTTP/2
/// take nothing from that.
const CARRIED_BY_SPEAKER_MAX: usize = 64;

/// How many members a postman carries for before others get a turn, for the same reason.
const CARRIED_IN_TURN_MAX: usize = 128;

impl Postmen {
    /// Something waits for this member.
    pub(super) fn call(&self, line: Arc<Line>) {
        let mut state = self.lock();
        state.waiting.push_back(line);
        let postman = state.idle.pop();
        drop(state);
        if let Some(postman) = postman {
            postman.wake();
        }
    }

    /// Carries what was just called for, as far as the task has budget. Done by who has spoken, when all of it is near.
    pub(super) fn carry(&self) {
        for _ in 0..CARRIED_BY_SPEAKER_MAX {
            if !has_budget_remaining() {
                return;
            }
            let Some(line) = self.next() else { return };
            line.carry();
        }
    }

    /// Carries for ever, as one of the postmen.
    pub(super) async fn work(&self) {
        let mut carried = 0;
        loop {
            let line = poll_fn(|context| {
                let mut state = self.lock();
                match state.waiting.pop_front() {
                    Some(line) => Poll::Ready(line),
                    None => {
                        state.idle.push(context.waker().clone());
                        Poll::Pending
                    }
                }
            });
            line.await.carry();
            carried += 1;
            if carried == CARRIED_IN_TURN_MAX || !has_budget_remaining() {
                carried = 0;
                // Who has something to say gets a turn.
                yield_now().await;
            }
        }
    }

    fn next(&self) -> Option<Arc<Line>> {
        self.lock().waiting.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
