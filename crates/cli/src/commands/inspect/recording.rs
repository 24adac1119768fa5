//! A stream that remembers what went through it, and when.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A stream of bytes whose beginning is remembered.
#[derive(Debug)]
pub(super) struct Recording<S> {
    stream: S,
    tape: Tape,
}

/// What is remembered of a stream, also when that is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
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
        Recording { stream, tape: Tape::default() }
    }

    pub(super) fn tape(&self) -> Tape {
        self.tape.clone()
    }
}

impl Tape {
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first bytes that arrived.
    pub(super) fn received(&self) -> Vec<u8> {
        self.recorded().received.clone()
    }

    /// How long it took from the end of the request to the first bytes of the response.
    pub(super) fn response_time(&self) -> Duration {
        let recorded = self.recorded();
        match (recorded.sent_at, recorded.received_at) {
            (Some(sent), Some(received)) => received.saturating_duration_since(sent),
            _ => Duration::ZERO,
        }
    }

    /// Whether the peer has ended its side.
    pub(super) fn has_ended(&self) -> bool {
        self.recorded().ended
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recording<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Recording { stream, tape } = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(Pin::new(stream).poll_read(cx, buffer));
        let mut recorded = tape.recorded();
        // The end of TCP without the end of TLS.
        recorded.ended |=
            read.as_ref().is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof);
        read?;
        let arrived = &buffer.filled()[before..];
        let room = RECEIVED_BYTES_MAX - recorded.received.len();
        recorded.received.extend_from_slice(&arrived[..arrived.len().min(room)]);
        if !arrived.is_empty() {
            recorded.received_at.get_or_insert_with(Instant::now);
        } else if buffer.remaining() > 0 {
            recorded.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recording<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Recording { stream, tape } = self.get_mut();
        let written = ready!(Pin::new(stream).poll_write(cx, bytes))?;
        let mut recorded = tape.recorded();
        if recorded.received_at.is_none() {
            recorded.sent_at = Some(Instant::now());
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
