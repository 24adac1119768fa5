//! One room's stream, followed: the task that keeps it in step with the server.
//!
//! ```text
//!  append ──▶ outbox ──▶ published, each on the condition that it comes right behind what is known here
//!                               │
//!  commits ◀── applied, ◀───────┴── acknowledged, or told by the server as kept, here or elsewhere
//!              in the order of the offsets; what was not told is fetched
//! ```

mod sending;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::stream::Info;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::{mpsc, oneshot, watch};
use wskit_store::{Append, Commit, Error, Message, Outcome};

use crate::broker::{Broker, Stored, away, failed};
use crate::kept::{Entry, Kept};
use crate::outbox::{Outbox, Pending};
use crate::record::{After, Id, Record};
use crate::store::Shared;

/// What the task is asked for.
#[derive(Debug)]
pub(crate) enum Work<T> {
    Append(Append<T>),
    /// Lets go of what the server has let go of, and of what is too much for it.
    Expire,
    /// Asks anew where the stream stands, and tells when that is known; or looks whether anybody follows still.
    Look(Option<oneshot::Sender<Result<(), Error>>>),
}

/// What the task and those who ask have in common.
#[derive(Debug)]
pub(crate) struct Followed<T> {
    pub(crate) room: Arc<str>,
    /// The stream as it is known; `None` if there is none.
    pub(crate) kept: Mutex<Option<Kept>>,
    pub(crate) work: mpsc::UnboundedSender<Work<T>>,
    pub(crate) readiness: watch::Sender<Readiness>,
    pub(crate) followers: AtomicUsize,
}

/// Whether it is known where the stream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Unknown,
    Known,
    Failed(Error),
}

pub(crate) struct Task<T> {
    shared: Arc<Shared<T>>,
    broker: Broker,
    followed: Arc<Followed<T>>,
    work: mpsc::UnboundedReceiver<Work<T>>,
    told: Option<Subscriber>,
    outbox: Outbox<T>,
    answers: FuturesOrdered<Answer>,
    connections: watch::Receiver<u64>,
    /// Those who wait to hear that it is known anew where the stream stands.
    asking: Vec<oneshot::Sender<Result<(), Error>>>,
    /// A stream that is over and perhaps not gone yet.
    ended: Option<Arc<str>>,
    /// The epoch of the last stream that is over, as far as is known here. Its name is not given again: whoever was
    /// told of the end may delete it late.
    over: Option<String>,
    /// Whether what is known here is what the server has, as far as can be known.
    in_step: bool,
    /// Whether a stream that nothing was put into is to end with the next look.
    is_expiring: bool,
    look_again_after: Duration,
    looked_at: Instant,
}

/// What becomes of one attempt.
type Answer = Pin<Box<dyn Future<Output = (String, Result<u64, PublishError>)> + Send>>;

/// How long to wait before the server is asked again where the stream stands: at first, and at most. What the server
/// tells may be lost on the way without anybody noticing, if nothing comes after it.
const LOOK_AFTER_MIN: Duration = Duration::from_secs(1);
const LOOK_AFTER_MAX: Duration = Duration::from_secs(16);

/// So many messages are fetched at a time when some were not told.
const FETCHED_AT_ONCE: u64 = 256;

