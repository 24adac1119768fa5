//! What goes into a store and what comes out.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::Error;

/// A message to be kept.
#[derive(Clone, Debug)]
pub struct Append<T> {
    /// The stream's name.
    pub stream: Arc<str>,
    /// The epoch of the stream if this message begins it; passed over if the stream is there.
    pub epoch: Arc<str>,
    /// Names the message for whoever may have to send it again: one with an id that is kept already is
    /// [`Known`](Outcome::Known) and not kept twice. An id is remembered as long as its message is.
    pub id: Option<Bytes>,
    /// When it was said, in milliseconds since 1970.
    pub time: u64,
    /// What was said.
    pub payload: Bytes,
    /// Comes back with the commit.
    pub tag: T,
}

/// What became of a message.
#[derive(Clone, Debug)]
pub struct Commit<T> {
    /// The stream's name.
    pub stream: Arc<str>,
    /// The stream's epoch.
    pub epoch: Arc<str>,
    /// Whether it is kept.
    pub outcome: Outcome,
    /// What was handed in with the message; `None` if another process appended it.
    pub tag: Option<T>,
}

/// Whether a message is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept, and survives whatever the store survives.
    Kept(Message),
    /// One with this id was kept before, at this offset.
    Known(u64),
    /// It is not kept.
    Refused(Error),
}

/// A message that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// 1, 2, 3, … in its stream and epoch.
    pub offset: u64,
    /// When it was said, in milliseconds since 1970.
    pub time: u64,
    /// What was said.
    pub payload: Bytes,
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Names this life of the stream.
    pub epoch: Arc<str>,
    /// The offset of the oldest message kept; one more than `last` if none is.
    pub first: u64,
    /// The offset of the last message, kept or not.
    pub last: u64,
}

/// Which messages to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From which offset on.
    pub from: u64,
    /// Up to which offset, itself among them.
    pub to: u64,
    /// Whether the last ones of these are wanted, where not all fit, and not the first.
    pub last_ones: bool,
    /// The most messages.
    pub messages_max: usize,
    /// The most bytes of payload; one message always fits.
    pub bytes_max: usize,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where the stream stood; `None` if there is no such stream.
    pub position: Option<Position>,
    /// Messages in the order of their offsets, without a gap between them.
    pub messages: Vec<Message>,
}

impl Span {
    /// As many of these as fit, and one in any case.
    pub(crate) fn fitting(
        self,
        messages: impl Iterator<Item = Message>,
    ) -> impl Iterator<Item = Message> {
        let mut fits = self.fits();
        messages.take_while(move |message| fits(message.payload.len()))
    }

    /// Says of one message after another, told how long it is, whether it fits too.
    pub fn fits(self) -> impl FnMut(usize) -> bool {
        let (mut messages, mut bytes) = (0, 0_usize);
        move |payload_bytes| {
            messages += 1;
            bytes = bytes.saturating_add(payload_bytes);
            messages <= self.messages_max && (messages == 1 || bytes <= self.bytes_max)
        }
    }
}
