//! DEFLATE as RFC 7692 wants it: raw, flushed at the end of each message, without the last four bytes.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

pub(crate) struct Deflater {
    state: Compress,
    keeps_context: bool,
}

impl Deflater {
    pub(crate) fn new(keeps_context: bool) -> Self {
        Self { state: Compress::new(Compression::new(6), false), keeps_context }
    }

    pub(crate) fn deflate(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.keeps_context {
            self.state.reset();
        }
        let mut out = Vec::with_capacity(message.len() + 64);
        let before = self.state.total_in();
        loop {
            let taken = (self.state.total_in() - before) as usize;
            self.state
                .compress_vec(&message[taken..], &mut out, FlushCompress::Sync)
                .expect("deflate cannot fail");
            if out.len() < out.capacity() {
                break;
            }
            out.reserve(out.capacity());
        }
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }
}

pub(crate) struct Inflater {
    state: Decompress,
    keeps_context: bool,
}

impl Inflater {
    pub(crate) fn new(keeps_context: bool) -> Self {
        Self { state: Decompress::new(false), keeps_context }
    }

    pub(crate) fn inflate(
        &mut self,
        compressed: &[u8],
        expected: usize,
    ) -> Result<Vec<u8>, String> {
        if !self.keeps_context {
            self.state.reset(false);
        }
        let mut out = Vec::with_capacity(expected + 64);
        for mut part in [compressed, &TAIL] {
            while !part.is_empty() {
                let before = self.state.total_in();
                let status = self
                    .state
                    .decompress_vec(part, &mut out, FlushDecompress::Sync)
                    .map_err(|error| format!("a reply does not inflate: {error}"))?;
                let taken = (self.state.total_in() - before) as usize;
                part = &part[taken..];
                if status == Status::StreamEnd {
                    self.state.reset(false);
                    break;
                }
                if taken == 0 && out.len() == out.capacity() {
                    return Err("a reply inflates to more than was sent".into());
                }
            }
        }
        Ok(out)
    }
}
