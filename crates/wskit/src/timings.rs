//! How long the way to an open connection took.

use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// How long the steps to an open connection took: see
/// [`Client::connect_timed`](crate::Client::connect_timed). A step that was not taken has no time; those
/// of all redirects are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Looking up the name of the server, or of the proxy.
    pub lookup: Option<Duration>,
    /// Connecting to one of its addresses, or to the Unix-domain socket.
    pub connect: Option<Duration>,
    /// Having the proxy open a tunnel.
    pub proxy: Option<Duration>,
    /// The TLS handshake with the server.
    pub tls: Option<Duration>,
    /// The opening handshake.
    pub handshake: Option<Duration>,
    /// How many redirects were followed.
    pub redirects: u32,
}

/// Adds the time that a step takes.
pub(crate) async fn timed<T>(time: &mut Option<Duration>, step: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let output = step.await;
    *time = Some(time.unwrap_or_default() + start.elapsed());
    output
}
