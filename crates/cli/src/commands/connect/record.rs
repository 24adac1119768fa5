//! What happens in a conversation, as one line of JSON each. Programs read them, so their names stay.

use crate::printable::json_line;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use wskit::{CloseFrame, Message};

/// Something that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Record<'a> {
    /// A connection is open.
    Open {
        url: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        proxy: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tls: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        subprotocol: Option<String>,
        extensions: Vec<String>,
    },
    Message {
        direction: Direction,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        binary: Option<Base64<'a>>,
    },
    Ping {
        direction: Direction,
        payload: Base64<'a>,
    },
    Pong {
        direction: Direction,
        payload: Base64<'a>,
    },
    Close {
        direction: Direction,
        code: Option<u16>,
        reason: &'a str,
    },
    /// The connection was lost, or none came about, and another is tried in so many seconds.
    Waiting {
        why: String,
        seconds: f64,
    },
}

/// Bytes, which are written in base64.
#[derive(Debug)]
pub(super) struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(self.0))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Received,
    Sent,
}

/// A record with the time that it was made.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    record: &'a Record<'a>,
}

impl<'a> Record<'a> {
    pub(super) fn of_message(direction: Direction, message: &'a Message) -> Record<'a> {
        match message {
            Message::Text(text) => Record::Message { direction, text: Some(text), binary: None },
            Message::Binary(bytes) => {
                Record::Message { direction, text: None, binary: Some(Base64(bytes)) }
            }
            Message::Ping(payload) => Record::Ping { direction, payload: Base64(payload) },
            Message::Pong(payload) => Record::Pong { direction, payload: Base64(payload) },
            Message::Close(frame) => Record::of_close(direction, frame.as_ref()),
        }
    }

    pub(super) fn of_close(direction: Direction, frame: Option<&'a CloseFrame>) -> Record<'a> {
        let code = frame.map(|frame| frame.code().number());
        Record::Close { direction, code, reason: frame.map_or("", |frame| frame.reason()) }
    }

    /// The record as it is written.
    pub(super) fn line(&self) -> serde_json::Result<String> {
        self.line_at(OffsetDateTime::now_utc())
    }

    fn line_at(&self, now: OffsetDateTime) -> serde_json::Result<String> {
        let (date, clock) = (now.date(), now.time());
        let time = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second(),
            clock.millisecond()
        );
        json_line(&Line { time, record: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_lines_with_a_time() {
        let now = OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(951_782_400_007);
        let line = |message: Message| {
            Record::of_message(Direction::Received, &message).line_at(now).unwrap()
        };
        assert_eq!(
            line("hello\n".into()),
            r#"{"time":"2000-02-29T00:00:00.007Z","event":"message","direction":"received","text":"hello\n"}"#
        );
        let binary = line(Message::binary(&b"\xff"[..]));
        assert!(binary.ends_with(r#""direction":"received","binary":"/w=="}"#), "{binary}");
        let close = line(Message::Close(None));
        assert!(close.ends_with(r#""direction":"received","code":null,"reason":""}"#), "{close}");
    }
}
