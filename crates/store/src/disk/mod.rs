//! Streams on disk.
//!
//! One file, kept by redb. A thread takes all appends that wait and commits them in one transaction, so that many
//! share one flush; the commits are given out when the flush is done. Another thread reads.

mod opening;
mod reader;
mod tables;
mod transaction;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};

use crate::bounds::Bounds;
use crate::commits::{Commits, lock};
use crate::error::{Error, OpenError};
use crate::message::{Append, Commit, Outcome, Position, Span};
use crate::statistics::Statistics;
use crate::store::{Reading, Store};
use reader::Question;
use tables::Entry;
use writer::{Work, Writer};

/// Keeps streams in a folder on disk.
///
/// A commit is on disk: it survives the end of this process at any moment, and that of the machine as far as the
/// disk keeps what it has flushed. Dropping the store keeps what still waits and closes the file.
#[derive(Debug)]
pub struct Disk<T> {
    path: PathBuf,
    shared: Arc<Shared<T>>,
    work: Option<mpsc::Sender<Work<T>>>,
    questions: Option<mpsc::Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads and those who ask have in common.
#[derive(Debug)]
struct Shared<T> {
    bounds: Bounds,
    /// Where each stream stands, as committed.
    entries: Mutex<HashMap<Arc<str>, Entry>>,
    commits: Commits<T>,
    waiting_bytes: AtomicUsize,
    statistics: Mutex<Statistics>,
}

impl<T: Send + 'static> Disk<T> {
    /// Opens the store in this folder, which is made if it is not there. The file is read as a whole and checked.
    ///
    /// # Errors
    /// Another process has it open, it is damaged, a later version wrote it, or the folder cannot be used. Nothing
    /// is changed then.
    pub fn open(folder: &Path, bounds: Bounds) -> Result<Self, OpenError> {
        let (path, database, entries) = opening::open(folder)?;
        let database = Arc::new(database);
        let shared = Arc::new(Shared {
            bounds,
            entries: Mutex::new(entries),
            commits: Commits::default(),
            waiting_bytes: AtomicUsize::new(0),
            statistics: Mutex::default(),
        });
        let (work, appended) = mpsc::channel();
        let (questions, asked) = mpsc::channel();
        let writer = Writer::new(database.clone(), shared.clone());
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.into());
            thread.spawn(run).map_err(|error| OpenError::Io(path.clone(), error))
        };
        let threads = vec![
            spawn("store-writer", Box::new(move || writer.run(&appended)))?,
            spawn("store-reader", Box::new(move || reader::run(&database, &asked)))?,
        ];
        Ok(Self { path, shared, work: Some(work), questions: Some(questions), threads })
    }

    /// The file that holds everything.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn work(&self, work: Work<T>) -> Result<(), Work<T>> {
        match &self.work {
            Some(sender) => sender.send(work).map_err(|mpsc::SendError(work)| work),
            None => Err(work),
        }
    }

    /// Counts it as waiting, if there is room for it.
    fn has_room(&self, append: &Append<T>) -> bool {
        let size = append.payload.len();
        let waiting = self.shared.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        let has_room = waiting == 0 || waiting + size <= self.shared.bounds.waiting_bytes_max;
        if !has_room {
            self.shared.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
        }
        has_room
    }

    fn refuse(&self, append: Append<T>, error: Error) {
        lock(&self.shared.statistics).refused += 1;
        let Append { stream, epoch, tag, .. } = append;
        let outcome = Outcome::Refused(error);
        self.shared.commits.put_without_waking([Commit { stream, epoch, outcome, tag: Some(tag) }]);
    }
}

impl<T: Send + 'static> Store<T> for Disk<T> {
    fn position(&self, stream: &str) -> Option<Position> {
        lock(&self.shared.entries).get(stream).map(Entry::position)
    }

    fn append_all(&self, appends: &mut Vec<Append<T>>) {
        for append in appends.extract_if(.., |append| !self.has_room(append)) {
            self.refuse(append, Error::Busy);
        }
        // No transaction for nothing.
        if appends.is_empty() {
            return;
        }
        if let Err(Work::Append(appends)) = self.work(Work::Append(std::mem::take(appends))) {
            for append in appends {
                self.shared.waiting_bytes.fetch_sub(append.payload.len(), Ordering::Relaxed);
                self.refuse(append, ended());
            }
        }
    }

    fn poll_committed(&self, context: &mut Context<'_>) -> Poll<Commit<T>> {
        self.shared.commits.poll(context)
    }

    fn try_committed(&self) -> Option<Commit<T>> {
        self.shared.commits.next()
    }

    fn read(&self, stream: &str, span: Span) -> Reading {
        let entry = lock(&self.shared.entries).get(stream).cloned();
        reader::ask(self.questions.as_ref(), entry, span)
    }

    fn expire(&self, now: u64) {
        let _the_writer_may_have_ended = self.work(Work::Expire(now));
    }

    fn statistics(&self) -> Statistics {
        let streams = lock(&self.shared.entries).len();
        let waiting_bytes = self.shared.waiting_bytes.load(Ordering::Relaxed);
        Statistics { streams, waiting_bytes, ..lock(&self.shared.statistics).clone() }
    }
}

/// Keeps what waits, and closes the file.
impl<T> Drop for Disk<T> {
    fn drop(&mut self) {
        self.work = None;
        self.questions = None;
        for thread in self.threads.drain(..) {
            let _it_may_have_panicked = thread.join();
        }
    }
}

fn ended() -> Error {
    Error::Failed("the thread that keeps messages has ended".into())
}
