//! One room's stream, followed: the task that keeps it in step with the server.
//!
//! ```text
//!  append ──▶ outbox ──▶ published, each on the condition that it comes right behind what is known here
//!                               │
//!  commits ◀── applied, ◀───────┴── acknowledged, or told by the server as kept, here or elsewhere
//!              in the order of the offsets; what was not told is fetched
//! ```

mod comparing;
mod sending;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use async_nats::jetstream::context::PublishError;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::{mpsc, oneshot, watch};
use wskit_store::{Append, Commit, Error, Message, Outcome, is_from_epoch_on, next_epoch};

use crate::broker::{Broker, Stored, away};
use crate::kept::{Entry, Kept};
use crate::outbox::{Outbox, Pending};
use crate::record::Id;
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

    /// A stream is over.
    fn forget(&mut self, stream: &str) {
        self.over = self.broker.names.epoch(stream);
        *lock(&self.followed.kept) = None;
    }

    /// What the next stream is to be called by, where this is wanted: another name than those that were.
    fn epoch_to_begin(&self, wanted: &Arc<str>) -> Arc<str> {
        let over = self.over.as_ref().filter(|over| is_from_epoch_on(over, wanted));
        over.map_or(wanted.clone(), |over| next_epoch(over))
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
