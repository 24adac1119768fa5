//! The client's side of the opening handshake (RFC 6455 §4.1).

use super::field::write_line;
use super::head::{Headers, Only};
use super::target::{Target, is_authority};
use super::{
    Agreed, DeflateParameters, Extension, Field, IncomingResponse, InvalidSubprotocol, Key,
    ResponseError, Subprotocol, VERSION,
};
use crate::Compression;
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use bytes::BytesMut;
use core::fmt;

/// A request for a WebSocket, and what the client asks of the answer.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    host: String,
    target: String,
    fields: Vec<Field>,
    subprotocols: Vec<Subprotocol>,
    compression: Compression,
    /// How much of the body of a refusal is kept: 4 KiB.
    pub body_bytes_max: usize,
}

/// Why a request cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidRequest {
    /// The host is none, or has something beside host and port.
    Host,
    /// The target is not a path that begins with `/`.
    Target,
}

impl ClientRequest {
    /// A request for `target`, a path with an optional query, of `host`, with its port unless it
    /// is the usual one.
    pub fn new(
        host: impl Into<String>,
        target: impl Into<String>,
    ) -> Result<ClientRequest, InvalidRequest> {
        let (host, target) = destination(host.into(), target.into())?;
        Ok(ClientRequest {
            host,
            target,
            fields: Vec::new(),
            subprotocols: Vec::new(),
            compression: Compression::off(),
            body_bytes_max: 4 << 10,
        })
    }

    /// Adds a header.
    pub fn add_header(&mut self, field: Field) {
        self.fields.push(field);
    }

    /// Removes the added headers of this name.
    pub fn remove_headers(&mut self, name: &str) {
        self.fields.retain(|field| !field.name().eq_ignore_ascii_case(name));
    }

    /// The headers that were added.
    pub fn headers(&self) -> &[Field] {
        &self.fields
    }

    /// Asks for another target of another host, with all else as it is.
    pub fn set_destination(
        &mut self,
        host: impl Into<String>,
        target: impl Into<String>,
    ) -> Result<(), InvalidRequest> {
        (self.host, self.target) = destination(host.into(), target.into())?;
        Ok(())
    }

    /// Offers a subprotocol, less preferred than the ones before it.
    pub fn add_subprotocol(&mut self, name: Subprotocol) -> Result<(), InvalidSubprotocol> {
        name.push_onto(&mut self.subprotocols)
    }

    /// Offers to compress messages.
    pub fn set_compression(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// The subprotocols that are offered.
    pub fn subprotocols(&self) -> &[Subprotocol] {
        &self.subprotocols
    }

    fn encode(&self, key: Key) -> Vec<u8> {
        let mut head = Vec::with_capacity(256 + self.target.len() + self.host.len());
        for part in ["GET ", &self.target, " HTTP/1.1\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        write_line(&mut head, "Host", self.host.as_bytes());
        write_line(&mut head, "Upgrade", b"websocket");
        write_line(&mut head, "Connection", b"Upgrade");
        write_line(&mut head, "Sec-WebSocket-Key", &key.encode());
        write_line(&mut head, "Sec-WebSocket-Version", VERSION.as_bytes());
        if !self.subprotocols.is_empty() {
            let names: Vec<&str> = self.subprotocols.iter().map(Subprotocol::as_str).collect();
            write_line(&mut head, "Sec-WebSocket-Protocol", names.join(", ").as_bytes());
        }
        if let Some(offer) = super::deflate::offer(&self.compression) {
            write_line(&mut head, "Sec-WebSocket-Extensions", offer.to_string().as_bytes());
        }
        self.fields.iter().for_each(|field| field.write(&mut head));
        head.extend_from_slice(b"\r\n");
        head
    }
}

fn destination(host: String, target: String) -> Result<(String, String), InvalidRequest> {
    if !is_authority(&host) {
        return Err(InvalidRequest::Host);
    }
    if !target.starts_with('/') || Target::parse(&target).is_none() {
        return Err(InvalidRequest::Target);
    }
    Ok((host, target))
}

/// Sends a request and takes the response, which arrives in any pieces.
///
/// ```
/// use bytes::BytesMut;
/// use wskit_proto::handshake::{ClientOpening, ClientRequest, Key};
///
/// let request = ClientRequest::new("example.com", "/chat")?;
/// let mut opening = ClientOpening::new(request, Key::from_entropy(*b"the sample nonce"));
/// assert!(opening.request_bytes().starts_with(b"GET /chat HTTP/1.1\r\n"));
///
/// let mut input = BytesMut::from(concat!(
///     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
///     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
/// ));
/// let agreed = opening.receive(&mut input)?.expect("the response is whole");
/// assert_eq!(agreed.subprotocol, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ClientOpening {
    request: ClientRequest,
    encoded: Vec<u8>,
    key: Key,
    response: IncomingResponse,
}

impl ClientOpening {
    /// An opening with this request. The key has to be fresh (RFC 6455 §4.1, 7).
    pub fn new(request: ClientRequest, key: Key) -> ClientOpening {
        let encoded = request.encode(key);
        let response = IncomingResponse::new(101..=101, request.body_bytes_max);
        ClientOpening { request, encoded, key, response }
    }

