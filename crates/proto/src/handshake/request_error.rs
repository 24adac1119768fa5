//! Why a server refuses a request, and with which answer.

use super::extension::BrokenGrammar;
use super::{InvalidKey, InvalidSubprotocol, VERSION};
use crate::Output;
use alloc::{format, vec::Vec};
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
            RequestError::Method => 405,
            RequestError::UpgradeMissing
            | RequestError::ConnectionMissing
            | RequestError::VersionUnsupported => 426,
            RequestError::OriginRefused => 403,
            _ => 400,
        }
    }

    /// Headers that belong to the status.
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            RequestError::Method => &[("Allow", "GET")],
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
        let headers = self.headers().iter().map(|(name, value)| (*name, value.as_bytes()));
        let body = format!("{self}\n");
        write_refusal(self.status(), headers, body.as_bytes(), output);
    }
}

/// Writes a response that ends the connection.
pub(super) fn write_refusal<'a>(
    status: u16,
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
    output: &mut Output,
) {
    let mut head = Vec::with_capacity(256);
    let first = format!("HTTP/1.1 {status} {}\r\n", reason_phrase(status));
    head.extend_from_slice(first.as_bytes());
    let mut has_type = false;
    for (name, value) in headers {
        has_type |= name.eq_ignore_ascii_case("content-type");
        super::field::write_line(&mut head, name, value);
    }
    if !has_type {
        super::field::write_line(&mut head, "Content-Type", b"text/plain; charset=utf-8");
    }
    let length = format!("{}", body.len());
    super::field::write_line(&mut head, "Content-Length", length.as_bytes());
    // RFC 9110 §7.6.1: `Upgrade` is named in `Connection` wherever it is sent.
    let connection: &[u8] = if status == 426 { b"close, Upgrade" } else { b"close" };
    super::field::write_line(&mut head, "Connection", connection);
    head.extend_from_slice(b"\r\n");
    output.copy(&head);
    output.copy(body);
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
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
