//! Bytes that have arrived, and how much of them is known to be text.

use crate::utf8::{self, InvalidUtf8};
use crate::{Payload, TextPayload, mask};
use bytes::buf::UninitSlice;
use bytes::{BufMut, BytesMut};
use core::{
    fmt,
    ops::{Deref, Range},
};

/// The bytes that have arrived and were not received yet. What arrives is appended.
///
/// A text that arrives in parts is checked to be UTF-8 part by part, so that it is refused at its
/// first bad byte; and once only, for the input remembers how much of its front was checked. Nobody
/// can change that part and leave it checked.
///
/// ```
/// # use wskit_bytes::Input;
/// let mut input = Input::new();
/// input.extend_from_slice(b"caf\xc3"); // the part ends inside a character
/// input.unmask_text(0..4, [0; 4], 0)?;
/// input.extend_from_slice(b"\xa9!");
/// input.unmask_text(4..6, [0; 4], 4)?;
/// assert_eq!(&*input.text_in_front(6)?, "café!");
/// # Ok::<(), wskit_bytes::InvalidUtf8>(())
/// ```
#[derive(Default)]
pub struct Input {
    bytes: BytesMut,
    /// So many bytes in front are UTF-8.
    checked_bytes: usize,
}

impl Input {
    /// An input without bytes or memory.
    #[inline]
    pub fn new() -> Input {
        Input::default()
    }

    /// How many bytes there can be before memory is taken.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many bytes more.
    #[inline]
    pub fn reserve(&mut self, additional: usize) {
        self.bytes.reserve(additional);
    }

    /// Makes room for so many bytes more if that takes no new memory: what shared this memory has
    /// been dropped. Whether it did.
    pub fn try_reclaim(&mut self, additional: usize) -> bool {
        self.bytes.try_reclaim(additional)
    }

    /// Appends all bytes to another input. If that is empty, what was checked need not be checked
    /// again there.
    pub fn copy_to(&self, other: &mut Input) {
        if other.bytes.is_empty() {
            other.checked_bytes = self.checked_bytes;
        }
        other.bytes.extend_from_slice(&self.bytes);
    }

    /// Appends bytes.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes, to do anything with. None of them counts as checked any more, so a text that is
    /// long is checked from its beginning whenever this was called; what only arrives is appended
    /// with [`extend_from_slice`](Input::extend_from_slice) or as to any [`BufMut`].
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut BytesMut {
        self.checked_bytes = 0;
        &mut self.bytes
    }

    /// The bytes from here on, to do anything with. What was checked before them stays so.
    pub fn bytes_from(&mut self, start: usize) -> &mut [u8] {
        if start < self.checked_bytes {
            self.checked_bytes = 0;
        }
        &mut self.bytes[start..]
    }

    /// Cuts the bytes, or appends zeros, to this length.
    pub fn resize(&mut self, len: usize) {
        if len < self.checked_bytes {
            self.checked_bytes = 0;
        }
        self.bytes.resize(len, 0);
    }

    /// Checks what has been appended of a text that begins at the front of the input and is not
    /// masked. A last character that is cut short is checked with what comes next.
    pub fn check_text(&mut self) -> Result<(), InvalidUtf8> {
        self.checked_bytes += utf8::check_begun(&self.bytes[self.checked_bytes..])?;
        Ok(())
    }

    /// Unmasks what has arrived of a text and checks it, in one pass. The text begins at the front
    /// of the input, and what stands of it before `masked` is unmasked already. `offset` is the
    /// place of the first masked byte within its payload, as it is for [`mask`](mask()).
    ///
    /// A last character that is cut short is checked with what comes next. After an error the
    /// content of the input is of no further use.
    pub fn unmask_text(
        &mut self,
        masked: Range<usize>,
        key: [u8; 4],
        offset: usize,
    ) -> Result<(), InvalidUtf8> {
        let end = masked.end.min(self.bytes.len());
        let start = masked.start.min(end);
        if start < self.checked_bytes {
            self.checked_bytes = 0;
        }
        let unchecked = &mut self.bytes[self.checked_bytes..end];
        let begun_bytes = start - self.checked_bytes;
        // The beginning of a character that was cut is masked again, for all to go in one pass.
        let mut key = key;
        key.rotate_left(offset.wrapping_sub(begun_bytes) % 4);
        mask(&mut unchecked[..begun_bytes], key, 0);
        self.checked_bytes += utf8::unmask_and_check_begun(unchecked, key)?;
        Ok(())
    }

