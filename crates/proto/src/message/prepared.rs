//! A message for many receivers, held and compressed once.

use crate::Kind;
use crate::frame::{FRAME_HEADER_BYTES_MAX, FrameHeader, Opcode};
use alloc::sync::Arc;
#[cfg(feature = "deflate")]
use alloc::{boxed::Box, vec::Vec};
use bytes::Bytes;
use core::fmt;
#[cfg(feature = "deflate")]
use std::sync::OnceLock;

/// A message that is sent to any number of connections.
///
/// It is compressed once for each compression setting in use, when the first connection needs it.
/// Cloning shares it.
///
/// ```
/// use wskit_proto::{Config, Connection, Output, Prepared, Role};
///
/// let news = Prepared::text("news for all");
/// for _ in 0..3 {
///     let mut connection = Connection::new(Role::Server, Config::default());
///     let mut output = Output::default();
///     connection.send_prepared(&news, &mut output)?;
/// }
/// # Ok::<(), wskit_proto::SendError>(())
/// ```
#[derive(Clone)]
pub struct Prepared(Arc<Inner>);

struct Inner {
    kind: Kind,
    payload: Bytes,
    /// Boxed, for most messages are never compressed, and many may be kept.
    #[cfg(feature = "deflate")]
    deflated: OnceLock<Box<[OnceLock<Option<Deflated>>; WINDOWS]>>,
}

/// The number of window sizes that a compressor keeps to, 9 to 15 bits.
#[cfg(feature = "deflate")]
const WINDOWS: usize = 7;

/// A compressed message as a frame.
#[cfg(feature = "deflate")]
pub(super) struct Deflated {
    pub(super) frame: Bytes,
    pub(super) payload_bytes: usize,
}

impl Prepared {
    /// A text message.
    pub fn text(text: impl Into<crate::Text>) -> Prepared {
        Prepared::new(Kind::Text, text.into().into_bytes())
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Prepared {
        Prepared::new(Kind::Binary, bytes.into())
    }

    fn new(kind: Kind, payload: Bytes) -> Prepared {
        Prepared(Arc::new(Inner {
            kind,
            payload,
            #[cfg(feature = "deflate")]
            deflated: OnceLock::new(),
        }))
    }

    /// What the message holds.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The payload as the application has it.
    pub fn payload(&self) -> &Bytes {
        &self.0.payload
    }

    /// What stands before the payload in the frame of a server that does not compress, in the front of an array, and how
    /// long it is.
    #[inline(always)]
    pub(super) fn header(&self) -> ([u8; FRAME_HEADER_BYTES_MAX], usize) {
        header(self.0.kind, false, self.0.payload.len())
    }

    /// The frame of a server that compresses like this; `None` where it is not worth it.
    #[cfg(feature = "deflate")]
    pub(super) fn deflated(&self, deflating: &super::deflate::Deflating) -> Option<&Deflated> {
        let place = usize::from(deflating.window().bits()).checked_sub(16 - WINDOWS)?;
        let prepare = || {
            let mut deflated = None;
            deflating.alone().deflate(&self.0.payload, |compressed| {
                let frame = encode(self.0.kind, compressed);
                deflated = Some(Deflated { frame, payload_bytes: compressed.len() });
            });
            deflated
        };
        self.0.deflated.get_or_init(Box::default).get(place)?.get_or_init(prepare).as_ref()
    }
}

#[cfg(feature = "deflate")]
fn encode(kind: Kind, compressed: &[u8]) -> Bytes {
    let (header, len) = header(kind, true, compressed.len());
    let mut frame = Vec::with_capacity(len + compressed.len());
    frame.extend_from_slice(&header[..len]);
    frame.extend_from_slice(compressed);
    frame.into()
}

/// The header of a server's frame that is a whole message.
#[inline(always)]
fn header(
    kind: Kind,
    compressed: bool,
    payload_bytes: usize,
) -> ([u8; FRAME_HEADER_BYTES_MAX], usize) {
    let opcode = Opcode::Data(kind);
    let payload_bytes = payload_bytes as u64;
    FrameHeader { fin: true, rsv1: compressed, opcode, masking_key: None, payload_bytes }.encode()
}

impl PartialEq for Prepared {
    fn eq(&self, other: &Prepared) -> bool {
        (self.kind(), self.payload()) == (other.kind(), other.payload())
    }
}

impl Eq for Prepared {}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("kind", &self.0.kind)
            .field("payload", &self.0.payload)
            .finish_non_exhaustive()
    }
}
