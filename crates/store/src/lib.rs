//! Streams of messages: what the rooms of wskit keep.
//!
//! A stream has a name, and its messages have offsets 1, 2, 3, … An *epoch* names one life of the stream: offsets
//! are comparable only within one epoch. What is appended comes back as a [`Commit`] once it is kept, and the commits
//! of a stream come in the order of their offsets; so whoever delivers commits delivers exactly what is kept.
//!
//! ```text
//!  append ──▶ queue ──▶ one transaction for all that wait ──▶ commits ──▶ whoever delivers
//!                       (numbered, on disk, bounds kept)         └──────▶ read, by offset
//! ```
//!
//! [`Store`] is the contract, and two keep it: [`Disk`], which survives the end of the process at any moment, and
//! [`Memory`], which keeps nothing beyond it. One test suite runs against both.
//!
//! ```
//! use wskit_store::{Append, Bounds, Memory, Outcome, Store};
//!
//! let store = Memory::new(Bounds::default());
//! store.append(Append {
//!     stream: "lobby".into(),
//!     epoch: "9f2c".into(),
//!     id: None,
//!     time: 1_795_426_200_000,
//!     payload: "hello".into(),
//!     tag: "whatever is to come back with the commit",
//! });
//! let Outcome::Kept(message) = store.try_committed().unwrap().outcome else { panic!() };
//! assert_eq!((message.offset, &*message.payload), (1, &b"hello"[..]));
//! assert_eq!(store.position("lobby").unwrap().last, 1);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bounds;
mod commits;
mod disk;
mod epoch;
mod error;
mod memory;
mod message;
mod statistics;
mod store;

pub use bounds::Bounds;
pub use commits::Commits;
pub use disk::Disk;
pub use epoch::{is_from_epoch_on, next_epoch};
pub use error::{Error, OpenError};
pub use memory::Memory;
pub use message::{Append, Commit, Message, Outcome, Page, Position, Span};
pub use statistics::{Histogram, Statistics};
pub use store::{Follow, Following, Looking, Reading, Store};
