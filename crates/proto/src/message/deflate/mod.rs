//! Compressed messages (RFC 7692 §7.2), with zlib-rs.

mod deflating;
mod inflating;

pub(super) use deflating::Deflating;
pub(super) use inflating::{Inflating, Room};

/// The empty stored block that ends every flush, and that is left out of a message
/// (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
