//! What waits in an output: copied bytes, and between them long payloads that are kept by reference.

use alloc::{collections::VecDeque, vec, vec::Vec};
use bytes::{Buf, Bytes};

/// The bytes that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// What was copied lies in it from `start` to `end`. All of it is initialised, so that bytes
    /// are put into place without growing it.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The long payloads between the copied bytes.
    shared: SharedQueue,
}

/// Payloads that are kept by reference.
#[derive(Debug, Default)]
struct SharedQueue {
    payloads: VecDeque<Shared>,
    bytes: usize,
    /// How many copied bytes stand before the last of them.
    copied_before_last: usize,
}

/// A payload that leaves when `after` more bytes of the buffer have left.
#[derive(Debug)]
struct Shared {
    after: usize,
    bytes: Bytes,
}

/// A buffer of its own begins with this much.
pub(super) const BUFFER_BYTES_MIN: usize = 64;

/// What has left is moved out of the buffer when it is at least this much, and half of the buffer.
const LEFT_BYTES_MAX: usize = 4096;

/// Room for this many long payloads is kept, to spare an allocation for each.
const SHARED_KEPT_MAX: usize = 4;

impl Waiting {
    /// Memory for this many copied bytes, in which none wait yet.
    pub(super) fn new(bytes: usize) -> Waiting {
        Waiting { buffer: vec![0; bytes], ..Waiting::default() }
    }

    /// How many bytes can be copied before the memory grows.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.copied_bytes() + self.shared.bytes
    }

    /// Whether so many bytes more can be copied before the memory grows.
    #[inline]
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.buffer.len() - self.end >= bytes
    }

    /// This much memory behind what was copied, to be [filled](Waiting::fill).
    #[inline(always)]
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        if !self.has_room(bytes) {
            self.grow(bytes);
        }
        &mut self.buffer[self.end..self.end + bytes]
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        let len = (self.end + bytes).max(2 * self.buffer.len()).max(BUFFER_BYTES_MIN);
        self.buffer.resize(len, 0);
    }

    /// Takes note that so much of the room has been copied to.
    #[inline(always)]
    pub(super) fn fill(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Queues a payload by reference.
    pub(super) fn share(&mut self, payload: Bytes) {
        let copied_bytes = self.copied_bytes();
        self.shared.push(payload, copied_bytes);
    }

    #[inline(always)]
    fn copied_bytes(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    fn copied(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// All that waits, if nothing of it is kept by reference.
    #[inline]
    pub(super) fn only_chunk(&self) -> Option<&[u8]> {
        self.shared.payloads.is_empty().then(|| self.copied())
    }

    /// Removes the first bytes, which have left.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        let is_all_copied = self.shared.payloads.is_empty();
        self.start += if is_all_copied { count } else { self.shared.advance(count) };
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start >= LEFT_BYTES_MAX.max(self.end / 2) {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.copied_bytes());
        }
    }

    /// Gives back the memory for many long payloads, of which none waits.
    #[inline]
    pub(super) fn release(&mut self) {
        if self.shared.payloads.capacity() > SHARED_KEPT_MAX {
            self.shared = SharedQueue::default();
        }
    }

    /// Forgets what waits.
    pub(super) fn discard(&mut self) {
        let buffer = core::mem::take(&mut self.buffer);
        *self = Waiting { buffer, ..Waiting::default() };
    }
}

/// What waits, in order and in as few slices as it lies in; none of them is empty.
pub(super) fn chunks(waiting: Option<&Waiting>) -> impl Iterator<Item = &[u8]> {
    let (copied, copied_before_last, payloads) = match waiting {
        Some(waiting) => {
            let SharedQueue { copied_before_last, payloads, .. } = &waiting.shared;
            (waiting.copied(), *copied_before_last, payloads.iter())
        }
        None => Default::default(),
    };
    let (mut between, behind) = copied.split_at(copied_before_last);
    let to_last = payloads.flat_map(move |Shared { after, bytes }| {
        let (before, rest) = between.split_at(*after);
        between = rest;
        [before, bytes]
    });
    to_last.chain([behind]).filter(|chunk| !chunk.is_empty())
}

impl SharedQueue {
    fn push(&mut self, bytes: Bytes, copied_bytes: usize) {
        let after = copied_bytes - self.copied_before_last;
        self.copied_before_last = copied_bytes;
        self.bytes += bytes.len();
        self.payloads.push_back(Shared { after, bytes });
    }

    /// Takes what has left off the payloads and says how many copied bytes have left.
    fn advance(&mut self, mut count: usize) -> usize {
        let mut copied_in_all = 0;
        while let Some(next) = self.payloads.front_mut() {
            let copied = count.min(next.after);
            copied_in_all += copied;
            next.after -= copied;
            self.copied_before_last -= copied;
            count -= copied;
            if next.after > 0 {
                return copied_in_all;
            }
            let shared = count.min(next.bytes.len());
            next.bytes.advance(shared);
            self.bytes -= shared;
            count -= shared;
            if !next.bytes.is_empty() {
                return copied_in_all;
            }
            self.payloads.pop_front();
        }
        copied_in_all + count
    }
}
