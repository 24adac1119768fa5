//! The store: finds the task of each room, and answers from what they know.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use wskit_store::{
    Append, Bounds, Commit, Commits, Error, Follow, Following, Looking, Message, Outcome, Page,
    Position, Reading, Span, Statistics, Store,
};

use crate::broker::{Broker, away};
use crate::connecting::{ConnectError, Settings, connect};
use crate::exchange::Exchange;
use crate::kept::Kept;
use crate::stream::{Followed, Readiness, Task, Work, lock};

/// Keeps streams on a NATS server, for any number of nodes.
///
/// A commit is acknowledged by JetStream: it survives whatever JetStream is set up to survive. A thread of its own
/// speaks with the server. Dropping the store waits a little for what is still under way.
#[derive(Debug)]
pub struct Nats<T> {
    shared: Arc<Shared<T>>,
    /// Dropped to end the thread.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(crate) struct Shared<T> {
    pub(crate) bounds: Bounds,
    pub(crate) broker: Broker,
    /// Counts how often the connection came and went.
    pub(crate) connections: watch::Sender<u64>,
    pub(crate) streams: Mutex<HashMap<Arc<str>, Arc<Followed<T>>>>,
    pub(crate) commits: Commits<T>,
    /// Whoever begins a stream; one at a time.
    pub(crate) beginning: tokio::sync::Mutex<()>,
    /// How many streams there are, when that was last asked.
    pub(crate) stream_count: AtomicUsize,
    waiting_bytes: AtomicUsize,
    statistics: Mutex<Statistics>,
    runtime: runtime::Handle,
    /// Tells the attempts of this node from those of others.
    node: u64,
    attempts: AtomicU64,
    /// When all rooms are looked through for those of which nothing is kept any more.
    next_sweep: Mutex<Instant>,
}

/// How long dropping the store waits for what is under way.
const ENDING_MAX: Duration = Duration::from_secs(2);

/// How often the server is asked whether it works.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How often all rooms are looked through, at most and at least.
const SWEEP_INTERVAL_MIN: Duration = Duration::from_secs(1);
const SWEEP_INTERVAL_MAX: Duration = Duration::from_secs(60 * 60);

impl<T: Send + 'static> Nats<T> {
    /// Connects to the server. Once connected, the connection is kept: when it is lost it is sought again for ever.
    ///
    /// All nodes are to have the same bounds, for each lets go of what is too much for it.
    ///
    /// # Errors
    /// The server cannot be reached or does not let this node in, or it has no JetStream.
    pub fn connect(settings: Settings, bounds: Bounds) -> Result<Self, ConnectError> {
        let (end, ended) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::Builder::new().name("store-nats".into()).spawn(move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(ConnectError::Local(error)))),
            };
            // Of one type with whatever else a program runs so: the runtime's loop is compiled for each type anew.
            let life: Pin<&mut dyn Future<Output = ()>> = pin!(async {
                let connections = watch::Sender::new(0);
                match connect(settings, connections.clone()).await {
                    Ok(broker) => {
                        let shared = Arc::new(Shared::new(bounds, broker, connections));
                        let _whoever_asked_waits = tell.send(Ok(shared.clone()));
                        tokio::select! {
                            () = shared.look_after_server() => {}
                            _ = ended => shared.end().await,
                        }
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
            runtime.block_on(life);
        });
        let thread = thread.map_err(ConnectError::Local)?;
        let ended = || ConnectError::Local(std::io::Error::other("the thread has ended"));
        let shared = told.recv().map_err(|_| ended())??;
        Ok(Self { shared, end: Some(end), thread: Some(thread) })
    }

    /// A way to tell other nodes something that is not to be kept.
    #[must_use]
    pub fn exchange(&self) -> Exchange {
        Exchange::new(self.shared.broker.clone())
    }
}

