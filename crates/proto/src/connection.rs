//! A connection after its opening handshake: both halves, and the deadlines.

use crate::closing::State;
use crate::deadlines::Deadlines;
use crate::frame::MaskingKey;
use crate::handshake::Agreed;
use crate::message::{ControlEvent, Event, Message, PieceEvent, Receiving, Sending};
use crate::{
    Compression, Input, Kind, Limits, Missed, Output, ProtocolError, Savings, SendError, Timeouts,
    Timestamp,
};
use alloc::sync::Arc;
use bytes::Bytes;

/// Which end of a connection this is.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// The end that accepted. Its frames are not masked.
    Server,
    /// The end that connected. It masks every frame with a fresh key, which this function makes;
    /// RFC 6455 §5.3 and §10.3 demand that nobody can predict it.
    Client(fn() -> MaskingKey),
}

/// How a connection behaves. The defaults are safe for a server on the open Internet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What the peer may cost.
    pub limits: Limits,
    /// How long the peer is waited for.
    pub timeouts: Timeouts,
    /// Whether and how messages are compressed, if the peer agrees.
    pub compression: Compression,
}

/// A WebSocket connection after its opening handshake.
///
/// Feed it the bytes that arrive, write what it leaves in the [`Output`], tell it the time when
/// it asks for that. Buffers belong to the caller, so an idle connection needs none.
#[derive(Debug)]
pub struct Connection {
    receiving: Receiving,
    sending: Sending,
    deadlines: Deadlines,
}

impl Connection {
    /// A connection that has just been opened, without extensions. Connections that behave alike
    /// can share one configuration.
    pub fn new(role: Role, config: impl Into<Arc<Config>>) -> Connection {
        let config = config.into();
        Connection {
            receiving: Receiving::new(role, config.clone()),
            sending: Sending::new(role, config.clone()),
            deadlines: Deadlines::new(config),
        }
    }

    /// A connection that has just been opened, with what was agreed in the opening handshake.
    pub fn with_agreed(role: Role, config: impl Into<Arc<Config>>, agreed: &Agreed) -> Connection {
        let config = config.into();
        #[cfg(feature = "deflate")]
        let compression = config.compression;
        #[cfg_attr(not(feature = "deflate"), expect(unused_mut))]
        let mut connection = Connection::new(role, config);
        #[cfg(feature = "deflate")]
        if let Some(parameters) = &agreed.deflate {
            connection.receiving.inflate_messages(parameters);
            connection.sending.deflate_messages(&compression, parameters);
        }
        #[cfg(not(feature = "deflate"))]
        let _nothing_can_be_agreed = agreed;
        connection
    }

