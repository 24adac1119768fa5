//! What can go wrong once a connection is open: the peer's fault, or the caller's.

use crate::frame::{CONTROL_PAYLOAD_BYTES_MAX, CloseCode};
use core::fmt;

/// The peer broke the protocol or a limit, and the connection is failed (RFC 6455 §7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no agreed extension gave a meaning.
    ReservedBits,
    /// The opcode with this number is reserved.
    ReservedOpcode(u8),
    /// A Close, Ping or Pong without FIN.
    FragmentedControlFrame,
    /// A Close, Ping or Pong of more than 125 bytes.
    LongControlFrame,
    /// A length in more bytes than it needs.
    LengthNotMinimal,
    /// A length whose top bit is set.
    LengthOver63Bits,
    /// A client's frame without a masking key.
    UnmaskedClientFrame,
    /// A server's frame with a masking key.
    MaskedServerFrame,
    /// A continuation of nothing.
    UnexpectedContinuation,
    /// A new message inside another one.
    ContinuationExpected,
    /// A Close frame with half a code.
    ClosePayloadOfOneByte,
    /// A Close frame with a code that must not stand in one.
    ReservedCloseCode(u16),
    /// Text, or the reason of a Close frame, that is not UTF-8.
    InvalidUtf8,
    /// A compressed message that is not valid DEFLATE.
    InvalidDeflate,
    /// A message of at least `bytes` bytes where `limit_bytes` are allowed.
    MessageTooBig {
        /// How long the message is as far as it is known.
        bytes: u64,
        /// The limit it crossed.
        limit_bytes: u64,
    },
    /// A frame of `bytes` bytes where `limit_bytes` are allowed.
    FrameTooBig {
        /// The length that the frame declared.
        bytes: u64,
        /// The limit it crossed.
        limit_bytes: u64,
    },
    /// A message in more fragments than the limit.
    TooManyFragments {
        /// The limit it crossed.
        limit: u32,
    },
}

impl ProtocolError {
    /// The code that the connection is closed with (RFC 6455 §7.4.1).
    pub const fn close_code(&self) -> CloseCode {
        match self {
            ProtocolError::InvalidUtf8 | ProtocolError::InvalidDeflate => {
                CloseCode::INVALID_PAYLOAD
            }
            ProtocolError::MessageTooBig { .. } | ProtocolError::FrameTooBig { .. } => {
                CloseCode::MESSAGE_TOO_BIG
            }
            ProtocolError::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProtocolError::ReservedBits => "a reserved bit is set without an agreed extension",
            ProtocolError::ReservedOpcode(opcode) => {
                return write!(f, "opcode {opcode} is reserved");
            }
            ProtocolError::FragmentedControlFrame => "a control frame is fragmented",
            ProtocolError::LongControlFrame => "a control frame has more than 125 bytes",
            ProtocolError::LengthNotMinimal => "a length has more bytes than it needs",
            ProtocolError::LengthOver63Bits => "a length has its top bit set",
            ProtocolError::UnmaskedClientFrame => "a frame from the client is not masked",
            ProtocolError::MaskedServerFrame => "a frame from the server is masked",
            ProtocolError::UnexpectedContinuation => "a continuation frame continues nothing",
            ProtocolError::ContinuationExpected => "a message begins before the last one ended",
            ProtocolError::ClosePayloadOfOneByte => "a Close frame has half a code",
            ProtocolError::ReservedCloseCode(code) => {
                return write!(f, "code {code} must not stand in a Close frame");
            }
            ProtocolError::InvalidUtf8 => "text is not valid UTF-8",
            ProtocolError::InvalidDeflate => "a compressed message is not valid DEFLATE",
            ProtocolError::MessageTooBig { bytes, limit_bytes } => {
                return write!(f, "a message has {bytes} bytes or more, {limit_bytes} are allowed");
            }
            ProtocolError::FrameTooBig { bytes, limit_bytes } => {
                return write!(f, "a frame has {bytes} bytes, {limit_bytes} are allowed");
            }
            ProtocolError::TooManyFragments { limit } => {
                return write!(f, "a message has more than {limit} fragments");
            }
        })
    }
}

impl core::error::Error for ProtocolError {}

/// The caller asked for something that cannot be sent now. Nothing was sent, and the connection
/// is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The closing handshake has begun or the connection has ended: nothing more can be sent.
    Closed,
    /// A Ping or Pong of this many bytes, and 125 are the most.
    ControlPayloadBytes(usize),
    /// A new message was begun before the last part of the one being sent.
    MessageUnfinished,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Closed => {
                f.write_str("nothing can be sent once the closing handshake has begun")
            }
            SendError::ControlPayloadBytes(len) => write!(
                f,
                "a Ping or Pong of {len} bytes cannot be sent, {CONTROL_PAYLOAD_BYTES_MAX} are the most"
            ),
            SendError::MessageUnfinished => {
                f.write_str("the last part of the message being sent has to come first")
            }
        }
    }
}

impl core::error::Error for SendError {}
