//! Text unmasked and checked to be UTF-8 in one pass, with the processor's wide vectors.
//!
//! The method is that of Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per
//! Byte": whether two bytes may follow each other is looked up by three of their four halves. Every
//! kind of error has a bit, each half says which errors it allows, and an error that all three allow
//! is one. What remains is that third and fourth bytes of a character stand where a lead byte
//! demands them, and nowhere else.

use crate::{
    mask::{RotateByBytes, mask},
    vector::{Vector, has_avx2, has_avx512},
};
use core::arch::x86_64::{__m256i, __m512i};

// Two bytes that follow each other are wrong because…
/// … a lead byte is not followed by a continuation.
const TOO_SHORT: u8 = 1 << 0;
/// … a continuation follows ASCII.
const TOO_LONG: u8 = 1 << 1;
/// … three bytes hold what two can hold.
const OVERLONG_3: u8 = 1 << 2;
/// … the character is beyond U+10FFFF, by the second byte.
const TOO_LARGE: u8 = 1 << 3;
/// … the character is a surrogate.
const SURROGATE: u8 = 1 << 4;
/// … two bytes hold what one can hold.
const OVERLONG_2: u8 = 1 << 5;
/// … the character is beyond U+10FFFF by the lead byte, with a second byte of 80 to 8F.
const TOO_LARGE_1000: u8 = 1 << 6;
/// … four bytes hold what three can hold. Shares its bit: the two have no lead byte in common.
const OVERLONG_4: u8 = 1 << 6;
/// … a continuation follows another, which is right where a third or fourth byte has to be.
const TWO_CONTINUATIONS: u8 = 1 << 7;

/// Errors that do not depend on the lower half of the first byte.
const ANY_LOW: u8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;

/// By the upper half of the first byte.
const FIRST_HIGH: [u8; 16] = {
    let mut table = [TOO_LONG; 16];
    let mut continuation = 0x8;
    while continuation < 0xC {
        table[continuation] = TWO_CONTINUATIONS;
        continuation += 1;
    }
    table[0xC] = TOO_SHORT | OVERLONG_2;
    table[0xD] = TOO_SHORT;
    table[0xE] = TOO_SHORT | OVERLONG_3 | SURROGATE;
    table[0xF] = TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4;
    table
};

/// By the lower half of the first byte.
const FIRST_LOW: [u8; 16] = {
    let mut table = [ANY_LOW | TOO_LARGE | TOO_LARGE_1000; 16];
    table[0x0] = ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4;
    table[0x1] = ANY_LOW | OVERLONG_2;
    table[0x2] = ANY_LOW;
    table[0x3] = ANY_LOW;
    table[0x4] = ANY_LOW | TOO_LARGE;
    table[0xD] |= SURROGATE;
    table
};

/// By the upper half of the second byte.
const SECOND_HIGH: [u8; 16] = {
    let any_continuation = TOO_LONG | TWO_CONTINUATIONS | OVERLONG_2;
    let mut table = [TOO_SHORT; 16];
    table[0x8] = any_continuation | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4;
    table[0x9] = any_continuation | OVERLONG_3 | TOO_LARGE;
    table[0xA] = any_continuation | SURROGATE | TOO_LARGE;
    table[0xB] = any_continuation | SURROGATE | TOO_LARGE;
    table
};

/// By the upper half of the byte two before: whether a second continuation has to follow it.
const DEMANDS_THIRD: [u8; 16] = {
    let mut table = [0; 16];
    table[0xE] = TWO_CONTINUATIONS;
    table[0xF] = TWO_CONTINUATIONS;
    table
};

/// By the upper half of the byte three before: whether a third continuation has to follow it.
const DEMANDS_FOURTH: [u8; 16] = {
    let mut table = [0; 16];
    table[0xF] = TWO_CONTINUATIONS;
    table
};

/// So many blocks are looked at together, to see at once that all of them are ASCII.
const TOGETHER: usize = 4;

/// Unmasks whole characters in place and says whether they are UTF-8, with the widest vectors that
/// the processor has; or does nothing and returns `None` where it has none that are wide.
#[inline(always)]
pub(super) fn unmask_and_check(bytes: &mut [u8], key: [u8; 4]) -> Option<bool> {
    if has_avx512() {
        // SAFETY: the processor has the instructions.
        Some(unsafe { with_avx512(bytes, key) })
    } else if has_avx2() {
        // SAFETY: the processor has the instructions.
        Some(unsafe { with_avx2(bytes, key) })
    } else {
        None
    }
}

#[target_feature(enable = "avx512bw,avx512vbmi")]
fn with_avx512(bytes: &mut [u8], key: [u8; 4]) -> bool {
    unmask_and_check_with::<__m512i, 64>(bytes, key)
}

#[target_feature(enable = "avx2")]
fn with_avx2(bytes: &mut [u8], key: [u8; 4]) -> bool {
    unmask_and_check_with::<__m256i, 32>(bytes, key)
}

