//! A message that has begun to arrive, and its frame.

use crate::frame::{FrameHeader, MaskingKey};
use crate::{Input, InvalidUtf8, Kind, ProtocolError, Utf8Validator, mask};
use bytes::Buf;
use core::ops::Range;

/// A message whose last byte has not arrived.
#[derive(Debug)]
pub(super) struct OpenMessage {
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    pub(super) fragments: u32,
    #[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "none is, then"))]
    pub(super) compressed: bool,
    /// A piece was handed out, so the message can no longer be handed out whole.
    pub(super) in_pieces: bool,
    /// Something of it was discarded after that, so no more pieces are handed out either.
    pub(super) discarded: bool,
    /// Checks the text that is handed out in pieces. What is kept for a whole message knows itself
    /// how much of it was checked.
    utf8: Utf8Validator,
}

/// A data frame whose header was taken off the buffer and whose payload has not arrived whole.
#[derive(Debug)]
pub(super) struct OpenFrame {
    pub(super) fin: bool,
    masking_key: MaskingKey,
    pub(super) payload_bytes: u64,
    /// How much of the payload is unmasked and checked.
    pub(super) done_bytes: u64,
    /// How much of that was taken off the input.
    pub(super) taken_bytes: u64,
}

impl OpenMessage {
    pub(super) fn new(kind: Kind, compressed: bool) -> OpenMessage {
        OpenMessage {
            kind,
            bytes: 0,
            fragments: 0,
            compressed,
            in_pieces: false,
            discarded: false,
            utf8: Utf8Validator::default(),
        }
    }

    /// RFC 6455 §8.1: text that is not UTF-8 fails the connection, here at its first byte.
    pub(super) fn check(&mut self, payload: &[u8]) -> Result<(), ProtocolError> {
        match self.kind {
            Kind::Text => self.utf8.push(payload).map_err(|InvalidUtf8| ProtocolError::InvalidUtf8),
            Kind::Binary => Ok(()),
        }
    }

    pub(super) fn check_end(&self) -> Result<(), ProtocolError> {
        if self.utf8.is_complete() { Ok(()) } else { Err(ProtocolError::InvalidUtf8) }
    }
}

impl OpenFrame {
    pub(super) fn new(header: &FrameHeader, masking_key: MaskingKey) -> OpenFrame {
        let FrameHeader { fin, payload_bytes, .. } = *header;
        OpenFrame { fin, masking_key, payload_bytes, done_bytes: 0, taken_bytes: 0 }
    }

    /// How much of the payload lies at the front of the input, unmasked and checked.
    pub(super) fn untaken(&self) -> usize {
        (self.done_bytes - self.taken_bytes) as usize
    }

    /// Takes bytes off the input.
    pub(super) fn take(&mut self, bytes: usize, input: &mut Input) {
        self.taken_bytes += bytes as u64;
        input.bytes_mut().advance(bytes);
    }

    /// Where the part of the payload lies that has arrived and is still masked.
    pub(super) fn masked(&self, input: &Input) -> Range<usize> {
        let start = self.untaken().min(input.len());
        let rest = usize::try_from(self.payload_bytes - self.done_bytes).unwrap_or(usize::MAX);
        start..input.len().min(start.saturating_add(rest))
    }

    /// Unmasks the next part of the payload, which lies here in this buffer.
    pub(super) fn unmask(&mut self, part: Range<usize>, buffer: &mut Input) {
        let offset = self.advance(part.len());
        mask(&mut buffer.bytes_mut()[part], self.masking_key, offset);
    }

    /// Unmasks the next part of the payload of a message that is put together at the front of this
    /// buffer. RFC 6455 §8.1: text that is not UTF-8 fails the connection, here at its first byte.
    pub(super) fn open(
        &mut self,
        kind: Kind,
        part: Range<usize>,
        buffer: &mut Input,
    ) -> Result<(), ProtocolError> {
        match kind {
            Kind::Binary => {
                self.unmask(part, buffer);
                Ok(())
            }
            Kind::Text => {
                let offset = self.advance(part.len());
                buffer
                    .unmask_text(part, self.masking_key, offset)
                    .map_err(|InvalidUtf8| ProtocolError::InvalidUtf8)
            }
        }
    }

    /// Counts the next part of the payload, and says where within its key it begins.
    fn advance(&mut self, part_bytes: usize) -> usize {
        let offset = (self.done_bytes % 4) as usize;
        self.done_bytes += part_bytes as u64;
        offset
    }
}
