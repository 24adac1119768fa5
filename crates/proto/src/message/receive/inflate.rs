//! Receiving compressed messages (RFC 7692 §6.2).

use super::{OpenFrame, Portion, Ready, Receiving};
use crate::message::deflate::{Inflating, Room};
use crate::{Input, InvalidUtf8, Kind, ProtocolError};

/// How much of a compressed message has to arrive before an inflater is taken for it while the
/// rest is awaited, and about how much a piece of it has when it is taken in pieces.
const STEP_BYTES: usize = 64 << 10;

/// What came of one step.
struct Outcome {
    frame_ended: bool,
    message_ended: bool,
    /// The output has to be taken out before inflating can go on.
    is_full: bool,
}

impl Receiving {
    /// Inflates what has arrived of the open frame. Also tells whether the frame ended.
    pub(super) fn inflate(
        &mut self,
        input: &mut Input,
        portion: Portion,
    ) -> Result<(Option<Ready>, bool), ProtocolError> {
        loop {
            let Some(message) = &mut self.message else { return Ok((None, true)) };
            let (kind, first) = (message.kind, !message.in_pieces);
            // Of a message of which pieces were taken, the rest is of no use to `receive`; and of
            // a message with a hole nothing is of use.
            let discards = message.discarded || (portion == Portion::Whole && message.in_pieces);
            if portion == Portion::Piece && !discards && !self.assembled.is_empty() {
                // What was inflated for a whole message comes first.
                message.check(&self.assembled)?;
                message.in_pieces = true;
                let len = self.assembled.len();
                let ready = Ready::Piece { kind, len, assembled: true, first, last: false };
                return Ok((Some(ready), false));
            }
            let Outcome { frame_ended, message_ended, is_full } =
                self.inflate_step(input, portion)?;
            if frame_ended {
                self.frame = None;
            }
            let len = self.assembled.len();
            let Some(message) = &mut self.message else { return Ok((None, frame_ended)) };
            let ready = match portion {
                _ if discards => {
                    message.discarded = true;
                    self.assembled.bytes_mut().clear();
                    if is_full {
                        continue;
                    }
                    None
                }
                Portion::Whole => message_ended.then_some(Ready::Assembled(kind)),
                Portion::Piece if len == 0 && !message_ended => None,
                Portion::Piece => {
                    message.in_pieces = true;
                    Some(Ready::Piece { kind, len, assembled: true, first, last: message_ended })
                }
            };
            if message_ended {
                self.message = None;
            }
            return Ok((ready, frame_ended));
        }
    }

    fn inflate_step(
        &mut self,
        input: &mut Input,
        portion: Portion,
    ) -> Result<Outcome, ProtocolError> {
        let (Some(message), Some(frame), Some(inflating)) =
            (&mut self.message, &mut self.frame, &mut self.inflating)
        else {
            return Ok(Outcome { frame_ended: true, message_ended: false, is_full: false });
        };
        frame.unmask(frame.masked(input), input);
        let in_pieces = portion == Portion::Piece || message.in_pieces;
        let limits = &self.config.limits;
        let room = if in_pieces {
            let message_bytes_max = limits.piecewise_message_bytes_max;
            Room { message_bytes_max, output_bytes_max: STEP_BYTES }
        } else {
            Room { message_bytes_max: limits.message_bytes_max, output_bytes_max: usize::MAX }
        };
        let frame_arrived = frame.done_bytes == frame.payload_bytes;
        let held_bytes = inflating.held_bytes();
        // However a message is cut, it is inflated in the same steps, and so fails in the same way.
        let step_bytes = if in_pieces || message_arrived(frame) {
            frame.untaken()
        } else {
            let steps = (held_bytes + frame.untaken()) / STEP_BYTES;
            (steps * STEP_BYTES).saturating_sub(held_bytes)
        };
        let mut outcome =
            Outcome { frame_ended: frame_arrived, message_ended: false, is_full: false };
        if in_pieces || message_arrived(frame) || step_bytes > 0 {
            let before = self.assembled.len();
            (outcome.message_ended, outcome.is_full) =
                inflate_arrived(frame, inflating, input, step_bytes, &mut self.assembled, room)?;
            outcome.frame_ended &= !outcome.is_full;
            if in_pieces {
                message.check(&self.assembled[before..])?;
                if outcome.message_ended {
                    message.check_end()?;
                }
            } else if message.kind == Kind::Text && !outcome.message_ended {
                // The rest is checked when all of it is handed out.
                self.assembled.check_text().map_err(|InvalidUtf8| ProtocolError::InvalidUtf8)?;
            }
        }
        if frame_arrived && !frame.fin && !in_pieces {
            let rest = frame.untaken();
            inflating.hold(&input[..rest]);
            frame.take(rest, input);
        }
        Ok(outcome)
    }
}

fn message_arrived(frame: &OpenFrame) -> bool {
    frame.fin && frame.done_bytes == frame.payload_bytes
}

/// Tells whether the message ended, and whether there was too little room to go on.
fn inflate_arrived(
    frame: &mut OpenFrame,
    inflating: &mut Inflating,
    input: &mut Input,
    step_bytes: usize,
    output: &mut Input,
    room: Room,
) -> Result<(bool, bool), ProtocolError> {
    let consumed = inflating.inflate(&input[..step_bytes], output, room)?;
    frame.take(consumed, input);
    if consumed < step_bytes || inflating.is_unfinished() {
        return Ok((false, true));
    }
    if !message_arrived(frame) {
        return Ok((false, false));
    }
    let ended = inflating.finish(output, room)?;
    Ok((ended, !ended))
}
