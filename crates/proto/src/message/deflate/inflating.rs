//! The receiving side of compression.

use super::TAIL;
use crate::{Input, ProtocolError, Savings, WindowBits};
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
    /// How many DEFLATE streams of the message have ended, and whether nothing came after the last.
    streams: u32,
    stream_ended: bool,
    message: Savings,
    total: Savings,
}

std::thread_local! {
    /// The inflater of the connections that keep no context.
    static SHARED: Cell<Option<Box<Inflate>>> = const { Cell::new(None) };
}

/// The least memory that is added for a message in one step, and the most.
const STEP_BYTES: usize = 1024;
const STEP_BYTES_MAX: usize = 256 << 10;

/// The most DEFLATE streams that one message may consist of.
const STREAMS_MAX: u32 = 1024;

/// A block of fixed codes with BFINAL set that holds nothing.
const FINAL_EMPTY_BLOCK: [u8; 2] = [0x03, 0x00];

impl Inflating {
    /// For a peer that keeps its context, or not, in a window of this size.
    pub(in crate::message) fn new(no_context_takeover: bool, window: WindowBits) -> Inflating {
        Inflating {
            kept_window: (!no_context_takeover).then_some(window),
            inflate: None,
            held: BytesMut::new(),
            has_more: false,
            tail_bytes: 0,
            streams: 0,
            stream_ended: false,
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
        output: &mut Input,
        room: Room,
    ) -> Result<usize, ProtocolError> {
        if !self.held.is_empty() {
            let held = core::mem::take(&mut self.held);
            let consumed = self.run(&held, output, room)?;
            self.message.compressed_bytes += consumed as u64;
            if consumed < held.len() || self.has_more {
                self.held = BytesMut::from(&held[consumed..]);
                return Ok(0);
            }
        }
        let consumed = self.run(part, output, room)?;
        self.message.compressed_bytes += consumed as u64;
        Ok(consumed)
    }

    /// Inflates what is left of the message, whose parts were all consumed. Says whether there was
    /// room for all of it.
    pub(in crate::message) fn finish(
        &mut self,
        output: &mut Input,
        room: Room,
    ) -> Result<bool, ProtocolError> {
        self.inflate(&[], output, room)?;
        if self.is_unfinished() {
            return Ok(false);
        }
        // A message may end with the end of a whole DEFLATE stream, and then needs no tail. And some
        // compressors make nothing at all of an empty message: the tail would then end no block but
        // begin one, which the next message of a kept context would be taken for.
        if !self.stream_ended && self.message.compressed_bytes > 0 {
            self.tail_bytes += self.run(&TAIL[self.tail_bytes..], output, room)?;
            if self.tail_bytes < TAIL.len() || self.has_more {
                return Ok(false);
            }
            if self.kept_window.is_none() {
                self.check_end_of_block()?;
            }
        }
        self.total.compressed_bytes += self.message.compressed_bytes;
        self.total.plain_bytes += self.message.plain_bytes;
        self.message = Savings::default();
        (self.tail_bytes, self.streams, self.stream_ended) = (0, 0, false);
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
        output: &mut Input,
        room: Room,
    ) -> Result<usize, ProtocolError> {
        let input_bytes = input.len();
        let mut filled = output.len();
        while !input.is_empty() || self.has_more {
            if filled >= room.output_bytes_max {
                break;
            }
            let step = self.step(&mut input, output, &mut filled, room);
            if let Err(error) = step {
                output.resize(filled);
                return Err(error);
            }
        }
        output.resize(filled);
        Ok(input_bytes - input.len())
    }

    /// Inflates as much as one call of the inflater gives, to behind the filled part of the output.
    fn step(
        &mut self,
        input: &mut &[u8],
        output: &mut Input,
        filled: &mut usize,
        room: Room,
    ) -> Result<(), ProtocolError> {
        let limit_bytes = room.message_bytes_max;
        // One byte more than allowed, to see whether the message would cross the limit.
        let allowed = limit_bytes.saturating_sub(self.message.plain_bytes).saturating_add(1);
        let wanted = (4 * input.len()).clamp(STEP_BYTES, STEP_BYTES_MAX);
        let wanted = wanted.min(room.output_bytes_max.max(STEP_BYTES));
        let end = *filled + usize::try_from(allowed).unwrap_or(usize::MAX).min(wanted);
        // What a step leaves unfilled serves the next one.
        if output.len() < end {
            output.resize(end);
        }
        let kept_window = self.kept_window;
        let inflate = self.inflate.get_or_insert_with(|| make(kept_window));
        let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
        let room_bytes = end - *filled;
        let free = &mut output.bytes_from(*filled)[..room_bytes];
        let status = inflate.decompress(input, free, InflateFlush::SyncFlush);
        let consumed = (inflate.total_in() - total_in) as usize;
        let produced = (inflate.total_out() - total_out) as usize;
        *filled += produced;
        *input = &input[consumed..];
        self.message.plain_bytes += produced as u64;
        if self.message.plain_bytes > limit_bytes {
            let bytes = self.message.plain_bytes;
            return Err(ProtocolError::MessageTooBig { bytes, limit_bytes });
        }
        // All output that there was room for, so there may be more.
        self.has_more = produced == room_bytes;
        self.stream_ended = false;
        match status {
            Ok(Status::StreamEnd) => self.end_stream(&output[..*filled], input.is_empty()),
            Ok(_) if consumed > 0 || produced > 0 => Ok(()),
            Ok(_) if input.is_empty() => {
                self.has_more = false;
                Ok(())
            }
            _ => Err(ProtocolError::InvalidDeflate),
        }
    }

    /// RFC 7692 §7.2.3.4: after a block with BFINAL set, another stream of blocks may follow. It may
    /// refer to what is still at hand of the message.
    fn end_stream(&mut self, output: &[u8], is_last: bool) -> Result<(), ProtocolError> {
        self.has_more = false;
        self.stream_ended = is_last;
        self.streams += 1;
        // Each takes far more work than it takes bytes.
        if self.streams > STREAMS_MAX {
            return Err(ProtocolError::InvalidDeflate);
        }
        let Some(inflate) = &mut self.inflate else { return Ok(()) };
        // Any window is read by an inflater with the largest, which this sets.
        inflate.reset(false);
        let context = &output[output.len().saturating_sub(1 << WindowBits::MAX.bits())..];
        match inflate.set_dictionary(context) {
            Ok(_) => Ok(()),
            Err(_) => Err(ProtocolError::InvalidDeflate),
        }
    }

    /// A message that is cut within a block is not whole: a final empty block, which does not
    /// belong to the message, is only understood between blocks. It ends the stream, so this can
    /// only be asked where no context is kept.
    fn check_end_of_block(&mut self) -> Result<(), ProtocolError> {
        let Some(inflate) = &mut self.inflate else { return Ok(()) };
        let before = inflate.total_out();
        let status = inflate.decompress(&FINAL_EMPTY_BLOCK, &mut [0], InflateFlush::SyncFlush);
        match status {
            Ok(Status::StreamEnd) if inflate.total_out() == before => Ok(()),
            _ => Err(ProtocolError::InvalidDeflate),
        }
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
