//! Feeding one message.

use super::WebSocket;
use crate::Error;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite};
use wskit_proto::Message;

/// Waits for room, and queues the message.
///
/// A type of its own: in a function that is async the message would be moved from one future to the
/// next, and a closure would be called instead of inlined where a program feeds in two places.
pub(super) struct Feed<'a, S> {
    pub(super) socket: &'a mut WebSocket<S>,
    /// Until it is queued.
    pub(super) message: Option<Message>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Feed<'_, S> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Feed { socket, message } = self.get_mut();
        ready!(socket.poll_ready(cx))?;
        Poll::Ready(match message.take() {
            Some(message) => socket.start_send(message),
            None => Ok(()),
        })
    }
}
