//! Who carries deliveries from mailboxes to sockets.

use super::line::Line;
use std::array;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
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
    /// Speakers who are about to carry.
    speakers: usize,
}

/// One who speaks, and carries then. What it leaves when this is dropped is for the postmen.
struct Speaker<'a>(&'a Postmen);

/// How many members who has spoken carries for before it goes on. Counted besides tokio's budget, for writes of HTTP/2
/// take nothing from that.
const CARRIED_BY_SPEAKER_MAX: usize = 64;

/// How many members a postman carries for before others get a turn, for the same reason.
const CARRIED_IN_TURN_MAX: usize = 128;

/// For whom a postman carries next. As many as a processor asks for at the same time.
pub(super) type Round = [Option<Arc<Line>>; 16];

impl Postmen {
    /// Something waits for this member.
    pub(super) fn call(&self, line: Arc<Line>) {
        let mut state = self.lock();
        state.waiting.push_back(line);
        wake_postman(state);
    }

    /// Lets somebody speak, and then carries what was called for, as far as the task has budget: all of it is near. Only for
    /// more than that postmen wake, for on another thread waking takes as long as carrying.
    pub(super) fn carry_for_speaker(&self, speak: impl FnOnce()) {
        self.lock().speakers += 1;
        let _speaker = Speaker(self);
        speak();
        for _ in 0..CARRIED_BY_SPEAKER_MAX {
            if !has_budget_remaining() {
                return;
            }
            let line = self.lock().waiting.pop_front();
            let Some(line) = line else { return };
            line.carry();
        }
    }

    /// Carries for ever, as one of the postmen.
    pub(super) async fn work(&self) {
        let mut carried = 0;
        loop {
            for line in poll_fn(|context| self.poll_round(context)).await.into_iter().flatten() {
                line.carry();
                carried += 1;
                if carried == CARRIED_IN_TURN_MAX || !has_budget_remaining() {
                    carried = 0;
                    // Who has something to say gets a turn.
                    yield_now().await;
                }
            }
        }
    }

    fn poll_round(&self, context: &Context<'_>) -> Poll<Round> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.idle.push(context.waker().clone());
            return Poll::Pending;
        }
        let round: Round = array::from_fn(|_| state.waiting.pop_front());
        drop(state);
        Line::prefetch(&round);
        Poll::Ready(round)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Speaker<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.speakers -= 1;
        wake_postman(state);
    }
}

/// Wakes a postman if more waits than the speakers carry.
fn wake_postman(mut state: MutexGuard<'_, State>) {
    if state.waiting.len() > CARRIED_BY_SPEAKER_MAX * state.speakers {
        let postman = state.idle.pop();
        drop(state);
        if let Some(postman) = postman {
            postman.wake();
        }
    }
}
