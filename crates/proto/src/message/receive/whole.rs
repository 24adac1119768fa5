//! The short way of the usual message, which is plain, of one frame, and there whole.

use super::Receiving;
use crate::frame::{Extent, FrameHeader, MaskingKey};
use crate::message::{Event, Message};
use crate::{Input, InvalidUtf8, Kind, Payload, ProtocolError, TextPayload};
use core::ops::Range;

/// A plain message of one frame that lies at the front of the input, masked as it came.
pub(super) struct WholeMessage {
    kind: Kind,
    payload: Range<usize>,
    masking_key: Option<MaskingKey>,
}

impl Receiving {
    /// Takes the next message off the front of `input` at the least cost, if it is the usual: not
    /// compressed, of one frame, and there whole. Otherwise `None`: then ask
    /// [`receive`](Receiving::receive).
    #[inline(always)]
    pub fn receive_plain(&mut self, input: &mut Input) -> Option<Result<Message, ProtocolError>> {
        let whole = self.find_whole(input)?;
        Some(whole.open(input, &mut self.ended).map(Event::into_message))
    }

    /// Finds a plain message of one frame that lies at the front of the input whole, which is what
    /// nearly all are. `None` means that it is something else, or nothing, or wrong.
    #[inline(always)]
    pub(super) fn find_whole(&self, input: &Input) -> Option<WholeMessage> {
        // No frame is open where no message is.
        if self.message.is_some() || self.ended {
            return None;
        }
        let (kind, extent) = FrameHeader::parse_usual(input)?;
        let Extent { header_bytes: start, payload_bytes, masking_key } = extent;
        let is_allowed = masking_key.is_some() == self.is_server
            && payload_bytes <= self.config.limits.unfragmented_message_bytes_max();
        let end = start.saturating_add(usize::try_from(payload_bytes).ok()?);
        let is_whole = end <= input.len();
        (is_allowed && is_whole).then_some(WholeMessage { kind, payload: start..end, masking_key })
    }
}

impl WholeMessage {
    /// Unmasks the message and hands it out, if it is what it claims to be.
    #[inline(always)]
    pub(super) fn open<'a>(
        self,
        input: &'a mut Input,
        ended: &mut bool,
    ) -> Result<Event<'a>, ProtocolError> {
        let WholeMessage { kind, payload, masking_key } = self;
        let mut payload = Payload::behind_header(input.bytes_mut(), payload);
        match (kind, masking_key) {
            (Kind::Text, Some(key)) => hand_out_text(payload.unmask_into_text(key), ended),
            (Kind::Text, None) => hand_out_text(payload.into_text(), ended),
            (Kind::Binary, Some(key)) => {
                payload.unmask(key);
                Ok(Event::Binary(payload))
            }
            (Kind::Binary, None) => Ok(Event::Binary(payload)),
        }
    }
}

/// Hands out a message that has been put together at the front of a buffer, if it is what it
/// claims to be.
#[inline]
pub(super) fn hand_out<'a>(
    kind: Kind,
    buffer: &'a mut Input,
    len: usize,
    ended: &mut bool,
) -> Result<Event<'a>, ProtocolError> {
    match kind {
        Kind::Binary => Ok(Event::Binary(Payload::front_of(buffer.bytes_mut(), len))),
        Kind::Text => hand_out_text(buffer.text_in_front(len), ended),
    }
}

#[inline(always)]
fn hand_out_text<'a>(
    text: Result<TextPayload<'a>, InvalidUtf8>,
    ended: &mut bool,
) -> Result<Event<'a>, ProtocolError> {
    match text {
        Ok(text) => Ok(Event::Text(text)),
        Err(InvalidUtf8) => {
            *ended = true;
            Err(ProtocolError::InvalidUtf8)
        }
    }
}
