//! The bytes that have arrived and were not received yet, and the memory they lie in.

use crate::buffers::{self, BUFFER_BYTES, KEPT_BYTES_MAX};
use bytes::BytesMut;

/// A buffer that belongs to the thread while bytes flow, and to the connection only while a
/// message has arrived in part.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: BytesMut,
    /// The memory grew beyond what the thread keeps.
    is_large: bool,
}

/// The beginning of a message that is at most this long is moved to memory of its own size while
/// the rest is awaited, so that the large buffer can be given back.
const MOVED_BYTES_MAX: usize = 4 << 10;

impl Input {
    /// Begins with what came behind the opening handshake.
    pub(crate) fn new(bytes: BytesMut) -> Input {
        Input { bytes, is_large: false }
    }

    pub(crate) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, with memory for the next read. It grows with what has arrived, never with what a
    /// header declares alone; `missing` says how much more a message declares.
    #[inline]
    pub(crate) fn with_room(&mut self, missing: impl FnOnce(&BytesMut) -> usize) -> &mut BytesMut {
        let arrived = self.bytes.len();
        if arrived <= MOVED_BYTES_MAX && self.bytes.capacity() < BUFFER_BYTES / 2 {
            let mut buffer = buffers::take_input();
            buffer.extend_from_slice(&self.bytes);
            self.bytes = buffer;
            self.is_large = false;
        } else if self.bytes.capacity() - arrived < MOVED_BYTES_MAX {
            let missing = missing(&self.bytes);
            self.bytes.reserve(missing.clamp(MOVED_BYTES_MAX, arrived.max(BUFFER_BYTES)));
            self.is_large |= self.bytes.capacity() > KEPT_BYTES_MAX;
        }
        &mut self.bytes
    }

    /// While nothing comes, nothing is held but the beginning of a message.
    #[inline]
    pub(crate) fn give_back(&mut self) {
        if self.bytes.len() <= MOVED_BYTES_MAX && self.bytes.capacity() > 2 * MOVED_BYTES_MAX {
            let begun = BytesMut::from(&self.bytes[..]);
            let large = std::mem::replace(&mut self.bytes, begun);
            if !std::mem::take(&mut self.is_large) {
                buffers::give_input(large);
            }
        }
    }
}
