//! A stream that remembers what went through it, and when.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A stream of bytes whose beginning is remembered.
#[derive(Debug)]
pub(super) struct Recording<S> {
    stream: S,
    /// The first bytes that arrived.
    received: Vec<u8>,
    /// When the request left.
    sent_at: Option<Instant>,
    /// When the first bytes arrived.
    received_at: Option<Instant>,
    /// The peer has ended its side.
    ended: bool,
}

/// How much is remembered: a long head and the start of a body.
const RECEIVED_BYTES_MAX: usize = 32 << 10;

impl<S> Recording<S> {
    pub(super) fn new(stream: S) -> Recording<S> {
        Recording { stream, received: Vec::new(), sent_at: None, received_at: None, ended: false }
    }

    /// The first bytes that arrived.
    pub(super) fn received(&self) -> &[u8] {
        &self.received
    }

    /// How long it took from the end of the request to the first bytes of the response.
    pub(super) fn response_time(&self) -> Duration {
        match (self.sent_at, self.received_at) {
            (Some(sent), Some(received)) => received.saturating_duration_since(sent),
            _ => Duration::ZERO,
        }
    }

    /// Whether the peer has ended its side.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recording<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        // The end of TCP without the end of TLS.
        self.ended |= read.as_ref().is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof);
        read?;
        let arrived = &buffer.filled()[before..];
        let room = RECEIVED_BYTES_MAX - self.received.len();
        self.received.extend_from_slice(&arrived[..arrived.len().min(room)]);
        if !arrived.is_empty() {
            self.received_at.get_or_insert_with(Instant::now);
        } else if buffer.remaining() > 0 {
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recording<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        if self.received_at.is_none() {
            self.sent_at = Some(Instant::now());
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
