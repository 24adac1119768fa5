//! The bytes that have arrived and were not received yet, and the memory they lie in.

use crate::buffers::{self, BUFFER_BYTES, KEPT_BYTES_MAX};
use bytes::BytesMut;
use wskit_proto as proto;

/// A buffer that belongs to the thread while bytes flow, and to the connection only while a
/// message has arrived in part.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Option<Box<proto::Input>>,
    memory: Memory,
}

/// Where the memory of the bytes comes from.
#[derive(Debug, Default)]
enum Memory {
    /// It is the connection's, and just as much as there are bytes.
    #[default]
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
        Input { bytes: (!bytes.is_empty()).then(|| Box::new(bytes.into())), memory: Memory::Own }
    }

    /// The bytes, which get memory to be read into if they have none.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut proto::Input {
        self.bytes.get_or_insert_with(|| {
            self.memory = Memory::Borrowed;
            buffers::take_input()
        })
    }

    /// The bytes, if there are any.
    #[inline]
    pub(crate) fn arrived(&mut self) -> Option<&mut proto::Input> {
        self.bytes.as_deref_mut().filter(|bytes| !bytes.is_empty())
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.as_ref().is_none_or(|bytes| bytes.is_empty())
    }

    /// The bytes, with memory for the next read. It grows with what has arrived, never with what a
    /// header declares alone; `missing` says how much more a message declares.
    #[inline(always)]
    pub(crate) fn with_room(
        &mut self,
        missing: impl FnOnce(&proto::Input) -> usize,
    ) -> &mut proto::Input {
        let bytes = self.bytes();
        if bytes.capacity() - bytes.len() < ROOM_BYTES_MIN {
            self.make_room(missing);
        }
        self.bytes()
    }

    #[inline(never)]
    fn make_room(&mut self, missing: impl FnOnce(&proto::Input) -> usize) {
        let is_own = matches!(self.memory, Memory::Own);
        let is_borrowed = matches!(self.memory, Memory::Borrowed);
        let bytes = self.bytes();
        let arrived = bytes.len();
        if arrived > MOVED_BYTES_MAX {
            // With room to spare: a read that does not fill it tells that no more is there.
            let wanted = missing(bytes).saturating_add(ROOM_BYTES_MIN);
            bytes.reserve(wanted.min(arrived.max(AHEAD_BYTES_MAX)));
            if is_own || bytes.capacity() > KEPT_BYTES_MAX {
                self.memory = Memory::Grown;
            }
            return;
        }
        // Messages that shared the memory may have been dropped by now.
        if is_borrowed && bytes.try_reclaim(BUFFER_BYTES - arrived) {
            return;
        }
        let mut buffer = buffers::take_input();
        bytes.copy_to(&mut buffer);
        *self = Input { bytes: Some(buffer), memory: Memory::Borrowed };
    }

    /// Takes the bytes, in memory of their own unless they are many.
    pub(crate) fn take(&mut self) -> BytesMut {
        self.give_back();
        self.memory = Memory::Own;
        self.bytes.take().map_or_else(BytesMut::new, |mut bytes| std::mem::take(bytes.bytes_mut()))
    }

    /// While nothing comes, nothing is held but the beginning of a message.
    #[inline(always)]
    pub(crate) fn give_back(&mut self) {
        let arrived = self.bytes.as_ref().map_or(0, |bytes| bytes.len());
        match arrived {
            0 => self.drop_memory(),
            1..=MOVED_BYTES_MAX if !matches!(self.memory, Memory::Own) => self.move_out(),
            _ => {}
        }
    }

    #[inline(never)]
    fn move_out(&mut self) {
        let mut begun = Box::new(proto::Input::new());
        self.bytes().copy_to(&mut begun);
        *self = Input { bytes: Some(begun), memory: Memory::Own };
    }

    #[inline(always)]
    fn drop_memory(&mut self) {
        if let Some(bytes) = self.bytes.take()
            && matches!(self.memory, Memory::Borrowed)
        {
            buffers::give_input(bytes);
        }
        self.memory = Memory::Own;
    }
}

impl Drop for Input {
    #[inline]
    fn drop(&mut self) {
        self.drop_memory();
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
    fn the_thread_keeps_what_a_message_of_1_mib_lay_in_and_no_more() {
        for (message_bytes, kept) in [(1 << 20, true), (KEPT_BYTES_MAX + 1, false)] {
            let mut input = Input::default();
            while input.bytes().len() < message_bytes {
                let bytes = input.with_room(|bytes| message_bytes - bytes.len());
                let read = (message_bytes - bytes.len()).min(bytes.capacity() - bytes.len());
                bytes.extend_from_slice(&vec![0; read]);
            }
            input.bytes().bytes_mut().clear();
            input.give_back();
            assert_eq!(buffers::take_input().capacity() >= message_bytes, kept, "{message_bytes}");
        }
    }

    #[test]
    fn the_rest_of_a_message_does_not_fill_the_memory() {
        let mut input = Input::new(BytesMut::from(&vec![0; BUFFER_BYTES][..]));
        assert!(input.with_room(|_| 100_000).capacity() >= BUFFER_BYTES + 100_000 + ROOM_BYTES_MIN);
    }
}
