//! What the server tells, in the words of the wire.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::name::{MemberName, RoomName};
use crate::timestamp::Timestamp;

/// One event, as every client sees it. Fields may be added later; their meaning never changes.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    Welcome {
        room: &'a RoomName,
        name: &'a MemberName,
        members: Vec<&'a MemberName>,
        count: usize,
        epoch: &'a str,
        offset: u64,
        /// The offset of the oldest message that is kept.
        first: u64,
        history: Vec<&'a RawValue>,
        connection: &'a Connection,
    },
    /// What comes next does not follow what the member had: messages before `from` are gone.
    Gap {
        epoch: &'a str,
        from: u64,
    },
    History {
        /// None if nothing was ever said.
        epoch: Option<&'a str>,
        offset: u64,
        first: u64,
        messages: Vec<&'a RawValue>,
    },
    Joined {
        name: &'a MemberName,
        count: usize,
    },
    Left {
        name: &'a MemberName,
        count: usize,
    },
    /// In a large room: so many came and went since this was last told.
    Presence {
        joined: usize,
        left: usize,
        count: usize,
    },
    Renamed {
        from: &'a MemberName,
        to: &'a MemberName,
    },
    Members {
        members: Vec<&'a MemberName>,
        count: usize,
    },
    Acknowledged {
        id: &'a str,
        /// The offset of the message, if that is what was acknowledged.
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
    },
    Error {
        reason: &'static str,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
    },
}

/// Something that is said, as it is kept. A `message` event is this with its offset before it.
#[derive(Debug, Serialize)]
pub(crate) struct Said<'a> {
    pub(crate) from: &'a str,
    pub(crate) text: &'a str,
    pub(crate) time: Timestamp,
}

/// How a connection was opened. The embedding server hands it in, and the member is told in its welcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// The version of HTTP that carried the opening handshake, for instance `1.1`.
    pub http_version: String,
    /// The `Sec-WebSocket-Key` the client sent; over HTTP/2 and HTTP/3 there is none.
    pub key: Option<String>,
    /// The `Sec-WebSocket-Accept` the server answered with.
    pub accept: Option<String>,
    /// The subprotocol agreed on.
    pub subprotocol: Option<String>,
    /// The extensions agreed on, each with its parameters as in the response, for instance `permessage-deflate`.
    pub extensions: Vec<String>,
}