impl<T: Send + 'static> Task<T> {
    pub(crate) fn new(
        shared: Arc<Shared<T>>,
        followed: Arc<Followed<T>>,
        work: mpsc::UnboundedReceiver<Work<T>>,
    ) -> Self {
        Self {
            broker: shared.broker.clone(),
            connections: shared.connections.subscribe(),
            shared,
            followed,
            work,
            told: None,
            outbox: Outbox::default(),
            answers: FuturesOrdered::new(),
            asking: Vec::new(),
            ended: None,
            over: None,
            in_step: false,
            is_expiring: false,
            look_again_after: LOOK_AFTER_MIN,
            looked_at: Instant::now(),
        }
    }

    /// Works until nobody follows any more and all is done.
    pub(crate) async fn run(mut self) {
        loop {
            if !self.in_step && self.answers.is_empty() {
                self.outbox.begin_again();
                self.get_in_step().await;
            }
            if self.in_step {
                self.send().await;
            }
            if self.is_over() {
                return;
            }
            let look_at = self.looked_at + self.look_again_after;
            tokio::select! {
                biased;
                _ = self.connections.changed() => self.reconnected(),
                Some(answer) = self.answers.next() => self.answered(answer).await,
                told = next(&mut self.told) => self.told(told).await,
                Some(work) = self.work.recv() => self.work(work).await,
                () = tokio::time::sleep_until(look_at.into()) => self.in_step = false,
            }
        }
    }

    /// Whether nobody needs this any more; then nobody finds it any more.
    fn is_over(&mut self) -> bool {
        if !self.outbox.is_empty()
            || !self.asking.is_empty()
            || self.followed.followers.load(Ordering::Relaxed) > 0
        {
            return false;
        }
        let mut streams = lock(&self.shared.streams);
        // Both grow only under this lock.
        if self.followed.followers.load(Ordering::Relaxed) > 0 || !self.work.is_empty() {
            return false;
        }
        streams.remove(&self.followed.room);
        true
    }

    async fn get_in_step(&mut self) {
        self.looked_at = Instant::now();
        let result = match self.broker.is_connected() {
            true => self.compare().await,
            false => Err(away()),
        };
        for asking in self.asking.drain(..) {
            let _it_may_have_gone = asking.send(result.clone());
        }
        let readiness = match result {
            Ok(()) => {
                self.in_step = true;
                self.look_again_after = (2 * self.look_again_after).min(LOOK_AFTER_MAX);
                Readiness::Known
            }
            Err(error) => {
                self.look_again_after = LOOK_AFTER_MIN;
                // With all that came meanwhile, or each would wait for an attempt of its own.
                while let Ok(work) = self.work.try_recv() {
                    self.work(work).await;
                }
                self.give_up(&error);
                Readiness::Failed(error)
            }
        };
        self.followed.readiness.send_if_modified(|known| {
            // What is known is still good for reading.
            let is_news = *known != Readiness::Known && *known != readiness;
            if is_news {
                *known = readiness;
            }
            is_news
        });
    }

    /// Asks where the stream stands, and fetches what was not told.
    async fn compare(&mut self) -> Result<(), Error> {
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
    async fn catch_up(&mut self, first: u64, last: u64) -> Result<(), Error> {
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

    /// The stream as it is called on the server, and the last offset known.
    fn stands(&self) -> Option<(Arc<str>, u64)> {
        let kept = lock(&self.followed.kept);
        kept.as_ref().map(|kept| (kept.stream.clone(), kept.last()))
    }

    /// The server tells what it has kept.
    async fn told(&mut self, message: Option<async_nats::Message>) {
        let Some(message) = message else {
            self.told = None;
            self.in_step = false;
            return;
        };
        let Some((stream, stored)) = Stored::told(message) else { return };
        match self.stands() {
            Some((known, last)) if *known == *stream => {
                let offset = stored.offset;
                if offset > last + 1 && self.catch_up(last + 1, offset - 1).await.is_err() {
                    self.in_step = false;
                } else if self.stands().is_some_and(|(_, last)| offset > last) {
                    self.apply(stored);
                }
            }
            _ => self.in_step = false,
        }
    }

    async fn work(&mut self, work: Work<T>) {
        match work {
            Work::Append(append) => {
                let id = append.id.as_deref().map(Id::of);
                let attempt = self.shared.attempt();
                self.outbox.push(Pending { append, id, attempt, since: Instant::now() });
            }
            Work::Expire => {
                self.in_step = false;
                self.is_expiring = true;
                self.purge(1);
            }
            Work::Look(None) => {}
            Work::Look(Some(tell)) => {
                self.in_step = false;
                self.asking.push(tell);
            }
        }
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

    /// A stream is over.
    fn forget(&mut self, stream: &str) {
        self.over = self.broker.names.epoch(stream);
        *lock(&self.followed.kept) = None;
    }

    /// What the next stream is to be called by, where this is wanted: another name than those that were.
    fn epoch_to_begin(&self, wanted: &Arc<str>) -> Arc<str> {
        let follows = |over: &&String| over.strip_prefix(&**wanted).is_some_and(is_life);
        self.over.as_ref().filter(follows).map_or(wanted.clone(), |over| format!("{over}.1").into())
    }

    fn purge(&self, messages_min: u64) {
        let mut kept = lock(&self.followed.kept);
        let Some(kept) = &mut *kept else { return };
        if let Some(first) = kept.purge_before(messages_min, &self.shared.bounds) {
            let (broker, stream) = (self.broker.clone(), kept.stream.clone());
            tokio::spawn(async move {
                // What is left lies there until it is too old for the server.
                let _another_time = broker.purge(&stream, first).await;
            });
        }
    }

    /// Takes in what the server has kept next.
    fn apply(&mut self, stored: Stored) {
        let Stored { offset, record, payload } = stored;
        if record.is_end {
            if let Some((stream, _)) = self.stands() {
                self.forget(&stream);
                self.ended = Some(stream);
            }
            self.in_step = false;
        } else if let Some(pending) = self.outbox.arrived(&record.attempt) {
            self.keep(offset, pending);
        } else {
            let message = Message { offset, time: record.time, payload };
            self.commit(message, record.id, None);
        }
    }

    fn commit(&self, message: Message, id: Option<Id>, tag: Option<T>) {
        let mut kept = lock(&self.followed.kept);
        let Some(kept) = &mut *kept else { return };
        let payload_bytes = u32::try_from(message.payload.len()).unwrap_or(u32::MAX);
        let entry = Entry { payload_bytes, id };
        kept.add(message.offset, entry, &self.shared.bounds);
        let (stream, epoch) = (self.followed.room.clone(), kept.epoch.clone());
        // Under the lock still, so that whoever asks for the position gets the commits that are not in it.
        self.shared.commits.put([Commit { stream, epoch, outcome: Outcome::Kept(message), tag }]);
    }
}

/// Whether this, behind an epoch, names the same life of the room or one after it.
fn is_life(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

/// What the server tells next; for ever pending if it is not asked yet.
async fn next(told: &mut Option<Subscriber>) -> Option<async_nats::Message> {
    match told {
        Some(told) => told.next().await,
        None => std::future::pending().await,
    }
}

/// Locks also after a panic of another holder: every change below a lock of this crate leaves usable data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
