//! Subprotocols (RFC 6455 §1.9): what the messages mean, by a name that both ends know.

use super::list::{is_token, items};
use crate::Text;
use alloc::vec::Vec;
use core::fmt;

/// The name of a subprotocol, which is a token.
///
/// ```
/// # use wskit_proto::handshake::Subprotocol;
/// assert_eq!(Subprotocol::new("graphql-transport-ws")?.as_str(), "graphql-transport-ws");
/// assert!(Subprotocol::new("two words").is_err());
/// # Ok::<(), wskit_proto::handshake::InvalidSubprotocol>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subprotocol(Text);

/// Why a subprotocol, or a list of them, was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSubprotocol {
    /// A name is empty or has a character that no token has.
    NotAToken,
    /// A name stands twice in the list.
    Repeated(Subprotocol),
}

impl Subprotocol {
    /// A subprotocol of this name.
    pub fn new(name: impl Into<Text>) -> Result<Subprotocol, InvalidSubprotocol> {
        let name = name.into();
        if !is_token(name.as_bytes()) {
            return Err(InvalidSubprotocol::NotAToken);
        }
        Ok(Subprotocol(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads `Sec-WebSocket-Protocol`, which may stand on several lines.
    pub(super) fn parse_list<'a>(
        lines: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Vec<Subprotocol>, InvalidSubprotocol> {
        let mut list = Vec::new();
        for line in lines {
            for item in items(line) {
                let name = core::str::from_utf8(item).map_err(|_| InvalidSubprotocol::NotAToken)?;
                Subprotocol::new(name)?.push_onto(&mut list)?;
            }
        }
        Ok(list)
    }

    /// Adds the name to a list in which none stands twice (RFC 6455 §4.1, 10).
    pub(super) fn push_onto(self, list: &mut Vec<Subprotocol>) -> Result<(), InvalidSubprotocol> {
        if list.contains(&self) {
            return Err(InvalidSubprotocol::Repeated(self));
        }
        list.push(self);
        Ok(())
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subprotocol({self})")
    }
}

impl fmt::Display for InvalidSubprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidSubprotocol::NotAToken => f.write_str(
                "the name of a subprotocol is not a token: letters, digits and !#$%&'*+-.^_`|~",
            ),
            InvalidSubprotocol::Repeated(name) => write!(f, "the subprotocol {name} stands twice"),
        }
    }
}

impl core::error::Error for InvalidSubprotocol {}
