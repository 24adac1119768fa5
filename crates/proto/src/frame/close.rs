//! Close frames and their codes (RFC 6455 §5.5.1 and §7.4, and IANA's registry of close codes).

use crate::ProtocolError;
use alloc::boxed::Box;
use core::fmt;

/// Why a connection was closed: a code that may stand in a Close frame.
///
/// Codes that are reserved, or that only ever stand for the absence of a Close frame (1005, 1006,
/// 1015), cannot be expressed.
///
/// ```
/// # use wskit_proto::CloseCode;
/// assert_eq!(CloseCode::new(1000), Some(CloseCode::NORMAL));
/// assert_eq!(CloseCode::new(4321).unwrap().number(), 4321);
/// assert_eq!(CloseCode::new(1006), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// 1001: a server goes down, or a browser leaves the page.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: CloseCode = CloseCode(1002);
    /// 1003: a kind of data that this endpoint does not take.
    pub const UNSUPPORTED_DATA: CloseCode = CloseCode(1003);
    /// 1007: a message does not hold what its type promises, as text that is not UTF-8.
    pub const INVALID_PAYLOAD: CloseCode = CloseCode(1007);
    /// 1008: a message breaks this endpoint's rules.
    pub const POLICY_VIOLATION: CloseCode = CloseCode(1008);
    /// 1009: a message is too big.
    pub const MESSAGE_TOO_BIG: CloseCode = CloseCode(1009);
    /// 1010: the server did not agree to an extension that the client needs.
    pub const MANDATORY_EXTENSION: CloseCode = CloseCode(1010);
    /// 1011: something unexpected happened on this side.
    pub const INTERNAL_ERROR: CloseCode = CloseCode(1011);
    /// 1012: the service restarts; come back in a while.
    pub const SERVICE_RESTART: CloseCode = CloseCode(1012);
    /// 1013: the service is overloaded; come back later.
    pub const TRY_AGAIN_LATER: CloseCode = CloseCode(1013);
    /// 1014: a gateway got an invalid response from the server behind it.
    pub const BAD_GATEWAY: CloseCode = CloseCode(1014);

    /// The code with this number, unless it must not stand in a Close frame (RFC 6455 §7.4.2).
    pub const fn new(number: u16) -> Option<CloseCode> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(CloseCode(number)),
            _ => None,
        }
    }

    /// The number of the code.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A close code with a reason of at most 123 bytes, as a Close frame carries them.
#[derive(Clone, PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    // Not a `Text`, which is twice as large: every message is moved with the room that this takes.
    reason: Box<str>,
}

/// Why a [`CloseFrame`] could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCloseFrame {
    /// This number must not stand in a Close frame.
    Code(u16),
    /// The reason has this many bytes, and 123 are the most.
    ReasonBytes(usize),
}

impl fmt::Display for InvalidCloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidCloseFrame::Code(code) => write!(
                f,
                "{code} is no code to close with: use 1000 to 1003, 1007 to 1014 or 3000 to 4999"
            ),
            InvalidCloseFrame::ReasonBytes(len) => {
                write!(
                    f,
                    "the reason has {len} bytes, {} are the most",
                    CloseFrame::REASON_BYTES_MAX
                )
            }
        }
    }
}

impl core::error::Error for InvalidCloseFrame {}

impl CloseFrame {
    /// The longest reason: a control frame's payload less the code.
    pub const REASON_BYTES_MAX: usize = super::CONTROL_PAYLOAD_BYTES_MAX - 2;

    /// A Close frame with this code and reason.
    ///
    /// ```
    /// # use wskit_proto::{CloseCode, CloseFrame};
    /// let frame = CloseFrame::new(CloseCode::GOING_AWAY, "see you")?;
    /// assert_eq!(frame.to_string(), "1001 see you");
    /// assert!(CloseFrame::new(CloseCode::NORMAL, "long ".repeat(25)).is_err());
    /// # Ok::<(), wskit_proto::frame::InvalidCloseFrame>(())
    /// ```
    pub fn new(
        code: CloseCode,
        reason: impl Into<Box<str>>,
    ) -> Result<CloseFrame, InvalidCloseFrame> {
        let reason = reason.into();
        if reason.len() > Self::REASON_BYTES_MAX {
            return Err(InvalidCloseFrame::ReasonBytes(reason.len()));
        }
        Ok(CloseFrame { code, reason })
    }

    /// A Close frame whose reason is cut, at a character's end, to what fits.
    pub fn with_cut_reason(code: CloseCode, reason: &str) -> CloseFrame {
        let end = (0..=Self::REASON_BYTES_MAX.min(reason.len()))
            .rev()
            .find(|end| reason.is_char_boundary(*end))
            .unwrap_or(0);
        CloseFrame { code, reason: reason[..end].into() }
    }

    /// The code.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason, meant for people who look for a fault; often empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Reads the payload of a Close frame, which may be empty.
    pub(crate) fn parse(payload: &[u8]) -> Result<Option<CloseFrame>, ProtocolError> {
        if payload.is_empty() {
            return Ok(None);
        }
        // RFC 6455 §5.5.1: if there is a payload, its first two bytes are the code.
        let Some((code, reason)) = payload.split_first_chunk() else {
            return Err(ProtocolError::ClosePayloadOfOneByte);
        };
        let number = u16::from_be_bytes(*code);
        let code = CloseCode::new(number).ok_or(ProtocolError::ReservedCloseCode(number))?;
        let reason = core::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidUtf8)?;
        Ok(Some(CloseFrame { code, reason: reason.into() }))
    }
}

impl From<CloseCode> for CloseFrame {
    fn from(code: CloseCode) -> CloseFrame {
        CloseFrame { code, reason: Box::default() }
    }
}

impl TryFrom<(u16, &str)> for CloseFrame {
    type Error = InvalidCloseFrame;

    fn try_from((number, reason): (u16, &str)) -> Result<CloseFrame, InvalidCloseFrame> {
        let code = CloseCode::new(number).ok_or(InvalidCloseFrame::Code(number))?;
        CloseFrame::new(code, reason)
    }
}

impl fmt::Debug for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseFrame({}, {:?})", self.code, self.reason)
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        if !self.reason.is_empty() {
            write!(f, " {}", self.reason)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_the_registry_and_of_applications_may_stand_in_a_frame() {
        let valid = |code: u16| CloseFrame::parse(&code.to_be_bytes()).is_ok();
        let expected = |code: u16| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        assert!((0..=u16::MAX).all(|code| valid(code) == expected(code)));
    }

    #[test]
    fn a_cut_reason_ends_with_a_whole_character() {
        let frame = CloseFrame::with_cut_reason(CloseCode::NORMAL, &"é".repeat(100));
        assert_eq!(frame.reason().len(), 122);
        let longest = "x".repeat(CloseFrame::REASON_BYTES_MAX);
        assert_eq!(CloseFrame::with_cut_reason(CloseCode::NORMAL, &longest).reason(), longest);
        assert!(CloseFrame::new(CloseCode::NORMAL, longest + "x").is_err());
    }
}
