//! Bytes waiting to leave.

mod waiting;

use crate::MaskingKey;
use alloc::boxed::Box;
use bytes::Bytes;
use waiting::{BUFFER_BYTES_MIN, Waiting};
use wskit_bytes::mask_into;

/// The bytes that wait to be written to the transport, in order.
///
/// Small things are copied into one buffer, so that many messages leave by one write; large
/// payloads are kept by reference between them and leave without a copy. Write what
/// [`chunks`](Output::chunks) yields, with one vectored write if you can, and
/// [`advance`](Output::advance) by what was written.
///
/// ```
/// # use wskit_proto::Output;
/// # use bytes::Bytes;
/// let mut output = Output::default();
/// output.copy(b"head");
/// output.share(Bytes::from(vec![7; 100_000]));
/// assert_eq!(output.chunks().map(<[u8]>::len).collect::<Vec<_>>(), [4, 100_000]);
/// output.advance(1_004);
/// assert_eq!(output.len(), 99_000);
/// ```
#[derive(Debug, Default)]
pub struct Output {
    /// Where bytes wait. An output in which none do needs none.
    memory: Option<OutputMemory>,
    /// How many bytes have ever left, by which a place in the stream is known to have left.
    departed: u64,
}

/// The memory that bytes wait in. An [`Output`] that is empty needs none, so many can take turns
/// with one.
// Boxed, so that it changes hands at the price of a pointer.
#[derive(Debug)]
pub struct OutputMemory(Box<Waiting>);

/// Shorter bytes are copied, for that costs less than to keep them by reference.
const SHARED_BYTES_MIN: usize = 4 << 10;

/// Shorter bytes are copied while there is room for them, for a write of pieces is a longer way through the system than
/// a write of one. No memory is taken for that: of one message that many are sent, each would need a copy.
const SHARED_DESPITE_ROOM_BYTES_MIN: usize = 12 << 10;

impl OutputMemory {
    /// Memory for this many copied bytes.
    pub fn new(bytes: usize) -> OutputMemory {
        OutputMemory(Box::new(Waiting::new(bytes)))
    }

