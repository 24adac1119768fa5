//! Wakes a connection at its next deadline.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};
use wskit_proto::Timestamp;

/// A timer that costs next to nothing while its deadline does not change.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// The moment that the connection's timestamps count from, once one was needed. It is the
    /// connection's own, for the clocks of two runtimes may differ when their time is virtual.
    epoch: Option<Instant>,
    /// Boxed, for a connection without deadlines needs none.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whom it wakes.
    waker: Option<Waker>,
}

impl Alarm {
    /// An alarm that is not set.
    pub(crate) fn new() -> Alarm {
        Alarm { epoch: None, sleep: None, waker: None }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        let now = Instant::now();
        now - *self.epoch.get_or_insert(now)
    }

    /// Rings at this time, or never. An alarm that is set for an earlier time rings early, which
    /// costs less than setting it anew for every message.
    pub(crate) fn set(&mut self, deadline: Option<Timestamp>) {
        // What is further away than a clock can tell is never.
        let deadline = deadline
            .and_then(|deadline| self.epoch.get_or_insert_with(Instant::now).checked_add(deadline));
        let Some(deadline) = deadline else {
            self.sleep = None;
            return;
        };
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() <= deadline && !sleep.is_elapsed() => return,
            Some(sleep) => sleep.as_mut().reset(deadline),
            None => self.sleep = Some(Box::pin(sleep_until(deadline))),
        }
        self.waker = None;
    }

    /// Rings at this time unless it is set already.
    pub(crate) fn set_if_unset(&mut self, deadline: Timestamp) {
        if self.sleep.is_none() {
            self.set(Some(deadline));
        }
    }

    /// Ready when this time has come, and not early. What it is set for before that stays.
    pub(crate) fn poll_until(&mut self, time: Timestamp, cx: &mut Context<'_>) -> Poll<()> {
        if self.epoch.get_or_insert_with(Instant::now).checked_add(time).is_none() {
            return Poll::Pending;
        }
        loop {
            self.set(Some(time));
            ready!(self.poll(cx));
            if self.now() >= time {
                return Poll::Ready(());
            }
        }
    }

    /// Ready when it rings.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &self.sleep else { return Poll::Pending };
        let known = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if known && !sleep.is_elapsed() { Poll::Pending } else { self.poll_sleep(cx) }
    }

    #[inline(never)]
    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        self.waker = Some(cx.waker().clone());
        // Without the task's budget: a timer that it refuses to poll would not be registered either.
        pin!(unconstrained(sleep.as_mut())).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, time::Duration};
    use tokio::sync::mpsc::unbounded_channel;

    #[tokio::test(start_paused = true)]
    async fn it_rings_though_its_first_poll_had_no_budget() {
        let mut alarm = Alarm::new();
        alarm.set(Some(Duration::from_secs(5)));
        let mut spends_budget = true;
        let ringing = poll_fn(|cx| {
            if std::mem::take(&mut spends_budget) {
                // What a peer that never pauses does to a task.
                let (sender, mut receiver) = unbounded_channel();
                (0..1000).for_each(|number| sender.send(number).unwrap());
                while receiver.poll_recv(cx).is_ready() {}
                assert!(!tokio::task::coop::has_budget_remaining());
            }
            alarm.poll(cx)
        });
        tokio::time::timeout(Duration::from_secs(1000), ringing).await.expect("it never rings");
    }
}
