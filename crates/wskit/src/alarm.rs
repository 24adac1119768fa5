//! Wakes a connection at its next deadline.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tokio::time::{Instant, Sleep, sleep_until};
use wskit_proto::Timestamp;

/// A timer that costs next to nothing while its deadline does not change.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// The moment that the connection's timestamps count from. It is the connection's own, for
    /// the clocks of two runtimes may differ when their time is virtual.
    epoch: Instant,
    /// Boxed, for a connection without deadlines needs none.
    armed: Option<Box<Armed>>,
}

#[derive(Debug)]
struct Armed {
    sleep: Pin<Box<Sleep>>,
    waker: Option<Waker>,
}

impl Alarm {
    /// An alarm that is not set.
    pub(crate) fn new() -> Alarm {
        Alarm { epoch: Instant::now(), armed: None }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.epoch.elapsed()
    }

    /// Rings at this time, or never. An alarm that is set for an earlier time rings early, which
    /// costs less than setting it anew for every message.
    pub(crate) fn set(&mut self, deadline: Option<Timestamp>) {
        let Some(deadline) = deadline else {
            self.armed = None;
            return;
        };
        let deadline = self.epoch + deadline;
        match &mut self.armed {
            Some(armed) if armed.sleep.deadline() <= deadline && !armed.sleep.is_elapsed() => {}
            Some(armed) => {
                armed.sleep.as_mut().reset(deadline);
                armed.waker = None;
            }
            None => {
                let sleep = Box::pin(sleep_until(deadline));
                self.armed = Some(Box::new(Armed { sleep, waker: None }));
            }
        }
    }

    /// Ready when it rings.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(armed) = &mut self.armed else { return Poll::Pending };
        let known = armed.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if known && !armed.sleep.is_elapsed() {
            return Poll::Pending;
        }
        armed.waker = Some(cx.waker().clone());
        armed.sleep.as_mut().poll(cx)
    }
}
