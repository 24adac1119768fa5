//! Receiving messages that are not compressed, whole or in pieces (RFC 6455 §5.4).

use super::{Ready, Receiving};
use crate::{Input, ProtocolError};

impl Receiving {
    /// Unmasks and checks what has arrived of the open frame, and keeps it until the message is
    /// whole. Also tells whether the frame ended.
    pub(super) fn collect(
        &mut self,
        input: &mut Input,
    ) -> Result<(Option<Ready>, bool), ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else {
            return Ok((None, false));
        };
        // The header may have come while pieces were taken, which have another limit.
        let (bytes, limit_bytes) = (message.bytes, self.config.limits.message_bytes_max);
        if bytes > limit_bytes && !message.in_pieces {
            return Err(ProtocolError::MessageTooBig { bytes, limit_bytes });
        }
        // A message of one frame is whole where it lies; fragments have headers between them.
        let in_place = message.fragments == 1 && frame.fin && !message.in_pieces;
        let arrived = frame.masked(input);
        if in_place {
            frame.open(message.kind, arrived, input)?;
        } else if message.in_pieces {
            message.discarded |= !arrived.is_empty();
            frame.unmask(arrived.clone(), input);
            message.check(&input[arrived.clone()])?;
            frame.take(arrived.len(), input);
        } else {
            let before = self.assembled.len();
            self.assembled.extend_from_slice(&input[arrived]);
            let moved = before..self.assembled.len();
            frame.open(message.kind, moved.clone(), &mut self.assembled)?;
            frame.take(moved.len(), input);
        }
        let frame_ended = frame.done_bytes == frame.payload_bytes;
        let message_ended = frame_ended && frame.fin;
        let whole_bytes = frame.payload_bytes as usize;
        if frame_ended {
            self.frame = None;
        }
        if !message_ended {
            return Ok((None, frame_ended));
        }
        let Some(message) = self.message.take() else { return Ok((None, true)) };
        let ready = match (message.in_pieces, in_place) {
            (true, _) => {
                message.check_end()?;
                None
            }
            (false, true) => Some(Ready::Input(message.kind, whole_bytes)),
            (false, false) => Some(Ready::Assembled(message.kind)),
        };
        Ok((ready, true))
    }

    /// Unmasks and checks what has arrived of the open frame, to be handed out at once. Also tells
    /// whether the frame ended.
    pub(super) fn take_piece(
        &mut self,
        input: &mut Input,
    ) -> Result<(Option<Ready>, bool), ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else {
            return Ok((None, false));
        };
        if message.discarded {
            return self.collect(input);
        }
        let kind = message.kind;
        let first = !message.in_pieces;
        if !self.assembled.is_empty() {
            // Fragments that were kept for a whole message come first.
            message.check(&self.assembled)?;
            message.in_pieces = true;
            let len = self.assembled.len();
            return Ok((
                Some(Ready::Piece { kind, len, assembled: true, first, last: false }),
                false,
            ));
        }
        let masked = frame.masked(input);
        // What was kept for a whole message is part of the first piece.
        let unchecked = if first { 0 } else { masked.start }..masked.end;
        frame.unmask(masked, input);
        message.check(&input[unchecked])?;
        let len = frame.untaken();
        // The piece takes itself off the input when it is dropped.
        frame.taken_bytes = frame.done_bytes;
        let frame_ended = frame.done_bytes == frame.payload_bytes;
        let last = frame_ended && frame.fin;
        if frame_ended {
            self.frame = None;
        }
        if len == 0 && !last {
            return Ok((None, frame_ended));
        }
        message.in_pieces = true;
        if last {
            message.check_end()?;
            self.message = None;
        }
        Ok((Some(Ready::Piece { kind, len, assembled: false, first, last }), frame_ended))
    }
}
