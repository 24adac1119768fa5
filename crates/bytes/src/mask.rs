//! Masking (RFC 6455 §5.3): every byte of a client's payload is combined with a byte of the key.

mod into;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod wide;

pub use into::mask_into;

#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
use combine as combine_widest;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use wide::combine_widest;

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
    if bytes.len() < BLOCK_BYTES {
        combine_few(bytes, key);
    } else {
        combine_many(bytes, key);
    }
}

/// From this length on whole vectors are combined.
const BLOCK_BYTES: usize = 32;

/// Below this length the choice of instructions costs more than wide vectors save.
const WIDE_BYTES_MIN: usize = 128;

pub(crate) trait RotateByBytes {
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

// Apart, so that a short payload is combined where it is asked for.
#[inline(never)]
fn combine_many(bytes: &mut [u8], key: u32) {
    if bytes.len() < WIDE_BYTES_MIN {
        combine(bytes, key);
    } else {
        combine_widest(bytes, key);
    }
}

#[inline(always)]
fn combine(bytes: &mut [u8], key: u32) {
    let Some(end) = combined_end::<BLOCK_BYTES>(bytes, key) else {
        return combine_few(bytes, key);
    };
    combine_whole_blocks(bytes, key);
    put_end(bytes, end);
}

/// Combines in steps that the compiler turns into the vectors of whoever it is inlined into: long
/// ones first, in which the loop itself weighs little. What is left behind whole blocks stays.
#[inline(always)]
fn combine_whole_blocks(bytes: &mut [u8], key: u32) {
    let rest = combine_blocks::<256>(bytes, twice(key));
    combine_blocks::<BLOCK_BYTES>(rest, twice(key));
}

#[inline(always)]
fn combine_few(bytes: &mut [u8], key: u32) {
    let Some(end) = combined_end::<8>(bytes, key) else {
        return bytes.iter_mut().zip(twice(key).to_ne_bytes()).for_each(|(byte, key)| *byte ^= key);
    };
    combine_blocks::<8>(bytes, twice(key));
    put_end(bytes, end);
}

/// The last `N` bytes, a multiple of eight, combined aside. Where they are put into their place when
/// the whole blocks are done, no loop is needed for what is left behind those.
#[inline(always)]
fn combined_end<const N: usize>(bytes: &[u8], key: u32) -> Option<[u8; N]> {
    let mut end = *bytes.last_chunk()?;
    combine_blocks::<N>(&mut end, twice(key.rotate_by_bytes(bytes.len() % 4)));
    Some(end)
}

#[inline(always)]
fn put_end<const N: usize>(bytes: &mut [u8], end: [u8; N]) {
    if let Some(place) = bytes.last_chunk_mut() {
        *place = end;
    }
}

#[inline(always)]
fn twice(key: u32) -> u64 {
    u64::from(key) << 32 | u64::from(key)
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
