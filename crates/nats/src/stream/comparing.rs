//! Getting in step: what is known of a room's stream is compared with what the server has.

use async_nats::jetstream::stream::Info;
use wskit_store::Error;

use super::{Readiness, Task, lock};
use crate::broker::failed;
use crate::kept::Kept;
use crate::record::{After, Record};
use crate::store::Shared;

/// So many messages are fetched at a time when some were not told.
const FETCHED_AT_ONCE: u64 = 256;

impl<T: Send + 'static> Task<T> {
    /// Asks where the stream stands, and fetches what was not told.
    pub(super) async fn compare(&mut self) -> Result<(), Error> {
        if self.told.is_none() {
            // Before the question, so that nothing falls between.
            self.told = Some(self.broker.subscribe(&self.followed.room).await?);
        }
        if let Some(stream) = self.ended.take() {
            // Whoever ended it may not have lived to see to this; or has done it, and there may be another by now.
            self.broker.delete_ended(&stream).await?;
        }
        let Some(info) = self.look().await? else {
            if let Some((stream, _)) = self.stands() {
                self.forget(&stream);
            }
            return Ok(());
        };
        let stream = info.config.name.clone();
        let (first, last) = (info.state.first_sequence.max(1), info.state.last_sequence);
        let known = self.stands().filter(|(known, _)| **known == *stream).map(|(_, last)| last);
        if known.is_some_and(|known| last < known) {
            // The server lost what it had kept. Its offsets would be given away twice, so this life of the room is over.
            return self.end(&stream, last).await;
        }
        // Who began it may have come no further; if it is just about to, it is told and begins another.
        let is_left = std::mem::take(&mut self.is_expiring) && self.outbox.is_empty();
        // The server lets go of what is too old by its own clock, so nothing depends on those of nodes.
        if info.state.messages == 0 && (last > 0 || is_left) {
            return self.end(&stream, last).await;
        }
        if known.is_none() {
            let Some(epoch) = self.broker.names.epoch(&stream) else {
                return Err(Error::Failed(format!("NATS: {stream} is not a room's stream")));
            };
            let Shared { bounds, .. } = &*self.shared;
            self.broker.adapt(&info.config, &self.followed.room, &epoch, bounds).await?;
            let is_first = *self.followed.readiness.borrow() != Readiness::Known;
            let kept = match is_first {
                true => self.load(&stream, &epoch, last).await?,
                // To those who follow already, all of it is news.
                false => Some(Kept::after(stream.clone().into(), epoch.into(), first - 1)),
            };
            let Some(kept) = kept else {
                self.forget(&stream);
                return self.broker.delete_ended(&stream).await;
            };
            *lock(&self.followed.kept) = Some(kept);
        }
        self.catch_up(first, last).await?;
        if let Some(kept) = &mut *lock(&self.followed.kept) {
            kept.let_go_before(first);
        }
        Ok(())
    }

    /// How the room's stream is now, if there is one: the one that is known, or another.
    async fn look(&mut self) -> Result<Option<Info>, Error> {
        if let Some((stream, _)) = self.stands()
            && let Some(info) = self.broker.info(&stream).await?
        {
            return Ok(Some(info));
        }
        match self.broker.find(&self.followed.room).await? {
            Some(stream) => self.broker.info(&stream).await,
            None => Ok(None),
        }
    }

    /// What is known of a stream that nobody followed; `None` if it is over.
    async fn load(&mut self, stream: &str, epoch: &str, last: u64) -> Result<Option<Kept>, Error> {
        let found = self.broker.scan(stream, last).await?;
        // What went meanwhile may be missing, and nothing else.
        let Some(info) = self.broker.info(stream).await? else { return Ok(None) };
        let first = info.state.first_sequence.max(1);
        let mut kept = Kept::after(stream.into(), epoch.into(), first - 1);
        for (offset, record, entry) in found.into_iter().filter(|(offset, ..)| *offset >= first) {
            if record.is_end {
                return Ok(None);
            }
            if offset != kept.last() + 1 {
                return Err(Error::Failed(format!("NATS: the message before {offset} was lost")));
            }
            kept.add(offset, entry, &self.shared.bounds);
        }
        Ok(Some(kept))
    }

    /// Fetches what comes after what is known, up to this offset; the oldest that the server has is `first`.
    pub(super) async fn catch_up(&mut self, first: u64, last: u64) -> Result<(), Error> {
        let Some((stream, mut known)) = self.stands() else { return Ok(()) };
        known = known.max(first.saturating_sub(1));
        while known < last {
            let to = last.min(known + FETCHED_AT_ONCE);
            for stored in self.broker.fetch(&stream, known + 1..=to).await? {
                self.apply(stored);
            }
            known = to;
        }
        if let Some(kept) = &mut *lock(&self.followed.kept) {
            // What is gone already counts too.
            kept.skip_to(last);
        }
        Ok(())
    }

    /// Ends this life of the room, unless anything was kept behind this offset.
    async fn end(&mut self, stream: &str, last: u64) -> Result<(), Error> {
        // The end is a message like any other: where it is the last one, nothing was kept behind it and nothing can be.
        let after = After { stream, offset: last, attempt: None };
        let attempt = self.shared.attempt();
        let record = Record { attempt, time: 0, id: None, is_end: true };
        let sent = self.broker.publish(&self.followed.room, &after, &record, "".into()).await;
        sent.map_err(|error| failed(&error))?.await.map_err(|error| failed(&error))?;
        self.forget(stream);
        self.broker.delete(stream).await?;
        self.shared.count_one_less();
        Ok(())
    }
}
