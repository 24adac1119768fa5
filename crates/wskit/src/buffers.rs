//! Memory to read into and to write from, kept by the thread and not by the connection.
//!
//! A connection borrows a buffer while bytes flow and gives it back when it has nothing to do, so
//! that ten thousand idle connections need no more than one.

use bytes::BytesMut;
use std::cell::Cell;
use wskit_proto::{Input, OutputMemory};

/// How much is read at once, and how much is gathered to be written at once.
pub(crate) const BUFFER_BYTES: usize = 64 << 10;

/// A buffer that grew beyond this for a large message is not kept. A message of 1 MiB arrives in one of 1.25 MiB: what
/// arrives in 64 KiB at first gets 256 KiB more, and then twice as much each time.
pub(crate) const KEPT_BYTES_MAX: usize = 3 << 19;

/// What is left of a buffer, behind messages that the application still holds, is used while it
/// has this much.
const REST_BYTES_MIN: usize = BUFFER_BYTES / 2;

// Boxed, so that they change hands at the price of a pointer, and who has none holds no more.
thread_local! {
    static INPUT: Cell<Option<Box<Input>>> = const { Cell::new(None) };
    static OUTPUT: Cell<Option<OutputMemory>> = const { Cell::new(None) };
}

/// An empty buffer to read into.
#[inline]
pub(crate) fn take_input() -> Box<Input> {
    match INPUT.with(Cell::take) {
        Some(buffer) if (REST_BYTES_MIN..=BUFFER_BYTES).contains(&buffer.capacity()) => buffer,
        used_up => renew(used_up.unwrap_or_default()),
    }
}

/// Begins a buffer from its front, if one that grew for large messages to lie in it whole, or one of
/// which too little is left.
#[inline(never)]
fn renew(mut buffer: Box<Input>) -> Box<Input> {
    // Messages that share its memory may have been dropped by now, or not.
    let capacity = buffer.capacity();
    let _begins_at_its_front = buffer.bytes_mut().try_reclaim(capacity + 1);
    if buffer.capacity() < REST_BYTES_MIN {
        *buffer = BytesMut::with_capacity(BUFFER_BYTES).into();
    }
    buffer
}

/// Gives back a buffer that was read into, of no more than [`KEPT_BYTES_MAX`].
#[inline]
pub(crate) fn give_input(mut buffer: Box<Input>) {
    buffer.bytes_mut().clear();
    let _a_thread_that_ends_keeps_none = INPUT.try_with(|place| place.set(Some(buffer)));
}

/// Memory to write from.
#[inline]
pub(crate) fn take_output() -> OutputMemory {
    OUTPUT.with(Cell::take).unwrap_or_else(|| OutputMemory::new(BUFFER_BYTES))
}

/// Gives back memory that was written from.
#[inline(always)]
pub(crate) fn give_output(memory: OutputMemory) {
    if memory.capacity() <= KEPT_BYTES_MAX {
        let _a_thread_that_ends_keeps_none = OUTPUT.try_with(|place| place.set(Some(memory)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_grew_is_begun_from_its_front_when_no_message_lies_in_it_any_more() {
        let mut buffer = Box::new(Input::from(BytesMut::with_capacity(8 * BUFFER_BYTES)));
        buffer.bytes_mut().resize(6 * BUFFER_BYTES, 0);
        let message = buffer.bytes_mut().split_to(5 * BUFFER_BYTES).freeze();
        give_input(buffer);
        let buffer = take_input();
        assert!(buffer.capacity() < 8 * BUFFER_BYTES, "a message lies in it");
        drop(message);
        give_input(buffer);
        assert!(take_input().capacity() >= 8 * BUFFER_BYTES);
    }
}
