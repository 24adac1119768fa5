//! From bytes to messages.

#[cfg(feature = "deflate")]
mod inflate;
mod open;
mod plain;
mod whole;

#[cfg(feature = "deflate")]
use super::deflate::Inflating;
use super::event::{ControlEvent, Event, Piece, PieceEvent};
use crate::frame::{CloseFrame, Control, FrameHeader, Kind, MaskingKey, Opcode, ParsedHeader};
#[cfg(feature = "deflate")]
use crate::handshake::DeflateParameters;
use crate::{Config, Input, Limits, Payload, ProtocolError, Role, Savings, mask};
use alloc::sync::Arc;
use bytes::Buf;
use open::{OpenFrame, OpenMessage};
use whole::hand_out;

/// The receiving half of a connection: takes frames off the front of a buffer and puts messages
/// together.
///
/// It holds no bytes of its own but those of a message that comes in fragments.
#[derive(Debug)]
pub struct Receiving {
    /// This is the end of the server, whose peer masks what it sends.
    is_server: bool,
    config: Arc<Config>,
    message: Option<OpenMessage>,
    frame: Option<OpenFrame>,
    /// The payloads of the fragments so far.
    assembled: Input,
    /// The peer's Close frame arrived, or the connection failed: nothing more is received.
    ended: bool,
    #[cfg(feature = "deflate")]
    inflating: Option<alloc::boxed::Box<Inflating>>,
}

/// How much of a message is handed out at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Portion {
    Whole,
    Piece,
}

/// Something that can be handed out, before anything is borrowed for it.
enum Ready {
    /// The front of the input is a control frame's payload.
    Control(Control, usize),
    /// The front of the input is a whole message.
    Input(Kind, usize),
    /// The fragments put together are a whole message.
    Assembled(Kind),
    /// The front of the input, or what was put together before it, is a piece.
    Piece { kind: Kind, len: usize, assembled: bool, first: bool, last: bool },
}

impl Receiving {
    /// A receiver for this role's end of a connection.
    pub fn new(role: Role, config: impl Into<Arc<Config>>) -> Receiving {
        Receiving {
            is_server: matches!(role, Role::Server),
            config: config.into(),
            message: None,
            frame: None,
            assembled: Input::new(),
            ended: false,
            #[cfg(feature = "deflate")]
            inflating: None,
        }
    }

    /// Takes compressed messages from now on, as it was agreed.
    #[cfg(feature = "deflate")]
    pub fn inflate_messages(&mut self, agreed: &DeflateParameters) {
        let (no_context, window) = match self.is_server {
            true => (agreed.client_no_context_takeover, agreed.client_max_window_bits),
            false => (agreed.server_no_context_takeover, agreed.server_max_window_bits),
        };
        self.inflating = Some(Inflating::new(no_context, window).into());
    }

    /// What compression has saved so far.
    pub fn savings(&self) -> Savings {
        #[cfg(feature = "deflate")]
        return self.inflating.as_ref().map(|inflating| inflating.savings()).unwrap_or_default();
        #[cfg(not(feature = "deflate"))]
        Savings::default()
    }

