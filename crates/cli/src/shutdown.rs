//! How every connection learns that the server goes down.

use crate::apart::Apart;
use slab::Slab;
use std::{
    future::{Future, poll_fn},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::sync::Notify;
use wskit::CloseCode;

/// Begins the shutdown, and knows when every connection has ended.
pub(crate) struct ShutdownSwitch {
    known: Arc<Known>,
}

/// Tells a connection that the server goes down. Held as long as the connection lasts.
pub(crate) struct Shutdown {
    known: Arc<Known>,
    /// Known once it was waited for, and kept, so that a connection takes its place once.
    waiting: Option<Waiting>,
}

/// What the switch and the connections know.
#[derive(Default)]
struct Known {
    /// The code to close with, once the shutdown has begun. Looked at each time that a connection wakes, so it lies apart
    /// from what each opening writes.
    code: Apart<OnceLock<CloseCode>>,
    /// The tasks to wake. Kept here, for a connection that waits should hold as little as it can.
    waiting: Mutex<Slab<Waker>>,
    /// How many connections hold a [`Shutdown`].
    held: AtomicUsize,
    all_ended: Notify,
}

/// The task of a connection that waits, and its place among the others.
struct Waiting {
    key: usize,
    waker: Waker,
}

/// A switch, and what it switches.
pub(crate) fn shutdown() -> (ShutdownSwitch, Shutdown) {
    let known = Arc::<Known>::default();
    (ShutdownSwitch { known: known.clone() }, Shutdown::hold(&known))
}

impl ShutdownSwitch {
    /// Tells every connection, and with which code to close.
    pub(crate) fn begin(&self, code: CloseCode) {
        let _the_first_code_counts = self.known.code.0.set(code);
        // Not under the lock: a waker may do anything.
        let wakers: Vec<Waker> = self.known.lock().iter().map(|(_, waker)| waker.clone()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends when nobody holds a [`Shutdown`] any more.
    pub(crate) async fn all_ended(&self) {
        while self.known.held.load(Ordering::Acquire) > 0 {
            self.known.all_ended.notified().await;
        }
    }
}

impl Shutdown {
    fn hold(known: &Arc<Known>) -> Shutdown {
        known.held.fetch_add(1, Ordering::Relaxed);
        Shutdown { known: known.clone(), waiting: None }
    }

    /// The code to close with when the server goes down.
    pub(crate) fn code(&self) -> CloseCode {
        self.known.code.0.get().copied().unwrap_or(CloseCode::GOING_AWAY)
    }

    /// Ends when the server goes down.
    ///
    /// It is polled each time that the connection's task wakes, so it looks at no more than two
    /// numbers once it is known which task to wake.
    pub(crate) fn begun(&mut self) -> impl Future<Output = ()> {
        poll_fn(|cx| match &self.waiting {
            Some(Waiting { waker, .. }) if waker.will_wake(cx.waker()) && !self.has_begun() => {
                Poll::Pending
            }
            _ => self.poll_begun(cx),
        })
    }

    #[inline(never)]
    fn poll_begun(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.leave();
        self.waiting = Some(self.known.wait(cx.waker()));
        // It may have begun before the place was taken.
        if self.has_begun() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn has_begun(&self) -> bool {
        self.known.code.0.get().is_some()
    }

    /// Gives the place among those who wait back.
    fn leave(&mut self) {
        if let Some(Waiting { key, .. }) = self.waiting.take() {
            let _waker = self.known.lock().try_remove(key);
        }
    }
}

impl Clone for Shutdown {
    fn clone(&self) -> Shutdown {
        Shutdown::hold(&self.known)
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.leave();
        if self.known.held.fetch_sub(1, Ordering::Release) == 1 {
            // Kept for whoever has yet to ask.
            self.known.all_ended.notify_one();
        }
    }
}

impl Known {
    fn wait(&self, waker: &Waker) -> Waiting {
        Waiting { key: self.lock().insert(waker.clone()), waker: waker.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;

    #[tokio::test]
    async fn whoever_waits_is_told_and_whoever_comes_later_too() {
        let (switch, shutdown) = shutdown();
        let mut waiting = shutdown.clone();
        let waiting = tokio::spawn(async move { waiting.begun().await });
        tokio::task::yield_now().await;
        switch.begin(CloseCode::GOING_AWAY);
        waiting.await.unwrap();
        let mut late = shutdown;
        late.begun().await;
        drop(late);
        switch.all_ended().await;
    }

    #[tokio::test]
    async fn another_task_may_wait_on() {
        let (switch, mut shutdown) = shutdown();
        let mut begun = Box::pin(async move { shutdown.begun().await });
        let once = poll_fn(|cx| Poll::Ready(begun.as_mut().poll(cx).is_ready()));
        assert!(!once.await, "nothing has begun yet");
        let other = tokio::spawn(begun);
        tokio::task::yield_now().await;
        switch.begin(CloseCode::GOING_AWAY);
        other.await.unwrap();
    }
}
