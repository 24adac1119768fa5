//! How every connection learns that the server goes down.

use slab::Slab;
use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};
use tokio::sync::watch;
use wskit::CloseCode;

/// Begins the shutdown, and knows when every connection has ended.
pub(crate) struct ShutdownSwitch {
    code: watch::Sender<CloseCode>,
    waiting: Arc<Waiting>,
}

/// Tells a connection that the server goes down. Held as long as the connection lasts.
#[derive(Clone)]
pub(crate) struct Shutdown {
    code: watch::Receiver<CloseCode>,
    waiting: Arc<Waiting>,
}

/// The tasks to wake. Kept here, for a connection that waits should hold as little as it can.
#[derive(Default)]
struct Waiting(Mutex<Slab<Waker>>);

/// A connection's place among them.
struct Place<'a> {
    waiting: &'a Waiting,
    key: usize,
}

/// A switch, and what it switches.
pub(crate) fn shutdown() -> (ShutdownSwitch, Shutdown) {
    let waiting = Arc::<Waiting>::default();
    let (sender, receiver) = watch::channel(CloseCode::GOING_AWAY);
    let switch = ShutdownSwitch { code: sender, waiting: waiting.clone() };
    (switch, Shutdown { code: receiver, waiting })
}

impl ShutdownSwitch {
    /// Tells every connection, and with which code to close.
    pub(crate) fn begin(&self, code: CloseCode) {
        self.code.send_replace(code);
        // Not under the lock: a waker may do anything.
        let wakers: Vec<Waker> =
            self.waiting.lock().iter().map(|(_, waker)| waker.clone()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends when nobody holds a [`Shutdown`] any more.
    pub(crate) async fn all_ended(&self) {
        self.code.closed().await;
    }
}

impl Shutdown {
    /// The code to close with when the server goes down.
    pub(crate) fn code(&self) -> CloseCode {
        *self.code.borrow()
    }

    /// Ends when the server goes down.
    ///
    /// It is polled each time that the connection's task wakes, so it looks at no more than two
    /// numbers once it is known which task to wake.
    pub(crate) async fn begun(&self) {
        let mut known: Option<(Waker, Place<'_>)> = None;
        poll_fn(|cx| {
            if self.has_begun() {
                return Poll::Ready(());
            }
            if known.as_ref().is_some_and(|(waker, _)| waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            known = Some((cx.waker().clone(), self.waiting.take_place(cx.waker())));
            // It may have begun before the place was taken.
            if self.has_begun() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn has_begun(&self) -> bool {
        // Where the switch is gone, so is the server.
        self.code.has_changed().unwrap_or(true)
    }
}

impl Waiting {
    fn take_place(&self, waker: &Waker) -> Place<'_> {
        Place { waiting: self, key: self.lock().insert(waker.clone()) }
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let _waker = self.waiting.lock().try_remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;

    #[tokio::test]
    async fn whoever_waits_is_told_and_whoever_comes_later_too() {
        let (switch, shutdown) = shutdown();
        let waiting = shutdown.clone();
        let waiting = tokio::spawn(async move { waiting.begun().await });
        tokio::task::yield_now().await;
        switch.begin(CloseCode::GOING_AWAY);
        waiting.await.unwrap();
        let late = shutdown;
        late.begun().await;
        drop(late);
        switch.all_ended().await;
    }

    #[tokio::test]
    async fn another_task_may_wait_on() {
        let (switch, shutdown) = shutdown();
        let mut begun = Box::pin(async move { shutdown.begun().await });
        let once = poll_fn(|cx| Poll::Ready(begun.as_mut().poll(cx).is_ready()));
        assert!(!once.await, "nothing has begun yet");
        let other = tokio::spawn(begun);
        tokio::task::yield_now().await;
        switch.begin(CloseCode::GOING_AWAY);
        other.await.unwrap();
    }
}
