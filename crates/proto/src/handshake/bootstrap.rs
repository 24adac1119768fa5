//! The two ways of opening a WebSocket connection over HTTP.

use super::{Check, Key};

/// How a WebSocket connection is opened over HTTP, which depends on the version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// HTTP/1.1 (RFC 6455 §4): GET with `Upgrade`, and 101. The client's key and the value that
    /// the server derives from it prove that the server speaks WebSocket.
    Upgrade(Key),
    /// HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220): CONNECT with `:protocol`, and 200. The server
    /// proves by its settings that it speaks WebSocket, so there is no key.
    ExtendedConnect,
}

impl Bootstrap {
    /// The key that the client sent, which it does over HTTP/1.1 only.
    pub fn key(&self) -> Option<Key> {
        match self {
            Bootstrap::Upgrade(key) => Some(*key),
            Bootstrap::ExtendedConnect => None,
        }
    }

    /// What a client checks of the response.
    pub fn checks(&self) -> &'static [Check] {
        match self {
            Bootstrap::Upgrade(_) => &Check::ALL,
            // RFC 8441 §5: the headers that make up the rest are not used.
            Bootstrap::ExtendedConnect => &[Check::Extensions, Check::Subprotocol],
        }
    }

    /// The status of a response that opens the connection.
    pub fn success_status(&self) -> u16 {
        match self {
            Bootstrap::Upgrade(_) => 101,
            Bootstrap::ExtendedConnect => 200,
        }
    }
}
