//! Frames (RFC 6455 §5): the header, the opcodes and the close codes.

mod close;
mod header;
mod opcode;

pub use close::{CloseCode, CloseFrame, InvalidCloseFrame};
pub(crate) use header::Extent;
pub use header::{FRAME_HEADER_BYTES_MAX, FrameHeader, ParsedHeader};
pub use opcode::{Control, Kind, Opcode};

/// The four bytes that a client's payload is masked with, fresh and unpredictable for every frame
/// (RFC 6455 §5.3).
pub type MaskingKey = [u8; 4];

/// The longest payload of a control frame (RFC 6455 §5.5).
pub const CONTROL_PAYLOAD_BYTES_MAX: usize = 125;
