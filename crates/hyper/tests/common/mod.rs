//! What tests of several files need.
#![allow(dead_code, reason = "not every file needs all")]

#[cfg(feature = "http2")]
pub(crate) mod http2;

use std::time::Duration;
use tokio::time::timeout;

/// Waits for a step, but not for ever.
pub(crate) async fn bounded<T>(step: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), step).await.expect("it takes no time")
}
