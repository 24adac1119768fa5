//! The connection that is about to open.

use crate::{WebSocket, stream};
use hyper::upgrade::OnUpgrade;
use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use wskit::{Agreed, Error, Server};

/// The future of a [`WebSocket`], which opens once hyper has written the response. Await it in a
/// task of its own, for the response is written only after it was returned.
///
/// It fails with [`Error::Opening`] if the connection breaks before, or if hyper serves without
/// `with_upgrades`; and with [`Error::OpeningTimeout`] if the response is not written within the
/// server's [opening timeout](Server::opening_timeout), counted from the first poll: the client does
/// not read, or the program did not return the response.
///
/// A panic of the task that has the connection ends it without a Close frame: see
/// [the end](wskit::WebSocket#the-end) for how to say 1011 first.
#[must_use = "the connection opens only if this is awaited, in a task of its own"]
pub struct Opening {
    /// Boxed, so that what only the opening needs is not part of the connection's task for ever.
    pub(crate) connection: Pin<Box<dyn Future<Output = Result<WebSocket, Error>> + Send>>,
}

impl Opening {
    pub(crate) fn new(on_upgrade: OnUpgrade, agreed: Agreed, server: Server) -> Opening {
        let connection = async move {
            let upgraded =
                async { on_upgrade.await.map_err(|error| Error::Opening(io::Error::other(error))) };
            let (stream, received) = stream::take(server.in_time(upgraded).await?);
            Ok(server.open(stream, received, agreed))
        };
        Opening { connection: Box::pin(connection) }
    }
}

impl Future for Opening {
    type Output = Result<WebSocket, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<WebSocket, Error>> {
        self.connection.as_mut().poll(cx)
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}
