//! From messages to bytes.

#[cfg(feature = "deflate")]
use super::deflate::Deflating;
use super::event::ControlEvent;
#[cfg(feature = "std")]
use super::joined::Joined;
use super::owned::Message;
#[cfg(feature = "std")]
use super::prepared::Prepared;
use crate::closing::{Action, Cause, State};
use crate::frame::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseFrame, Control, FRAME_HEADER_BYTES_MAX, FrameHeader, Kind,
    MaskingKey, Opcode,
};
#[cfg(feature = "deflate")]
use crate::{Compression, handshake::DeflateParameters};
use crate::{Config, Output, ProtocolError, Role, Savings, SendError};
use alloc::{boxed::Box, sync::Arc};
use bytes::Bytes;

/// The sending half of a connection: writes frames into an [`Output`], and knows where the
/// connection stands on its way to its end.
#[derive(Debug)]
pub struct Sending {
    role: Role,
    state: State,
    config: Arc<Config>,
    /// A message is being sent in parts.
    message_begun: bool,
    pongs: Pongs,
    #[cfg(feature = "deflate")]
    deflating: Option<Box<Deflating>>,
}

/// Pongs must not pile up while the peer does not read.
#[derive(Debug, Default)]
struct Pongs {
    /// Bytes of Pongs that were queued since all of them had left.
    queued_bytes: usize,
    /// The place in the output behind the last of them.
    end: u64,
    /// The payload of the latest Ping, to be answered when the queued ones have left.
    latest: Option<Box<[u8]>>,
}

impl Sending {
    /// A sender for this role's end of a connection.
    pub fn new(role: Role, config: impl Into<Arc<Config>>) -> Sending {
        Sending {
            role,
            state: State::Open,
            config: config.into(),
            message_begun: false,
            pongs: Pongs::default(),
            #[cfg(feature = "deflate")]
            deflating: None,
        }
    }

    /// Compresses messages from now on, as it was agreed.
    #[cfg(feature = "deflate")]
    pub fn deflate_messages(&mut self, compression: &Compression, agreed: &DeflateParameters) {
        let (no_context, window) = match self.role {
            Role::Server => (agreed.server_no_context_takeover, agreed.server_max_window_bits),
            Role::Client(_) => (agreed.client_no_context_takeover, agreed.client_max_window_bits),
        };
        self.deflating = Deflating::new(compression, no_context, window).map(Into::into);
    }

    /// What compression has saved so far.
    pub fn savings(&self) -> Savings {
        #[cfg(feature = "deflate")]
        return self.deflating.as_ref().map(|deflating| deflating.savings()).unwrap_or_default();
        #[cfg(not(feature = "deflate"))]
        Savings::default()
    }

    /// Where the connection stands.
    #[inline]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether so much waits to leave that the next message should wait.
    #[inline]
    pub fn is_output_full(&self, output: &Output) -> bool {
        output.len() >= self.config.limits.output_bytes_max
    }

    /// Sends a message, or a control frame, or begins the closing handshake.
    ///
    /// A payload of 4 KiB or more is copied only where it has to be masked, or is shorter than 12 KiB and there is room for
    /// it. Sending a Close frame once the closing handshake has begun does nothing.
    #[inline(always)]
    pub fn send(&mut self, message: Message, output: &mut Output) -> Result<(), SendError> {
        match message {
            Message::Text(text) => self.send_data(Kind::Text, text.into_bytes(), output),
            Message::Binary(bytes) => self.send_data(Kind::Binary, bytes, output),
            Message::Ping(payload) => self.send_control(Control::Ping, &payload, output),
            Message::Pong(payload) => self.send_control(Control::Pong, &payload, output),
            Message::Close(frame) => {
                self.close(frame.as_ref(), output);
                Ok(())
            }
        }
    }

    /// Sends a message that is shared by many connections. A server does not compress it again,
    /// and does not copy it if it is long.
    #[cfg(feature = "std")]
    pub fn send_prepared(
        &mut self,
        prepared: &Prepared,
        output: &mut Output,
    ) -> Result<(), SendError> {
        if let Role::Client(_) = self.role {
            return self.send_data(prepared.kind(), prepared.payload().clone(), output);
        }
        self.check_between_messages()?;
        #[cfg(feature = "deflate")]
        if let Some(deflating) = &mut self.deflating
            && let Some(deflated) = prepared.deflated(deflating)
        {
            deflating.sent_shared(prepared.payload().len(), deflated.payload_bytes);
            output.share_one_of_many(&[], 0, &deflated.frame);
            return Ok(());
        }
        let (header, len) = prepared.header();
        output.share_one_of_many(&header, len, prepared.payload());
        Ok(())
    }

