//! Messages for many receivers that leave one after the other, and are joined once.

use super::prepared::Prepared;
use crate::frame::FRAME_HEADER_BYTES_MAX;
use alloc::{sync::Arc, vec::Vec};
use bytes::Bytes;
use core::fmt;
use std::sync::OnceLock;

/// Messages that are sent one after the other to any number of connections.
///
/// Their frames are joined once, when the first connection needs them, and a connection gets all of them together.
/// Where messages are compressed, or masked as a client's are, each is sent by itself. Long messages gain nothing: they
/// are shared without a copy one by one. Cloning shares them. How much is joined is yours to bound: it all
/// waits at once where a peer reads slowly.
///
/// ```
/// use wskit_proto::{Config, Connection, Joined, Output, Prepared, Role};
///
/// let news = Joined::from(vec![Prepared::text("one"), Prepared::text("two")]);
/// for _ in 0..3 {
///     let mut connection = Connection::new(Role::Server, Config::default());
///     let mut output = Output::default();
///     connection.send_joined(&news, &mut output)?;
/// }
/// # Ok::<(), wskit_proto::SendError>(())
/// ```
#[derive(Clone)]
pub struct Joined(Arc<Inner>);

struct Inner {
    messages: Vec<Prepared>,
    payload_bytes: usize,
    /// The frames of a server that does not compress.
    frames: OnceLock<Bytes>,
}

impl From<Vec<Prepared>> for Joined {
    fn from(messages: Vec<Prepared>) -> Joined {
        let payload_bytes = messages.iter().map(|message| message.payload().len()).sum();
        Joined(Arc::new(Inner { messages, payload_bytes, frames: OnceLock::new() }))
    }
}

impl Joined {
    /// The messages, in their order.
    pub fn messages(&self) -> &[Prepared] {
        &self.0.messages
    }

    /// How many bytes all their payloads have.
    pub fn payload_bytes(&self) -> usize {
        self.0.payload_bytes
    }

    /// The frames of a server that does not compress.
    pub(super) fn frames(&self) -> &Bytes {
        self.0.frames.get_or_init(|| join(&self.0))
    }
}

fn join(Inner { messages, payload_bytes, .. }: &Inner) -> Bytes {
    let bytes_max = payload_bytes + messages.len() * FRAME_HEADER_BYTES_MAX;
    let mut frames = Vec::with_capacity(bytes_max);
    for message in messages {
        let (header, len) = message.header();
        frames.extend_from_slice(&header[..len]);
        frames.extend_from_slice(message.payload());
    }
    frames.into()
}

impl PartialEq for Joined {
    fn eq(&self, other: &Joined) -> bool {
        self.messages() == other.messages()
    }
}

impl Eq for Joined {}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Joined").field(&self.0.messages).finish()
    }
}
