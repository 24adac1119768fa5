//! How messages are compressed (RFC 7692).

use core::fmt;

/// Whether and how messages are compressed.
///
/// # The modes and their price
///
/// | mode | what each connection keeps | memory for each connection | 1 KiB of JSON becomes |
/// |---|---|---|---|
/// | [`Off`](CompressionMode::Off) | nothing | none | 1 KiB |
/// | [`Shared`](CompressionMode::Shared) | nothing; each thread has one compressor | none | about 0.47 KiB |
/// | [`Dedicated`](CompressionMode::Dedicated) | its own compressor and its own window | 340 KB; 210 KB with 9 bits | about 0.3 KiB |
///
/// Memory is taken when the first compressed message comes, not before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// What is remembered between messages.
    pub mode: CompressionMode,
    /// How far back the compressors of both ends may refer: 15, which is 32 KiB. Less takes less
    /// memory for the compressor in the dedicated mode; an inflater always has the largest window.
    pub window_bits: WindowBits,
    /// How hard to try, from 2 (quick) to 9 (small): 2. Other numbers count as the nearest.
    pub level: u8,
    /// Shorter messages are sent as they are: 64 bytes.
    pub message_bytes_min: usize,
}

/// What is remembered between messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionMode {
    /// Nothing is compressed, and no compression is agreed on.
    Off,
    /// Each message is compressed for itself, by a compressor that belongs to the thread.
    #[default]
    Shared,
    /// Each connection has its own compressor, which remembers the messages before.
    Dedicated,
}

/// How far back a compressor may refer, as a power of two: 8 (256 bytes) to 15 (32 KiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 32 KiB, the furthest that DEFLATE can refer.
    pub const MAX: WindowBits = WindowBits(15);

    /// 512 bytes: no compressor keeps to less. Messages of an end that agreed to less than this
    /// are sent as they are.
    pub const COMPRESSIBLE_MIN: WindowBits = WindowBits(9);

    /// From 8 to 15.
    pub const fn new(bits: u8) -> Option<WindowBits> {
        match bits {
            8..=15 => Some(WindowBits(bits)),
            _ => None,
        }
    }

    /// The number of bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// RFC 7692 §7.1.2: a decimal number without leading zeros.
    pub(crate) fn parse(text: &str) -> Option<WindowBits> {
        if text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        WindowBits::new(text.parse().ok()?)
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for Compression {
    fn default() -> Compression {
        Compression {
            mode: CompressionMode::default(),
            window_bits: WindowBits::MAX,
            level: 2,
            message_bytes_min: 64,
        }
    }
}

impl Compression {
    /// No compression.
    pub fn off() -> Compression {
        Compression { mode: CompressionMode::Off, ..Compression::default() }
    }
}

/// What compression did to the messages of one direction so far. Only messages that were
/// compressed are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Savings {
    /// The bytes of the messages as the applications have them.
    pub plain_bytes: u64,
    /// The bytes of the messages as they travelled.
    pub compressed_bytes: u64,
}