    /// Sends messages that are shared by many connections, one after the other. A server that does not compress sends all
    /// of them by one copy of their frames; otherwise each is sent as [`send_prepared`](Sending::send_prepared) does.
    #[cfg(feature = "std")]
    pub fn send_joined(&mut self, joined: &Joined, output: &mut Output) -> Result<(), SendError> {
        self.check_between_messages()?;
        if !self.sends_joined() {
            return joined.messages().iter().try_for_each(|one| self.send_prepared(one, output));
        }
        output.share_one_of_many(&[], 0, joined.frames());
        Ok(())
    }

    /// Whether messages leave with the same bytes on every such connection.
    #[cfg(feature = "std")]
    fn sends_joined(&self) -> bool {
        #[cfg(feature = "deflate")]
        if self.deflating.is_some() {
            return false;
        }
        matches!(self.role, Role::Server)
    }

    /// Sends a message as it is, even where compression was agreed: for what is known not to
    /// shrink, or must not be compressed together with a secret.
    pub fn send_uncompressed(
        &mut self,
        message: Message,
        output: &mut Output,
    ) -> Result<(), SendError> {
        let (kind, payload) = match message {
            Message::Text(text) => (Kind::Text, text.into_bytes()),
            Message::Binary(bytes) => (Kind::Binary, bytes),
            control => return self.send(control, output),
        };
        self.check_between_messages()?;
        self.send_part(kind, payload, true, output)
    }

    #[inline(always)]
    fn send_data(
        &mut self,
        kind: Kind,
        payload: Bytes,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.check_between_messages()?;
        #[cfg(feature = "deflate")]
        if self.deflating.is_some() && self.send_deflated(kind, &payload, output) {
            return Ok(());
        }
        self.write_plain(Opcode::Data(kind), true, payload, output);
        Ok(())
    }

    /// Sends a message compressed, if that is worth it, and says whether it was.
    #[cfg(feature = "deflate")]
    #[inline(never)]
    fn send_deflated(&mut self, kind: Kind, payload: &[u8], output: &mut Output) -> bool {
        let Some(deflating) = &mut self.deflating else { return false };
        let frame = Frame { opcode: Opcode::Data(kind), fin: true, rsv1: true };
        deflating.deflate(payload, |compressed| frame.write(self.role, compressed, output))
    }

    /// Sends a part of a message as a frame of its own. `kind` matters for the first part only.
    ///
    /// The parts of a text may be cut anywhere, but have to be UTF-8 together.
    pub fn send_part(
        &mut self,
        kind: Kind,
        payload: Bytes,
        last: bool,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.check_open()?;
        let begun = core::mem::replace(&mut self.message_begun, !last);
        let opcode = if begun { Opcode::Continuation } else { Opcode::Data(kind) };
        self.write_plain(opcode, last, payload, output);
        Ok(())
    }

    /// Writes a frame that is not compressed.
    #[inline(always)]
    fn write_plain(&self, opcode: Opcode, fin: bool, payload: Bytes, output: &mut Output) {
        let frame = Frame { opcode, fin, rsv1: false };
        match self.role {
            Role::Server => {
                let (header, len) = frame.header(None, payload.len());
                output.share_behind(&header, len, payload);
            }
            Role::Client(_) => frame.write(self.role, &payload, output),
        }
    }

    /// Does what a control frame of the peer demands: answers a Ping and a Close.
    ///
    /// [`Connection`](crate::Connection) calls this by itself; it is for halves that are apart.
    pub fn react(&mut self, event: &ControlEvent<'_>, output: &mut Output) {
        match event {
            ControlEvent::Ping(payload) => self.answer_ping(payload, output),
            ControlEvent::Pong(_) => {}
            ControlEvent::Close(frame) => {
                if self.state.advance(Cause::ReceiveClose) == Action::AnswerClose {
                    self.write_close(frame.as_ref(), output);
                }
            }
        }
    }

    /// Begins the closing handshake, unless it has begun.
    pub fn close(&mut self, frame: Option<&CloseFrame>, output: &mut Output) {
        if self.state.advance(Cause::SendClose) == Action::SendClose {
            self.write_close(frame, output);
        }
    }

    /// Fails the connection: sends a Close frame with the reason, unless one was sent.
    pub fn fail(&mut self, frame: &CloseFrame, output: &mut Output) {
        if self.state.advance(Cause::Fault) == Action::SendClose {
            self.write_close(Some(frame), output);
        }
    }

    /// Fails the connection because the peer broke the protocol.
    pub fn fail_because(&mut self, error: &ProtocolError, output: &mut Output) {
        let reason = alloc::string::ToString::to_string(error);
        self.fail(&CloseFrame::with_cut_reason(error.close_code(), &reason), output);
    }

