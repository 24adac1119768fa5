//! What a client asks of a response that opens a connection (RFC 6455 §4.1).

use super::head::{Headers, Only};
use super::{Bootstrap, ClientRequest};

/// What a client checks of a response that opens a connection, in the order of RFC 6455 §4.1.
/// [`Bootstrap::checks`] tells which are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// `Upgrade` is `websocket`.
    Upgrade,
    /// `Connection` contains `Upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` stands once and has the value that the key demands.
    Accept,
    /// `Sec-WebSocket-Extensions` has only what was offered.
    Extensions,
    /// `Sec-WebSocket-Protocol` has one name that was offered, or is not there.
    Subprotocol,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Check; 5] =
        [Check::Upgrade, Check::Connection, Check::Accept, Check::Extensions, Check::Subprotocol];

    /// What the check demands, in words.
    pub const fn demand(self) -> &'static str {
        match self {
            Check::Upgrade => "the header Upgrade has to be websocket",
            Check::Connection => "the header Connection has to contain Upgrade",
            Check::Accept => "the header Sec-WebSocket-Accept has to prove that the key was read",
            Check::Extensions => {
                "the header Sec-WebSocket-Extensions may only name what was offered"
            }
            Check::Subprotocol => {
                "the header Sec-WebSocket-Protocol may only name one that was offered"
            }
        }
    }

    /// The header that it looks at.
    pub const fn header(self) -> &'static str {
        match self {
            Check::Upgrade => "Upgrade",
            Check::Connection => "Connection",
            Check::Accept => "Sec-WebSocket-Accept",
            Check::Extensions => "Sec-WebSocket-Extensions",
            Check::Subprotocol => "Sec-WebSocket-Protocol",
        }
    }

    /// Where RFC 6455 demands it: the number in the list of §4.1 about the response.
    pub const fn number(self) -> u8 {
        self as u8 + 2
    }

    /// Whether a successful response with these headers passes.
    pub(super) fn passes(
        self,
        request: &ClientRequest,
        bootstrap: &Bootstrap,
        headers: &Headers,
    ) -> bool {
        match self {
            Check::Upgrade => {
                matches!(headers.only("upgrade"), Only::Value(value)
                    if value.eq_ignore_ascii_case(b"websocket"))
            }
            Check::Connection => headers.has_token("connection", b"upgrade"),
            Check::Accept => {
                matches!(headers.only("sec-websocket-accept"), Only::Value(value)
                    if bootstrap.key().is_some_and(|key| value == key.accept().as_bytes()))
            }
            Check::Extensions => request.deflate(headers).is_some(),
            Check::Subprotocol => match headers.only("sec-websocket-protocol") {
                Only::Missing => true,
                Only::Value(value) => {
                    request.subprotocols.iter().any(|offered| offered.as_str().as_bytes() == value)
                }
                Only::Repeated => false,
            },
        }
    }
}