#[inline(always)]
fn unmask_and_check_with<V: Vector<N>, const N: usize>(bytes: &mut [u8], key: [u8; 4]) -> bool {
    let Some(end) = bytes.last_chunk() else {
        mask(bytes, key, 0);
        return super::check(bytes).is_ok();
    };
    // The last bytes are unmasked aside, so that there is nothing to loop over behind the last whole block.
    let end_key = u32::from_ne_bytes(key).rotate_by_bytes(bytes.len() % 4);
    let end = V::load(end).xor(V::splat(end_key.to_ne_bytes()));
    let mut checker = Checker::<V, N>::new();
    let key = V::splat(key);
    let (blocks, rest) = bytes.as_chunks_mut::<N>();
    let (groups, blocks) = blocks.as_chunks_mut::<TOGETHER>();
    for group in groups {
        checker.check_all(group.each_mut().map(|block| unmask_block(block, key)));
    }
    for block in blocks {
        checker.check_all([unmask_block(block, key)]);
    }
    // What is behind the last whole block, and then zeros, so that a character that is cut short shows as one.
    let mut padded = [[0; N]; 2];
    end.store(&mut padded[0]);
    let Some(last) = padded.as_flattened()[N - rest.len()..].first_chunk() else { return false };
    checker.check_all([V::load(last)]);
    if let Some(place) = bytes.last_chunk_mut() {
        end.store(place);
    }
    checker.is_valid()
}

#[inline(always)]
fn unmask_block<V: Vector<N>, const N: usize>(block: &mut [u8; N], key: V) -> V {
    let unmasked = V::load(block).xor(key);
    unmasked.store(block);
    unmasked
}

/// Looks at one block after the other.
struct Checker<V, const N: usize> {
    /// The upper halves of the block before.
    high: V,
    /// Which errors that block's bytes allow as the first of two.
    by_first: V,
    is_ascii: bool,
    errors: V,
}

impl<V: Vector<N>, const N: usize> Checker<V, N> {
    #[inline(always)]
    fn new() -> Self {
        let (zero, of_ascii) = (V::splat([0; 4]), V::splat([TOO_LONG; 4]));
        Checker { high: zero, by_first: of_ascii, is_ascii: true, errors: zero }
    }

    // With loops, for what an iterator calls is not compiled for these vectors.
    #[inline(always)]
    fn check_all<const COUNT: usize>(&mut self, blocks: [V; COUNT]) {
        let mut all = blocks[0];
        for block in &blocks[1..] {
            all = all.or(*block);
        }
        let is_ascii = all.is_ascii();
        // ASCII that follows ASCII is always right, and what is remembered of it the same.
        if !is_ascii || !self.is_ascii {
            for block in blocks {
                self.check(block);
            }
        }
        self.is_ascii = is_ascii;
    }

    #[inline(always)]
    fn check(&mut self, block: V) {
        let high = block.high_half();
        let by_first = high.look_up(&FIRST_HIGH).and(block.low_half().look_up(&FIRST_LOW));
        let by_both = by_first.behind::<1>(self.by_first).and(high.look_up(&SECOND_HIGH));
        let demanded = high
            .behind::<2>(self.high)
            .look_up(&DEMANDS_THIRD)
            .or(high.behind::<3>(self.high).look_up(&DEMANDS_FOURTH));
        self.errors = self.errors.or(by_both.xor(demanded));
        (self.high, self.by_first) = (high, by_first);
    }

    #[inline(always)]
    fn is_valid(&self) -> bool {
        self.errors.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec, vec::Vec};
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// Holds the method, with all vectors that this processor has, against the standard library.
    fn check_all(bytes: &[u8], key: [u8; 4]) {
        let expected = core::str::from_utf8(bytes).is_ok();
        let check = |with: unsafe fn(&mut [u8], [u8; 4]) -> bool, name| {
            let mut masked = bytes.to_vec();
            crate::mask(&mut masked, key, 0);
            // SAFETY: asked for before each call below.
            let is_valid = unsafe { with(&mut masked, key) };
            assert_eq!(is_valid, expected, "{name}: {bytes:x?}");
            assert_eq!(masked, bytes, "{name}");
        };
        if has_avx2() {
            check(with_avx2, "AVX2");
        }
        if has_avx512() {
            check(with_avx512, "AVX-512");
        }
    }

    /// Checks these bytes among others, across the ends of blocks and at the end of all.
    fn check_everywhere(bytes: &[u8]) {
        for (len, place) in
            [(130, 30), (70, 61), (67, 63), (36, 36 - bytes.len()), (100, 100 - bytes.len())]
        {
            let mut text = vec![b'a'; len];
            text[place..place + bytes.len()].copy_from_slice(bytes);
            check_all(&text, KEY);
        }
    }

    #[test]
    fn all_that_two_bytes_can_be() {
        for (first, second) in
            (0..=255).flat_map(|first| (0..=255).map(move |second| (first, second)))
        {
            check_everywhere(&[first, second]);
        }
    }

    /// The third and fourth bytes can only be continuations or not.
    const EDGES: [u8; 4] = [0x7F, 0x80, 0xBF, 0xC0];

    #[test]
    fn all_that_three_bytes_can_be() {
        for first in 0xC0..=0xFF {
            for (second, third) in (0..=255).flat_map(|second| EDGES.map(|third| (second, third))) {
                check_everywhere(&[first, second, third]);
            }
        }
    }

    #[test]
    fn all_that_four_bytes_can_be() {
        for first in 0xE0..=0xFF {
            for (second, third) in (0..=255).flat_map(|second| EDGES.map(|third| (second, third))) {
                for fourth in EDGES {
                    check_everywhere(&[first, second, third, fourth]);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn text_of_any_length_cut_and_damaged_anywhere(
            text in "(\\PC|[a-z]{60,300}|é|漢|🦀){0,60}",
            cut in any::<prop::sample::Index>(),
            damage in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
            key in any::<[u8; 4]>(),
        ) {
            let text: String = text;
            check_all(text.as_bytes(), key);
            let mut bytes = Vec::from(text);
            bytes.truncate(cut.index(bytes.len() + 1));
            if let (Some((index, byte)), false) = (damage, bytes.is_empty()) {
                let place = index.index(bytes.len());
                bytes[place] = byte;
            }
            check_all(&bytes, key);
        }
    }
}
