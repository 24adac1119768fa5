//! Which streams of a connection somebody still has.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// Counts the halves of streams of a connection that are alive.
///
/// What h2 itself counts is no measure: a stream that was answered and dropped is one for it until
/// the peer has taken all of the answer, which may be never.
#[derive(Debug, Default)]
pub(super) struct Live(Arc<Mutex<Count>>);

#[derive(Debug, Default)]
struct Count {
    halves: usize,
    /// Whom the end of the last one wakes.
    waker: Option<Waker>,
}

/// Kept by half a stream as long as it is alive.
#[derive(Debug)]
pub(super) struct LiveHalf(Arc<Mutex<Count>>);

impl Live {
    /// One more half.
    pub(super) fn half(&self) -> LiveHalf {
        change(&self.0, |count| count.halves += 1);
        LiveHalf(self.0.clone())
    }

    /// Ready while none is alive.
    pub(super) fn poll_none(&self, cx: &mut Context<'_>) -> Poll<()> {
        change(&self.0, |count| {
            if count.halves == 0 {
                return Poll::Ready(());
            }
            count.waker = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

impl Drop for LiveHalf {
    fn drop(&mut self) {
        let waker = change(&self.0, |count| {
            count.halves -= 1;
            if count.halves == 0 { mem::take(&mut count.waker) } else { None }
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn change<T>(count: &Mutex<Count>, change: impl FnOnce(&mut Count) -> T) -> T {
    // Nothing in here panics, so nobody leaves it half done.
    change(&mut count.lock().unwrap_or_else(PoisonError::into_inner))
}
