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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) from: &'a str,
    pub(crate) text: &'a str,
    pub(crate) time: Timestamp,
}

impl Said<'_> {
    /// As a JSON object. Written by hand, for it is done for every message.
    pub(crate) fn to_json(self) -> Vec<u8> {
        let Said { from, text, time } = self;
        let frame_bytes = r#"{"from":"","text":"","time":"2026-11-23T01:02:03.456Z"}"#.len();
        let mut json = Vec::with_capacity(frame_bytes + from.len() + text.len());
        json.extend_from_slice(br#"{"from":"#);
        push_string(&mut json, from);
        json.extend_from_slice(br#","text":"#);
        push_string(&mut json, text);
        json.extend_from_slice(br#","time":""#);
        json.extend_from_slice(&time.written());
        json.extend_from_slice(br#""}"#);
        json
    }
}

/// Most texts have nothing that JSON escapes, and are copied whole.
fn push_string(json: &mut Vec<u8>, text: &str) {
    // No early end, so that many bytes are looked at together.
    let has_escape = |has, byte| has | (byte < b' ') | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, has_escape) {
        let _memory_takes_it = serde_json::to_writer(json, text);
    } else {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_the_json_that_a_library_writes() {
        let time = Timestamp::from_unix_milliseconds(1_763_859_723_456);
        let every_byte: String = (0..=255).map(char::from).collect();
        for text in ["", "hello", "\"", "\\", "a\nb", "\u{7f}👩‍🚀</script>", &every_byte] {
            let said = Said { from: text, text, time };
            let written = serde_json::to_string(text).unwrap();
            let expected = format!(
                r#"{{"from":{written},"text":{written},"time":"2025-11-23T01:02:03.456Z"}}"#
            );
            assert_eq!(String::from_utf8(said.to_json()).unwrap(), expected);
        }
    }
}
