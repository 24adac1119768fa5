//! How every connection learns that the server goes down.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Poll, Waker},
};
use tokio::{sync::watch, task::unconstrained};
use wskit::CloseCode;

/// Begins the shutdown, and knows when every connection has ended.
pub(crate) struct ShutdownSwitch(watch::Sender<CloseCode>);

/// Tells a connection that the server goes down. Held as long as the connection lasts.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<CloseCode>);

/// A switch, and what it switches.
pub(crate) fn shutdown() -> (ShutdownSwitch, Shutdown) {
    let (sender, receiver) = watch::channel(CloseCode::GOING_AWAY);
    (ShutdownSwitch(sender), Shutdown(receiver))
}

impl ShutdownSwitch {
    /// Tells every connection, and with which code to close.
    pub(crate) fn begin(&self, code: CloseCode) {
        self.0.send_replace(code);
    }

    /// Ends when nobody holds a [`Shutdown`] any more.
    pub(crate) async fn all_ended(&self) {
        self.0.closed().await;
    }
}

impl Shutdown {
    /// The code to close with when the server goes down.
    pub(crate) fn code(&self) -> CloseCode {
        *self.0.borrow()
    }

    /// Ends when the server goes down.
    ///
    /// It is polled each time that the connection's task wakes, so it looks at no more than a
    /// number once it is known which task to wake.
    pub(crate) async fn begun(&mut self) {
        let latest = self.0.clone();
        // Without the task's budget: what it refuses to poll would not be registered either.
        let mut change = pin!(unconstrained(self.0.changed()));
        let mut known: Option<Waker> = None;
        poll_fn(|cx| {
            if !matches!(latest.has_changed(), Ok(false)) {
                return Poll::Ready(());
            }
            if known.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            known = Some(cx.waker().clone());
            change.as_mut().poll(cx).map(drop)
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