impl<T: Send + 'static> Shared<T> {
    fn new(bounds: Bounds, broker: Broker, connections: watch::Sender<u64>) -> Self {
        let node = RandomState::new().hash_one(Instant::now());
        let interval = sweep_interval(&bounds);
        // Not all nodes at the same time.
        let first_sweep = Instant::now() + interval.mul_f64((node % 1_000) as f64 / 1e3);
        Self {
            bounds,
            broker,
            connections,
            streams: Mutex::default(),
            commits: Commits::default(),
            beginning: tokio::sync::Mutex::default(),
            stream_count: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            statistics: Mutex::default(),
            runtime: runtime::Handle::current(),
            node,
            attempts: AtomicU64::new(0),
            next_sweep: Mutex::new(first_sweep),
        }
    }

    /// The room's task, which is begun if there is none; `with` is done before it can end.
    fn with_task<R>(self: &Arc<Self>, room: &str, with: impl FnOnce(&Arc<Followed<T>>) -> R) -> R {
        let mut streams = lock(&self.streams);
        if let Some(followed) = streams.get(room) {
            return with(followed);
        }
        let (work, to_do) = mpsc::unbounded_channel();
        let followed = Arc::new(Followed {
            room: room.into(),
            kept: Mutex::default(),
            work,
            readiness: watch::Sender::new(Readiness::Unknown),
            followers: AtomicUsize::new(0),
        });
        streams.insert(followed.room.clone(), followed.clone());
        let result = with(&followed);
        self.runtime.spawn(Task::new(self.clone(), followed, to_do).run());
        result
    }

    fn append(self: &Arc<Self>, append: Append<T>) {
        let size = append.payload.len();
        let waiting = self.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        if waiting > 0 && waiting + size > self.bounds.waiting_bytes_max {
            let outcome = Outcome::Refused(Error::Busy);
            self.count(&outcome, size);
            let Append { stream, epoch, tag, .. } = append;
            return self.commits.put_without_waking([Commit {
                stream,
                epoch,
                outcome,
                tag: Some(tag),
            }]);
        }
        let room = append.stream.clone();
        self.with_task(&room, |followed| {
            let _the_task_is_there = followed.work.send(Work::Append(append));
        });
    }

    fn follow(self: &Arc<Self>, room: &str) -> Follower<T> {
        self.with_task(room, |followed| {
            followed.followers.fetch_add(1, Ordering::Relaxed);
            Follower { followed: followed.clone() }
        })
    }

    async fn read(self: Arc<Self>, room: Arc<str>, span: Span) -> Result<Page, Error> {
        let follower = self.follow(&room);
        follower.is_ready().await?;
        let (stream, position, offsets) = {
            let kept = lock(&follower.followed.kept);
            let Some(kept) = &*kept else {
                return Ok(Page { position: None, messages: Vec::new() });
            };
            (kept.stream.clone(), kept.position(), kept.within(span))
        };
        let mut messages = Vec::new();
        if !offsets.is_empty() {
            if !self.broker.is_connected() {
                return Err(away());
            }
            for stored in self.broker.fetch(&stream, offsets).await? {
                let time = stored.record.time;
                messages.push(Message { offset: stored.offset, time, payload: stored.payload });
            }
        }
        Ok(Page { position: Some(position), messages })
    }

    /// Looks for rooms that nobody follows and of which nothing is kept any more, and has them looked after.
    async fn sweep(self: Arc<Self>) {
        for room in self.broker.empty().await.unwrap_or_default() {
            let follower = self.follow(&room);
            if follower.is_ready().await.is_ok() {
                let _the_task_is_held = follower.followed.work.send(Work::Expire);
            }
        }
    }

    /// Asks the server now and then whether it works, for ever.
    async fn look_after_server(&self) {
        let mut connections = self.connections.subscribe();
        loop {
            let counted = self.broker.count().await;
            lock(&self.statistics).failure = counted.as_ref().err().map(ToString::to_string);
            if let Ok(count) = counted {
                self.stream_count.store(count, Ordering::Relaxed);
            }
            let _changed_or_not = tokio::time::timeout(LOOK_INTERVAL, connections.changed()).await;
        }
    }

    async fn end(&self) {
        let ending = Instant::now();
        while self.waiting_bytes.load(Ordering::Relaxed) > 0 && ending.elapsed() < ENDING_MAX {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl<T> Shared<T> {
    /// Names one attempt to keep something.
    pub(crate) fn attempt(&self) -> String {
        format!("{:016x}-{:x}", self.node, self.attempts.fetch_add(1, Ordering::Relaxed))
    }

    /// Counts a message that was handed in then and is kept now.
    pub(crate) fn arrived(&self, payload_bytes: usize, since: Instant) {
        self.waiting_bytes.fetch_sub(payload_bytes, Ordering::Relaxed);
        let mut statistics = lock(&self.statistics);
        statistics.kept += 1;
        statistics.failure = None;
        statistics.commit_times.add(since.elapsed());
    }

    /// Counts a message that is not kept now.
    pub(crate) fn count(&self, outcome: &Outcome, payload_bytes: usize) {
        self.waiting_bytes.fetch_sub(payload_bytes, Ordering::Relaxed);
        let mut statistics = lock(&self.statistics);
        match outcome {
            Outcome::Known(_) => statistics.known += 1,
            _ => statistics.refused += 1,
        }
        if let Outcome::Refused(Error::Failed(why)) = outcome {
            statistics.failure = Some(why.clone());
        }
    }

    pub(crate) fn count_one_less(&self) {
        let less = |count: usize| Some(count.saturating_sub(1));
        let _it_is_always_some =
            self.stream_count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

impl<T: Send + 'static> Store<T> for Nats<T> {
    fn follow(&self, stream: &str) -> Follow {
        let follower = self.shared.follow(stream);
        Box::pin(async move {
            follower.is_ready().await?;
            Ok(Following::until_dropped(follower))
        })
    }

    fn look(&self, stream: &str) -> Looking {
        let (tell, told) = oneshot::channel();
        self.shared.with_task(stream, |followed| {
            let _the_task_is_there = followed.work.send(Work::Look(Some(tell)));
        });
        Box::pin(async move { told.await.unwrap_or_else(|_| Err(away())) })
    }

    fn position(&self, stream: &str) -> Option<Position> {
        let followed = lock(&self.shared.streams).get(stream)?.clone();
        lock(&followed.kept).as_ref().map(Kept::position)
    }

    fn append_all(&self, appends: &mut Vec<Append<T>>) {
        appends.drain(..).for_each(|append| self.shared.append(append));
    }

    fn poll_committed(&self, context: &mut Context<'_>) -> Poll<Commit<T>> {
        self.shared.commits.poll(context)
    }

    fn try_committed(&self) -> Option<Commit<T>> {
        self.shared.commits.next()
    }

    fn read(&self, stream: &str, span: Span) -> Reading {
        // On the thread that speaks with the server, so that whoever waits may run on any runtime.
        let reading = self.shared.runtime.spawn(self.shared.clone().read(stream.into(), span));
        Box::pin(async move {
            reading.await.unwrap_or_else(|error| Err(Error::Failed(format!("NATS: {error}"))))
        })
    }

    /// The server judges how old messages are, and not by this time.
    fn expire(&self, _now: u64) {
        for followed in lock(&self.shared.streams).values() {
            let _the_task_is_there = followed.work.send(Work::Expire);
        }
        let mut next_sweep = lock(&self.shared.next_sweep);
        if *next_sweep <= Instant::now() {
            *next_sweep = Instant::now() + sweep_interval(&self.shared.bounds);
            self.shared.runtime.spawn(self.shared.clone().sweep());
        }
    }

    fn statistics(&self) -> Statistics {
        let mut statistics = lock(&self.shared.statistics).clone();
        statistics.streams = self.shared.stream_count.load(Ordering::Relaxed);
        statistics.waiting_bytes = self.shared.waiting_bytes.load(Ordering::Relaxed);
        if !self.shared.broker.is_connected() {
            statistics.failure = Some(away().to_string());
        }
        statistics
    }
}

impl<T> Drop for Nats<T> {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _it_may_have_panicked = thread.join();
        }
    }
}

fn sweep_interval(bounds: &Bounds) -> Duration {
    (bounds.age_max / 10).clamp(SWEEP_INTERVAL_MIN, SWEEP_INTERVAL_MAX)
}

/// Somebody who follows a room.
struct Follower<T> {
    followed: Arc<Followed<T>>,
}

impl<T> Follower<T> {
    /// When it is known where the room stands.
    async fn is_ready(&self) -> Result<(), Error> {
        let mut readiness = self.followed.readiness.subscribe();
        let known = readiness.wait_for(|readiness| *readiness != Readiness::Unknown).await;
        match known.as_deref() {
            Ok(Readiness::Failed(error)) => Err(error.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Failed("NATS: the room's task has ended".into())),
        }
    }
}

impl<T> Drop for Follower<T> {
    fn drop(&mut self) {
        self.followed.followers.fetch_sub(1, Ordering::Relaxed);
        let _the_task_may_have_ended = self.followed.work.send(Work::Look(None));
    }
}
