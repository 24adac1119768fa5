//! Streams of bytes that bring little at a time, or that count what is done to them.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};

/// Has to be waited for after every few bytes, so that a future has many points to be dropped at.
#[derive(Debug)]
pub(crate) struct Trickle<S> {
    stream: S,
    step: usize,
    may_read: usize,
    may_write: usize,
}

impl<S> Trickle<S> {
    /// Passes on `step` bytes at a time.
    pub(crate) fn new(stream: S, step: usize) -> Trickle<S> {
        Trickle { stream, step, may_read: 0, may_write: 0 }
    }
}

/// Whether bytes may pass now; if not, the task is woken to try again.
fn pause(allowed: &mut usize, step: usize, cx: &mut Context<'_>) -> bool {
    if *allowed == 0 {
        *allowed = step;
        cx.waker().wake_by_ref();
        return true;
    }
    false
}

impl<S: AsyncRead + Unpin> AsyncRead for Trickle<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if pause(&mut this.may_read, this.step, cx) {
            return Poll::Pending;
        }
        let mut bytes = [0; 64];
        let mut few = ReadBuf::new(&mut bytes[..this.may_read.min(buffer.remaining())]);
        ready!(Pin::new(&mut this.stream).poll_read(cx, &mut few))?;
        this.may_read -= few.filled().len();
        buffer.put_slice(few.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Trickle<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if pause(&mut this.may_write, this.step, cx) {
            return Poll::Pending;
        }
        let few = &bytes[..bytes.len().min(this.may_write)];
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, few))?;
        this.may_write -= written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> wskit::Split for Trickle<S> {
    type Reader = ReadHalf<Trickle<S>>;
    type Writer = WriteHalf<Trickle<S>>;

    fn split(self) -> (Self::Reader, Self::Writer) {
        tokio::io::split(self)
    }
}

/// Counts the writes, vectored ones too.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    writes: usize,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S) -> Counted<S> {
        Counted { stream, writes: 0 }
    }

    /// How many writes there have been.
    pub(crate) fn writes(&self) -> usize {
        self.writes
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Brings some bytes and then others without end, never pausing, and takes whatever is written.
#[derive(Debug)]
pub(crate) struct Endless {
    start: VecDeque<u8>,
    repeated: Vec<u8>,
}

impl Endless {
    pub(crate) fn new(start: &[u8], repeated: Vec<u8>) -> Endless {
        Endless { start: start.to_vec().into(), repeated }
    }
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while buffer.remaining() > 0 {
            if this.start.is_empty() {
                this.start.extend(&this.repeated);
            }
            let (front, _) = this.start.as_slices();
            let taken = front.len().min(buffer.remaining());
            buffer.put_slice(&front[..taken]);
            this.start.drain(..taken);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
