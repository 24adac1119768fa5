//! Why a client fails an opening handshake.

use super::{Bootstrap, Check, Headers};
use alloc::{borrow::ToOwned, string::String};
use bytes::Bytes;
use core::fmt;

/// Why a response does not open a WebSocket connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResponseError {
    /// The bytes are not an HTTP/1.1 response.
    NotHttp,
    /// The head has more bytes than this.
    HeadTooLong(usize),
    /// The head has more headers than this.
    TooManyHeaders(usize),
    /// The connection ended before the response did.
    Ended,
    /// The server answered with a status that opens no connection.
    Refused(Refusal),
    /// The server answered with success but broke a rule of RFC 6455 §4.1.
    Check {
        /// The check that failed.
        check: Check,
        /// How the connection was to be opened.
        bootstrap: Bootstrap,
        /// The headers of the response.
        headers: Headers,
    },
}

/// A response that opens no connection.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The start of the body; [`ClientRequest::body_bytes_max`] says how much.
    ///
    /// [`ClientRequest::body_bytes_max`]: super::ClientRequest::body_bytes_max
    pub body: Bytes,
}

impl ResponseError {
    /// The status of the response, as far as there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            ResponseError::Refused(refusal) => Some(refusal.status),
            ResponseError::Check { bootstrap, .. } => Some(bootstrap.success_status()),
            _ => None,
        }
    }

    /// The headers of the response, as far as there was one.
    pub fn headers(&self) -> Option<&Headers> {
        match self {
            ResponseError::Refused(Refusal { headers, .. })
            | ResponseError::Check { headers, .. } => Some(headers),
            _ => None,
        }
    }

    /// The start of the body of a response that opens no connection.
    pub fn body(&self) -> &[u8] {
        match self {
            ResponseError::Refused(refusal) => &refusal.body,
            _ => &[],
        }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseError::NotHttp => f.write_str("the server does not answer with HTTP/1.1"),
            ResponseError::HeadTooLong(limit) => {
                write!(f, "the head of the response has more than {limit} bytes")
            }
            ResponseError::TooManyHeaders(limit) => {
                write!(f, "the response has more than {limit} headers")
            }
            ResponseError::Ended => {
                f.write_str("the server closed the connection before its response was whole")
            }
            ResponseError::Refused(refusal) => {
                write!(f, "the server answered {}", refusal.status)?;
                if let Some(location) = refusal.headers.get("location") {
                    return write!(f, ", which points to {}", printable(location));
                }
                let body = printable(&refusal.body[..refusal.body.len().min(200)]);
                if body.is_empty() { Ok(()) } else { write!(f, ": {body}") }
            }
            ResponseError::Check { check, bootstrap, headers } => {
                write!(f, "the server's handshake is wrong: {}", check.demand())?;
                let (Check::Accept, Bootstrap::Upgrade(key)) = (check, bootstrap) else {
                    return Ok(());
                };
                write!(f, "; {} was expected", key.accept())?;
                headers.all("sec-websocket-accept").try_for_each(|found| {
                    write!(f, ", found {}", printable(&found[..found.len().min(100)]))
                })
            }
        }
    }
}

impl core::error::Error for ResponseError {}

/// Text of the peer on one line, without control characters.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(blank).collect::<String>().trim().to_owned()
}