    /// Takes note that the transport has ended, and says where the connection stood.
    pub fn end(&mut self) -> State {
        let before = self.state;
        let _nothing_to_send = self.state.advance(Cause::TransportEnd);
        before
    }

    /// Queues the Pong that had to wait, if the ones before it have left. To be called when the
    /// output was written.
    #[inline]
    pub fn resume(&mut self, output: &mut Output) {
        if self.pongs.latest.is_some()
            && output.has_left(self.pongs.end)
            && let Some(payload) = self.pongs.latest.take()
        {
            self.answer_ping(&payload, output);
        }
    }

    fn send_control(
        &mut self,
        control: Control,
        payload: &[u8],
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.check_open()?;
        if payload.len() > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(SendError::ControlPayloadBytes(payload.len()));
        }
        self.write_control(control, payload, output);
        Ok(())
    }

    fn answer_ping(&mut self, payload: &[u8], output: &mut Output) {
        // RFC 6455 §5.5.2: a Ping is answered unless a Close frame was received, and so even after
        // our own Close frame.
        if !matches!(self.state, State::Open | State::CloseSent) {
            return;
        }
        if output.has_left(self.pongs.end) {
            self.pongs.queued_bytes = 0;
        }
        let queued_bytes = self.pongs.queued_bytes;
        let pong_bytes = self.control_bytes(payload);
        // One Pong may always wait, or a Ping would never be answered.
        if queued_bytes > 0 && queued_bytes + pong_bytes > self.config.limits.pong_bytes_max {
            // RFC 6455 §5.5.3: it is enough to answer the latest Ping.
            self.pongs.latest = Some(payload.into());
            return;
        }
        // An older Ping that still waits for its answer is not the latest any more.
        self.pongs.latest = None;
        self.write_control(Control::Pong, payload, output);
        self.pongs.queued_bytes += pong_bytes;
        self.pongs.end = output.end();
    }

    fn write_close(&mut self, frame: Option<&CloseFrame>, output: &mut Output) {
        let mut payload = [0; CONTROL_PAYLOAD_BYTES_MAX];
        let len = frame.map_or(0, |frame| {
            let len = 2 + frame.reason().len();
            payload[..2].copy_from_slice(&frame.code().number().to_be_bytes());
            payload[2..len].copy_from_slice(frame.reason().as_bytes());
            len
        });
        self.pongs.latest = None;
        self.write_control(Control::Close, &payload[..len], output);
    }

    /// How many bytes a control frame with this payload has.
    fn control_bytes(&self, payload: &[u8]) -> usize {
        let key_bytes = if matches!(self.role, Role::Client(_)) { 4 } else { 0 };
        2 + key_bytes + payload.len()
    }

    fn write_control(&mut self, control: Control, payload: &[u8], output: &mut Output) {
        let frame = Frame { opcode: Opcode::Control(control), fin: true, rsv1: false };
        frame.write(self.role, payload, output);
    }

    #[inline]
    fn check_open(&self) -> Result<(), SendError> {
        if self.state == State::Open { Ok(()) } else { Err(SendError::Closed) }
    }

    #[inline]
    fn check_between_messages(&self) -> Result<(), SendError> {
        self.check_open()?;
        // RFC 6455 §5.4: the fragments of one message are not interleaved with another's.
        if self.message_begun { Err(SendError::MessageUnfinished) } else { Ok(()) }
    }
}

/// A frame to be written, without its payload.
struct Frame {
    opcode: Opcode,
    fin: bool,
    rsv1: bool,
}

impl Frame {
    /// Writes the frame with a copy of the payload, masked if this end masks.
    fn write(&self, role: Role, payload: &[u8], output: &mut Output) {
        match role {
            Role::Server => {
                self.write_header(None, payload.len(), output);
                output.copy(payload);
            }
            Role::Client(masking_key) => {
                let key = masking_key();
                self.write_header(Some(key), payload.len(), output);
                output.copy_masked(payload, key);
            }
        }
    }

    #[inline(always)]
    fn write_header(
        &self,
        masking_key: Option<MaskingKey>,
        payload_bytes: usize,
        output: &mut Output,
    ) {
        let (header, len) = self.header(masking_key, payload_bytes);
        output.copy_front(&header, len);
    }

    /// The header in the front of an array, and how long it is.
    #[inline(always)]
    fn header(
        &self,
        masking_key: Option<MaskingKey>,
        payload_bytes: usize,
    ) -> ([u8; FRAME_HEADER_BYTES_MAX], usize) {
        let Frame { opcode, fin, rsv1 } = *self;
        let payload_bytes = payload_bytes as u64;
        FrameHeader { fin, rsv1, opcode, masking_key, payload_bytes }.encode()
    }
}
