//! Why a server refuses a request, and with which answer.

use super::extension::BrokenGrammar;
use super::{InvalidKey, InvalidSubprotocol, Rejection, VERSION};
use crate::Output;
use core::fmt;

/// Why a request cannot open a WebSocket connection. It knows its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The bytes are not an HTTP request.
    NotHttp,
    /// The request is not of HTTP/1.1.
    HttpVersion,
    /// The head has more bytes than this.
    HeadTooLong(usize),
    /// The target has more bytes than this.
    TargetTooLong(usize),
    /// The head has more headers than this.
    TooManyHeaders(usize),
    /// The method is not GET.
    Method,
    /// The target is not a path or an absolute `http` URI.
    Target,
    /// There is no `Host`.
    HostMissing,
    /// There are several `Host`, or it is none.
    HostInvalid,
    /// `Upgrade` does not have `websocket`.
    UpgradeMissing,
    /// `Connection` does not have `Upgrade`.
    ConnectionMissing,
    /// HTTP/2 and later: a GET, where an extended CONNECT is needed.
    ConnectMissing,
    /// HTTP/2 and later: `:protocol` is not `websocket`.
    Protocol,
    /// HTTP/2 and later: this pseudo-header field is missing or wrong.
    PseudoHeader(&'static str),
    /// HTTP/2 and later: this header belongs to HTTP/1.1.
    ConnectionHeader(&'static str),
    /// The request announces a body.
    Body,
    /// There is no `Sec-WebSocket-Version`.
    VersionMissing,
    /// `Sec-WebSocket-Version` is not 13.
    VersionUnsupported,
    /// There is no `Sec-WebSocket-Key`.
    KeyMissing,
    /// There are several `Sec-WebSocket-Key`.
    KeyRepeated,
    /// `Sec-WebSocket-Key` is not the base64 of 16 bytes.
    KeyInvalid(InvalidKey),
    /// A `Sec-WebSocket-*` header has a byte that is not ASCII.
    NotAscii,
    /// `Sec-WebSocket-Protocol` is not a list of different tokens.
    Subprotocols(InvalidSubprotocol),
    /// `Sec-WebSocket-Extensions` does not follow its grammar.
    Extensions,
    /// The `Origin` is not allowed here.
    OriginRefused,
}

impl RequestError {
    /// The status that the request is answered with.
    pub fn status(&self) -> u16 {
        match self {
            RequestError::HttpVersion => 505,
            RequestError::HeadTooLong(_) | RequestError::TooManyHeaders(_) => 431,
            RequestError::TargetTooLong(_) => 414,
            RequestError::Method | RequestError::ConnectMissing => 405,
            RequestError::Protocol => 501,
            RequestError::UpgradeMissing
            | RequestError::ConnectionMissing
            | RequestError::VersionUnsupported => 426,
            RequestError::OriginRefused => 403,
            _ => 400,
        }
    }

    /// Whether the request is malformed in the meaning of HTTP/2 and HTTP/3, which is answered by a
    /// stream error of type PROTOCOL_ERROR, or H3_MESSAGE_ERROR (RFC 9113 §8.1.1, RFC 9114 §4.1.2).
    pub fn is_malformed(&self) -> bool {
        matches!(self, RequestError::PseudoHeader(_) | RequestError::ConnectionHeader(_))
    }

    /// Headers that belong to the status.
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            RequestError::Method => &[("Allow", "GET")],
            RequestError::ConnectMissing => &[("Allow", "CONNECT")],
            // RFC 9110 §15.5.22: 426 names the protocol that is required.
            RequestError::UpgradeMissing | RequestError::ConnectionMissing => {
                &[("Upgrade", "websocket")]
            }
            // RFC 6455 §4.4: the versions that the server understands.
            RequestError::VersionUnsupported => {
                &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", VERSION)]
            }
            RequestError::VersionMissing => &[("Sec-WebSocket-Version", VERSION)],
            _ => &[],
        }
    }

    /// Writes the whole answer: status, headers and a body that names the fault.
    pub fn write_response(&self, output: &mut Output) {
        Rejection::from(self).write_response(output);
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RequestError::NotHttp => "the request is not HTTP",
            RequestError::HttpVersion => "the request has to be of HTTP/1.1",
            RequestError::HeadTooLong(limit) => {
                return write!(f, "the request head has more than {limit} bytes");
            }
            RequestError::TargetTooLong(limit) => {
                return write!(f, "the request target has more than {limit} bytes");
            }
            RequestError::TooManyHeaders(limit) => {
                return write!(f, "the request has more than {limit} headers");
            }
            RequestError::Method => "the method has to be GET",
            RequestError::Target => "the request target is not a path or an absolute http URI",
            RequestError::HostMissing => "the header Host is missing",
            RequestError::HostInvalid => "the header Host is not one host with an optional port",
            RequestError::UpgradeMissing => {
                "this is a WebSocket endpoint: the header Upgrade has to be websocket"
            }
            RequestError::ConnectionMissing => "the header Connection has to contain Upgrade",
            RequestError::ConnectMissing => {
                "this is a WebSocket endpoint: over HTTP/2 the method has to be CONNECT, with :protocol"
            }
            RequestError::Protocol => "the only :protocol that is spoken here is websocket",
            RequestError::PseudoHeader(name) => {
                return write!(f, "the pseudo-header field {name} is missing, or cannot stand there");
            }
            RequestError::ConnectionHeader(name) => {
                return write!(f, "the header {name} belongs to HTTP/1.1 and cannot stand in HTTP/2");
            }
            RequestError::Body => "a request for a WebSocket has no body",
            RequestError::VersionMissing => "the header Sec-WebSocket-Version is missing",
            RequestError::VersionUnsupported => "the header Sec-WebSocket-Version has to be 13",
            RequestError::KeyMissing => "the header Sec-WebSocket-Key is missing",
            RequestError::KeyRepeated => "the header Sec-WebSocket-Key stands more than once",
            RequestError::KeyInvalid(error) => {
                return write!(f, "the header Sec-WebSocket-Key is no key: {error}");
            }
            RequestError::NotAscii => "a Sec-WebSocket header has a byte that is not ASCII",
            RequestError::Subprotocols(error) => {
                return write!(f, "the header Sec-WebSocket-Protocol is broken: {error}");
            }
            RequestError::Extensions => {
                "the header Sec-WebSocket-Extensions does not follow its grammar"
            }
            RequestError::OriginRefused => "pages of this origin may not connect here",
        })
    }
}

impl core::error::Error for RequestError {}

impl From<InvalidKey> for RequestError {
    fn from(error: InvalidKey) -> RequestError {
        RequestError::KeyInvalid(error)
    }
}

impl From<InvalidSubprotocol> for RequestError {
    fn from(error: InvalidSubprotocol) -> RequestError {
        RequestError::Subprotocols(error)
    }
}

impl From<BrokenGrammar> for RequestError {
    fn from(_: BrokenGrammar) -> RequestError {
        RequestError::Extensions
    }
}
