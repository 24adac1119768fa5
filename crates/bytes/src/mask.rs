//! Masking (RFC 6455 §5.3): every byte of a client's payload is combined with a byte of the key.

/// Masks or unmasks `bytes` in place, which is the same operation.
///
/// `offset` is the place of the first byte within its payload, so that a payload can be masked
/// piece by piece: byte *i* of the payload is combined with byte *i* mod 4 of the key.
///
/// ```
/// let mut bytes = *b"Hello";
/// wskit_bytes::mask(&mut bytes, [0x37, 0xfa, 0x21, 0x3d], 0);
/// assert_eq!(bytes, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[inline]
pub fn mask(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let key = u32::from_ne_bytes(key).rotate_by_bytes(offset % 4);
    if bytes.len() < WIDE_BYTES_MIN {
        combine(bytes, key);
    } else {
        combine_widest(bytes, key);
    }
}

/// Below this length the choice of instructions costs more than wide vectors save.
const WIDE_BYTES_MIN: usize = 128;

trait RotateByBytes {
    fn rotate_by_bytes(self, count: usize) -> Self;
}

impl RotateByBytes for u32 {
    /// Moves the byte at memory position `count` to the front.
    #[inline]
    fn rotate_by_bytes(self, count: usize) -> u32 {
        let bits = 8 * count as u32;
        if cfg!(target_endian = "big") { self.rotate_left(bits) } else { self.rotate_right(bits) }
    }
}

/// Combines in steps that the compiler turns into the vectors of whoever it is inlined into: long
/// ones first, in which the loop itself weighs little.
#[inline(always)]
fn combine(bytes: &mut [u8], key: u32) {
    let key = u64::from(key) << 32 | u64::from(key);
    let rest = combine_blocks::<256>(bytes, key);
    let rest = combine_blocks::<32>(rest, key);
    let rest = combine_blocks::<8>(rest, key);
    for (byte, key) in rest.iter_mut().zip(key.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// Combines whole blocks of `N` bytes, a multiple of eight, and leaves the rest.
#[inline(always)]
fn combine_blocks<const N: usize>(bytes: &mut [u8], key: u64) -> &mut [u8] {
    let (blocks, rest) = bytes.as_chunks_mut::<N>();
    for block in blocks {
        for word in block.as_chunks_mut::<8>().0 {
            *word = (u64::from_ne_bytes(*word) ^ key).to_ne_bytes();
        }
    }
    rest
}

#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
fn combine_widest(bytes: &mut [u8], key: u32) {
    combine(bytes, key);
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn combine_widest(bytes: &mut [u8], key: u32) {
    /// The same safe code, compiled for 32-byte vectors.
    #[target_feature(enable = "avx2")]
    fn combine_avx2(bytes: &mut [u8], key: u32) {
        combine(bytes, key);
    }
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that this call demands.
        unsafe { combine_avx2(bytes, key) }
    } else {
        combine(bytes, key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masking_is_what_the_rfc_says(
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
            key in any::<[u8; 4]>(),
            offset in 0..9usize,
        ) {
            let expected: Vec<u8> =
                bytes.iter().enumerate().map(|(i, byte)| byte ^ key[(i + offset) % 4]).collect();
            let mut masked = bytes.clone();
            mask(&mut masked, key, offset);
            prop_assert_eq!(&masked, &expected);
            mask(&mut masked, key, offset);
            prop_assert_eq!(masked, bytes);
        }
    }
}