    /// The first `len` bytes as a text. Only what was not checked as it came is checked now. What
    /// is no text is removed.
    #[inline]
    pub fn text_in_front(&mut self, len: usize) -> Result<TextPayload<'_>, InvalidUtf8> {
        let len = len.min(self.bytes.len());
        let checked_bytes = core::mem::take(&mut self.checked_bytes);
        // What ends within the part that was checked may end within a character.
        let checked_bytes = if checked_bytes <= len { checked_bytes } else { 0 };
        let payload = Payload::front_of(&mut self.bytes, len);
        utf8::check(&payload[checked_bytes..])?;
        // SAFETY: both parts of it are UTF-8, so all of it is. The first was when it was counted;
        // since then nothing but bytes behind it was added, changed or cut off, for whatever does
        // anything else to the bytes begins with setting the count to zero.
        Ok(unsafe { TextPayload::from_checked(payload) })
    }
}

impl From<BytesMut> for Input {
    #[inline]
    fn from(bytes: BytesMut) -> Input {
        Input { bytes, checked_bytes: 0 }
    }
}

impl From<&[u8]> for Input {
    fn from(bytes: &[u8]) -> Input {
        BytesMut::from(bytes).into()
    }
}

impl Deref for Input {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

// SAFETY: all is passed on to a `BytesMut`, which keeps what the trait promises.
unsafe impl BufMut for Input {
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.bytes.remaining_mut()
    }

    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        // SAFETY: the caller promises what the `BytesMut` asks for.
        unsafe { self.bytes.advance_mut(count) }
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        self.bytes.chunk_mut()
    }
}

