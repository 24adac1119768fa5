//! What is to be kept, on its way to the server, and what becomes of it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use futures_util::stream::FuturesOrdered;
use wskit_store::{Append, Commit, Error, Message, Outcome};

use super::{Task, lock};
use crate::broker::{Begun, failed};
use crate::kept::Kept;
use crate::outbox::{Next, Pending};
use crate::record::{After, Id, Record};

/// Beyond it who waits is told that it is not kept.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The server is told to let go of messages when there are so many.
const PURGED_AT_ONCE: u64 = 64;

impl<T: Send + 'static> Task<T> {
    /// Sends what waits, as far as may be under way at a time.
    pub(super) async fn send(&mut self) {
        if let Some(too_old_at) = Instant::now().checked_sub(WAIT_MAX) {
            let late: Vec<_> = self.outbox.give_up_older(too_old_at).collect();
            self.refuse(late, &Error::Busy);
        }
        while self.in_step {
            let known = |id: Id| lock(&self.followed.kept).as_ref().and_then(|kept| kept.known(id));
            let result = match self.outbox.next(known) {
                Next::Wait => return,
                Next::Known(offset) => {
                    let pending = self.outbox.take_first();
                    pending
                        .into_iter()
                        .for_each(|pending| self.tell(pending, Outcome::Known(offset)));
                    continue;
                }
                Next::Send => match self.stands() {
                    Some((stream, last)) => self.send_first(&stream, last).await,
                    None => self.begin().await,
                },
            };
            if let Err(error) = result {
                self.in_step = false;
                self.give_up(&error);
            }
        }
    }

    async fn send_first(&mut self, stream: &str, last: u64) -> Result<(), Error> {
        let Some(first) = self.outbox.first() else { return Ok(()) };
        let (before, count) = self.outbox.last_under_way();
        let attempt = before.map(|pending| &*pending.attempt);
        let after = After { stream, offset: last + count, attempt };
        let Append { time, payload, .. } = &first.append;
        let record =
            Record { attempt: first.attempt.clone(), time: *time, id: first.id, is_end: false };
        let sent = self.broker.publish(&self.followed.room, &after, &record, payload.clone());
        match sent.await {
            Ok(answer) => {
                self.outbox.sent();
                self.answers.push_back(Box::pin(attempted(record.attempt, answer)));
            }
            // It was never on its way, so those behind it take its place.
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                let pending = self.outbox.take_first();
                self.refuse(pending, &Error::TooLarge);
            }
            Err(error) => return Err(failed(&error)),
        }
        Ok(())
    }

    /// Begins a stream for the first message that waits.
    async fn begin(&mut self) -> Result<(), Error> {
        let Some(first) = self.outbox.first() else { return Ok(()) };
        let epoch = self.epoch_to_begin(&first.append.epoch);
        // Nobody else of this node begins one meanwhile, or there might be one too many.
        let turn = self.shared.beginning.lock().await;
        let count = self.broker.count().await?;
        self.shared.stream_count.store(count, Ordering::Relaxed);
        if count >= self.shared.bounds.streams_max {
            return Err(Error::TooManyStreams);
        }
        let begun = self.broker.begin(&self.followed.room, &epoch, &self.shared.bounds).await?;
        drop(turn);
        if begun == Begun::Here {
            self.shared.stream_count.store(count + 1, Ordering::Relaxed);
            let stream = self.broker.names.stream(&self.followed.room, &epoch);
            *lock(&self.followed.kept) = Some(Kept::after(stream.into(), epoch, 0));
        } else {
            self.in_step = false;
        }
        Ok(())
    }

    pub(super) async fn answered(
        &mut self,
        (attempt, result): (String, Result<u64, PublishError>),
    ) {
        let last = self.stands().map_or(0, |(_, last)| last);
        match result {
            Ok(offset) if offset == last + 1 => {
                if let Some(pending) = self.outbox.arrived(&attempt) {
                    self.keep(offset, pending);
                }
            }
            // It was told already, or something before it was not told.
            Ok(offset) if offset <= last => {}
            Ok(_) => self.in_step = false,
            Err(error) => match error.kind() {
                // Another node was faster, or the stream is over.
                PublishErrorKind::WrongLastSequence
                | PublishErrorKind::WrongLastMessageId
                | PublishErrorKind::StreamNotFound => self.outbox.stuck(),
                _ if met_another_life(&error) => self.outbox.stuck(),
                // The server does not want this one.
                PublishErrorKind::Other | PublishErrorKind::MaxPayloadExceeded => {
                    self.outbox.stuck();
                    let pending = self.outbox.arrived(&attempt);
                    self.refuse(pending, &failed(&error));
                }
                // Whether it is kept nobody knows; who sends it again under its id is safe.
                _ => self.lost(&failed(&error)),
            },
        }
        if self.outbox.is_stuck() {
            self.in_step = false;
        }
    }

    /// What is under way may arrive or not.
    pub(super) fn lost(&mut self, error: &Error) {
        self.in_step = false;
        self.answers = FuturesOrdered::new();
        self.give_up(error);
    }

    pub(super) fn reconnected(&mut self) {
        self.lost(&Error::Failed("NATS: the connection was lost".into()));
    }

    pub(super) fn keep(&mut self, offset: u64, pending: Pending<T>) {
        let Pending { append, id, since, .. } = pending;
        let Append { time, payload, tag, .. } = append;
        self.shared.arrived(payload.len(), since);
        self.commit(Message { offset, time, payload }, id, Some(tag));
        self.purge(PURGED_AT_ONCE);
    }

    /// Tells what became of a message that is not kept now.
    fn tell(&self, pending: Pending<T>, outcome: Outcome) {
        let Append { stream, epoch, payload, tag, .. } = pending.append;
        self.shared.count(&outcome, payload.len());
        let known = lock(&self.followed.kept).as_ref().map(|kept| kept.epoch.clone());
        let epoch = known.unwrap_or(epoch);
        self.shared.commits.put([Commit { stream, epoch, outcome, tag: Some(tag) }]);
    }

    fn refuse(&self, pending: impl IntoIterator<Item = Pending<T>>, error: &Error) {
        pending.into_iter().for_each(|pending| self.tell(pending, Outcome::Refused(error.clone())));
    }

    pub(super) fn give_up(&mut self, error: &Error) {
        let pending: Vec<_> = self.outbox.give_up().collect();
        self.refuse(pending, error);
    }
}

/// Whether the room has another stream by now, or another node was faster in words of their own.
fn met_another_life(error: &PublishError) -> bool {
    let source = std::error::Error::source(error);
    let answer = source.and_then(|source| source.downcast_ref::<jetstream::Error>());
    answer.is_some_and(|answer| {
        matches!(
            answer.error_code(),
            ErrorCode::STREAM_NOT_MATCH | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT
        )
    })
}

async fn attempted(
    attempt: String,
    answer: PublishAckFuture,
) -> (String, Result<u64, PublishError>) {
    (attempt, answer.await.map(|kept| kept.sequence))
}
