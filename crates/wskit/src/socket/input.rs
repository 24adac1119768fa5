//! The bytes that have arrived and were not received yet, and the memory they lie in.

use crate::buffers::{self, BUFFER_BYTES, KEPT_BYTES_MAX};
use bytes::BytesMut;
use wskit_proto as proto;

/// A buffer that belongs to the thread while bytes flow, and to the connection only while a
/// message has arrived in part.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: proto::Input,
    memory: Memory,
}

/// Where the memory of the bytes comes from.
#[derive(Debug)]
enum Memory {
    /// It is the connection's, and just as much as there are bytes.
    Own,
    /// It is the thread's.
    Borrowed,
    /// It grew beyond what the connection or the thread keeps.
    Grown,
}

/// The beginning of a message that is at most this long is moved to memory of its own size while
/// the rest is awaited, so that the large buffer can be given back.
const MOVED_BYTES_MAX: usize = 4 << 10;

/// No less memory than this is offered to a read.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// For the rest of a message that has not arrived, no more memory is taken at once than this, or
/// than has arrived of it already.
const AHEAD_BYTES_MAX: usize = 256 << 10;

impl Input {
    /// Begins with what came behind the opening handshake.
    pub(crate) fn new(bytes: BytesMut) -> Input {
        Input { bytes: bytes.into(), memory: Memory::Own }
    }

    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut proto::Input {
        &mut self.bytes
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, with memory for the next read. It grows with what has arrived, never with what a
    /// header declares alone; `missing` says how much more a message declares.
    #[inline]
    pub(crate) fn with_room(
        &mut self,
        missing: impl FnOnce(&proto::Input) -> usize,
    ) -> &mut proto::Input {
        if self.bytes.capacity() - self.bytes.len() < ROOM_BYTES_MIN {
            self.make_room(missing);
        }
        &mut self.bytes
    }

    fn make_room(&mut self, missing: impl FnOnce(&proto::Input) -> usize) {
        let arrived = self.bytes.len();
        if arrived > MOVED_BYTES_MAX {
            // With room to spare: a read that does not fill it tells that no more is there.
            let wanted = missing(&self.bytes).saturating_add(ROOM_BYTES_MIN);
            self.bytes.reserve(wanted.min(arrived.max(AHEAD_BYTES_MAX)));
            if matches!(self.memory, Memory::Own) || self.bytes.capacity() > KEPT_BYTES_MAX {
                self.memory = Memory::Grown;
            }
            return;
        }
        // Messages that shared the memory may have been dropped by now.
        let is_borrowed = matches!(self.memory, Memory::Borrowed);
        if is_borrowed && self.bytes.bytes_mut().try_reclaim(BUFFER_BYTES - arrived) {
            return;
        }
        let mut buffer = buffers::take_input();
        if arrived > 0 {
            buffer.extend_from_slice(&self.bytes);
        }
        *self = Input { bytes: buffer.into(), memory: Memory::Borrowed };
    }

    /// Takes the bytes, in memory of their own unless they are many.
    pub(crate) fn take(&mut self) -> BytesMut {
        self.give_back();
        self.memory = Memory::Own;
        std::mem::take(self.bytes.bytes_mut())
    }

    /// While nothing comes, nothing is held but the beginning of a message.
    #[inline]
    pub(crate) fn give_back(&mut self) {
        if !matches!(self.memory, Memory::Own) && self.bytes.len() <= MOVED_BYTES_MAX {
            // Most often nothing has begun, and making nothing is cheaper than copying it.
            let begun = match self.bytes.is_empty() {
                true => BytesMut::new(),
                false => BytesMut::from(&self.bytes[..]),
            };
            *self = Input::new(begun);
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if matches!(self.memory, Memory::Borrowed) {
            buffers::give_input(std::mem::take(self.bytes.bytes_mut()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_what_has_arrived_and_not_with_what_is_declared() {
        for arrived in [BUFFER_BYTES, AHEAD_BYTES_MAX, 4 * AHEAD_BYTES_MAX] {
            let mut input = Input::new(BytesMut::from(&vec![0; arrived][..]));
            let room = input.with_room(|_| usize::MAX).capacity() - arrived;
            assert!((AHEAD_BYTES_MAX..=arrived.max(AHEAD_BYTES_MAX)).contains(&room), "{room}");
        }
    }

    #[test]
    fn the_rest_of_a_message_does_not_fill_the_memory() {
        let mut input = Input::new(BytesMut::from(&vec![0; BUFFER_BYTES][..]));
        assert!(input.with_room(|_| 100_000).capacity() >= BUFFER_BYTES + 100_000 + ROOM_BYTES_MIN);
    }
}