    /// Takes the next whole message, or control frame, off the front of `input`. `None` means that
    /// more bytes are needed.
    ///
    /// Pass the same buffer each time, with new bytes at its end: a payload that has arrived in
    /// part stays in it. A message that was begun by [`receive_piece`](Receiving::receive_piece) is
    /// discarded to its end, and the next one is taken.
    ///
    /// After an error, and after the peer's Close frame, whatever else arrives is discarded.
    #[inline(always)]
    pub fn receive<'a>(
        &'a mut self,
        input: &'a mut Input,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        match self.find_whole(input) {
            Some(whole) => whole.open(input, &mut self.ended).map(Some),
            None => self.receive_otherwise(input),
        }
    }

    /// Takes what is not a plain message of one frame that lies in the input whole.
    #[inline(never)]
    fn receive_otherwise<'a>(
        &'a mut self,
        input: &'a mut Input,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        let (kind, buffer, len) = match self.next(input, Portion::Whole)? {
            Some(Ready::Control(control, len)) => {
                let event = self.control(control, input, len)?;
                return Ok(Some(Event::Control(event)));
            }
            Some(Ready::Input(kind, len)) => (kind, input, len),
            Some(Ready::Assembled(kind)) => (kind, &mut self.assembled, usize::MAX),
            // Pieces were not asked for, and so never made.
            Some(Ready::Piece { .. }) | None => return Ok(None),
        };
        hand_out(kind, buffer, len, &mut self.ended).map(Some)
    }

    /// Takes the next piece of a message, or a control frame, off the front of `input`. `None`
    /// means that more bytes are needed.
    ///
    /// A piece is as much of one frame as has arrived, so that a message of any length takes no
    /// more memory than the buffer. It may be mixed with [`receive`](Receiving::receive): a
    /// message that was received in part comes with its first piece.
    pub fn receive_piece<'a>(
        &'a mut self,
        input: &'a mut Input,
    ) -> Result<Option<PieceEvent<'a>>, ProtocolError> {
        match self.next(input, Portion::Piece)? {
            Some(Ready::Control(control, len)) => {
                self.control(control, input, len).map(|event| Some(PieceEvent::Control(event)))
            }
            Some(Ready::Piece { kind, len, assembled, first, last }) => {
                let buffer = if assembled { &mut self.assembled } else { input };
                let payload = Payload::front_of(buffer.bytes_mut(), len);
                Ok(Some(PieceEvent::Piece(Piece { kind, payload, first, last })))
            }
            _ => Ok(None),
        }
    }

    /// Whether a message has arrived in part.
    #[inline]
    pub fn message_begun(&self) -> bool {
        self.message.is_some()
    }

    /// Whether nothing more is received: the peer's Close frame arrived, or the connection failed.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// How many bytes at least are missing until [`receive`](Receiving::receive) has something to
    /// hand out, given what is in the buffer. Only a hint for how much to read.
    pub fn missing(&self, input: &Input) -> usize {
        if let Some(frame) = &self.frame {
            let rest = frame.payload_bytes - frame.done_bytes;
            return usize::try_from(rest).unwrap_or(usize::MAX).max(1);
        }
        match FrameHeader::parse(input) {
            Ok(ParsedHeader::Missing(missing)) => missing,
            Ok(ParsedHeader::Whole(header, len)) => usize::try_from(header.payload_bytes)
                .map_or(usize::MAX, |payload| payload.saturating_add(len))
                .saturating_sub(input.len())
                .max(1),
            Err(_) => 1,
        }
    }

    /// Gives back the memory that fragments were put together in, unless it is in use.
    #[inline]
    pub fn release(&mut self) {
        if self.assembled.capacity() > 0 {
            self.release_assembled();
        }
    }

    // Apart, for most connections have no fragments.
    #[inline(never)]
    fn release_assembled(&mut self) {
        if self.assembled.is_empty() && self.message.is_none() {
            self.assembled = Input::new();
        }
    }

    /// Discards all that arrives from now on.
    pub(crate) fn end(&mut self) {
        (self.message, self.frame, self.assembled) = (None, None, Input::new());
        self.ended = true;
    }

    #[inline(never)]
    fn next(
        &mut self,
        input: &mut Input,
        portion: Portion,
    ) -> Result<Option<Ready>, ProtocolError> {
        if self.ended {
            input.bytes_mut().clear();
            return Ok(None);
        }
        self.advance(input, portion).inspect_err(|_| self.end())
    }

    fn advance(
        &mut self,
        input: &mut Input,
        portion: Portion,
    ) -> Result<Option<Ready>, ProtocolError> {
        loop {
            if self.frame.is_none() {
                let (header, len) = match FrameHeader::parse(input)? {
                    ParsedHeader::Whole(header, len) => (header, len),
                    ParsedHeader::Missing(_) => return Ok(None),
                };
                let masking_key = self.check(&header)?;
                if let Opcode::Control(control) = header.opcode {
                    let payload_bytes = header.payload_bytes as usize;
                    if input.len() < len + payload_bytes {
                        return Ok(None);
                    }
                    input.bytes_mut().advance(len);
                    mask(&mut input.bytes_mut()[..payload_bytes], masking_key, 0);
                    return Ok(Some(Ready::Control(control, payload_bytes)));
                }
                self.open_frame(&header, masking_key, portion)?;
                input.bytes_mut().advance(len);
            }
            let (ready, frame_ended) = match portion {
                #[cfg(feature = "deflate")]
                _ if self.is_compressed() => self.inflate(input, portion)?,
                Portion::Whole => self.collect(input)?,
                Portion::Piece => self.take_piece(input)?,
            };
            if ready.is_some() || !frame_ended {
                return Ok(ready);
            }
        }
    }

    /// Checks what the header alone tells, and says what the payload is masked with.
    #[inline]
    fn check(&self, header: &FrameHeader) -> Result<MaskingKey, ProtocolError> {
        // RFC 7692 §6: only the first frame of a message says that it is compressed.
        if header.rsv1 && !(self.can_inflate() && matches!(header.opcode, Opcode::Data(_))) {
            return Err(ProtocolError::ReservedBits);
        }
        // RFC 6455 §5.1: a client masks all its frames, a server masks none.
        let masking_key = match (self.is_server, header.masking_key) {
            (true, Some(key)) => key,
            (false, None) => [0; 4],
            (true, None) => return Err(ProtocolError::UnmaskedClientFrame),
            (false, Some(_)) => return Err(ProtocolError::MaskedServerFrame),
        };
        // RFC 6455 §5.4: the fragments of one message stand together.
        match (header.opcode, &self.message) {
            (Opcode::Continuation, None) => Err(ProtocolError::UnexpectedContinuation),
            (Opcode::Data(_), Some(_)) => Err(ProtocolError::ContinuationExpected),
            _ => Ok(masking_key),
        }
    }

    /// Begins a data frame.
    fn open_frame(
        &mut self,
        header: &FrameHeader,
        masking_key: MaskingKey,
        portion: Portion,
    ) -> Result<(), ProtocolError> {
        let payload_bytes = header.payload_bytes;
        self.check_limits(payload_bytes, portion)?;
        if let Opcode::Data(kind) = header.opcode {
            self.message = Some(OpenMessage::new(kind, header.rsv1));
        }
        if let Some(message) = &mut self.message {
            message.bytes += payload_bytes;
            message.fragments += 1;
        }
        self.frame = Some(OpenFrame::new(header, masking_key));
        Ok(())
    }

    /// RFC 6455 §10.4: limits are checked against what the header declares, before any of it is
    /// taken.
    #[inline]
    fn check_limits(&self, payload_bytes: u64, portion: Portion) -> Result<(), ProtocolError> {
        let Limits { frame_bytes_max, fragments_max, .. } = self.config.limits;
        if payload_bytes > frame_bytes_max {
            let limit_bytes = frame_bytes_max;
            return Err(ProtocolError::FrameTooBig { bytes: payload_bytes, limit_bytes });
        }
        let (bytes, fragments, in_pieces) = match &self.message {
            Some(message) => (message.bytes, message.fragments, message.in_pieces),
            None => (0, 0, false),
        };
        let limit_bytes = if portion == Portion::Piece || in_pieces {
            self.config.limits.piecewise_message_bytes_max
        } else {
            self.config.limits.message_bytes_max
        };
        let bytes = bytes.saturating_add(payload_bytes);
        if bytes > limit_bytes {
            return Err(ProtocolError::MessageTooBig { bytes, limit_bytes });
        }
        if fragments >= fragments_max.max(1) {
            return Err(ProtocolError::TooManyFragments { limit: fragments_max });
        }
        Ok(())
    }

    #[inline]
    fn can_inflate(&self) -> bool {
        #[cfg(feature = "deflate")]
        return self.inflating.is_some();
        #[cfg(not(feature = "deflate"))]
        false
    }

    #[cfg(feature = "deflate")]
    #[inline]
    fn is_compressed(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.compressed)
    }

    fn control<'a>(
        &mut self,
        control: Control,
        input: &'a mut Input,
        len: usize,
    ) -> Result<ControlEvent<'a>, ProtocolError> {
        let payload = Payload::front_of(input.bytes_mut(), len);
        match control {
            Control::Ping => Ok(ControlEvent::Ping(payload)),
            Control::Pong => Ok(ControlEvent::Pong(payload)),
            Control::Close => {
                let frame = CloseFrame::parse(&payload);
                self.end();
                frame.map(ControlEvent::Close)
            }
        }
    }
}
