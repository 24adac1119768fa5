//! Rooms in which people talk: the chat engine of wskit.
//!
//! The engine is pure. It opens no socket, starts no task, reads no clock and draws no entropy: the caller hands
//! in what was received, the time and the randomness, and takes out what is to be sent. So every test of it is
//! deterministic, and it runs on any runtime.
//!
//! ```text
//!  text from a member ──▶ command ──▶ membership ──▶ store ──▶ room ──▶ delivery ──▶ every member's mailbox
//!                         (parse)     (limits)       (keeps,   (order)  (encoded     (bounded in bytes)
//!                                                    numbers)           once)
//! ```
//!
//! What is said is delivered when the store has committed it, so what anybody has seen is kept. Who comes back says
//! what it has and reads the rest from the store, a portion at a time, until it has caught up.
//!
//! One connection is one [`Membership`], to which goes what the peer sends, and one [`Mailbox`], from which comes
//! what the peer is to receive:
//!
//! ```
//! use wskit_hub::{Connection, Hub, Limits, Timestamp, Visit};
//!
//! let hub = Hub::new(Limits::default(), 0x5eed);
//! let now = Timestamp::from_unix_milliseconds(1_760_000_000_000);
//! let visit = Visit { room: "lobby".into(), name: Some("ann".into()), ..Visit::default() };
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (mut ann, mut mail) = hub.join(&visit, &Connection::default(), now).await?;
//!
//! ann.receive_text("hello", now);
//!
//! let welcome = mail.try_next().unwrap().unwrap();
//! assert!(welcome.text().starts_with(r#"{"event":"welcome","room":"lobby","name":"ann""#));
//! let message = mail.try_next().unwrap().unwrap();
//! assert!(message.text().starts_with(r#"{"event":"message","offset":1,"from":"ann","text":"hello""#));
//! # Ok::<(), wskit_hub::Refusal>(())
//! # }).unwrap();
//! ```
//!
//! The wire is described for people in `docs/chat-protocol.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod beginnings;
mod closing;
mod command;
mod complaint;
mod delivering;
mod delivery;
mod elsewhere;
mod errand;
mod event;
mod fetching;
mod gathering;
mod hub;
mod limits;
mod lock;
mod mailbox;
mod membership;
mod name;
mod open_room;
mod parcel;
mod queue;
mod rate;
mod room;
mod roster;
mod saying;
mod speaker;
mod tail;
mod timestamp;
mod users;
mod visit;

pub use closing::{Closing, Refusal};
pub use complaint::Complaint;
pub use delivery::Delivery;
pub use event::Connection;
pub use hub::Hub;
pub use limits::Limits;
pub use mailbox::{Handed, Mailbox, Waiting};
pub use membership::Membership;
pub use parcel::Parcel;
pub use saying::{Publication, Range};
pub use speaker::Speaker;
pub use timestamp::Timestamp;
pub use visit::{Had, Rights, Standing, Visit};
