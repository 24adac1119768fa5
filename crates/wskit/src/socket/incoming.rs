//! The receiving half: from what the transport brings to messages. How it ends stands in `ending`.

mod ending;

use super::input::Input;
use super::item::{Item, Taken};
use super::outgoing::Outgoing;
use crate::alarm::Alarm;
use crate::{Error, Lost};
use bytes::BytesMut;
use ending::{Farewell, Shut, Verdict};
use std::{
    future::Future,
    io,
    pin::pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use wskit_proto::closing::State;
use wskit_proto::message::Receiving;
use wskit_proto::{ControlEvent, Deadlines, Missed, Savings};

#[derive(Debug)]
pub(crate) struct Incoming {
    receiving: Receiving,
    deadlines: Deadlines,
    input: Input,
    alarm: Alarm,
    stage: Stage,
    /// What is known of the end. Boxed, for most connections are far from theirs.
    farewell: Option<Box<Farewell>>,
    /// This end is the server's, which ends the transport first (RFC 6455 §7.1.1).
    is_server: bool,
    /// Pings and Pongs are handed to the application too.
    shows_control: bool,
    /// How much waited to be written when the deadlines were last looked at.
    waiting_bytes: usize,
}

/// How far a connection has come.
#[derive(Debug)]
enum Stage {
    /// Messages are received.
    Messages,
    /// All is said. Our Close frame has to leave.
    Leaving(Shut),
    /// The transport is to be ended.
    Ending(Shut),
    /// The transport has ended.
    Ended,
}

/// Where the bytes come from, and where answers go: one stream, or two halves of one.
pub(crate) trait Ends {
    type Reader: AsyncRead + Unpin;
    type Writer: AsyncWrite + Unpin;

    fn reader(&mut self) -> &mut Self::Reader;

    /// Does something with the sending half. Where that belongs to another task, this is for the
    /// moment only.
    fn outgoing<T>(&mut self, act: impl FnOnce(&mut Outgoing, &mut Self::Writer) -> T) -> T;
}

impl Incoming {
    pub(crate) fn new(
        receiving: Receiving,
        deadlines: Deadlines,
        input: BytesMut,
        alarm: Alarm,
        is_server: bool,
        shows_control: bool,
    ) -> Incoming {
        Incoming {
            receiving,
            deadlines,
            input: Input::new(input),
            alarm,
            stage: Stage::Messages,
            farewell: None,
            is_server,
            shows_control,
            waiting_bytes: 0,
        }
    }

    pub(crate) fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }

    pub(crate) fn savings(&self) -> Savings {
        self.receiving.savings()
    }

    /// Whether messages may still be sent, as far as this half knows.
    pub(crate) fn is_open(&self) -> bool {
        let is_writable =
            self.farewell.as_ref().is_none_or(|farewell| farewell.write_error.is_none());
        matches!(self.stage, Stage::Messages) && is_writable
    }

    /// The next message, or piece, or the error that ended the connection; `None` when the
    /// connection and its transport have ended.
    #[inline(always)]
    pub(crate) fn poll_item<T: Item, E: Ends>(
        &mut self,
        ends: &mut E,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, Error>>> {
        loop {
            let Some(bytes) = self.input.arrived() else {
                if !self.is_between_messages() {
                    return self.poll_other(ends, cx);
                }
                ready!(self.poll_fill(ends, cx));
                continue;
            };
            match T::take_plain(&mut self.receiving, bytes) {
                Some(Ok(item)) => {
                    self.deadlines.restart_message();
                    return Poll::Ready(Some(Ok(item)));
                }
                Some(Err(error)) => {
                    self.fail(ends, error);
                    return self.poll_other(ends, cx);
                }
                None => return self.poll_other(ends, cx),
            }
        }
    }

    /// Where nothing has arrived, nothing has arrived of the next message either: there is nothing
    /// to do but to wait for it.
    #[inline(always)]
    fn is_between_messages(&self) -> bool {
        matches!(self.stage, Stage::Messages) && !self.receiving.message_begun()
    }

    /// What is not the usual case.
    #[inline(never)]
    fn poll_other<T: Item, E: Ends>(
        &mut self,
        ends: &mut E,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, Error>>> {
        loop {
            match &mut self.stage {
                Stage::Messages => match self.take(ends) {
                    Some(taken) => return Poll::Ready(Some(Ok(taken))),
                    None if matches!(self.stage, Stage::Messages) => {
                        ready!(self.poll_fill(ends, cx));
                    }
                    None => {}
                },
                Stage::Leaving(shut) => {
                    let shut = *shut;
                    ready!(self.poll_last_flush(ends, cx));
                    self.deadlines.restart_close();
                    self.stage = Stage::Ending(shut);
                }
                Stage::Ending(_) => {
                    ready!(self.poll_end(ends, cx));
                    self.end(ends, cx);
                }
                Stage::Ended => return Poll::Ready(self.announce()),
            }
        }
    }

    /// What lies in the input, if something does.
    #[inline]
    fn take<T: Item, E: Ends>(&mut self, ends: &mut E) -> Option<T> {
        loop {
            let react = |event: &ControlEvent<'_>| {
                ends.outgoing(|outgoing, _| {
                    outgoing.prepare();
                    outgoing.sending.react(event, &mut outgoing.output);
                });
            };
            match T::take(&mut self.receiving, self.input.bytes(), react) {
                Ok(Some(Taken::Item(item))) => {
                    if item.ends_message() {
                        self.deadlines.restart_message();
                    }
                    return Some(item);
                }
                Ok(Some(Taken::Control(message))) => {
                    if self.shows_control
                        && let Some(shown) = T::show_control(message)
                    {
                        return Some(shown);
                    }
                }
                Ok(Some(Taken::Close(frame))) => {
                    self.farewell().peer_close = Some(frame);
                    // The client waits for the server to begin.
                    let shut = if self.is_server { Shut::Now } else { Shut::Later };
                    self.leave(Verdict::Closed, shut);
                    return None;
                }
                Ok(None) => return None,
                Err(error) => {
                    self.fail(ends, error);
                    return None;
                }
            }
        }
    }

    /// Writes what was fed, and waits for more input or for a deadline.
    #[inline(never)]
    fn poll_fill<E: Ends>(&mut self, ends: &mut E, cx: &mut Context<'_>) -> Poll<()> {
        let state = ends.outgoing(|outgoing, writer| {
            let state = outgoing.sending.state();
            if let Poll::Ready(Err(error)) = outgoing.poll_flush(writer, cx) {
                // The peer may have said why before it left, so what it sent is still read.
                outgoing.end();
                self.farewell().write_error.get_or_insert(error);
            }
            state
        });
        match self.poll_read(ends, cx) {
            Poll::Ready(Ok(0)) => self.lose(ends, cx, Lost::Ended),
            // A peer that never pauses leaves no other moment to see that its time is up.
            Poll::Ready(Ok(_)) if state != State::Open && self.is_close_overdue(state) => {
                self.lose(ends, cx, Lost::Missed(Missed::Close));
            }
            Poll::Ready(Ok(_)) => self.deadlines.hear(),
            Poll::Ready(Err(error)) => self.lose(ends, cx, Lost::Broken(error)),
            Poll::Pending => {
                self.give_memory_back();
                if let Some(missed) = ready!(self.poll_deadline(ends, cx, true)) {
                    match missed {
                        // The peer is there, and is to be told what it did.
                        Missed::Message => {
                            let error = Error::Lost(Lost::Missed(missed));
                            self.leave(Verdict::Failed(error), Shut::Now);
                        }
                        Missed::Keepalive | Missed::Close => {
                            let _it_may_still_arrive =
                                ends.outgoing(|outgoing, writer| outgoing.poll_flush(writer, cx));
                            self.lose(ends, cx, Lost::Missed(missed));
                        }
                    }
                }
            }
        }
        Poll::Ready(())
    }

    /// Watches the deadlines while nothing is received because the application waits to write. A
    /// peer that takes nothing for as long as it may be silent is given up.
    pub(crate) fn poll_stalled<E: Ends>(
        &mut self,
        ends: &mut E,
        cx: &mut Context<'_>,
    ) -> Poll<Error> {
        loop {
            // Nothing is read, so the peer cannot be blamed for a message that is not whole.
            if let Some(missed) = ready!(self.poll_deadline(ends, cx, false)) {
                self.lose(ends, cx, Lost::Missed(missed));
                return Poll::Ready(Error::Lost(Lost::Missed(missed)));
            }
        }
    }

    fn is_close_overdue(&mut self, state: State) -> bool {
        let now = self.alarm.now();
        self.deadlines.next(now, state, false).is_some_and(|deadline| deadline <= now)
    }

    #[inline(always)]
    fn poll_read<E: Ends>(
        &mut self,
        ends: &mut E,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let bytes = self.input.with_room(|bytes| self.receiving.missing(bytes));
        pin!(ends.reader().read_buf(bytes)).poll(cx)
    }

    #[inline]
    fn give_memory_back(&mut self) {
        self.input.give_back();
        self.receiving.release();
    }

    /// Ready when a deadline was missed, or when one was handled and there may be something to do.
    #[inline(always)]
    fn poll_deadline<E: Ends>(
        &mut self,
        ends: &mut E,
        cx: &mut Context<'_>,
        receives: bool,
    ) -> Poll<Option<Missed>> {
        let message_begun = receives && (self.receiving.message_begun() || !self.input.is_empty());
        let (state, waiting_bytes) =
            ends.outgoing(|outgoing, _| (outgoing.sending.state(), outgoing.output.len()));
        // What the peer takes tells that it is alive, as what it sends does.
        if waiting_bytes < std::mem::replace(&mut self.waiting_bytes, waiting_bytes) {
            self.deadlines.hear();
        }
        if self.deadlines.is_stale(state, message_begun) {
            self.set_alarm(state, message_begun);
        }
        ready!(self.alarm.poll(cx));
        Poll::Ready(self.handle_deadline(ends, state, message_begun))
    }

    #[inline(never)]
    fn set_alarm(&mut self, state: State, message_begun: bool) {
        let now = self.alarm.now();
        self.alarm.set(self.deadlines.next(now, state, message_begun));
    }

    #[inline(never)]
    fn handle_deadline<E: Ends>(
        &mut self,
        ends: &mut E,
        state: State,
        message_begun: bool,
    ) -> Option<Missed> {
        let now = self.alarm.now();
        let missed = ends.outgoing(|outgoing, _| {
            outgoing.prepare();
            let Outgoing { sending, output, .. } = outgoing;
            self.deadlines.handle(now, &mut self.receiving, sending, output)
        });
        self.set_alarm(state, message_begun);
        missed
    }
}
