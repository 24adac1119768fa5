//! UTF-8 checked as bytes arrive (RFC 6455 §8.1, RFC 3629).

#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod wide;

use crate::mask::mask;
use core::fmt;

/// Checks UTF-8 that arrives in pieces, cut anywhere, and refuses it at the first bad byte.
///
/// ```
/// # use wskit_bytes::Utf8Validator;
/// let mut validator = Utf8Validator::default();
/// validator.push(b"caf\xc3")?; // the piece ends inside a character
/// assert!(!validator.is_complete());
/// validator.push(b"\xa9")?;
/// assert!(validator.is_complete());
/// assert!(validator.push(b"\xff").is_err());
/// # Ok::<(), wskit_bytes::InvalidUtf8>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    /// The beginning of a character whose end has not arrived.
    begun: [u8; 3],
    begun_bytes: u8,
}

/// The bytes are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUtf8;

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not valid UTF-8")
    }
}

impl core::error::Error for InvalidUtf8 {}

impl Utf8Validator {
    /// Checks the next piece. After an error the validator is of no further use.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), InvalidUtf8> {
        while self.begun_bytes > 0 {
            let Some((&next, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.push_into_begun(next)?;
        }
        let (whole, begun) = split_before_cut_character(bytes);
        check(whole)?;
        self.begun[..begun.len()].copy_from_slice(begun);
        self.begun_bytes = begun.len() as u8;
        Ok(())
    }

    /// Whether all that was pushed ends with a whole character, as a whole message must.
    pub fn is_complete(&self) -> bool {
        self.begun_bytes == 0
    }

    fn push_into_begun(&mut self, next: u8) -> Result<(), InvalidUtf8> {
        let count = usize::from(self.begun_bytes);
        let mut character = [0; 4];
        character[..count].copy_from_slice(&self.begun[..count]);
        character[count] = next;
        match core::str::from_utf8(&character[..=count]) {
            Ok(_) => self.begun_bytes = 0,
            Err(error) if error.error_len().is_some() => return Err(InvalidUtf8),
            Err(_) => {
                self.begun[count] = next;
                self.begun_bytes += 1;
            }
        }
        Ok(())
    }
}

/// Checks bytes that must be whole characters.
#[inline]
pub(crate) fn check(bytes: &[u8]) -> Result<(), InvalidUtf8> {
    if bytes.len() < SHORT_BYTES_MAX && is_ascii(bytes) {
        return Ok(());
    }
    simdutf8::basic::from_utf8(bytes).map(|_| ()).map_err(|_| InvalidUtf8)
}

/// From this length on, looking for ASCII first saves less than it costs where there is other text.
const SHORT_BYTES_MAX: usize = 128;

/// Below this length the choice of instructions costs more than one pass saves.
const WIDE_BYTES_MIN: usize = 128;

/// Most short text is, and this sees it at a fraction of what it costs to check any text.
#[inline(always)]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let Some(end) = bytes.last_chunk::<8>() else {
        return bytes.iter().all(u8::is_ascii);
    };
    let words = bytes.as_chunks::<8>().0;
    let all =
        words.iter().fold(u64::from_ne_bytes(*end), |all, word| all | u64::from_ne_bytes(*word));
    all & HIGH_BITS == 0
}

/// Unmasks bytes that must be whole characters in place and checks them, in one pass over memory
/// where they are long and the processor has the vectors for it.
#[inline(always)]
pub(crate) fn unmask_and_check(bytes: &mut [u8], key: [u8; 4]) -> Result<(), InvalidUtf8> {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if bytes.len() >= WIDE_BYTES_MIN
        && let Some(is_valid) = wide::unmask_and_check(bytes, key)
    {
        return if is_valid { Ok(()) } else { Err(InvalidUtf8) };
    }
    mask(bytes, key, 0);
    check(bytes)
}

/// Checks text of which only the beginning is there. A last character that is cut short is not
/// checked; says how many bytes come before it.
pub(crate) fn check_begun(bytes: &[u8]) -> Result<usize, InvalidUtf8> {
    let (whole, _cut) = split_before_cut_character(bytes);
    check(whole)?;
    Ok(whole.len())
}

/// [`unmask_and_check`] for text of which only the beginning is there. A last character that is cut short is
/// unmasked but not checked; says how many bytes come before it.
pub(crate) fn unmask_and_check_begun(bytes: &mut [u8], key: [u8; 4]) -> Result<usize, InvalidUtf8> {
    let Some(mut last) = bytes.last_chunk::<3>().copied().filter(|_| bytes.len() >= WIDE_BYTES_MIN)
    else {
        mask(bytes, key, 0);
        return check_begun(bytes);
    };
    // Where it is cut has to be known before the one pass, and so the last bytes are unmasked aside.
    mask(&mut last, key, bytes.len() - 3);
    let (_, cut) = split_before_cut_character(&last);
    let (whole, cut) = bytes.split_at_mut(bytes.len() - cut.len());
    mask(cut, key, whole.len());
    unmask_and_check(whole, key)?;
    Ok(whole.len())
}

/// Splits off a last character that may be valid but is cut short.
fn split_before_cut_character(bytes: &[u8]) -> (&[u8], &[u8]) {
    let last = bytes.len().saturating_sub(3);
    let lead = bytes[last..].iter().rposition(|byte| !is_continuation(*byte));
    let Some(lead) = lead.map(|position| last + position) else { return (bytes, &[]) };
    match core::str::from_utf8(&bytes[lead..]) {
        Err(error) if error.error_len().is_none() => bytes.split_at(lead),
        _ => (bytes, &[]),
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn push_in_pieces(bytes: &[u8], piece_bytes: usize) -> Result<bool, InvalidUtf8> {
        let mut validator = Utf8Validator::default();
        for piece in bytes.chunks(piece_bytes) {
            validator.push(piece)?;
        }
        Ok(validator.is_complete())
    }

    #[test]
    fn fails_at_the_first_bad_byte() {
        // Overlong, surrogate, beyond U+10FFFF: all known bad before their last byte.
        for bad in [&b"\xc0"[..], b"\xe0\x80", b"\xed\xa0", b"\xf4\x90", b"\xf5", b"\x80"] {
            for piece_bytes in 1..=bad.len() {
                assert_eq!(push_in_pieces(bad, piece_bytes), Err(InvalidUtf8), "{bad:x?}");
            }
        }
    }

    #[test]
    fn no_byte_of_a_short_text_is_passed_over() {
        for len in 0..=SHORT_BYTES_MAX {
            let mut text = alloc::vec![b'a'; len];
            assert_eq!(check(&text), Ok(()));
            for place in 0..len {
                text[place] = 0x80;
                assert_eq!(check(&text), Err(InvalidUtf8), "{place} of {len}");
                text[place] = b'a';
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_valid() {
        for good in ["\u{0}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{10ffff}"] {
            for piece_bytes in 1..=4 {
                assert_eq!(push_in_pieces(good.as_bytes(), piece_bytes), Ok(true));
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(
            mut bytes in "\\PC{0,40}".prop_map(Vec::from),
            damage in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
            piece_bytes in 1..20usize,
        ) {
            if let (Some((index, byte)), false) = (damage, bytes.is_empty()) {
                let place = index.index(bytes.len());
                bytes[place] = byte;
            }
            let expected = match core::str::from_utf8(&bytes) {
                Ok(_) => Ok(true),
                Err(error) if error.error_len().is_none() => Ok(false),
                Err(_) => Err(InvalidUtf8),
            };
            prop_assert_eq!(push_in_pieces(&bytes, piece_bytes), expected);
        }
    }
}
