//! Messages: what frames carry between applications (RFC 6455 §5.4 and §6).

#[cfg(feature = "deflate")]
mod deflate;
mod event;
#[cfg(feature = "std")]
mod joined;
mod owned;
#[cfg(feature = "std")]
mod prepared;
mod receive;
mod send;

pub use event::{ControlEvent, Event, Piece, PieceEvent};
#[cfg(feature = "std")]
pub use joined::Joined;
pub use owned::Message;
#[cfg(feature = "std")]
pub use prepared::Prepared;
pub use receive::Receiving;
pub use send::Sending;
