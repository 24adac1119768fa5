//! The WebSocket protocol as a pure state machine: bytes in, events out.
//!
//! There is no socket, clock, source of randomness or runtime here; whoever has those drives this
//! crate. Users of Tokio find everything ready in the `wskit` crate.
//!
//! - [`handshake`]: the opening handshake (RFC 6455 §4) of both roles.
//! - [`Connection`]: what follows it: messages, control frames, the closing handshake, deadlines.
//! - [`Input`] and [`Output`]: bytes that have arrived, and bytes that wait to be written.
//! - [`frame`], [`message`], [`closing`]: the layers below, for those who need them.
//!
//! ```
//! use wskit_proto::{Config, Connection, Event, Input, Message, Output, Role};
//!
//! // A masked text frame, as a client sends it.
//! let mut input = Input::from(&b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..]);
//! let mut output = Output::default();
//! let mut server = Connection::new(Role::Server, Config::default());
//!
//! let message = server.receive(&mut input, &mut output)?.map(Event::into_message);
//! assert_eq!(message, Some(Message::text("Hello")));
//! server.send(Message::text("Hello, too"), &mut output)?;
//! assert_eq!(output.chunks().next().unwrap(), b"\x81\x0aHello, too");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod closing;
mod compression;
mod connection;
mod deadlines;
mod error;
pub mod frame;
pub mod handshake;
mod limits;
pub mod message;
mod output;

pub use compression::{Compression, CompressionMode, Savings, WindowBits};
pub use connection::{Config, Connection, Role};
pub use deadlines::{Deadlines, Missed, Timeouts, Timestamp};
pub use error::{ProtocolError, SendError};
pub use frame::{CloseCode, CloseFrame, Kind, MaskingKey};
pub use limits::Limits;
pub use message::{ControlEvent, Event, Message, Piece, PieceEvent};
#[cfg(feature = "std")]
pub use message::{Joined, Prepared};
pub use output::{Output, OutputMemory};
pub use wskit_bytes::{Input, InvalidUtf8, Payload, Text, TextPayload, Utf8Validator, mask};
