//! The things that an application can ask a connection for: messages, or pieces of messages.

use bytes::Bytes;
use wskit_proto::message::{PieceEvent, Receiving};
use wskit_proto::{CloseFrame, ControlEvent, Event, Input, Kind, Message, ProtocolError};

/// What one look into the input gave.
pub(crate) enum Taken<T> {
    /// What the application asked for.
    Item(T),
    /// A Ping or Pong, which has been answered.
    Control(Message),
    /// The peer's Close frame, which has been answered.
    Close(Option<CloseFrame>),
}

/// The things that an application can ask for.
pub(crate) trait Item: Sized {
    /// Takes what the application asked for if it is there already and of the usual kind, at the
    /// least cost.
    #[inline(always)]
    fn take_plain(_: &mut Receiving, _: &mut Input) -> Option<Result<Self, ProtocolError>> {
        None
    }

    fn take(
        receiving: &mut Receiving,
        input: &mut Input,
        react: impl FnOnce(&ControlEvent<'_>),
    ) -> Result<Option<Taken<Self>>, ProtocolError>;

    /// Whether a message ends with this, and the next one has its time from now on.
    fn ends_message(&self) -> bool;

    /// How a control frame is shown, if it can be.
    fn show_control(message: Message) -> Option<Self>;
}

impl Item for Message {
    #[inline(always)]
    fn take_plain(
        receiving: &mut Receiving,
        input: &mut Input,
    ) -> Option<Result<Message, ProtocolError>> {
        receiving.receive_plain(input)
    }

    #[inline]
    fn take(
        receiving: &mut Receiving,
        input: &mut Input,
        react: impl FnOnce(&ControlEvent<'_>),
    ) -> Result<Option<Taken<Message>>, ProtocolError> {
        if input.is_empty() {
            return Ok(None);
        }
        Ok(receiving.receive(input)?.map(|event| match event {
            Event::Control(control) => take_control(control, react),
            data => Taken::Item(data.into_message()),
        }))
    }

    #[inline]
    fn ends_message(&self) -> bool {
        true
    }

    fn show_control(message: Message) -> Option<Message> {
        Some(message)
    }
}

/// A piece of a message, as it arrived.
///
/// The pieces of a text are valid UTF-8 together; a character may be cut between two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePiece {
    /// What the message holds.
    pub kind: Kind,
    /// The bytes of this piece.
    pub bytes: Bytes,
    /// This piece begins a message.
    pub first: bool,
    /// This piece ends its message.
    pub last: bool,
}

impl Item for MessagePiece {
    fn take(
        receiving: &mut Receiving,
        input: &mut Input,
        react: impl FnOnce(&ControlEvent<'_>),
    ) -> Result<Option<Taken<MessagePiece>>, ProtocolError> {
        Ok(receiving.receive_piece(input)?.map(|event| match event {
            PieceEvent::Control(control) => take_control(control, react),
            PieceEvent::Piece(piece) => Taken::Item(MessagePiece {
                kind: piece.kind,
                first: piece.first,
                last: piece.last,
                bytes: piece.payload.into_bytes(),
            }),
        }))
    }

    fn ends_message(&self) -> bool {
        self.last
    }

    fn show_control(_: Message) -> Option<MessagePiece> {
        None
    }
}

fn take_control<T>(control: ControlEvent<'_>, react: impl FnOnce(&ControlEvent<'_>)) -> Taken<T> {
    react(&control);
    match control {
        ControlEvent::Close(frame) => Taken::Close(frame),
        control => Taken::Control(control.into_message()),
    }
}
