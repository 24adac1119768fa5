//! Whether and how messages are compressed, on the command line.

use clap::ValueEnum;
use wskit::{Compression, CompressionMode, WindowBits};

/// Compression, for servers and clients alike.
#[derive(clap::Args)]
#[command(next_help_heading = "Compression")]
pub(crate) struct CompressionArguments {
    /// Whether messages are compressed where the other end agrees (permessage-deflate)
    #[arg(long, value_name = "MODE", default_value = "shared")]
    compression: Mode,

    /// How far back compression may refer, as a power of two: 15 is 32 KiB
    #[arg(long, value_name = "BITS", default_value_t = 15, value_parser = clap::value_parser!(u8).range(9..=15))]
    compression_window: u8,

    /// How hard compression tries, from 2 (quick) to 9 (small)
    #[arg(long, value_name = "LEVEL", default_value_t = Compression::default().level, value_parser = clap::value_parser!(u8).range(2..=9))]
    compression_level: u8,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Nothing is compressed
    Off,
    /// Each message by itself: an idle connection holds no memory for it
    Shared,
    /// Each connection remembers its messages: they get smaller, and it holds memory
    Dedicated,
}

impl CompressionArguments {
    pub(crate) fn compression(&self) -> Compression {
        let mode = match self.compression {
            Mode::Off => CompressionMode::Off,
            Mode::Shared => CompressionMode::Shared,
            Mode::Dedicated => CompressionMode::Dedicated,
        };
        let window_bits = WindowBits::new(self.compression_window).unwrap_or(WindowBits::MAX);
        Compression { mode, window_bits, level: self.compression_level, ..Compression::default() }
    }
}
