//! The time that opening a connection may take.

use crate::Error;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long opening a connection may take, and when that is over.
#[derive(Clone, Copy)]
pub(crate) struct Patience(Option<(Duration, Instant)>);

impl Patience {
    /// From now on for so long, or for ever.
    pub(crate) fn new(time: Option<Duration>) -> Patience {
        Patience(time.and_then(|time| Some((time, Instant::now().checked_add(time)?))))
    }

    pub(crate) async fn wait<T>(self, step: impl Future<Output = T>) -> Result<T, Error> {
        match self.0 {
            None => Ok(step.await),
            Some((time, deadline)) => {
                timeout_at(deadline, step).await.map_err(|_| Error::OpeningTimeout(time))
            }
        }
    }
}