    /// The request as it is to be sent.
    pub fn request_bytes(&self) -> &[u8] {
        &self.encoded
    }

    /// The key in the request.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Takes the response off the front of `input` once it is whole, and checks it as RFC 6455
    /// §4.1 tells. `None` means that more bytes are needed. What comes after the head of a good
    /// response, which may be frames already, stays in `input`.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Agreed>, ResponseError> {
        match self.response.receive(input)? {
            Some(headers) => self.agree(headers).map(Some),
            None => Ok(None),
        }
    }

    /// Takes note that nothing more arrives, and says what is wrong with that. A refusal whose body
    /// ends with the connection is whole then.
    pub fn end(&mut self, input: &mut BytesMut) -> ResponseError {
        self.response.end(input)
    }

    /// What a response says of compression; `None` where it has an extension that was not offered,
    /// or not like this.
    fn deflate(&self, headers: &Headers) -> Option<Option<DeflateParameters>> {
        match &Extension::parse_list(headers.all("sec-websocket-extensions")).ok()?[..] {
            [] => Some(None),
            [only] => super::deflate::agree(only, &self.request.compression).map(Some),
            _ => None,
        }
    }

    fn agree(&self, headers: Headers) -> Result<Agreed, ResponseError> {
        if let Some(check) = Check::ALL.into_iter().find(|check| !check.passes(self, &headers)) {
            let expected = self.key.accept();
            return Err(ResponseError::Check { check, expected, headers });
        }
        let subprotocol = headers
            .get("sec-websocket-protocol")
            .and_then(|name| core::str::from_utf8(name).ok())
            .and_then(|name| Subprotocol::new(name).ok());
        let deflate = self.deflate(&headers).unwrap_or_default();
        Ok(Agreed { key: self.key, subprotocol, deflate, headers: Some(headers.into()) })
    }
}

/// What a client checks of a response 101, in the order of RFC 6455 §4.1.
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

    /// Whether a response 101 with these headers passes.
    pub fn passes(self, opening: &ClientOpening, headers: &Headers) -> bool {
        let offered = &opening.request.subprotocols;
        match self {
            Check::Upgrade => {
                matches!(headers.only("upgrade"), Only::Value(value)
                    if value.eq_ignore_ascii_case(b"websocket"))
            }
            Check::Connection => headers.has_token("connection", "upgrade"),
            Check::Accept => {
                matches!(headers.only("sec-websocket-accept"), Only::Value(value)
                    if value == opening.key.accept().as_bytes())
            }
            Check::Extensions => opening.deflate(headers).is_some(),
            Check::Subprotocol => match headers.only("sec-websocket-protocol") {
                Only::Missing => true,
                Only::Value(value) => {
                    offered.iter().any(|offered| offered.as_str().as_bytes() == value)
                }
                Only::Repeated => false,
            },
        }
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidRequest::Host => "the host is not one host with an optional port",
            InvalidRequest::Target => "the target is not a path that begins with /",
        })
    }
}

impl core::error::Error for InvalidRequest {}
