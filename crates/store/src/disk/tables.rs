//! How streams lie in the file.

use std::sync::Arc;

use redb::TableDefinition;

use crate::message::Position;

/// Told apart by every start; a later layout has a higher one.
pub(super) const VERSION: u64 = 1;

/// Numbers about the file: `version`, and `next` for the number of the next stream.
pub(super) const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// The streams by name.
pub(super) const STREAMS: TableDefinition<'_, &str, EntryRow<'_>> = TableDefinition::new("streams");

/// The messages by the number of their stream and their offset.
pub(super) const MESSAGES: TableDefinition<'_, (u64, u64), MessageRow<'_>> =
    TableDefinition::new("messages");

/// The offsets of messages by the number of their stream and their id.
pub(super) const IDS: TableDefinition<'_, (u64, &[u8]), u64> = TableDefinition::new("ids");

/// Number, epoch, first, last, time of the last, bytes.
pub(super) type EntryRow<'a> = (u64, &'a str, u64, u64, u64, u64);

/// Time, id (empty for none), payload.
pub(super) type MessageRow<'a> = (u64, &'a [u8], &'a [u8]);

/// What is known of a stream without reading it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Tells it from every other stream that ever was in the file.
    pub(super) number: u64,
    pub(super) epoch: Arc<str>,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) last_time: u64,
    pub(super) bytes: u64,
}

impl Entry {
    pub(super) fn new(number: u64, epoch: Arc<str>) -> Self {
        Self { number, epoch, first: 1, last: 0, last_time: 0, bytes: 0 }
    }

    pub(super) fn from_row((number, epoch, first, last, last_time, bytes): EntryRow<'_>) -> Self {
        Self { number, epoch: epoch.into(), first, last, last_time, bytes }
    }

    pub(super) fn row(&self) -> EntryRow<'_> {
        (self.number, &self.epoch, self.first, self.last, self.last_time, self.bytes)
    }

    pub(super) fn position(&self) -> Position {
        Position { epoch: self.epoch.clone(), first: self.first, last: self.last }
    }

    pub(super) fn count(&self) -> u64 {
        self.last + 1 - self.first
    }
}
