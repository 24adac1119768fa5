//! The contract.

use std::any::Any;
use std::fmt;
use std::future::{self, Future};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Error;
use crate::message::{Append, Commit, Page, Position, Span};
use crate::statistics::Statistics;

/// What is being read.
pub type Reading = Pin<Box<dyn Future<Output = Result<Page, Error>> + Send>>;

/// A stream that is about to be followed.
pub type Follow = Pin<Box<dyn Future<Output = Result<Following, Error>> + Send>>;

/// What is being looked at anew.
pub type Looking = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A stream is followed as long as this is there.
#[derive(Default)]
pub struct Following(Option<Box<dyn Any + Send + Sync>>);

impl Following {
    /// What is dropped when nobody follows any more.
    pub fn until_dropped(guard: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(guard)))
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Following").field(&self.0.is_some()).finish()
    }
}

/// Keeps streams of messages. `T` is what the caller wants back with each commit.
///
/// Nothing here waits for a disk or a network: appending puts into a queue, and what takes time is a future.
pub trait Store<T>: Send + Sync {
    /// Begins to follow a stream, whether there is one of that name or not. From when this is ready,
    /// [`position`](Self::position) knows where it stands, and what other processes append to it comes as commits too,
    /// all that is not in the position.
    ///
    /// A store that no other process writes to has nothing to do here.
    fn follow(&self, stream: &str) -> Follow {
        let _all_are_followed = stream;
        Box::pin(future::ready(Ok(Following::default())))
    }

    /// Looks anew where a stream stands that is followed; [`position`](Self::position) knows it when this is ready.
    /// What another process has appended may be known there before it is here.
    ///
    /// A store that no other process writes to has nothing to do here.
    fn look(&self, stream: &str) -> Looking {
        let _all_is_known = stream;
        Box::pin(future::ready(Ok(())))
    }

    /// Where a stream that is followed stands, what was committed last being counted; `None` if there is no such
    /// stream.
    fn position(&self, stream: &str) -> Option<Position>;

    /// Hands in a message, as [`append_all`](Self::append_all) does.
    fn append(&self, append: Append<T>) {
        self.append_all(&mut vec![append]);
    }

    /// Hands in messages that came together, and takes all of them out. What becomes of each comes as a [`Commit`], in
    /// any case exactly one.
    ///
    /// Messages of one stream are kept in the order in which they were handed in. What becomes of these may be known at
    /// once: then nobody is woken, and who appends is to ask for it by [`try_committed`](Self::try_committed).
    fn append_all(&self, appends: &mut Vec<Append<T>>);

    /// The next commit; those of one stream come in the order of their offsets, without a gap unless what lies between
    /// is not kept any more. One task asks: the waker of the last call is the one that is woken.
    fn poll_committed(&self, context: &mut Context<'_>) -> Poll<Commit<T>>;

    /// The next commit if one is ready; leaves the waker of who waits for one.
    fn try_committed(&self) -> Option<Commit<T>>;

    /// Reads messages that are kept.
    fn read(&self, stream: &str, span: Span) -> Reading;

    /// Lets go of what is older than it may become, `now` being in milliseconds since 1970. To be called now and
    /// then; what is too old may be seen until it is.
    fn expire(&self, now: u64);

    /// Counts and times for those who watch over the server; says also whether the store works.
    fn statistics(&self) -> Statistics;
}
