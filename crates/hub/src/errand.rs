//! What is read from the store for one reader.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Fetches from the store and posts into a mailbox what it has found. It is only asked to go on while nothing waits
/// there, so a reader gets as much as it reads and no more is fetched.
pub(crate) struct Errand(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Errand {
    pub(crate) fn new(errand: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(errand))
    }

    /// Ready when it is done.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

/// Within an errand: waits until the reader has read what was posted.
pub(crate) async fn when_read() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errand")
    }
}
