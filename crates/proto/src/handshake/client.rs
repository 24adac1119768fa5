//! The client's side of the opening handshake over HTTP/1.1 (RFC 6455 §4.1), and the request that it
//! has in common with [`connect`](super::connect).

use super::field::write_line;
use super::head::Headers;
use super::target::{Target, is_authority};
use super::{
    Agreed, Bootstrap, Check, DeflateParameters, Extension, Field, IncomingResponse,
    InvalidSubprotocol, Key, ResponseError, Subprotocol, VERSION,
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
    pub(super) host: String,
    pub(super) target: String,
    fields: Vec<Field>,
    pub(super) subprotocols: Vec<Subprotocol>,
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

    /// Removes the added headers whose names are such.
    pub fn remove_headers(&mut self, is_such: impl Fn(&str) -> bool) {
        self.fields.retain(|field| !is_such(field.name()));
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

    /// What is agreed on with a server that answered with success and these headers.
    pub(super) fn agree(
        &self,
        bootstrap: Bootstrap,
        headers: Headers,
    ) -> Result<Agreed, ResponseError> {
        let mut checks = bootstrap.checks().iter();
        if let Some(check) = checks.find(|check| !check.passes(self, &bootstrap, &headers)) {
            return Err(ResponseError::Check { check: *check, bootstrap, headers });
        }
        let subprotocol = headers
            .get("sec-websocket-protocol")
            .and_then(|name| core::str::from_utf8(name).ok())
            .and_then(|name| Subprotocol::new(name).ok());
        let deflate = self.deflate(&headers).unwrap_or_default();
        Ok(Agreed { bootstrap, subprotocol, deflate, headers: Some(headers.into()) })
    }

    /// What a response says of compression; `None` where it has an extension that was not offered,
    /// or not like this.
    pub(super) fn deflate(&self, headers: &Headers) -> Option<Option<DeflateParameters>> {
        match &Extension::parse_list(headers.all("sec-websocket-extensions")).ok()?[..] {
            [] => Some(None),
            [only] => super::deflate::agree(only, &self.compression).map(Some),
            _ => None,
        }
    }

    /// The headers of every request, but for those that open a connection over HTTP/1.1 alone.
    pub(super) fn for_each_header(&self, mut add_header: impl FnMut(&str, &[u8])) {
        add_header("Sec-WebSocket-Version", VERSION.as_bytes());
        if !self.subprotocols.is_empty() {
            let names: Vec<&str> = self.subprotocols.iter().map(Subprotocol::as_str).collect();
            add_header("Sec-WebSocket-Protocol", names.join(", ").as_bytes());
        }
        if let Some(offer) = super::deflate::offer(&self.compression) {
            add_header("Sec-WebSocket-Extensions", offer.to_string().as_bytes());
        }
        self.fields.iter().for_each(|field| add_header(field.name(), field.value()));
    }

    fn encode(&self, key: Key) -> Vec<u8> {
        let mut head = Vec::with_capacity(256 + self.target.len() + self.host.len());
        for part in ["GET ", &self.target, " HTTP/1.1\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        write_line(&mut head, "Host", self.host.as_bytes());
        write_line(&mut head, "Upgrade", b"websocket");
        write_line(&mut head, "Connection", b"Upgrade");
        write_line(&mut head, "Sec-WebSocket-Key", key.as_str().as_bytes());
        self.for_each_header(|name, value| write_line(&mut head, name, value));
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

    /// Whether a response 101 with these headers passes the check.
    pub fn passes(&self, check: Check, headers: &Headers) -> bool {
        check.passes(&self.request, &self.bootstrap(), headers)
    }

    fn bootstrap(&self) -> Bootstrap {
        Bootstrap::Upgrade(self.key)
    }

    /// Takes the response off the front of `input` once it is whole, and checks it as RFC 6455
    /// §4.1 tells. `None` means that more bytes are needed. What comes after the head of a good
    /// response, which may be frames already, stays in `input`.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Agreed>, ResponseError> {
        match self.response.receive(input)? {
            Some(headers) => self.request.agree(self.bootstrap(), headers).map(Some),
            None => Ok(None),
        }
    }

    /// Takes note that nothing more arrives, and says what is wrong with that. A refusal whose body
    /// ends with the connection is whole then.
    pub fn end(&mut self, input: &mut BytesMut) -> ResponseError {
        self.response.end(input)
    }
}

/// Without the encoded request, for that has secrets.
impl fmt::Debug for ClientOpening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ClientOpening");
        shown.field("request", &self.request).field("key", &self.key).finish_non_exhaustive()
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
