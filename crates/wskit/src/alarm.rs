//! Wakes a connection at its next deadline.

use std::{
    future::Future,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll, Waker},
};
use tokio::time::{Instant, Sleep, sleep_until};
use wskit_proto::Timestamp;

/// The moment that all timestamps count from.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

pub(crate) fn now() -> Timestamp {
    let epoch = epoch();
    Instant::now().saturating_duration_since(epoch)
}

/// A timer that costs next to nothing while its deadline does not change.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    /// Boxed, for a connection without deadlines needs none.
    armed: Option<Box<Armed>>,
}

#[derive(Debug)]
struct Armed {
    sleep: Pin<Box<Sleep>>,
    waker: Option<Waker>,
}

impl Alarm {
    /// Rings at this time, or never. An alarm that is set for an earlier time rings early, which
    /// costs less than setting it anew for every message.
    pub(crate) fn set(&mut self, deadline: Option<Timestamp>) {
        let Some(deadline) = deadline else {
            self.armed = None;
            return;
        };
        let deadline = epoch() + deadline;
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
