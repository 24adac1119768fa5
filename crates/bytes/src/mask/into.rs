//! Masking on the way from one place to another, in one pass.

#[cfg(all(feature = "std", target_arch = "x86_64"))]
use super::wide::combine_widest_into;
use super::{BLOCK_BYTES, RotateByBytes, WIDE_BYTES_MIN, twice};
#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
use combine_into as combine_widest_into;

/// Fills `room` with `source`, masked: what a copy and [`mask`](super::mask()) of it from its first byte on do, in one pass
/// over memory.
///
/// ```
/// let mut room = [0; 5];
/// wskit_bytes::mask_into(b"Hello", &mut room, [0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(room, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
///
/// # Panics
///
/// If the two are not of one length.
#[inline]
pub fn mask_into(source: &[u8], room: &mut [u8], key: [u8; 4]) {
    assert_eq!(source.len(), room.len(), "the room is as long as the source");
    let key = u32::from_ne_bytes(key);
    if source.len() < BLOCK_BYTES {
        combine_few_into(source, room, key);
    } else {
        combine_many_into(source, room, key);
    }
}

#[inline(always)]
pub(super) fn combine_few_into(source: &[u8], room: &mut [u8], key: u32) {
    if !combine_end_into::<8>(source, room, key) {
        let bytes = source.iter().zip(twice(key).to_ne_bytes()).map(|(byte, key)| byte ^ key);
        return room.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    }
    combine_blocks_into::<8>(source, room, twice(key));
}

// Apart, so that a short payload is combined where it is asked for.
#[inline(never)]
fn combine_many_into(source: &[u8], room: &mut [u8], key: u32) {
    if source.len() < WIDE_BYTES_MIN {
        combine_into(source, room, key);
    } else {
        combine_widest_into(source, room, key);
    }
}

/// Combines at least one block, in steps that the compiler turns into the vectors of whoever it is inlined into.
#[inline(always)]
pub(super) fn combine_into(source: &[u8], room: &mut [u8], key: u32) {
    combine_end_into::<BLOCK_BYTES>(source, room, key);
    let (source, room) = combine_blocks_into::<256>(source, room, twice(key));
    combine_blocks_into::<BLOCK_BYTES>(source, room, twice(key));
}

/// Combines the last `N` bytes, if there are so many, so that no loop is needed for what is left behind whole blocks.
#[inline(always)]
fn combine_end_into<const N: usize>(source: &[u8], room: &mut [u8], key: u32) -> bool {
    let (Some(end), Some(place)) = (source.last_chunk::<N>(), room.last_chunk_mut()) else {
        return false;
    };
    combine_block_into(end, place, twice(key.rotate_by_bytes(source.len() % 4)));
    true
}

/// Combines whole blocks of `N` bytes, a multiple of eight, and leaves the rest.
#[inline(always)]
fn combine_blocks_into<'a, const N: usize>(
    source: &'a [u8],
    room: &'a mut [u8],
    key: u64,
) -> (&'a [u8], &'a mut [u8]) {
    let (blocks, source) = source.as_chunks::<N>();
    let (places, room) = room.as_chunks_mut::<N>();
    for (block, place) in blocks.iter().zip(places) {
        combine_block_into(block, place, key);
    }
    (source, room)
}

#[inline(always)]
fn combine_block_into<const N: usize>(block: &[u8; N], place: &mut [u8; N], key: u64) {
    for (word, place) in block.as_chunks::<8>().0.iter().zip(place.as_chunks_mut::<8>().0) {
        *place = (u64::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask;
    use alloc::vec::Vec;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// Holds `masks_into` against a copy and [`mask`], from and to these places of aligned memory.
    fn check(masks_into: impl Fn(&[u8], &mut [u8], u32), len: usize, from: usize, to: usize) {
        let memory: Vec<u8> = (0..from + len).map(|i| (i * 7) as u8).collect();
        let source = &memory[from..];
        let mut expected = alloc::vec![0xEE; to + len + 1];
        let mut room = expected.clone();
        expected[to..to + len].copy_from_slice(source);
        mask(&mut expected[to..to + len], KEY, 0);
        masks_into(source, &mut room[to..to + len], u32::from_ne_bytes(KEY));
        assert_eq!(room, expected, "{len} bytes from {from} to {to}");
    }

    /// With every choice of instructions.
    fn check_all(len: usize, from: usize, to: usize) {
        let whole = |source: &[u8], room: &mut [u8], key: u32| {
            mask_into(source, room, key.to_ne_bytes());
        };
        check(whole, len, from, to);
        check(combine_few_into, len, from, to);
        if len >= BLOCK_BYTES {
            check(combine_into, len, from, to);
            check(combine_widest_into, len, from, to);
        }
    }

    #[test]
    fn short_payloads_of_all_lengths_from_and_to_anywhere() {
        for len in 0..=2 * WIDE_BYTES_MIN + 9 {
            for (from, to) in (0..8).flat_map(|from| (0..8).map(move |to| (from, to))) {
                check_all(len, from, to);
            }
        }
    }

    #[test]
    fn long_payloads() {
        for len in (500..530).chain(4090..4100).chain([16_384, 65_537, 100_003]) {
            for (from, to) in [(0, 0), (0, 5), (1, 0), (3, 14), (31, 33)] {
                check_all(len, from, to);
            }
        }
    }

    #[test]
    #[should_panic = "as long as the source"]
    fn a_room_of_another_length_is_refused() {
        mask_into(b"four", &mut [0; 5], KEY);
    }
}
