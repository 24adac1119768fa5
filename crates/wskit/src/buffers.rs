//! Memory to read into and to write from, kept by the thread and not by the connection.
//!
//! A connection borrows a buffer while bytes flow and gives it back when it has nothing to do, so
//! that ten thousand idle connections need no more than one.

use bytes::BytesMut;
use std::cell::Cell;
use wskit_proto::OutputMemory;

/// How much is read at once, and how much is gathered to be written at once.
pub(crate) const BUFFER_BYTES: usize = 64 << 10;

/// A buffer that grew beyond this for a large message is not kept.
pub(crate) const KEPT_BYTES_MAX: usize = 1 << 20;

/// What is left of a buffer, behind messages that the application still holds, is used while it
/// has this much.
const REST_BYTES_MIN: usize = BUFFER_BYTES / 2;

thread_local! {
    static INPUT: Cell<BytesMut> = Cell::new(BytesMut::new());
    static OUTPUT: Cell<OutputMemory> = Cell::new(OutputMemory::default());
}

/// An empty buffer to read into.
#[inline]
pub(crate) fn take_input() -> BytesMut {
    let mut buffer = INPUT.with(Cell::take);
    // One that grew is begun from its front each time, for large messages to lie in it whole.
    if !(REST_BYTES_MIN..=BUFFER_BYTES).contains(&buffer.capacity()) {
        // Messages that share its memory may have been dropped by now, or not.
        let _begins_at_its_front = buffer.try_reclaim(buffer.capacity() + 1);
        if buffer.capacity() < REST_BYTES_MIN {
            return BytesMut::with_capacity(BUFFER_BYTES);
        }
    }
    buffer
}

/// Gives back a buffer that was read into, of no more than [`KEPT_BYTES_MAX`].
#[inline]
pub(crate) fn give_input(mut buffer: BytesMut) {
    buffer.clear();
    let _a_thread_that_ends_keeps_none = INPUT.try_with(|place| place.set(buffer));
}

/// Memory to write from.
#[inline]
pub(crate) fn take_output() -> OutputMemory {
    let memory = OUTPUT.with(Cell::take);
    if memory.is_empty() { OutputMemory::new(BUFFER_BYTES) } else { memory }
}

/// Gives back memory that was written from.
#[inline]
pub(crate) fn give_output(memory: OutputMemory) {
    if (1..=KEPT_BYTES_MAX).contains(&memory.len()) {
        let _a_thread_that_ends_keeps_none = OUTPUT.try_with(|place| place.set(memory));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_grew_is_begun_from_its_front_when_no_message_lies_in_it_any_more() {
        let mut buffer = BytesMut::with_capacity(8 * BUFFER_BYTES);
        buffer.resize(6 * BUFFER_BYTES, 0);
        let message = buffer.split_to(5 * BUFFER_BYTES).freeze();
        give_input(buffer);
        let buffer = take_input();
        assert!(buffer.capacity() < 8 * BUFFER_BYTES, "a message lies in it");
        drop(message);
        give_input(buffer);
        assert!(take_input().capacity() >= 8 * BUFFER_BYTES);
    }
}
