//! What the processor's vectors of 32 and of 64 bytes can do.

#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "it is the same for all of a trait's functions, and stands there"
)]

use core::arch::x86_64::*;

/// Whether the vectors of 64 bytes can do it all. Processors that can lose no speed by their use.
#[inline(always)]
pub(crate) fn has_avx512() -> bool {
    std::is_x86_feature_detected!("avx512vbmi") && std::is_x86_feature_detected!("avx512bw")
}

#[inline(always)]
pub(crate) fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2")
}

/// A vector of `N` bytes, a multiple of 16.
///
/// Its functions are inlined into whoever calls them and need the instructions that they are made
/// of, so nothing but a function that has these enabled may use a type that implements it.
pub(crate) trait Vector<const N: usize>: Copy {
    fn load(bytes: &[u8; N]) -> Self;
    fn store(self, bytes: &mut [u8; N]);
    /// These bytes again and again.
    fn splat(bytes: [u8; 4]) -> Self;
    fn xor(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn high_half(self) -> Self;
    fn low_half(self) -> Self;
    /// What the table has for each byte, which is below 16.
    fn look_up(self, table: &[u8; 16]) -> Self;
    /// Each place has the byte that stands `COUNT` before it, at most 3; `before` stands before all.
    fn behind<const COUNT: i32>(self, before: Self) -> Self;
    fn is_ascii(self) -> bool;
    fn is_zero(self) -> bool;
}

// SAFETY of all that follows: as the trait says, whoever calls has the instructions enabled. What is
// loaded and stored is an array as long as the vector, of any alignment.

impl Vector<32> for __m256i {
    #[inline(always)]
    fn load(bytes: &[u8; 32]) -> Self {
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8; 32]) {
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), self) }
    }

    #[inline(always)]
    fn splat(bytes: [u8; 4]) -> Self {
        unsafe { _mm256_set1_epi32(i32::from_ne_bytes(bytes)) }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        unsafe { _mm256_xor_si256(self, other) }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        unsafe { _mm256_or_si256(self, other) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        unsafe { _mm256_and_si256(self, other) }
    }

    #[inline(always)]
    fn high_half(self) -> Self {
        unsafe { _mm256_srli_epi16(self, 4) }.low_half()
    }

    #[inline(always)]
    fn low_half(self) -> Self {
        self.and(Self::splat([0x0F; 4]))
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16]) -> Self {
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            _mm256_shuffle_epi8(table, self)
        }
    }

    #[inline(always)]
    fn behind<const COUNT: i32>(self, before: Self) -> Self {
        unsafe {
            // Bytes move within halves only, so each half is joined with the half before it.
            let halves_before = _mm256_permute2x128_si256(before, self, 0x21);
            match COUNT {
                1 => _mm256_alignr_epi8(self, halves_before, 15),
                2 => _mm256_alignr_epi8(self, halves_before, 14),
                _ => _mm256_alignr_epi8(self, halves_before, 13),
            }
        }
    }

    #[inline(always)]
    fn is_ascii(self) -> bool {
        unsafe { _mm256_movemask_epi8(self) == 0 }
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        unsafe { _mm256_testz_si256(self, self) == 1 }
    }
}

impl Vector<64> for __m512i {
    #[inline(always)]
    fn load(bytes: &[u8; 64]) -> Self {
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8; 64]) {
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), self) }
    }

    #[inline(always)]
    fn splat(bytes: [u8; 4]) -> Self {
        unsafe { _mm512_set1_epi32(i32::from_ne_bytes(bytes)) }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        unsafe { _mm512_xor_si512(self, other) }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        unsafe { _mm512_or_si512(self, other) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        unsafe { _mm512_and_si512(self, other) }
    }

    #[inline(always)]
    fn high_half(self) -> Self {
        unsafe { _mm512_srli_epi16(self, 4) }.low_half()
    }

    #[inline(always)]
    fn low_half(self) -> Self {
        self.and(Self::splat([0x0F; 4]))
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16]) -> Self {
        unsafe {
            let table = _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast()));
            _mm512_shuffle_epi8(table, self)
        }
    }

    #[inline(always)]
    fn behind<const COUNT: i32>(self, before: Self) -> Self {
        /// Where a place has its byte from: places of `before` are 0 to 63, and its own 64 to 127.
        const fn places(count: usize) -> [u8; 64] {
            let mut places = [0; 64];
            let mut place = 0;
            while place < 64 {
                places[place] = (64 + place - count) as u8;
                place += 1;
            }
            places
        }
        let places = const { places(COUNT as usize) };
        unsafe { _mm512_permutex2var_epi8(before, Self::load(&places), self) }
    }

    #[inline(always)]
    fn is_ascii(self) -> bool {
        unsafe { _mm512_movepi8_mask(self) == 0 }
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        unsafe { _mm512_test_epi8_mask(self, self) == 0 }
    }
}
