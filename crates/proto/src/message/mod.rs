//! Messages: what frames carry between applications (RFC 6455 §5.4 and §6).

mod event;
mod owned;
mod receive;
mod send;

pub use event::{ControlEvent, Event, Piece, PieceEvent};
pub use owned::Message;
pub use receive::Receiving;
pub use send::Sending;
