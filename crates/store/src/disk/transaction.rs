//! One transaction: messages are numbered and put in, and what is too much or too old goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use redb::{Database, ReadableTable, Table, WriteTransaction};

use super::tables::{ABOUT, Entry, EntryRow, IDS, MESSAGES, MessageRow, STREAMS};
use crate::bounds::Bounds;
use crate::commits::lock;
use crate::error::Error;
use crate::message::{Append, Message, Outcome};

/// What a transaction did.
#[derive(Debug)]
pub(super) struct Written {
    /// The streams that stand elsewhere now; `None` for those that are gone.
    pub(super) changed: HashMap<Arc<str>, Option<Entry>>,
    /// The epoch of the stream of each message, and what became of it.
    pub(super) outcomes: Vec<(Arc<str>, Outcome)>,
}

/// Writes all of it, or nothing. When this returns, it is on disk.
pub(super) fn write<T>(
    database: &Database,
    bounds: &Bounds,
    entries: &Mutex<HashMap<Arc<str>, Entry>>,
    batch: &[Append<T>],
    expire: Option<u64>,
) -> Result<Written, redb::Error> {
    let mut transaction = database.begin_write()?;
    // With two phases the newest state in the file is always a whole one. So if it is not, the file is damaged, and
    // the one before is never mistaken for it.
    transaction.set_two_phase_commit(true);
    let written = {
        let mut work = Transaction::new(&transaction, bounds, entries)?;
        let outcomes =
            batch.iter().map(|append| work.append(append)).collect::<Result<_, redb::Error>>()?;
        if let Some(now) = expire {
            work.expire(bounds.too_old_at(now))?;
        }
        Written { changed: work.finish()?, outcomes }
    };
    transaction.commit()?;
    Ok(written)
}

struct Transaction<'a> {
    bounds: &'a Bounds,
    entries: &'a Mutex<HashMap<Arc<str>, Entry>>,
    changed: HashMap<Arc<str>, Option<Entry>>,
    begun: usize,
    about: Table<'a, &'static str, u64>,
    streams: Table<'a, &'static str, EntryRow<'static>>,
    messages: Table<'a, (u64, u64), MessageRow<'static>>,
    ids: Table<'a, (u64, &'static [u8]), u64>,
}

impl<'a> Transaction<'a> {
    fn new(
        transaction: &'a WriteTransaction,
        bounds: &'a Bounds,
        entries: &'a Mutex<HashMap<Arc<str>, Entry>>,
    ) -> Result<Self, redb::Error> {
        Ok(Self {
            bounds,
            entries,
            changed: HashMap::new(),
            begun: 0,
            about: transaction.open_table(ABOUT)?,
            streams: transaction.open_table(STREAMS)?,
            messages: transaction.open_table(MESSAGES)?,
            ids: transaction.open_table(IDS)?,
        })
    }

    fn append<T>(&mut self, append: &Append<T>) -> Result<(Arc<str>, Outcome), redb::Error> {
        let Some(mut entry) = self.entry(append)? else {
            return Ok((append.epoch.clone(), Outcome::Refused(Error::TooManyStreams)));
        };
        let epoch = entry.epoch.clone();
        let id = append.id.as_deref().unwrap_or_default();
        if !id.is_empty()
            && let Some(known) = self.ids.get((entry.number, id))?
        {
            return Ok((epoch, Outcome::Known(known.value())));
        }
        entry.last += 1;
        entry.last_time = append.time;
        entry.bytes += append.payload.len() as u64;
        let key = (entry.number, entry.last);
        self.messages.insert(key, (append.time, id, &*append.payload))?;
        if !id.is_empty() {
            self.ids.insert((entry.number, id), entry.last)?;
        }
        let (time, payload) = (append.time, append.payload.clone());
        let message = Message { offset: entry.last, time, payload };
        self.changed.insert(append.stream.clone(), Some(entry));
        Ok((epoch, Outcome::Kept(message)))
    }

    /// The stream as it stands by now, or a new one; `None` if there are too many.
    fn entry<T>(&mut self, append: &Append<T>) -> Result<Option<Entry>, redb::Error> {
        if let Some(Some(entry)) = self.changed.get(&append.stream) {
            return Ok(Some(entry.clone()));
        }
        let entries = lock(self.entries);
        if let Some(entry) = entries.get(&append.stream) {
            return Ok(Some(entry.clone()));
        }
        if entries.len() + self.begun >= self.bounds.streams_max {
            return Ok(None);
        }
        drop(entries);
        self.begun += 1;
        let number = self.about.get("next")?.map_or(0, |next| next.value());
        self.about.insert("next", number + 1)?;
        Ok(Some(Entry::new(number, append.epoch.clone())))
    }

    /// Looks at every stream for what is too old, and forgets those of which nothing is left.
    fn expire(&mut self, too_old_at: u64) -> Result<(), redb::Error> {
        let streams: Vec<_> = lock(self.entries)
            .iter()
            .filter(|(name, _)| !self.changed.contains_key(*name))
            .map(|(name, entry)| (name.clone(), entry.clone()))
            .collect();
        for (name, mut entry) in streams {
            let first = entry.first;
            self.drop_old(&mut entry, too_old_at)?;
            if entry.last_time < too_old_at {
                self.changed.insert(name, None);
            } else if entry.first != first {
                self.changed.insert(name, Some(entry));
            }
        }
        Ok(())
    }

    /// Keeps the bounds of every stream that grew and writes down where each stands.
    fn finish(mut self) -> Result<HashMap<Arc<str>, Option<Entry>>, redb::Error> {
        let mut changed = std::mem::take(&mut self.changed);
        for (name, entry) in &mut changed {
            let Some(entry) = entry else {
                self.streams.remove(&**name)?;
                continue;
            };
            while entry.count() > self.bounds.messages_max || entry.bytes > self.bounds.bytes_max {
                self.drop_first(entry)?;
            }
            self.drop_old(entry, self.bounds.too_old_at(entry.last_time))?;
            self.streams.insert(&**name, entry.row())?;
        }
        Ok(changed)
    }

    fn drop_old(&mut self, entry: &mut Entry, too_old_at: u64) -> Result<(), redb::Error> {
        while entry.count() > 0 {
            let first = self.messages.get((entry.number, entry.first))?;
            if first.is_some_and(|first| first.value().0 >= too_old_at) {
                break;
            }
            self.drop_first(entry)?;
        }
        Ok(())
    }

    fn drop_first(&mut self, entry: &mut Entry) -> Result<(), redb::Error> {
        if let Some(first) = self.messages.remove((entry.number, entry.first))? {
            let (_, id, payload) = first.value();
            entry.bytes = entry.bytes.saturating_sub(payload.len() as u64);
            if !id.is_empty() {
                self.ids.remove((entry.number, id))?;
            }
        }
        entry.first += 1;
        Ok(())
    }
}
