//! Compressed messages (RFC 7692 §7.2), made and read by another DEFLATE than the server's.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::frame::Received;

/// The empty stored block that ends every flush, and that is left out of a message.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// A compressor that keeps its context from message to message.
pub(crate) struct Compressor(Compress);

impl Compressor {
    pub(crate) fn new() -> Self {
        Compressor(Compress::new(Compression::new(6), false))
    }

    /// The payload of the next message.
    pub(crate) fn message(&mut self, message: impl AsRef<[u8]>) -> Vec<u8> {
        let mut compressed = self.flush(message.as_ref());
        compressed.truncate(compressed.len() - TAIL.len());
        compressed
    }

    /// The message so far as whole blocks, to which more can be added.
    pub(crate) fn flush(&mut self, part: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::with_capacity(part.len() + part.len() / 100 + 64);
        self.0.compress_vec(part, &mut compressed, FlushCompress::Sync).unwrap();
        assert!(compressed.ends_with(&TAIL), "room for a whole flush");
        compressed
    }
}

/// The payload of a message that is compressed for itself.
pub(crate) fn deflated(message: impl AsRef<[u8]>) -> Vec<u8> {
    Compressor::new().message(message)
}

/// A message of so many MiB of zeros: about a thousandth of that.
pub(crate) fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut compressed = Compressor::new().flush(&vec![0; 1 << 20]).repeat(mebibytes);
    compressed.truncate(compressed.len() - TAIL.len());
    compressed
}

/// What a server's frames hold, whose compressor may keep its context.
pub(crate) struct Inflater(Decompress);

impl Inflater {
    pub(crate) fn new() -> Self {
        Inflater(Decompress::new(false))
    }

    /// The message in this frame, which is all of it.
    pub(crate) fn message(&mut self, frame: Received) -> Vec<u8> {
        assert!(frame.fin, "a message in one frame");
        if !frame.compressed {
            return frame.payload;
        }
        let compressed = [&frame.payload[..], &TAIL].concat();
        let (mut message, before) = (Vec::new(), self.0.total_in());
        while self.0.total_in() - before < compressed.len() as u64
            || message.len() == message.capacity()
        {
            message.reserve(message.len().max(4096));
            let rest = &compressed[(self.0.total_in() - before) as usize..];
            self.0.decompress_vec(rest, &mut message, FlushDecompress::Sync).unwrap();
        }
        message
    }
}
