//! The thread that commits: all that waits, in one transaction.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use redb::Database;

use super::Shared;
use super::transaction::write;
use crate::commits::lock;
use crate::error::Error;
use crate::message::{Append, Commit, Outcome};

/// What the thread is asked for.
#[derive(Debug)]
pub(super) enum Work<T> {
    /// Together, so that they go into one transaction.
    Append(Vec<Append<T>>),
    /// Lets go of what is too old at this time.
    Expire(u64),
}

#[derive(Debug)]
pub(super) struct Writer<T> {
    database: Arc<Database>,
    shared: Arc<Shared<T>>,
}

/// How much one transaction takes at most, so that the first of it does not wait for too long.
const MESSAGES_PER_COMMIT_MAX: usize = 8192;
const BYTES_PER_COMMIT_MAX: usize = 8 * 1024 * 1024;

impl<T> Writer<T> {
    pub(super) fn new(database: Arc<Database>, shared: Arc<Shared<T>>) -> Self {
        Self { database, shared }
    }

    /// Works until nobody can ask any more and all is done.
    pub(super) fn run(&self, work: &Receiver<Work<T>>) {
        while let Ok(first) = work.recv() {
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut expire = None;
            for work in iter::once(first).chain(work.try_iter()) {
                match work {
                    Work::Append(appends) => {
                        bytes += appends.iter().map(|append| append.payload.len()).sum::<usize>();
                        batch.extend(appends);
                    }
                    Work::Expire(now) => expire = Some(now),
                }
                if batch.len() >= MESSAGES_PER_COMMIT_MAX || bytes >= BYTES_PER_COMMIT_MAX {
                    break;
                }
            }
            self.commit(batch, expire);
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn commit(&self, batch: Vec<Append<T>>, expire: Option<u64>) {
        let began = Instant::now();
        match write(&self.database, &self.shared.bounds, &self.shared.entries, &batch, expire) {
            Ok(written) => {
                let mut entries = lock(&self.shared.entries);
                for (stream, entry) in written.changed {
                    match entry {
                        Some(entry) => drop(entries.insert(stream, entry)),
                        None => drop(entries.remove(&stream)),
                    }
                }
                drop(entries);
                self.count(&written.outcomes, began);
                let commits = batch.into_iter().zip(written.outcomes);
                self.shared.commits.put(commits.map(|(append, (epoch, outcome))| Commit {
                    stream: append.stream,
                    epoch,
                    outcome,
                    tag: Some(append.tag),
                }));
            }
            Err(error) => self.fail(batch, &error.to_string()),
        }
    }

    fn count(&self, outcomes: &[(Arc<str>, Outcome)], began: Instant) {
        let mut statistics = lock(&self.shared.statistics);
        statistics.failure = None;
        for (_, outcome) in outcomes {
            match outcome {
                Outcome::Kept(_) => statistics.kept += 1,
                Outcome::Known(_) => statistics.known += 1,
                Outcome::Refused(_) => statistics.refused += 1,
            }
        }
        statistics.commit_times.add(began.elapsed());
    }

    /// Nothing of the batch is kept, as far as anybody knows: who sends it again under its id is safe.
    fn fail(&self, batch: Vec<Append<T>>, why: &str) {
        let mut statistics = lock(&self.shared.statistics);
        statistics.refused += batch.len() as u64;
        statistics.failure = Some(why.to_owned());
        drop(statistics);
        self.shared.commits.put(batch.into_iter().map(|append| Commit {
            stream: append.stream,
            epoch: append.epoch,
            outcome: Outcome::Refused(Error::Failed(why.to_owned())),
            tag: Some(append.tag),
        }));
    }
}