    /// Takes the next whole message, or control frame, off the front of `input`. `None` means that
    /// more bytes are needed.
    ///
    /// Pings and the peer's Close frame have been answered, into `output`, when this returns. On an
    /// error the Close frame that names it stands in the output.
    #[inline]
    pub fn receive<'a>(
        &'a mut self,
        input: &'a mut Input,
        output: &mut Output,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        let event = self
            .receiving
            .receive(input)
            .inspect_err(|error| self.sending.fail_because(error, output))?;
        match &event {
            None => {}
            Some(Event::Control(control)) => {
                react(&mut self.sending, &mut self.deadlines, control, output);
            }
            Some(Event::Text(_) | Event::Binary(_)) => self.deadlines.restart_message(),
        }
        Ok(event)
    }

    /// Takes the next piece of a message, or control frame, off the front of `input`, so that a
    /// message of any length can be received without holding it whole.
    ///
    /// See [`Receiving::receive_piece`].
    pub fn receive_piece<'a>(
        &'a mut self,
        input: &'a mut Input,
        output: &mut Output,
    ) -> Result<Option<PieceEvent<'a>>, ProtocolError> {
        let event = self
            .receiving
            .receive_piece(input)
            .inspect_err(|error| self.sending.fail_because(error, output))?;
        match &event {
            Some(PieceEvent::Control(control)) => {
                react(&mut self.sending, &mut self.deadlines, control, output);
            }
            Some(PieceEvent::Piece(piece)) if piece.last => self.deadlines.restart_message(),
            _ => {}
        }
        Ok(event)
    }

    /// Sends a message, or a control frame, or begins the closing handshake.
    ///
    /// See [`Sending::send`].
    #[inline]
    pub fn send(&mut self, message: Message, output: &mut Output) -> Result<(), SendError> {
        self.sending.send(message, output)
    }

    /// Sends a message that is shared by many connections.
    ///
    /// See [`Sending::send_prepared`].
    #[cfg(feature = "std")]
    pub fn send_prepared(
        &mut self,
        prepared: &crate::Prepared,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.sending.send_prepared(prepared, output)
    }

    /// Sends messages that are shared by many connections, one after the other.
    ///
    /// See [`Sending::send_joined`].
    #[cfg(feature = "std")]
    pub fn send_joined(
        &mut self,
        joined: &crate::Joined,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.sending.send_joined(joined, output)
    }

    /// Sends a message as it is, even where compression was agreed.
    pub fn send_uncompressed(
        &mut self,
        message: Message,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.sending.send_uncompressed(message, output)
    }

    /// What compression has saved so far, of what was received and of what was sent.
    pub fn savings(&self) -> (Savings, Savings) {
        (self.receiving.savings(), self.sending.savings())
    }

    /// Sends a part of a message as a frame of its own.
    ///
    /// See [`Sending::send_part`].
    pub fn send_part(
        &mut self,
        kind: Kind,
        payload: Bytes,
        last: bool,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.sending.send_part(kind, payload, last, output)
    }

    /// Where the connection stands.
    #[inline]
    pub fn state(&self) -> State {
        self.sending.state()
    }

    /// Whether so much waits to leave that the next message should wait.
    #[inline]
    pub fn is_output_full(&self, output: &Output) -> bool {
        self.sending.is_output_full(output)
    }

    /// How many bytes at least are missing until something can be received. Only a hint.
    pub fn missing(&self, input: &Input) -> usize {
        self.receiving.missing(input)
    }

    /// To be called when the output was written: queues what had to wait for that.
    #[inline]
    pub fn resume(&mut self, output: &mut Output) {
        self.sending.resume(output);
    }

    /// Gives back memory that is not in use.
    #[inline]
    pub fn release(&mut self) {
        self.receiving.release();
    }

    /// Takes note that the transport has ended, and says where the connection stood before:
    /// [`State::CloseComplete`] is a clean end.
    pub fn end(&mut self) -> State {
        self.receiving.end();
        self.sending.end()
    }

    /// Takes note that bytes arrived, which tells that the peer is alive.
    #[inline]
    pub fn hear(&mut self) {
        self.deadlines.hear();
    }

    /// Whether [`next_deadline`](Connection::next_deadline) has to be asked anew. Costs next to
    /// nothing, so that the clock need not be read for every message.
    #[inline]
    pub fn is_deadline_stale(&self) -> bool {
        self.deadlines.is_stale(self.state(), self.receiving.message_begun())
    }

    /// The time by which [`handle_deadline`](Connection::handle_deadline) has to be called, if
    /// there is one.
    pub fn next_deadline(&mut self, now: Timestamp) -> Option<Timestamp> {
        let (state, message_begun) = (self.state(), self.receiving.message_begun());
        self.deadlines.next(now, state, message_begun)
    }

    /// Does what is due: sends a Ping, or fails the connection and says which deadline was missed.
    ///
    /// Call it when the next deadline has come; calling it early does no harm.
    pub fn handle_deadline(&mut self, now: Timestamp, output: &mut Output) -> Option<Missed> {
        self.deadlines.handle(now, &mut self.receiving, &mut self.sending, output)
    }

    /// Takes the parts apart, to be driven by two tasks.
    ///
    /// What then has to be passed on by the caller: control frames, to [`Sending::react`]; errors,
    /// to [`Sending::fail_because`]; the end of a message, to [`Deadlines::restart_message`]; and
    /// the peer's Close frame to [`Deadlines::restart_close`] too.
    pub fn into_parts(self) -> (Receiving, Sending, Deadlines) {
        (self.receiving, self.sending, self.deadlines)
    }
}

fn react(
    sending: &mut Sending,
    deadlines: &mut Deadlines,
    control: &ControlEvent<'_>,
    output: &mut Output,
) {
    sending.react(control, output);
    if matches!(control, ControlEvent::Close(_)) {
        // What remains is the end of the transport, which has a time of its own.
        deadlines.restart_close();
    }
}
