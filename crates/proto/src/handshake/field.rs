//! A header that the application adds to a request or a response.

use super::list::is_token;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// A header that was checked: it cannot break out of its line, and does not meddle with the
/// handshake.
///
/// ```
/// # use wskit_proto::handshake::Field;
/// assert!(Field::new("Authorization", "Bearer abc").is_ok());
/// assert!(Field::new("X-Name", "Ann\r\nX-Admin: yes").is_err());
/// assert!(Field::new("Sec-WebSocket-Accept", "mine").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    name: String,
    value: Vec<u8>,
}

/// Why a header was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidField {
    /// The name is not a token.
    Name(String),
    /// The value of this header has a control character, such as the end of a line.
    Value(String),
    /// The handshake sets this header itself.
    Reserved(String),
}

/// Headers that the handshake sets, or that would change what follows the head.
const RESERVED: [&str; 6] =
    ["connection", "content-length", "host", "transfer-encoding", "upgrade", "trailer"];

impl Field {
    /// A header with this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Result<Field, InvalidField> {
        let (name, value) = (name.into(), value.into());
        if !is_token(name.as_bytes()) {
            return Err(InvalidField::Name(name));
        }
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&&*lower) || lower.starts_with("sec-websocket-") {
            return Err(InvalidField::Reserved(name));
        }
        if !is_value(&value) {
            return Err(InvalidField::Value(name));
        }
        Ok(Field { name, value })
    }

    /// A header that the handshake sets itself.
    pub(super) fn of_handshake(name: &str, value: &str) -> Field {
        Field { name: name.into(), value: value.into() }
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

/// The value of a header as it may be shown: not if it is a secret, for what is shown comes into logs.
pub(super) struct Shown<'a>(pub(super) &'a str, pub(super) &'a [u8]);

/// Headers whose values are secrets.
const SECRETS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Whether the value of the header of this name is a secret: of `Authorization`, `Cookie`,
/// `Proxy-Authorization` and `Set-Cookie`. It belongs in no log and in no table for compression.
pub fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(name, value) = self;
        if is_secret(name) {
            return f.write_str("(not shown)");
        }
        write!(f, "\"{}\"", value.escape_ascii())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name, Shown(&self.name, &self.value))
    }
}

/// Whether the bytes can be the value of a header: a tab is the only control character
/// (RFC 9110 §5.5).
pub(super) fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t')
}

/// Writes one line of a head.
pub(super) fn write_line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidField::Name(name) => write!(f, "{name:?} is no name for a header"),
            InvalidField::Value(name) => {
                write!(f, "the value of the header {name} has a control character")
            }
            InvalidField::Reserved(name) => {
                write!(f, "the header {name} belongs to the handshake and cannot be set")
            }
        }
    }
}

impl core::error::Error for InvalidField {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn secrets_are_not_shown() {
        let shown = |name, value| format!("{:?}", Field::new(name, value).unwrap());
        assert_eq!(shown("Authorization", "Bearer abc"), "Authorization: (not shown)");
        assert_eq!(shown("cookie", "id=abc"), "cookie: (not shown)");
        assert_eq!(shown("X-Name", "\"Ann\" é"), r#"X-Name: "\"Ann\" \xc3\xa9""#);
    }
}
