//! How a connection comes to its end: what was sent last is to arrive, and the application to be
//! told once.

use super::{Ends, Incoming, Input, Item, Stage};
use crate::{Error, Lost};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;
use wskit_proto::{CloseFrame, Message, Missed, ProtocolError};

/// When this end ends its side of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shut {
    /// When the other has ended its own.
    Later,
    Now,
    Done,
}

/// What is known of a connection's end.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    pub(super) verdict: Option<Verdict>,
    pub(super) peer_close: Option<Option<CloseFrame>>,
    /// Writing failed; shown when reading has come to its end too.
    pub(super) write_error: Option<io::Error>,
    /// How much the peer has sent since.
    discarded_bytes: usize,
}

/// How a connection ended. The application is told when the transport has ended too, so that it
/// cannot destroy what was sent last by letting go of the transport.
#[derive(Debug)]
pub(super) enum Verdict {
    /// With the peer's Close frame.
    Closed,
    Failed(Error),
}

/// A peer that goes on sending after the end is not listened to for longer than this.
const DISCARDED_BYTES_MAX: usize = 1 << 20;

impl Incoming {
    /// The Close frame of the peer, once it has arrived.
    pub(crate) fn peer_close(&self) -> Option<Option<&CloseFrame>> {
        self.farewell.as_ref()?.peer_close.as_ref().map(Option::as_ref)
    }

    /// Whether the connection and its transport have ended.
    pub(crate) fn has_ended(&self) -> bool {
        let is_told = self.farewell.as_ref().is_none_or(|farewell| farewell.verdict.is_none());
        matches!(self.stage, Stage::Ended) && is_told
    }

    /// Tells the application, once, how the connection ended.
    pub(super) fn announce<T: Item>(&mut self) -> Option<Result<T, Error>> {
        let farewell = self.farewell();
        match farewell.verdict.take()? {
            Verdict::Closed => {
                T::show_control(Message::Close(farewell.peer_close.clone()?)).map(Ok)
            }
            Verdict::Failed(error) => Some(Err(error)),
        }
    }

    /// Writes what waits before the end. Ready when it is written, cannot be, or took too long.
    pub(super) fn poll_last_flush<E: Ends>(
        &mut self,
        ends: &mut E,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        match ends.outgoing(|outgoing, writer| outgoing.poll_flush(writer, cx)) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => self.poll_close_timeout(ends, cx),
        }
    }

    /// Ends the transport as RFC 6455 §7.1.1 asks: what the peer still sends is discarded until
    /// it ends its side too, so that what was sent last is not lost by a reset.
    pub(super) fn poll_end<E: Ends>(&mut self, ends: &mut E, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Stage::Ending(shut) = &mut self.stage else {
                return Poll::Ready(());
            };
            if *shut == Shut::Now {
                let shutdown = ends.outgoing(|_, writer| Pin::new(writer).poll_shutdown(cx));
                match shutdown {
                    Poll::Ready(Ok(())) => *shut = Shut::Done,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return self.poll_close_timeout(ends, cx),
                }
            }
            let farewell = self.farewell.get_or_insert_default();
            if farewell.discarded_bytes > DISCARDED_BYTES_MAX {
                return Poll::Ready(());
            }
            if let Some(bytes) = self.input.arrived() {
                farewell.discarded_bytes += bytes.len();
                bytes.bytes_mut().clear();
            }
            match self.poll_read(ends, cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => {
                    self.give_memory_back();
                    return self.poll_close_timeout(ends, cx);
                }
            }
        }
    }

    fn poll_close_timeout<E: Ends>(&mut self, ends: &mut E, cx: &mut Context<'_>) -> Poll<()> {
        while ready!(self.poll_deadline(ends, cx, true)) != Some(Missed::Close) {}
        Poll::Ready(())
    }

    /// The peer broke the protocol, and is told so.
    pub(super) fn fail<E: Ends>(&mut self, ends: &mut E, error: ProtocolError) {
        ends.outgoing(|outgoing, _| {
            outgoing.prepare();
            outgoing.sending.fail_because(&error, &mut outgoing.output);
        });
        self.leave(Verdict::Failed(error.into()), Shut::Now);
    }

    /// All is said: what was sent last is to arrive, and then the transport is to end.
    pub(super) fn leave(&mut self, verdict: Verdict, shut: Shut) {
        self.farewell().verdict = Some(verdict);
        self.deadlines.restart_close();
        self.stage = Stage::Leaving(shut);
    }

    /// The transport has ended without a closing handshake, or the peer is no longer there.
    pub(super) fn lose<E: Ends>(&mut self, ends: &mut E, cx: &mut Context<'_>, lost: Lost) {
        let farewell = self.farewell();
        let lost = farewell.write_error.take().map_or(lost, Lost::Broken);
        if matches!(&lost, Lost::Broken(error) if error.kind() == io::ErrorKind::ConnectionReset) {
            // There is no side left to end.
            self.stage = Stage::Ending(Shut::Done);
        }
        self.farewell().verdict = Some(Verdict::Failed(Error::Lost(lost)));
        self.end(ends, cx);
    }

    pub(super) fn end<E: Ends>(&mut self, ends: &mut E, cx: &mut Context<'_>) {
        let is_shut = matches!(self.stage, Stage::Ending(Shut::Done));
        ends.outgoing(|outgoing, writer| {
            outgoing.end();
            if !is_shut {
                // Who waited for the peer to end its side ends the other now, so that the peer need
                // not wait until the application drops the connection.
                let _nobody_waits_for_it = Pin::new(writer).poll_shutdown(cx);
            }
        });
        self.stage = Stage::Ended;
        self.input = Input::default();
        self.alarm.set(None);
    }

    pub(super) fn farewell(&mut self) -> &mut Farewell {
        self.farewell.get_or_insert_default()
    }
}
