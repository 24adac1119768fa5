//! What a node knows of one life of a room without asking: where it stands, how long each message is, and the ids.

use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

use wskit_store::{Bounds, Position, Span};

use crate::record::Id;

/// A stream as far as it was followed. It holds some 50 bytes for each message that is kept, and more for those with
/// an id.
#[derive(Debug)]
pub(crate) struct Kept {
    /// What the stream is called on the server.
    pub(crate) stream: Arc<str>,
    pub(crate) epoch: Arc<str>,
    entries: VecDeque<Entry>,
    offsets_by_id: HashMap<Id, u64>,
    bytes: u64,
    last: u64,
    /// Messages before this offset are gone from the server, as far as this node asked for it; at least 1, for a server
    /// that is asked to let go of what is before the first lets go of everything.
    purged: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) payload_bytes: u32,
    pub(crate) id: Option<Id>,
}

impl Kept {
    /// A stream of which only the messages after this offset matter.
    pub(crate) fn after(stream: Arc<str>, epoch: Arc<str>, last: u64) -> Self {
        let (entries, offsets_by_id) = Default::default();
        Self { stream, epoch, entries, offsets_by_id, bytes: 0, last, purged: 1 }
    }

    pub(crate) fn add(&mut self, offset: u64, entry: Entry, bounds: &Bounds) {
        if offset != self.last + 1 {
            // What lies between is gone, and so is what lies before.
            while self.drop_first() {}
        }
        self.last = offset;
        self.bytes += u64::from(entry.payload_bytes);
        if let Some(id) = entry.id {
            self.offsets_by_id.insert(id, offset);
        }
        self.entries.push_back(entry);
        while self.entries.len() as u64 > bounds.messages_max || self.bytes > bounds.bytes_max {
            self.drop_first();
        }
    }

    /// Up to this offset there is nothing that is not known.
    pub(crate) fn skip_to(&mut self, last: u64) {
        if last > self.last {
            while self.drop_first() {}
            self.last = last;
        }
    }

    /// The offset of the last message, kept or not.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn position(&self) -> Position {
        Position { epoch: self.epoch.clone(), first: self.first(), last: self.last }
    }

    pub(crate) fn known(&self, id: Id) -> Option<u64> {
        self.offsets_by_id.get(&id).copied()
    }

    /// The server has nothing before this offset any more.
    pub(crate) fn let_go_before(&mut self, offset: u64) {
        while self.first() < offset && self.drop_first() {}
    }

    /// The offsets that a span has in it.
    pub(crate) fn within(&self, span: Span) -> RangeInclusive<u64> {
        let (from, to) = (span.from.max(self.first()), span.to.min(self.last));
        let mut fits = span.fits();
        let mut fits = |offset: &u64| {
            let entry =
                usize::try_from(offset - self.first()).ok().map(|index| &self.entries[index]);
            entry.is_some_and(|entry| fits(entry.payload_bytes as usize))
        };
        if from > to {
            return RangeInclusive::new(1, 0);
        }
        if span.last_ones {
            let count = (from..=to).rev().take_while(&mut fits).count() as u64;
            to + 1 - count..=to
        } else {
            let count = (from..=to).take_while(&mut fits).count() as u64;
            from..=(from + count).saturating_sub(1)
        }
    }

    /// Up to which offset, itself not among them, the server keeps what is gone here, if so many messages are that it
    /// is to be told. What is too many of them the server finds out by itself, and it keeps the last one until that is
    /// too old, for a stream without messages is over.
    pub(crate) fn purge_before(&mut self, messages_min: u64, bounds: &Bounds) -> Option<u64> {
        let first_there =
            self.purged.max((self.last + 1).saturating_sub(bounds.messages_max.max(1)));
        let first = self.first().min(self.last);
        (first >= first_there.saturating_add(messages_min)).then(|| {
            self.purged = first;
            first
        })
    }

    fn first(&self) -> u64 {
        self.last + 1 - self.entries.len() as u64
    }

    fn drop_first(&mut self) -> bool {
        let first = self.first();
        let Some(entry) = self.entries.pop_front() else { return false };
        self.bytes -= u64::from(entry.payload_bytes);
        if let Some(id) = entry.id
            && self.known(id) == Some(first)
        {
            self.offsets_by_id.remove(&id);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload_bytes: u32, id: Option<&str>) -> Entry {
        Entry { payload_bytes, id: id.map(|id| Id::of(id.as_bytes())) }
    }

    fn kept(bounds: &Bounds, count: u64) -> Kept {
        let mut kept = Kept::after("stream".into(), "epoch".into(), 0);
        (1..=count).for_each(|offset| kept.add(offset, entry(5, None), bounds));
        kept
    }

    #[test]
    fn what_is_between_two_offsets_that_came_is_gone() {
        let bounds = Bounds::default();
        let mut kept = kept(&bounds, 3);
        kept.add(7, entry(5, Some("a")), &bounds);
        assert_eq!((kept.first(), kept.last(), kept.bytes), (7, 7, 5));
        assert_eq!(kept.known(Id::of(b"a")), Some(7));
    }

    #[test]
    fn the_server_is_told_of_what_it_does_not_find_out_by_itself() {
        let bounds = Bounds { messages_max: 4, bytes_max: 10, ..Bounds::default() };
        let mut kept = kept(&bounds, 4);
        assert_eq!(self::kept(&bounds, 2).purge_before(1, &bounds), None);
        // The first two are too many bytes and not too many messages.
        assert_eq!(kept.first(), 3);
        assert_eq!(kept.purge_before(3, &bounds), None);
        assert_eq!(kept.purge_before(2, &bounds), Some(3));
        assert_eq!(kept.purge_before(1, &bounds), None);
        kept.add(5, entry(5, None), &bounds);
        assert_eq!(kept.purge_before(1, &bounds), Some(4));
    }

    #[test]
    fn the_server_keeps_the_last_message_however_large_it_is() {
        let bounds = Bounds { bytes_max: 4, ..Bounds::default() };
        let mut kept = kept(&bounds, 3);
        assert_eq!((kept.first(), kept.last()), (4, 3));
        assert_eq!(kept.purge_before(1, &bounds), Some(3));
    }

    #[test]
    fn what_the_server_has_no_more_is_gone_here_too() {
        let mut kept = kept(&Bounds::default(), 3);
        kept.let_go_before(1);
        assert_eq!((kept.first(), kept.bytes), (1, 15));
        kept.let_go_before(3);
        assert_eq!((kept.first(), kept.bytes), (3, 5));
        kept.let_go_before(9);
        assert_eq!((kept.position().first, kept.last()), (4, 3));
    }
}
