//! What `async-nats` uses of `tryhard`, for its consumers.
//!
//! The crate of that name turns on `tokio/test-util`, and features are shared by a whole program: each look at the clock
//! would take a lock, some 400 instructions for each message that is echoed. This one leaves Tokio's clock as it is.

use std::future::Future;
use std::time::Duration;

/// Calls `attempt` until it succeeds, or as often as is said.
pub fn retry_fn<F>(attempt: F) -> Retry<F> {
    Retry { attempt, retries: 0 }
}

/// What is tried, and how often again after it has failed.
pub struct Retry<F> {
    attempt: F,
    retries: u32,
}

impl<F> Retry<F> {
    /// How often it is tried again.
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// Tries, and waits after each failure for as long as `pause` says; it is told how many there were.
    pub async fn custom_backoff<T, E, A>(
        mut self,
        mut pause: impl FnMut(u32, &E) -> Duration,
    ) -> Result<T, E>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, E>>,
    {
        let mut failures = 0;
        loop {
            match (self.attempt)().await {
                Err(error) if failures < self.retries => {
                    failures += 1;
                    tokio::time::sleep(pause(failures, &error)).await;
                }
                outcome => return outcome,
            }
        }
    }
}
