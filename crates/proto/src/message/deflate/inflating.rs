//! The receiving side of compression.

use super::TAIL;
use crate::{ProtocolError, Savings, WindowBits};
use alloc::boxed::Box;
use bytes::BytesMut;
use core::cell::Cell;
use zlib_rs::{Inflate, InflateFlush, Status};

/// Inflates the messages of one connection.
pub(in crate::message) struct Inflating {
    /// The peer refers to earlier messages, within a window of this size.
    kept_window: Option<WindowBits>,
    /// In use for a message, or kept for the next one.
    inflate: Option<Box<Inflate>>,
    /// The beginning of a message of which little has arrived.
    held: BytesMut,
    /// There may be more output without more input.
    has_more: bool,
    /// How much of the tail the message has had.
    tail_bytes: usize,
    message: Savings,
    total: Savings,
}

std::thread_local! {
    /// The inflater of the connections that keep no context.
    static SHARED: Cell<Option<Box<Inflate>>> = const { Cell::new(None) };
}

/// The first memory for a message, and the least that is added.
const STEP_BYTES: usize = 1024;

impl Inflating {
    /// For a peer that keeps its context, or not, in a window of this size.
    pub(in crate::message) fn new(no_context_takeover: bool, window: WindowBits) -> Inflating {
        Inflating {
            kept_window: (!no_context_takeover).then_some(window),
            inflate: None,
            held: BytesMut::new(),
            has_more: false,
            tail_bytes: 0,
            message: Savings::default(),
            total: Savings::default(),
        }
    }

    pub(in crate::message) fn savings(&self) -> Savings {
        self.total
    }

    /// Keeps a small part of a message until there is more of it, so that the memory of an inflater
    /// is not taken for a peer that sends next to nothing.
    pub(in crate::message) fn hold(&mut self, part: &[u8]) {
        self.held.extend_from_slice(part);
    }

    /// Whether there is more to be put out without more coming in.
    pub(in crate::message) fn is_unfinished(&self) -> bool {
        self.has_more || !self.held.is_empty()
    }

    pub(in crate::message) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// Inflates what is held and then the part of a message, and adds it to `output`, which grows
    /// to about the room at most. Says how much of the part was consumed; less than all of it where
    /// the room did not suffice.
    ///
    /// Nothing beyond the limit on the message is ever inflated.
    pub(in crate::message) fn inflate(
        &mut self,
        part: &[u8],
        output: &mut BytesMut,
        room: Room,
    ) -> Result<usize, ProtocolError> {
        if !self.held.is_empty() {
            let held = core::mem::take(&mut self.held);
            let consumed = self.run(&held, output, room)?;
            if consumed < held.len() || self.has_more {
                self.held = BytesMut::from(&held[consumed..]);
                return Ok(0);
            }
        }
        self.run(part, output, room)
    }

    /// Inflates what is left of the message, whose parts were all consumed. Says whether there was
    /// room for all of it.
    pub(in crate::message) fn finish(
        &mut self,
        output: &mut BytesMut,
        room: Room,
    ) -> Result<bool, ProtocolError> {
        self.inflate(&[], output, room)?;
        if !self.held.is_empty() {
            return Ok(false);
        }
        self.tail_bytes += self.run(&TAIL[self.tail_bytes..], output, room)?;
        if self.tail_bytes < TAIL.len() || self.has_more {
            return Ok(false);
        }
        self.tail_bytes = 0;
        let message = core::mem::take(&mut self.message);
        self.total.compressed_bytes += message.compressed_bytes - TAIL.len() as u64;
        self.total.plain_bytes += message.plain_bytes;
        if self.kept_window.is_none()
            && let Some(inflate) = self.inflate.take()
        {
            SHARED.set(Some(inflate));
        }
        Ok(true)
    }

    fn run(
        &mut self,
        mut input: &[u8],
        output: &mut BytesMut,
        room: Room,
    ) -> Result<usize, ProtocolError> {
        let Room { message_bytes_max: limit_bytes, output_bytes_max } = room;
        let kept_window = self.kept_window;
        let inflate = self.inflate.get_or_insert_with(|| make(kept_window));
        let input_bytes = input.len();
        while !input.is_empty() || self.has_more {
            if output.len() >= output_bytes_max {
                break;
            }
            // One byte more than allowed, to see whether the message would cross the limit.
            let allowed = limit_bytes.saturating_sub(self.message.plain_bytes).saturating_add(1);
            let wanted = (4 * input.len()).max(output.len() / 2).max(STEP_BYTES);
            let wanted = wanted.min(output_bytes_max.max(STEP_BYTES));
            let room = usize::try_from(allowed).unwrap_or(usize::MAX).min(wanted);
            let start = output.len();
            output.resize(start + room, 0);
            let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(input, &mut output[start..], InflateFlush::SyncFlush);
            let consumed = (inflate.total_in() - total_in) as usize;
            let produced = (inflate.total_out() - total_out) as usize;
            output.truncate(start + produced);
            input = &input[consumed..];
            self.message.compressed_bytes += consumed as u64;
            self.message.plain_bytes += produced as u64;
            if self.message.plain_bytes > limit_bytes {
                let bytes = self.message.plain_bytes;
                return Err(ProtocolError::MessageTooBig { bytes, limit_bytes });
            }
            // All output that there was room for, so there may be more.
            self.has_more = produced == room;
            match status {
                Ok(Status::StreamEnd) => {
                    // RFC 7692 §7.2.3.4: a block with BFINAL set may end a message, or not; what
                    // follows may still refer to what came before.
                    self.has_more = false;
                    inflate.reset(false);
                    let context = output.len().saturating_sub(1 << WindowBits::MAX.bits());
                    if inflate.set_dictionary(&output[context..]).is_err() {
                        return Err(ProtocolError::InvalidDeflate);
                    }
                }
                Ok(_) if consumed > 0 || produced > 0 => {}
                Ok(_) if input.is_empty() => self.has_more = false,
                _ => return Err(ProtocolError::InvalidDeflate),
            }
        }
        Ok(input_bytes - input.len())
    }
}

/// How much may come of inflating.
#[derive(Clone, Copy)]
pub(in crate::message) struct Room {
    /// The longest message.
    pub(in crate::message) message_bytes_max: u64,
    /// The most that is put into the output before somebody takes it out.
    pub(in crate::message) output_bytes_max: usize,
}

fn make(kept_window: Option<WindowBits>) -> Box<Inflate> {
    match kept_window {
        Some(window) => Box::new(Inflate::new(false, window.bits())),
        None => match SHARED.take() {
            Some(mut inflate) => {
                inflate.reset(false);
                inflate
            }
            None => Box::new(Inflate::new(false, WindowBits::MAX.bits())),
        },
    }
}

impl core::fmt::Debug for Inflating {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inflating").field("total", &self.total).finish_non_exhaustive()
    }
}
