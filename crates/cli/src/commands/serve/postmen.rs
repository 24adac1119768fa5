//! Who carries deliveries from mailboxes to sockets.

use super::line::Line;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::task::coop::has_budget_remaining;
use tokio::task::yield_now;
use wskit_hub::Mailbox;

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

/// Somebody speaks, and carries then. What it leaves when this is dropped is for the postmen.
struct Speaking<'a>(&'a Postmen);

/// For whom is carried next.
pub(super) type Round = [Option<Arc<Line>>; ROUND_MEMBERS_MAX];

const ROUND_MEMBERS_MAX: usize = Mailbox::PREFETCHED_TOGETHER;

/// How many rounds who has spoken carries before it goes on. Counted besides tokio's budget, for writes of HTTP/2 take
/// nothing from that.
const ROUNDS_OF_SPEAKER_MAX: usize = 4;

/// How many rounds a postman carries before others get a turn, for the same reason.
const ROUNDS_IN_TURN_MAX: usize = 8;

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
        let _speaking = Speaking(self);
        speak();
        for _ in 0..ROUNDS_OF_SPEAKER_MAX {
            if !has_budget_remaining() {
                return;
            }
            let Some(round) = self.lock().next_round() else { return };
            carry(round);
        }
    }

    /// Carries for ever, as one of the postmen.
    pub(super) async fn work(&self) {
        loop {
            for _ in 0..ROUNDS_IN_TURN_MAX {
                carry(poll_fn(|context| self.poll_round(context)).await);
                if !has_budget_remaining() {
                    break;
                }
            }
            // Who has something to say gets a turn.
            yield_now().await;
        }
    }

    fn poll_round(&self, context: &Context<'_>) -> Poll<Round> {
        let mut state = self.lock();
        match state.next_round() {
            Some(round) => Poll::Ready(round),
            None => {
                state.idle.push(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_round(&mut self) -> Option<Round> {
        let first = self.waiting.pop_front()?;
        let mut round = Round::default();
        round[0] = Some(first);
        round[1..].fill_with(|| self.waiting.pop_front());
        Some(round)
    }
}

/// What is left when the budget ends is done by the members' own tasks.
fn carry(round: Round) {
    Line::prefetch(&round);
    for line in round.into_iter().flatten() {
        line.carry();
    }
}

impl Drop for Speaking<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.speakers -= 1;
        wake_postman(state);
    }
}

/// Wakes a postman if more waits than the speakers carry.
fn wake_postman(mut state: MutexGuard<'_, State>) {
    if state.waiting.len() > ROUND_MEMBERS_MAX * ROUNDS_OF_SPEAKER_MAX * state.speakers {
        let postman = state.idle.pop();
        drop(state);
        if let Some(postman) = postman {
            postman.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::counters::Counters;
    use super::*;
    use crate::accepting::{Stream, Transport};
    use crate::listener::Listener;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use tokio::task::coop::consume_budget;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    const OF_SPEAKER_MAX: usize = ROUNDS_OF_SPEAKER_MAX * ROUND_MEMBERS_MAX;

    /// Calls for so many, with or without budget. Tells how many are left, and how many postmen were woken.
    async fn left_and_woken(called: usize, with_budget: bool) -> (usize, usize) {
        let listener = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let url = listener.address().unwrap().url("ws");
        let accepted = async {
            let (stream, _) = listener.accept().await.unwrap();
            wskit::accept(Stream::First(Transport::First(stream))).await.unwrap()
        };
        let (client, socket) = tokio::join!(wskit::connect(&url), accepted);
        let _client = client.unwrap();
        let postmen = Arc::new(Postmen::default());
        let line = Arc::new(Line::new(socket, postmen.clone(), Arc::new(Counters::default())));
        let woken = Arc::new(Count::default());
        let waker = Waker::from(woken.clone());
        (0..2).for_each(|_| {
            assert!(postmen.poll_round(&Context::from_waker(&waker)).is_pending());
        });
        poll_fn(|context| {
            while !with_budget && has_budget_remaining() {
                let _spent = pin!(consume_budget()).poll(context);
            }
            postmen.carry_for_speaker(|| (0..called).for_each(|_| postmen.call(line.clone())));
            Poll::Ready(())
        })
        .await;
        (postmen.lock().waiting.len(), woken.0.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn who_speaks_carries_some_rounds_and_wakes_a_postman_for_what_is_left() {
        assert_eq!(left_and_woken(OF_SPEAKER_MAX, true).await, (0, 0));
        // One is woken when it becomes too much, and one when something is left.
        assert_eq!(left_and_woken(OF_SPEAKER_MAX + 1, true).await, (1, 2));
    }

    #[tokio::test]
    async fn who_speaks_and_has_no_budget_wakes_a_postman() {
        assert_eq!(left_and_woken(1, false).await, (1, 1));
        assert_eq!(left_and_woken(1, true).await, (0, 0));
    }
}
