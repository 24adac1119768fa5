//! The sending half: what was encoded, on its way to the transport.

use crate::buffers;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;
use wskit_proto::closing::State;
use wskit_proto::message::Sending;
use wskit_proto::{Joined, Kind, Message, Output, Prepared, SendError};

#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) sending: Sending,
    pub(crate) output: Output,
    /// Something was written that the transport may still hold.
    unflushed: bool,
    /// The connection ended before everything was written.
    is_cut: bool,
}

/// How many slices are handed to one write.
const SLICES_MAX: usize = 32;

impl Outgoing {
    pub(crate) fn new(sending: Sending, output: Output) -> Outgoing {
        Outgoing { sending, output, unflushed: false, is_cut: false }
    }

    /// Encodes a message.
    #[inline(always)]
    pub(crate) fn encode(&mut self, message: Message) -> Result<(), SendError> {
        self.prepare();
        self.sending.send(message, &mut self.output)
    }

    /// Encodes a message that many connections share.
    pub(crate) fn encode_prepared(&mut self, message: &Prepared) -> Result<(), SendError> {
        self.prepare();
        self.sending.send_prepared(message, &mut self.output)
    }

    /// Encodes messages that many connections share.
    pub(crate) fn encode_joined(&mut self, joined: &Joined) -> Result<(), SendError> {
        self.prepare();
        self.sending.send_joined(joined, &mut self.output)
    }

    /// Encodes a message without compressing it.
    pub(crate) fn encode_uncompressed(&mut self, message: Message) -> Result<(), SendError> {
        self.prepare();
        self.sending.send_uncompressed(message, &mut self.output)
    }

    /// Encodes a part of a message.
    pub(crate) fn encode_part(
        &mut self,
        kind: Kind,
        payload: bytes::Bytes,
        last: bool,
    ) -> Result<(), SendError> {
        self.prepare();
        self.sending.send_part(kind, payload, last, &mut self.output)
    }

    /// Borrows memory to encode into, if there is none.
    #[inline]
    pub(crate) fn prepare(&mut self) {
        if !self.output.has_memory() {
            self.output.lend(buffers::take_output());
        }
    }

    /// Writes all that waits. When nothing does any more, the memory is given back.
    #[inline]
    pub(crate) fn poll_flush<W: AsyncWrite + Unpin>(
        &mut self,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        // Without memory nothing waits.
        if !self.output.has_memory() && !self.unflushed && !self.is_cut {
            return Poll::Ready(Ok(()));
        }
        self.poll_flush_all(writer, cx)
    }

    #[inline(never)]
    fn poll_flush_all<W: AsyncWrite + Unpin>(
        &mut self,
        mut writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        while !self.output.is_empty() {
            let written = ready!(poll_write(Pin::new(&mut writer), &self.output, cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.output.advance(written);
            self.sending.resume(&mut self.output);
        }
        if let Some(memory) = self.output.release() {
            buffers::give_output(memory);
        }
        if self.unflushed {
            ready!(Pin::new(&mut writer).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether another message need not wait: there is room, or none can be sent any more.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        !self.sending.is_output_full(&self.output) || self.sending.state() != State::Open
    }

    /// Ready when another message need not wait.
    pub(crate) fn poll_room<W: AsyncWrite + Unpin>(
        &mut self,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_room() {
            return Poll::Ready(Ok(()));
        }
        match self.poll_flush(writer, cx) {
            Poll::Pending if self.has_room() => Poll::Ready(Ok(())),
            flushed => flushed,
        }
    }

    /// Forgets what waits: nothing can be written any more.
    pub(crate) fn end(&mut self) {
        self.sending.end();
        self.is_cut |= !self.output.is_empty();
        self.forget();
    }

    fn forget(&mut self) {
        if let Some(memory) = self.output.discard() {
            buffers::give_output(memory);
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.forget();
    }
}

/// One write of as much as one system call takes.
#[inline(always)]
fn poll_write<W: AsyncWrite>(
    writer: Pin<&mut W>,
    output: &Output,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match output.only_chunk() {
        Some(only) => writer.poll_write(cx, only),
        None => poll_write_chunks(writer, output, cx),
    }
}

// Apart, so that the usual write has no room for slices to make.
#[inline(never)]
fn poll_write_chunks<W: AsyncWrite>(
    writer: Pin<&mut W>,
    output: &Output,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut chunks = output.chunks();
    if !writer.is_write_vectored() {
        return writer.poll_write(cx, chunks.next().unwrap_or_default());
    }
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut count = 0;
    for (slice, chunk) in slices.iter_mut().zip(chunks) {
        *slice = IoSlice::new(chunk);
        count += 1;
    }
    writer.poll_write_vectored(cx, &slices[..count])
}