/// Says how much there is, and not what: it may be secret.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// Lets the bytes arrive in parts of these lengths, over and over, as payloads that each begin
    /// with the key anew or as one. Says after how many bytes it failed, if it did.
    fn arrive(input: &mut Input, bytes: &[u8], parts: &[usize], one: bool) -> Result<(), usize> {
        let mut rest = bytes;
        for part_bytes in parts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, behind) = rest.split_at((*part_bytes).min(rest.len()));
            let start = input.len();
            let offset = if one { start } else { 0 };
            input.extend_from_slice(part);
            mask(&mut input.bytes[start..], KEY, offset);
            input.unmask_text(start..input.len(), KEY, offset).map_err(|_| input.len())?;
            rest = behind;
        }
        assert_eq!(**input, *bytes);
        Ok(())
    }

    #[test]
    fn what_was_checked_is_known_in_other_memory_too() {
        let (mut input, mut other) = (Input::from(&b"caf\xc3"[..]), Input::new());
        input.unmask_text(0..4, [0; 4], 0).unwrap();
        assert_eq!(input.checked_bytes, 3);
        input.copy_to(&mut other);
        assert_eq!((&*other, other.checked_bytes), (&*input, 3));
        // Behind other bytes it is not at the front.
        let mut behind = Input::from(&b"\xa9"[..]);
        input.copy_to(&mut behind);
        assert_eq!((&*behind, behind.checked_bytes), (&b"\xa9caf\xc3"[..], 0));
        let _whether_it_did = input.try_reclaim(1);
        assert_eq!(input.checked_bytes, 3);
    }

    #[test]
    fn characters_may_be_cut_at_every_point() {
        let text = "a é 漢 🦀 ".repeat(20);
        for start in 1..30 {
            for (len, one) in (1..10).flat_map(|len| [(len, true), (len, false)]) {
                let mut input = Input::new();
                arrive(&mut input, text.as_bytes(), &[start, len], one).unwrap();
                assert_eq!(input.checked_bytes, text.len());
                assert_eq!(&*input.text_in_front(usize::MAX).unwrap(), text);
                assert!(input.is_empty());
            }
        }
    }

    #[test]
    fn a_text_may_not_end_within_a_character() {
        let mut input = Input::new();
        arrive(&mut input, "a🦀".as_bytes(), &[4], true).unwrap();
        assert!(input.text_in_front(4).is_err());
        assert_eq!(input.len(), 1, "what is no text was removed");
        let mut input = Input::new();
        arrive(&mut input, "a🦀".as_bytes(), &[4], true).unwrap();
        assert!(input.text_in_front(3).is_err(), "the character is whole, but not in here");
    }

    #[test]
    fn what_may_have_been_changed_is_checked_anew() {
        let mut input = Input::new();
        arrive(&mut input, b"text", &[2], true).unwrap();
        input.bytes_mut()[1] = 0xFF;
        assert!(input.text_in_front(4).is_err());
        // Unmasked again, and so masked.
        arrive(&mut input, "tëxt".as_bytes(), &[2], true).unwrap();
        assert!(input.unmask_text(0..2, [0x80; 4], 0).is_err());
        assert!(input.text_in_front(5).is_err());
    }

    #[test]
    fn more_room_and_more_bytes_leave_the_front_checked() {
        let mut input = Input::new();
        arrive(&mut input, b"text", &[4], true).unwrap();
        input.reserve(100_000);
        input.put_slice(b"\xFF");
        assert_eq!(input.checked_bytes, 4);
        assert_eq!(&*input.text_in_front(4).unwrap(), "text");
        assert_eq!(*input, *b"\xFF");
    }

    #[test]
    fn what_is_made_in_place_is_checked_once_and_what_is_cut_or_changed_anew() {
        let mut input = Input::new();
        input.resize(4);
        input.bytes_from(0).copy_from_slice(b"caf\xc3");
        input.check_text().unwrap();
        input.resize(6);
        input.bytes_from(4).copy_from_slice(b"\xa9!");
        assert_eq!(input.checked_bytes, 3);
        input.check_text().unwrap();
        assert_eq!(input.checked_bytes, 6);
        input.resize(100);
        input.resize(6);
        assert_eq!(input.checked_bytes, 6);
        input.bytes_from(5)[0] = 0xFF;
        assert!(input.check_text().is_err());
        input.bytes_from(5)[0] = b'?';
        input.check_text().unwrap();
        // Cut within a character that was checked.
        input.resize(4);
        assert_eq!(input.checked_bytes, 0);
        // What comes behind a cut is not what was checked there.
        input.extend_from_slice(b"\xFF\xFF");
        assert!(input.text_in_front(6).is_err());
    }

    proptest! {
        #[test]
        fn a_text_in_parts_is_what_the_standard_library_says(
            text in "(\\PC|[a-z]{60,300}|é|漢|🦀){0,60}",
            damage in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
            parts in proptest::collection::vec(1..300usize, 1..6),
            one in any::<bool>(),
        ) {
            let mut bytes = Vec::from(text);
            if let (Some((index, byte)), false) = (damage, bytes.is_empty()) {
                let place = index.index(bytes.len());
                bytes[place] = byte;
            }
            let mut input = Input::new();
            match arrive(&mut input, &bytes, &parts, one) {
                Ok(()) => {
                    let text = input.text_in_front(bytes.len());
                    prop_assert_eq!(text.as_deref().ok(), core::str::from_utf8(&bytes).ok());
                }
                // Here it can be seen to be bad, and with the part before it could not.
                Err(failed_after) => {
                    let error = core::str::from_utf8(&bytes[..failed_after]).unwrap_err();
                    prop_assert!(error.error_len().is_some());
                    prop_assert!(error.valid_up_to() >= input.checked_bytes);
                }
            }
        }
    }
}
