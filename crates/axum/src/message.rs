//! Messages in the shape that axum has them.

use crate::Utf8Bytes;
use axum::Error;
use bytes::Bytes;

/// The number of a close code. See [`close_code`](crate::close_code).
pub type CloseCode = u16;

/// A close code with a reason of at most 123 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// Why the connection is closed.
    pub code: CloseCode,
    /// The reason in words.
    pub reason: Utf8Bytes,
}

/// A message, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A Ping of at most 125 bytes. One that is received has been answered already.
    Ping(Bytes),
    /// A Pong of at most 125 bytes.
    Pong(Bytes),
    /// A Close frame. Sending one begins the closing handshake; one that is received has been
    /// answered already, and is the last message.
    ///
    /// Sending fails if the code is none of 1000 to 1003, 1007 to 1014 and 3000 to 4999, or if the
    /// reason is too long.
    Close(Option<CloseFrame>),
}

impl Message {
    /// A text message.
    pub fn text(text: impl Into<Utf8Bytes>) -> Message {
        Message::Text(text.into())
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Message {
        Message::Binary(bytes.into())
    }

    /// The payload; of a Close frame, the reason.
    pub fn into_data(self) -> Bytes {
        match self {
            Message::Text(text) => text.into(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes,
            Message::Close(frame) => frame.map(|frame| frame.reason.into()).unwrap_or_default(),
        }
    }

    /// The payload as text; of a Close frame, the reason. Fails if it is not UTF-8.
    pub fn into_text(self) -> Result<Utf8Bytes, Error> {
        match self {
            Message::Text(text) => Ok(text),
            other => Utf8Bytes::try_from(other.into_data()).map_err(Error::new),
        }
    }

    /// The payload as text; of a Close frame, the reason. Fails if it is not UTF-8.
    pub fn to_text(&self) -> Result<&str, Error> {
        match self {
            Message::Text(text) => Ok(text),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => {
                std::str::from_utf8(bytes).map_err(Error::new)
            }
            Message::Close(frame) => Ok(frame.as_ref().map_or("", |frame| frame.reason.as_str())),
        }
    }
}

impl From<wskit::Message> for Message {
    fn from(message: wskit::Message) -> Message {
        match message {
            wskit::Message::Text(text) => Message::Text(text.into()),
            wskit::Message::Binary(bytes) => Message::Binary(bytes),
            wskit::Message::Ping(bytes) => Message::Ping(bytes),
            wskit::Message::Pong(bytes) => Message::Pong(bytes),
            wskit::Message::Close(frame) => Message::Close(frame.map(|frame| CloseFrame {
                code: frame.code().number(),
                reason: frame.reason().into(),
            })),
        }
    }
}

/// Fails if it is a Close frame that cannot be sent.
impl TryFrom<Message> for wskit::Message {
    type Error = Error;

    fn try_from(message: Message) -> Result<wskit::Message, Error> {
        Ok(match message {
            Message::Text(text) => wskit::Message::Text(text.0),
            Message::Binary(bytes) => wskit::Message::Binary(bytes),
            Message::Ping(bytes) => wskit::Message::Ping(bytes),
            Message::Pong(bytes) => wskit::Message::Pong(bytes),
            Message::Close(None) => wskit::Message::Close(None),
            Message::Close(Some(CloseFrame { code, reason })) => {
                let frame = wskit::CloseFrame::try_from((code, reason.as_str()));
                wskit::Message::Close(Some(frame.map_err(Error::new)?))
            }
        })
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Message {
        Message::text(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Message {
        Message::text(text)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Message {
        Message::Binary(Bytes::copy_from_slice(bytes))
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Message {
        Message::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Message {
        Message::binary(bytes)
    }
}

impl From<Message> for Vec<u8> {
    fn from(message: Message) -> Vec<u8> {
        message.into_data().into()
    }
}
