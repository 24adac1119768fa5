//! Masking with the widest vectors that the processor has.

use super::into::{combine_few_into, combine_into};
use super::{BLOCK_BYTES, RotateByBytes, combine, combine_few, combine_whole_blocks};
use crate::vector::{Vector, has_avx2, has_avx512};
use core::arch::x86_64::__m512i;

/// Below this length it costs more to begin where vectors are aligned than it saves. None of a long payload lies across
/// two cache lines, which would cost half as much again; and where all vectors of 64 bytes did, those of 32 were quicker.
const ALIGNED_BYTES_MIN: usize = 4096;

/// So many vectors are combined in one turn of a loop.
const TOGETHER: usize = 4;

pub(super) fn combine_widest(bytes: &mut [u8], key: u32) {
    if !has_avx2() {
        combine(bytes, key);
    } else if bytes.len() < ALIGNED_BYTES_MIN {
        // SAFETY: the processor has the instructions.
        unsafe { combine_avx2(bytes, key) }
    } else {
        // SAFETY: the processor has the instructions.
        unsafe { combine_long(bytes, key) }
    }
}

/// Combines what lies before the first place that is aligned, and then the rest.
#[target_feature(enable = "avx2")]
fn combine_long(bytes: &mut [u8], key: u32) {
    let before_bytes = bytes.as_ptr().align_offset(64).min(bytes.len());
    let (before, aligned) = bytes.split_at_mut(before_bytes);
    combine_few(before, key);
    let key = key.rotate_by_bytes(before_bytes % 4);
    if has_avx512() {
        // SAFETY: the processor has the instructions.
        unsafe { combine_avx512(aligned, key) }
    } else {
        combine_avx2(aligned, key);
    }
}

/// The same safe code as without vectors, compiled for those of 32 bytes.
#[target_feature(enable = "avx2")]
fn combine_avx2(bytes: &mut [u8], key: u32) {
    if bytes.len().is_multiple_of(BLOCK_BYTES) {
        combine_whole_blocks(bytes, key);
    } else {
        combine(bytes, key);
    }
}

/// A twentieth to a tenth quicker than AVX2 for what lies in the nearest cache. With vectors by name, for the safe code
/// compiled for these may collect each from eight places, at ten times the cost.
#[target_feature(enable = "avx512bw,avx512vbmi")]
fn combine_avx512(bytes: &mut [u8], key: u32) {
    let Some(end) = bytes.last_chunk() else { return combine_few(bytes, key) };
    let end_key = key.rotate_by_bytes(bytes.len() % 4);
    let end = __m512i::load(end).xor(__m512i::splat(end_key.to_ne_bytes()));
    let key = __m512i::splat(key.to_ne_bytes());
    let (groups, blocks) = bytes.as_chunks_mut::<64>().0.as_chunks_mut::<TOGETHER>();
    for group in groups {
        for block in group {
            combine_vector(block, key);
        }
    }
    for block in blocks {
        combine_vector(block, key);
    }
    if let Some(place) = bytes.last_chunk_mut() {
        end.store(place);
    }
}

#[inline(always)]
fn combine_vector(block: &mut [u8; 64], key: __m512i) {
    __m512i::load(block).xor(key).store(block);
}

pub(super) fn combine_widest_into(source: &[u8], room: &mut [u8], key: u32) {
    if !has_avx2() {
        combine_into(source, room, key);
    } else if source.len() < ALIGNED_BYTES_MIN {
        // SAFETY: the processor has the instructions.
        unsafe { combine_into_avx2(source, room, key) }
    } else {
        // SAFETY: the processor has the instructions.
        unsafe { combine_long_into(source, room, key) }
    }
}

/// As [`combine_long`] does, by where the room is aligned.
#[target_feature(enable = "avx2")]
fn combine_long_into(source: &[u8], room: &mut [u8], key: u32) {
    let before_bytes = room.as_ptr().align_offset(64).min(room.len());
    let (source_before, source) = source.split_at(before_bytes);
    let (before, room) = room.split_at_mut(before_bytes);
    combine_few_into(source_before, before, key);
    let key = key.rotate_by_bytes(before_bytes % 4);
    if has_avx512() {
        // SAFETY: the processor has the instructions.
        unsafe { combine_into_avx512(source, room, key) }
    } else {
        combine_into_avx2(source, room, key);
    }
}

#[target_feature(enable = "avx2")]
fn combine_into_avx2(source: &[u8], room: &mut [u8], key: u32) {
    combine_into(source, room, key);
}

#[target_feature(enable = "avx512bw,avx512vbmi")]
fn combine_into_avx512(source: &[u8], room: &mut [u8], key: u32) {
    let (Some(end), Some(place)) = (source.last_chunk(), room.last_chunk_mut()) else {
        return combine_few_into(source, room, key);
    };
    let end_key = key.rotate_by_bytes(source.len() % 4);
    __m512i::load(end).xor(__m512i::splat(end_key.to_ne_bytes())).store(place);
    let key = __m512i::splat(key.to_ne_bytes());
    let (groups, blocks) = source.as_chunks::<64>().0.as_chunks::<TOGETHER>();
    let (place_groups, places) = room.as_chunks_mut::<64>().0.as_chunks_mut::<TOGETHER>();
    for (group, places) in groups.iter().zip(place_groups) {
        for (block, place) in group.iter().zip(places) {
            __m512i::load(block).xor(key).store(place);
        }
    }
    for (block, place) in blocks.iter().zip(places) {
        __m512i::load(block).xor(key).store(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// Holds all vectors that this processor has against what the RFC says.
    fn check_all(start: usize, len: usize) {
        let bytes: Vec<u8> = (0..start + len + 1).map(|i| (i * 7) as u8).collect();
        let mut expected = bytes.clone();
        let masked = expected[start..start + len].iter_mut().zip(KEY.iter().cycle());
        masked.for_each(|(byte, key)| *byte ^= key);
        let check = |with: unsafe fn(&mut [u8], u32), name| {
            let mut masked = bytes.clone();
            // SAFETY: asked for before each call below.
            unsafe { with(&mut masked[start..start + len], u32::from_ne_bytes(KEY)) };
            assert!(masked == expected, "{name}: {len} bytes from {start} on");
        };
        check(combine_widest, "the widest");
        check(combine, "those of every processor");
        let check_into = |with: unsafe fn(&[u8], &mut [u8], u32), name| {
            if len < BLOCK_BYTES {
                return;
            }
            let mut room = bytes.clone();
            let place = &mut room[start..start + len];
            place.fill(0);
            // SAFETY: asked for before each call below.
            unsafe { with(&bytes[start..start + len], place, u32::from_ne_bytes(KEY)) };
            assert!(room == expected, "{name}: {len} bytes into the place from {start} on");
        };
        check_into(combine_widest_into, "the widest");
        check_into(combine_into, "those of every processor");
        if has_avx2() {
            check(combine_avx2, "AVX2");
            check_into(combine_into_avx2, "AVX2");
        }
        if has_avx512() {
            check(combine_avx512, "AVX-512");
            check_into(combine_into_avx512, "AVX-512");
        }
    }

    #[test]
    fn payloads_of_any_length_may_begin_anywhere() {
        for start in 0..64 {
            (0..130).chain(510..516).for_each(|len| check_all(start, len));
            check_all(start, 600 + start);
            check_all(start, ALIGNED_BYTES_MIN - 1 + start);
        }
    }
}
