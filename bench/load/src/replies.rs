//! Reads what the server sends back: every reply's length is checked, and the content of some.

use crate::deflate::Inflater;
use crate::frame::{CLOSE, CONTINUATION, Header, RSV1, read_header};
use crate::payload::Kind;
use crate::stream::{Compression, Stream};

/// Of so many replies the content of one is compared.
const SAMPLED_EACH: usize = 16;

pub(crate) struct Replies {
    framed: bool,
    opcode: u8,
    size: usize,
    /// Present if replies may be compressed.
    inflater: Option<Inflater>,
    /// Whether the inflater has to see each message.
    inflates_all: bool,
    inflates: bool,
    /// The bytes of a header that is not whole yet.
    partial: Vec<u8>,
    frame: Option<Header>,
    /// Of this frame's payload.
    frame_read: usize,
    compressed: bool,
    in_message: bool,
    /// Of this message's payload, in all its frames.
    message_read: usize,
    /// What of a compressed message has to be kept until it is whole.
    kept: Vec<u8>,
    pub(crate) received: usize,
    /// Payload bytes as they came, for the ratio.
    pub(crate) payload_bytes: u64,
    pub(crate) sampled: u64,
}

impl Replies {
    /// With contexts kept, `inflates` says whether this connection's replies are looked into: all are then.
    pub(crate) fn new(
        framed: bool,
        kind: Kind,
        size: usize,
        compression: Compression,
        inflates: bool,
    ) -> Self {
        let contexts = compression == Compression::Contexts;
        Self {
            framed,
            opcode: kind.opcode(),
            size,
            inflater: (compression != Compression::Off).then(|| Inflater::new(contexts)),
            inflates_all: contexts,
            inflates: inflates || !contexts,
            partial: Vec::new(),
            frame: None,
            frame_read: 0,
            compressed: false,
            in_message: false,
            message_read: 0,
            kept: Vec::new(),
            received: 0,
            payload_bytes: 0,
            sampled: 0,
        }
    }

    /// Takes what has arrived.
    pub(crate) fn take(&mut self, mut bytes: &[u8], stream: &Stream) -> Result<(), String> {
        if !self.framed {
            while !bytes.is_empty() {
                let part = bytes.len().min(self.size - self.message_read);
                self.take_payload(&bytes[..part], stream)?;
                bytes = &bytes[part..];
                if self.message_read == self.size {
                    self.end_message(stream)?;
                }
            }
            return Ok(());
        }
        loop {
            let header = match self.frame {
                Some(header) => header,
                None => {
                    let Some((header, rest)) = self.header(bytes)? else { return Ok(()) };
                    bytes = rest;
                    self.begin_frame(header)?;
                    header
                }
            };
            let part = bytes.len().min(header.payload - self.frame_read);
            if !header.is_control() {
                self.take_payload(&bytes[..part], stream)?;
            }
            self.frame_read += part;
            bytes = &bytes[part..];
            if self.frame_read < header.payload {
                return Ok(());
            }
            self.frame = None;
            if header.fin() && !header.is_control() {
                self.end_message(stream)?;
            }
        }
    }

    /// The next header and what follows it; keeps what is there of it otherwise.
    fn header<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<(Header, &'a [u8])>, String> {
        if self.partial.is_empty() {
            return Ok(match read_header(bytes)? {
                Some(header) => Some((header, &bytes[header.length..])),
                None => {
                    self.partial.extend_from_slice(bytes);
                    None
                }
            });
        }
        let before = self.partial.len();
        self.partial.extend(bytes.iter().take(14));
        Ok(match read_header(&self.partial)? {
            Some(header) => {
                self.partial.clear();
                Some((header, &bytes[header.length - before..]))
            }
            None => None,
        })
    }

    fn begin_frame(&mut self, header: Header) -> Result<(), String> {
        if header.opcode() == CLOSE {
            return Err("the server closes".into());
        }
        self.frame = Some(header);
        self.frame_read = 0;
        if header.is_control() {
            return Ok(());
        }
        let expected = if self.in_message { CONTINUATION } else { self.opcode };
        if header.opcode() != expected {
            return Err(format!("a frame has opcode {}, not {expected}", header.opcode()));
        }
        if !self.in_message {
            self.in_message = true;
            self.compressed = header.first & RSV1 != 0;
        }
        Ok(())
    }

    fn is_sample(&self) -> bool {
        self.received.is_multiple_of(SAMPLED_EACH)
    }

    fn keeps(&self) -> bool {
        self.compressed && self.inflates && (self.inflates_all || self.is_sample())
    }

    fn take_payload(&mut self, part: &[u8], stream: &Stream) -> Result<(), String> {
        if self.compressed {
            if self.keeps() {
                self.kept.extend_from_slice(part);
            }
        } else {
            let end = self.message_read + part.len();
            if end > self.size {
                return Err("a reply is too long".into());
            }
            if self.is_sample() && *part != stream.payload(self.received)[self.message_read..end] {
                return Err(format!("reply {} holds something else", self.received));
            }
        }
        self.message_read += part.len();
        Ok(())
    }

    fn end_message(&mut self, stream: &Stream) -> Result<(), String> {
        if self.keeps() {
            let inflater = self.inflater.as_mut().ok_or("a reply is compressed without leave")?;
            let message = inflater.inflate(&self.kept, self.size)?;
            if message != stream.payload(self.received) {
                return Err(format!("compressed reply {} holds something else", self.received));
            }
            self.kept.clear();
        } else if !self.compressed && self.message_read != self.size {
            return Err(format!("a reply has {} bytes", self.message_read));
        }
        self.sampled += u64::from(self.keeps() || (!self.compressed && self.is_sample()));
        self.payload_bytes += self.message_read as u64;
        self.received += 1;
        self.message_read = 0;
        self.in_message = false;
        self.compressed = false;
        Ok(())
    }
}
