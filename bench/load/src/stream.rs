//! What a connection sends: the bytes of all its messages, made before the clock runs.
//!
//! A stream is a prelude, sent once, and a block, sent again and again. The prelude is empty unless a compression
//! context is kept: then it brings the context to the state in which the block leaves it too.

use crate::deflate::Deflater;
use crate::frame::{FIN, RSV1, write_masked};
use crate::payload::Kind;
use crate::random::Random;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Compression {
    Off,
    /// Each message by itself
    Stateless,
    /// Contexts kept in both directions
    Contexts,
}

pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) size: usize,
    pub(crate) in_flight: usize,
    pub(crate) compression: Compression,
    /// Whether messages go in frames, or bare.
    pub(crate) framed: bool,
}

pub(crate) struct Stream {
    /// The payloads of a block, as the server should send them back.
    pub(crate) payloads: Vec<Vec<u8>>,
    /// The prelude, the block, and the first messages of the block again, so that any `in_flight` messages lie together.
    bytes: Vec<u8>,
    /// Where each message of `bytes` begins; one more tells where the last ends.
    starts: Vec<usize>,
    prelude: usize,
    /// The payloads of a block as they are sent.
    sent_payload: usize,
}

impl Stream {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut random = Random::new(1);
        let payloads: Vec<_> =
            (0..Self::messages(plan)).map(|_| plan.kind.payload(plan.size, &mut random)).collect();
        let mut stream =
            Self { bytes: Vec::new(), starts: vec![0], prelude: 0, sent_payload: 0, payloads };
        let mut deflater = (plan.compression != Compression::Off)
            .then(|| Deflater::new(plan.compression == Compression::Contexts));
        if plan.compression == Compression::Contexts {
            stream.append_block(plan, deflater.as_mut(), &mut random);
            stream.prelude = stream.payloads.len();
        }
        stream.append_block(plan, deflater.as_mut(), &mut random);
        stream.append_beginning(plan.in_flight);
        stream
    }

    /// About 256 KiB of messages, or more than a window of DEFLATE; but no fewer than four.
    fn messages(plan: &Plan) -> usize {
        ((256 << 10) / plan.size.max(1)).clamp(4, 256)
    }

    fn append_block(
        &mut self,
        plan: &Plan,
        mut deflater: Option<&mut Deflater>,
        random: &mut Random,
    ) {
        self.sent_payload = 0;
        for payload in &self.payloads {
            let first = FIN | plan.kind.opcode();
            let (first, payload) = match deflater.as_mut() {
                Some(deflater) => (first | RSV1, &deflater.deflate(payload)),
                None => (first, payload),
            };
            self.sent_payload += payload.len();
            if plan.framed {
                let key = (random.next() as u32).to_le_bytes();
                write_masked(first, payload, key, &mut self.bytes);
            } else {
                self.bytes.extend_from_slice(payload);
            }
            self.starts.push(self.bytes.len());
        }
    }

    fn append_beginning(&mut self, messages: usize) {
        for message in 0..messages {
            let from = self.prelude + message;
            self.bytes.extend_from_within(self.starts[from]..self.starts[from + 1]);
            self.starts.push(self.bytes.len());
        }
    }

    /// The payload of the message with this number, counted from the connection's first.
    pub(crate) fn payload(&self, number: usize) -> &[u8] {
        &self.payloads[number % self.payloads.len()]
    }

    /// The bytes of `count` messages from `number` on; `count` is at most what may be in flight.
    pub(crate) fn bytes(&self, number: usize, count: usize) -> &[u8] {
        let at = match number.checked_sub(self.prelude) {
            None => number,
            Some(after) => self.prelude + after % self.payloads.len(),
        };
        &self.bytes[self.starts[at]..self.starts[at + count]]
    }

    /// The mean length of the payload of a message as it is sent.
    pub(crate) fn mean_payload(&self) -> f64 {
        self.sent_payload as f64 / self.payloads.len() as f64
    }
}
