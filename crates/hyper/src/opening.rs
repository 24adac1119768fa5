//! The connection that is about to open.

use crate::{Stream, WebSocket, stream};
use hyper::upgrade::OnUpgrade;
use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use wskit::{Agreed, Error, Server};

/// The future of a [`WebSocket`], which opens once hyper has written the response. Await it in a
/// task of its own, for the response is written only after it was returned.
///
/// It fails with [`Error::Opening`] if the connection breaks before, if the response was never
/// returned, or if hyper serves without `with_upgrades`.
#[must_use = "the connection opens only if this is awaited, in a task of its own"]
pub struct Opening {
    on_upgrade: OnUpgrade,
    agreed: Option<Agreed>,
    server: Server,
}

impl Opening {
    pub(crate) fn new(on_upgrade: OnUpgrade, agreed: Agreed, server: Server) -> Opening {
        Opening { on_upgrade, agreed: Some(agreed), server }
    }
}

impl Future for Opening {
    type Output = Result<WebSocket, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<WebSocket, Error>> {
        let upgraded = ready!(Pin::new(&mut self.on_upgrade).poll(cx));
        Poll::Ready(upgraded.map_err(|error| Error::Opening(io::Error::other(error))).map(
            |upgraded| {
                let agreed = self.agreed.take().expect("polled after it was ready");
                let (stream, received): (Stream, _) = stream::take(upgraded);
                self.server.open(stream, received, agreed)
            },
        ))
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}
