//! Memory to read into and to write from, kept by the thread and not by the connection.
//!
//! A connection borrows a buffer while bytes flow and gives it back when it has nothing to do, so
//! that ten thousand idle connections need no more than one.

use bytes::BytesMut;
use std::cell::Cell;

/// How much is read at once, and how much is gathered to be written at once.
pub(crate) const BUFFER_BYTES: usize = 64 << 10;

/// A buffer that grew beyond this for a large message is not kept.
pub(crate) const KEPT_BYTES_MAX: usize = 1 << 20;

/// What is left of a buffer, behind messages that the application still holds, is used while it
/// has this much.
const REST_BYTES_MIN: usize = BUFFER_BYTES / 2;

thread_local! {
    static INPUT: Cell<Option<BytesMut>> = const { Cell::new(None) };
    static OUTPUT: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

type Pool = &'static std::thread::LocalKey<Cell<Option<BytesMut>>>;

/// An empty buffer to read into.
pub(crate) fn take_input() -> BytesMut {
    take(&INPUT)
}

/// Gives back a buffer that was read into.
pub(crate) fn give_input(buffer: BytesMut) {
    give(&INPUT, buffer);
}

/// An empty buffer to write from.
pub(crate) fn take_output() -> BytesMut {
    take(&OUTPUT)
}

/// Gives back a buffer that was written from.
pub(crate) fn give_output(buffer: BytesMut) {
    give(&OUTPUT, buffer);
}

fn take(pool: Pool) -> BytesMut {
    if let Some(mut buffer) = pool.with(Cell::take) {
        // Messages that share its memory may have been dropped by now, or not.
        if buffer.try_reclaim(BUFFER_BYTES) || buffer.capacity() >= REST_BYTES_MIN {
            return buffer;
        }
    }
    BytesMut::with_capacity(BUFFER_BYTES)
}

fn give(pool: Pool, mut buffer: BytesMut) {
    buffer.clear();
    // Whatever was taken off its front counts too.
    let is_large = buffer.try_reclaim(KEPT_BYTES_MAX + 1);
    if !is_large && buffer.capacity() > 0 {
        pool.with(|place| place.set(Some(buffer)));
    }
}
