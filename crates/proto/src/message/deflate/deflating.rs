//! The sending side of compression.

use super::TAIL;
use crate::{Compression, Savings, WindowBits};
use alloc::{boxed::Box, vec::Vec};
use core::cell::{Cell, RefCell};
use zlib_rs::{Deflate, DeflateFlush, Status};

/// Compresses the messages of one connection.
pub(in crate::message) struct Deflating {
    window: WindowBits,
    level: u8,
    message_bytes_min: usize,
    /// Later messages refer to earlier ones.
    keeps_context: bool,
    /// Kept for the next message.
    deflate: Option<Box<Deflate>>,
    /// The peer got something that the kept context does not know of.
    is_context_stale: bool,
    total: Savings,
}

/// A compressor that belongs to the thread, with what it was made for.
struct Shared {
    deflate: Box<Deflate>,
    window: WindowBits,
    level: u8,
}

std::thread_local! {
    /// The compressors of the connections that keep no context, one for each window in use.
    static SHARED: RefCell<Vec<Shared>> = const { RefCell::new(Vec::new()) };
    /// Where messages are compressed to, before they are written as a frame.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Level 1 of zlib-rs 0.6.8 panics on some long messages: its quick way writes beyond the memory it
/// set aside. The levels above do not go that way.
const LEVEL_MIN: u8 = 2;

/// Scratch memory that grew beyond this for a large message is not kept.
const SCRATCH_BYTES_MAX: usize = 1 << 20;

impl Deflating {
    /// With these settings, keeping the context or not, in a window of at most this size. `None`
    /// where the window is smaller than any compressor keeps to.
    pub(in crate::message) fn new(
        compression: &Compression,
        no_context_takeover: bool,
        window: WindowBits,
    ) -> Option<Deflating> {
        (window >= WindowBits::COMPRESSIBLE_MIN).then(|| Deflating {
            window: window.min(compression.window_bits.max(WindowBits::COMPRESSIBLE_MIN)),
            level: compression.level.clamp(LEVEL_MIN, 9),
            message_bytes_min: compression.message_bytes_min,
            keeps_context: !no_context_takeover,
            deflate: None,
            is_context_stale: false,
            total: Savings::default(),
        })
    }

    pub(in crate::message) fn savings(&self) -> Savings {
        self.total
    }

    /// How far back messages refer.
    pub(in crate::message) fn window(&self) -> WindowBits {
        self.window
    }

    /// The same settings for messages that are compressed for themselves, to be shared by
    /// connections.
    pub(in crate::message) fn alone(&self) -> Deflating {
        let Deflating { window, level, message_bytes_min, .. } = *self;
        let (keeps_context, deflate, is_context_stale) = (false, None, false);
        let total = Savings::default();
        Deflating {
            window,
            level,
            message_bytes_min,
            keeps_context,
            deflate,
            is_context_stale,
            total,
        }
    }

    /// Takes note that a message was sent that somebody else compressed. The peer's window holds
    /// it, so the next message refers to nothing before itself.
    pub(in crate::message) fn sent_shared(&mut self, plain_bytes: usize, compressed_bytes: usize) {
        self.total.plain_bytes += plain_bytes as u64;
        self.total.compressed_bytes += compressed_bytes as u64;
        self.is_context_stale = true;
    }

    /// Compresses a whole message, and hands it to `write` if it is worth it. Says whether it was.
    ///
    /// A kept context is not upset by a message that was not worth it: it begins anew.
    pub(in crate::message) fn deflate(
        &mut self,
        message: &[u8],
        write: impl FnOnce(&[u8]),
    ) -> bool {
        if message.len() < self.message_bytes_min.max(1) {
            return false;
        }
        let mut deflate = match self.deflate.take() {
            Some(deflate) => deflate,
            None if self.keeps_context => make(self.window, self.level),
            None => take_shared(self.window, self.level),
        };
        if core::mem::take(&mut self.is_context_stale) {
            deflate.reset();
        }
        let mut scratch = SCRATCH.take();
        let room = room(message.len());
        if scratch.len() < room {
            scratch.resize(room, 0);
        }
        let (total_in, total_out) = (deflate.total_in(), deflate.total_out());
        let status = deflate.compress(message, &mut scratch[..room], DeflateFlush::SyncFlush);
        let len = (deflate.total_out() - total_out) as usize;
        let whole = deflate.total_in() - total_in == message.len() as u64;
        let is_drained = matches!(status, Ok(Status::Ok)) && whole && len < room;
        // The flush ends with the tail, which is not sent.
        let compressed = scratch[..len]
            .strip_suffix(&TAIL)
            .filter(|compressed| is_drained && compressed.len() + 1 < message.len());
        if let Some(compressed) = compressed {
            self.total.plain_bytes += message.len() as u64;
            self.total.compressed_bytes += compressed.len() as u64;
            write(compressed);
        }
        let worth_it = compressed.is_some();
        // What has not left a compressor would stand in the way of later messages.
        if is_drained {
            self.keep(deflate, worth_it);
        }
        if scratch.len() <= SCRATCH_BYTES_MAX {
            SCRATCH.set(scratch);
        }
        worth_it
    }

    /// Keeps the compressor for the next message.
    fn keep(&mut self, deflate: Box<Deflate>, is_context_sent: bool) {
        if self.keeps_context {
            self.is_context_stale = !is_context_sent;
            self.deflate = Some(deflate);
        } else {
            give_shared(Shared { deflate, window: self.window, level: self.level });
        }
    }
}

/// Enough for the worst that becomes of so many bytes, so that all of it leaves the compressor, whether it is worth it or
/// not. zlib-rs 0.6.8 does not free the room of what has not left when it begins anew, and panics once none is left.
fn room(message_bytes: usize) -> usize {
    // Where the window is too small for a block to be stored as it is, a byte takes nine bits.
    message_bytes + message_bytes / 8 + message_bytes / 64 + 64
}

fn make(window: WindowBits, level: u8) -> Box<Deflate> {
    Box::new(Deflate::new(level.into(), false, window.bits()))
}

fn take_shared(window: WindowBits, level: u8) -> Box<Deflate> {
    let fits = |shared: &Shared| (shared.window, shared.level) == (window, level);
    let shared = SHARED.with_borrow_mut(|all| {
        let place = all.iter().position(fits)?;
        Some(all.swap_remove(place))
    });
    match shared {
        Some(mut shared) => {
            shared.deflate.reset();
            shared.deflate
        }
        None => make(window, level),
    }
}

/// Keeps the compressor for the next message, in the place of one for the same window.
fn give_shared(shared: Shared) {
    SHARED.with_borrow_mut(|all| {
        all.retain(|other| other.window != shared.window);
        all.push(shared);
    });
}

impl core::fmt::Debug for Deflating {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Deflating").field("total", &self.total).finish_non_exhaustive()
    }
}
