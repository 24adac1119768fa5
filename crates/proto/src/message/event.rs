//! What arrives, borrowed from the buffer it lies in.

use crate::frame::{CloseFrame, Kind};
use crate::{Message, Payload, TextPayload};

/// What arrived: a whole message, or a control frame.
#[derive(Debug)]
pub enum Event<'a> {
    /// A text message.
    Text(TextPayload<'a>),
    /// A binary message.
    Binary(Payload<'a>),
    /// A control frame. What it demands has been done already, or has to be done by
    /// [`Sending::react`](crate::message::Sending::react) where the halves are apart.
    Control(ControlEvent<'a>),
}

/// What arrived: a piece of a message, or a control frame.
#[derive(Debug)]
pub enum PieceEvent<'a> {
    /// The next piece of a message.
    Piece(Piece<'a>),
    /// A control frame, as in [`Event::Control`].
    Control(ControlEvent<'a>),
}

/// A control frame.
#[derive(Debug)]
pub enum ControlEvent<'a> {
    /// A Ping, which is answered with a Pong that carries the same payload.
    Ping(Payload<'a>),
    /// A Pong.
    Pong(Payload<'a>),
    /// The peer's Close frame, with its code and reason if it gave any.
    Close(Option<CloseFrame>),
}

/// A piece of a message, as it arrived.
///
/// The pieces of a text are valid UTF-8 together; a character may be cut between two of them.
#[derive(Debug)]
pub struct Piece<'a> {
    /// What the message holds.
    pub kind: Kind,
    /// The bytes of this piece. Only the first and the last may be empty.
    pub payload: Payload<'a>,
    /// This piece begins a message.
    pub first: bool,
    /// This piece ends its message.
    pub last: bool,
}

impl Event<'_> {
    /// Keeps what arrived, without a copy.
    #[inline(always)]
    pub fn into_message(self) -> Message {
        match self {
            Event::Text(text) => Message::Text(text.into_text()),
            Event::Binary(payload) => Message::Binary(payload.into_bytes()),
            Event::Control(control) => control.into_message(),
        }
    }
}

impl ControlEvent<'_> {
    /// Keeps what arrived, without a copy.
    pub fn into_message(self) -> Message {
        match self {
            ControlEvent::Ping(payload) => Message::Ping(payload.into_bytes()),
            ControlEvent::Pong(payload) => Message::Pong(payload.into_bytes()),
            ControlEvent::Close(frame) => Message::Close(frame),
        }
    }
}
