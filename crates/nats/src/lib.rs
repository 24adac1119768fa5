//! The rooms of wskit on NATS, for many nodes: a [`Store`](wskit_store::Store) whose streams are JetStream's.
//!
//! Each life of a room is a stream of its own, and JetStream's sequence numbers are its offsets. Nodes have nothing in
//! common but the server:
//!
//! - **Publishing is conditional.** A message names the stream and the offset that it is to come after, so it is kept
//!   only by a node that knows everything before it. So nobody has to keep order, nothing is kept twice under one id,
//!   and a message that was thought lost and arrives late is refused.
//! - **Everybody is told what is kept.** The server republishes each message once it is kept, with its number; a node
//!   that misses one sees it by the number of the next, or when it asks, and fetches it.
//! - **A room that is silent for too long ends** with a message that says so, published in the same way. Who is about
//!   to say something there sees it and begins another life.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod addresses;
mod broker;
mod connecting;
mod exchange;
mod file;
mod identity;
mod kept;
mod names;
mod outbox;
mod record;
mod store;
mod stream;

pub use connecting::{ConnectError, Settings};
pub use exchange::Exchange;
pub use store::Nats;
