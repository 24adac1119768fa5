//! Receiving messages that are not compressed, whole or in pieces (RFC 6455 §5.4).

use super::{Ready, Receiving};
use crate::ProtocolError;
use bytes::BytesMut;

impl Receiving {
    /// Unmasks and checks what has arrived of the open frame, and keeps it until the message is
    /// whole. Also tells whether the frame ended.
    pub(super) fn collect(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<(Option<Ready>, bool), ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else {
            return Ok((None, false));
        };
        // The header may have come while pieces were taken, which have another limit.
        let (bytes, limit_bytes) = (message.bytes, self.limits.message_bytes_max);
        if bytes > limit_bytes && !message.in_pieces {
            return Err(ProtocolError::MessageTooBig { bytes, limit_bytes });
        }
        // A message of one frame is whole where it lies; fragments have headers between them.
        let in_place = message.fragments == 1 && frame.fin && !message.in_pieces;
        let arrived = frame.open_payload(message, input)?;
        let frame_ended = frame.done_bytes == frame.payload_bytes;
        let message_ended = frame_ended && frame.fin;
        if !in_place {
            if message.in_pieces {
                message.discarded |= arrived > 0;
            } else {
                self.assembled.extend_from_slice(&input[..arrived]);
            }
            frame.take(arrived, input);
        }
        let whole_bytes = frame.payload_bytes as usize;
        if frame_ended {
            self.frame = None;
        }
        if !message_ended {
            return Ok((None, frame_ended));
        }
        let Some(message) = self.message.take() else { return Ok((None, true)) };
        message.check_end()?;
        let ready = match (message.in_pieces, in_place) {
            (true, _) => None,
            (false, true) => Some(Ready::Input(message.kind, whole_bytes)),
            (false, false) => Some(Ready::Assembled(message.kind)),
        };
        Ok((ready, true))
    }

    /// Unmasks and checks what has arrived of the open frame, to be handed out at once. Also tells
    /// whether the frame ended.
    pub(super) fn take_piece(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<(Option<Ready>, bool), ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else {
            return Ok((None, false));
        };
        if message.discarded {
            return self.collect(input);
        }
        let kind = message.kind;
        if !self.assembled.is_empty() {
            // Fragments that were kept for a whole message come first.
            let len = self.assembled.len();
            let first = !core::mem::replace(&mut message.in_pieces, true);
            return Ok((
                Some(Ready::Piece { kind, len, assembled: true, first, last: false }),
                false,
            ));
        }
        frame.open_payload(message, input)?;
        let len = frame.untaken();
        // The piece takes itself off the input when it is dropped.
        frame.taken_bytes = frame.done_bytes;
        let frame_ended = frame.done_bytes == frame.payload_bytes;
        let last = frame_ended && frame.fin;
        let first = !message.in_pieces;
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