    /// How many bytes can be copied into it before it grows.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl Output {
    /// How many bytes wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.0.len())
    }

    /// Whether nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What waits, to be added to.
    #[inline(always)]
    fn waiting(&mut self) -> &mut Waiting {
        &mut self.memory.get_or_insert_with(|| OutputMemory::new(BUFFER_BYTES_MIN)).0
    }

    /// Queues a copy of the bytes.
    #[inline(always)]
    pub fn copy(&mut self, bytes: &[u8]) {
        let waiting = self.waiting();
        waiting.room(bytes.len()).copy_from_slice(bytes);
        waiting.fill(bytes.len());
    }

    /// Queues a copy of the first `len` bytes of the array. Copying an array takes no loop.
    #[inline(always)]
    pub(crate) fn copy_front<const N: usize>(&mut self, array: &[u8; N], len: usize) {
        let waiting = self.waiting();
        waiting.room(N).copy_from_slice(array);
        waiting.fill(len);
    }

    /// Queues the first `len` bytes of the array and then the bytes; long ones without a copy.
    #[inline(always)]
    pub(crate) fn share_behind<const N: usize>(
        &mut self,
        array: &[u8; N],
        len: usize,
        bytes: Bytes,
    ) {
        if bytes.len() >= SHARED_BYTES_MIN {
            return self.share_long_behind(*array, len, bytes);
        }
        self.copy_behind(array, len, &bytes);
    }

    /// [`share_behind`](Output::share_behind) for bytes that others share already, without counting one more owner of
    /// what is copied.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn share_one_of_many<const N: usize>(
        &mut self,
        array: &[u8; N],
        len: usize,
        bytes: &Bytes,
    ) {
        if bytes.len() >= SHARED_BYTES_MIN {
            return self.share_long_behind(*array, len, bytes.clone());
        }
        self.copy_behind(array, len, bytes);
    }

    /// Apart from the short way, which is inlined into the sending of each message.
    #[inline(never)]
    fn share_long_behind<const N: usize>(&mut self, array: [u8; N], len: usize, bytes: Bytes) {
        let bytes_needed = N + bytes.len();
        let has_room = self.memory.as_ref().is_some_and(|memory| memory.0.has_room(bytes_needed));
        if has_room && bytes.len() < SHARED_DESPITE_ROOM_BYTES_MIN {
            return self.copy_behind(&array, len, &bytes);
        }
        self.copy_front(&array, len);
        self.waiting().share(bytes);
    }

    #[inline(always)]
    fn copy_behind<const N: usize>(&mut self, array: &[u8; N], len: usize, bytes: &[u8]) {
        let waiting = self.waiting();
        let room = waiting.room(N + bytes.len());
        room[..N].copy_from_slice(array);
        room[len..len + bytes.len()].copy_from_slice(bytes);
        waiting.fill(len + bytes.len());
    }

    /// Queues the bytes; long ones without a copy.
    #[inline(always)]
    pub fn share(&mut self, bytes: Bytes) {
        self.share_behind(&[], 0, bytes);
    }

    /// Queues a masked copy of the bytes.
    #[inline(always)]
    pub(crate) fn copy_masked(&mut self, bytes: &[u8], key: MaskingKey) {
        let waiting = self.waiting();
        mask_into(bytes, waiting.room(bytes.len()), key);
        waiting.fill(bytes.len());
    }

    /// The waiting bytes in order, in as few slices as they lie in; none of them is empty.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        waiting::chunks(self.memory.as_ref().map(|memory| &*memory.0))
    }

    /// All that waits, if it lies in one slice, as it does unless long payloads wait.
    #[inline]
    pub fn only_chunk(&self) -> Option<&[u8]> {
        let Some(OutputMemory(waiting)) = &self.memory else { return Some(&[]) };
        waiting.only_chunk()
    }

    /// Removes the first `count` bytes, which have been written.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.departed += count as u64;
        if let Some(memory) = &mut self.memory {
            memory.0.advance(count);
        }
    }

    /// The place in the stream behind the last byte that waits.
    #[inline]
    pub(crate) fn end(&self) -> u64 {
        self.departed + self.len() as u64
    }

    /// Whether everything before this place has left.
    #[inline]
    pub(crate) fn has_left(&self, place: u64) -> bool {
        self.departed >= place
    }

    /// Takes the memory away, of which nothing is in use, so that an idle connection holds none.
    ///
    /// Returns nothing while bytes wait. The next bytes that are queued bring memory of their own,
    /// unless some is [lent](Output::lend) before.
    #[inline]
    pub fn release(&mut self) -> Option<OutputMemory> {
        let mut memory = self.memory.take_if(|memory| memory.0.len() == 0)?;
        memory.0.release();
        Some(memory)
    }

    /// Forgets what waits, and gives the memory it lay in.
    pub fn discard(&mut self) -> Option<OutputMemory> {
        let mut memory = core::mem::take(self).memory?;
        memory.0.discard();
        Some(memory)
    }

    /// Whether there is memory to copy into without asking for more.
    #[inline]
    pub fn has_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Gives memory for bytes to wait in. It is used only where [there is none](Output::has_memory)
    /// yet.
    #[inline]
    pub fn lend(&mut self, memory: OutputMemory) {
        self.memory.get_or_insert(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_leave_in_the_order_they_came(
            pieces in proptest::collection::vec((any::<bool>(), 0..2 * SHARED_BYTES_MIN), 0..12),
            steps in proptest::collection::vec(1..4 * SHARED_BYTES_MIN, 1..40),
        ) {
            let mut output = Output::default();
            let mut expected = Vec::new();
            for (number, (copied, len)) in pieces.into_iter().enumerate() {
                let piece: Vec<u8> = (0..len).map(|place| (place + number) as u8).collect();
                expected.extend_from_slice(&piece);
                if copied { output.copy(&piece) } else { output.share(piece.into()) }
            }
            for step in steps {
                prop_assert_eq!(output.len(), expected.len());
                let waiting: Vec<u8> = output.chunks().flatten().copied().collect();
                prop_assert_eq!(&waiting, &expected);
                prop_assert!(output.chunks().all(|chunk| !chunk.is_empty()));
                let step = step.min(expected.len());
                output.advance(step);
                expected.drain(..step);
            }
        }
    }

    #[test]
    fn long_bytes_are_shared_at_once_or_where_a_copy_has_no_room() {
        let is_shared = |room: usize, len: usize| {
            let (mut output, bytes) = (Output::default(), Bytes::from(vec![0; len]));
            output.lend(OutputMemory::new(room));
            output.share(bytes.clone());
            assert_eq!(output.len(), len);
            output.chunks().any(|chunk| chunk.as_ptr() == bytes.as_ptr())
        };
        let (short, long) = (SHARED_BYTES_MIN, SHARED_DESPITE_ROOM_BYTES_MIN);
        assert!(!is_shared(short - 2, short - 1));
        assert!(is_shared(short - 1, short) && !is_shared(short, short));
        assert!(is_shared(long - 2, long - 1) && !is_shared(long - 1, long - 1));
        assert!(is_shared(long, long));
    }

    #[test]
    fn many_long_messages_take_no_memory_for_copies() {
        let mut output = Output::default();
        output.lend(OutputMemory::new(64 << 10));
        let bytes = Bytes::from(vec![0; 16 << 10]);
        (0..16).for_each(|_| output.share_behind(b"head", 4, bytes.clone()));
        assert_eq!(output.len(), 16 * (4 + bytes.len()));
        output.advance(output.len());
        assert_eq!(output.release().unwrap().capacity(), 64 << 10);
    }

    #[test]
    fn an_empty_output_gives_its_memory_back() {
        let mut output = Output::default();
        output.copy(b"x");
        output.share(Bytes::from(vec![0; SHARED_BYTES_MIN]));
        assert!(output.release().is_none());
        output.advance(1 + SHARED_BYTES_MIN);
        assert!(output.release().is_some_and(|memory| memory.capacity() > 0));
        assert!(!output.has_memory());
    }
}
