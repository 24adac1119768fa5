//! What a request begins with, by version of HTTP.

use super::field::write_line;
use alloc::vec::Vec;

/// What a request begins with (RFC 9110 §6.2): the request line of HTTP/1.1, or the pseudo-header
/// fields of later versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlData<'a> {
    /// HTTP/1.1.
    RequestLine(RequestLine<'a>),
    /// HTTP/2 and HTTP/3.
    PseudoHeaders(PseudoHeaders<'a>),
}

/// The first line of a request over HTTP/1.1 (RFC 9112 §3): `GET /chat HTTP/1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method.
    pub method: &'a str,
    /// The target: a path with an optional query, or an absolute URI.
    pub target: &'a str,
    /// The digit behind `HTTP/1.`.
    pub minor_version: u8,
}

/// The pseudo-header fields of a request over HTTP/2 or HTTP/3 (RFC 9113 §8.3.1, RFC 8441 §4). Each
/// stands once at most, which is for the parser to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PseudoHeaders<'a> {
    /// `:method`: `CONNECT` for a WebSocket.
    pub method: &'a str,
    /// `:protocol`: `websocket` for a WebSocket.
    pub protocol: Option<&'a str>,
    /// `:scheme`: `https`, or `http` without TLS.
    pub scheme: Option<&'a str>,
    /// `:authority`: the host, and the port unless it is the usual one.
    pub authority: Option<&'a str>,
    /// `:path`: the path with an optional query.
    pub path: Option<&'a str>,
}

impl<'a> From<RequestLine<'a>> for ControlData<'a> {
    fn from(line: RequestLine<'a>) -> ControlData<'a> {
        ControlData::RequestLine(line)
    }
}

impl<'a> From<PseudoHeaders<'a>> for ControlData<'a> {
    fn from(fields: PseudoHeaders<'a>) -> ControlData<'a> {
        ControlData::PseudoHeaders(fields)
    }
}

impl<'a> ControlData<'a> {
    pub(super) fn target(&self) -> &'a str {
        match self {
            ControlData::RequestLine(line) => line.target,
            ControlData::PseudoHeaders(fields) => fields.path.unwrap_or_default(),
        }
    }

    /// As the first line or lines of a head.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            ControlData::RequestLine(RequestLine { method, target, minor_version }) => {
                alloc::format!("{method} {target} HTTP/1.{minor_version}\r\n").into_bytes()
            }
            ControlData::PseudoHeaders(fields) => {
                let mut head = Vec::new();
                fields.iter().for_each(|(name, value)| {
                    write_line(&mut head, name, value.as_bytes());
                });
                head
            }
        }
    }
}

impl<'a> PseudoHeaders<'a> {
    /// Those that are there, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let fields = [
            (":method", Some(self.method)),
            (":protocol", self.protocol),
            (":scheme", self.scheme),
            (":authority", self.authority),
            (":path", self.path),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
