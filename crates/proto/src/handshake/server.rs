//! The server's side of the opening handshake (RFC 6455 §4.2).

use super::field::write_line;
use super::head::{self, HEADERS_MAX, HeadEnd, HeadLimits, Headers, Only};
use super::request_error::write_refusal;
use super::target::{Target, is_authority};
use super::{Agreed, Extension, Field, Key, OriginPolicy, RequestError, Subprotocol, VERSION};
use crate::{Compression, Output};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use bytes::{Bytes, BytesMut};
use core::mem::MaybeUninit;

/// Takes a request that arrives in any pieces.
///
/// ```
/// use bytes::BytesMut;
/// use wskit_proto::{Compression, Output, handshake::{Acceptance, ServerOpening}};
///
/// let mut input = BytesMut::from(concat!(
///     "GET /chat HTTP/1.1\r\nHost: example.com\r\n",
///     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
///     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
/// ));
/// let mut output = Output::default();
/// let offer = ServerOpening::default().receive(&mut input)?.expect("the request is whole");
/// assert_eq!(offer.path(), "/chat");
/// offer.accept(Acceptance::default(), &Compression::off(), &mut output);
/// let response = std::str::from_utf8(output.chunks().next().unwrap())?;
/// assert!(response.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct ServerOpening {
    limits: HeadLimits,
    end: HeadEnd,
}

impl ServerOpening {
    /// An opening with limits of its own.
    pub fn new(limits: HeadLimits) -> ServerOpening {
        ServerOpening { limits, end: HeadEnd::default() }
    }

    /// Takes the request off the front of `input` once it is whole, and checks it as RFC 6455
    /// §4.2.1 tells. `None` means that more bytes are needed. What comes after the head, which may
    /// be frames already, stays in `input`.
    ///
    /// The origin is not checked here but by [`Offer::check_origin`], as it depends on the
    /// application.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Offer>, RequestError> {
        let Some(request) = self.receive_head(input)? else { return Ok(None) };
        request.into_offer().map(Some)
    }

    /// Takes the request off the front of `input` once it is whole, for servers that answer other
    /// requests too. Only what belongs to every HTTP/1.1 request is checked.
    pub fn receive_head(&mut self, input: &mut BytesMut) -> Result<Option<Request>, RequestError> {
        // What does not begin with a method, such as a TLS handshake, will never be a request.
        if input.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) {
            return Err(RequestError::NotHttp);
        }
        let HeadLimits { head_bytes_max, target_bytes_max } = self.limits;
        let searched = &input[..input.len().min(head_bytes_max)];
        // Judged before the head is whole, and so the same way however it is cut.
        let mut words = searched.split(|byte| b" \r\n".contains(byte));
        if words.nth(1).is_some_and(|target| target.len() > target_bytes_max) {
            return Err(RequestError::TargetTooLong(target_bytes_max));
        }
        let Some(head_bytes) = self.end.find(searched) else {
            if searched.len() == head_bytes_max {
                return Err(RequestError::HeadTooLong(head_bytes_max));
            }
            return Ok(None);
        };
        Request::parse(&head::take(input, head_bytes)).map(Some)
    }
}

/// The head of an HTTP/1.1 request.
#[derive(Clone, Debug)]
pub struct Request {
    target: Target,
    host: String,
    headers: Headers,
}

impl Request {
    fn parse(head: &Bytes) -> Result<Request, RequestError> {
        let mut storage = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(head, &mut storage) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::TooManyHeaders) => {
                return Err(RequestError::TooManyHeaders(HEADERS_MAX));
            }
            Err(httparse::Error::Version) if names_http_third(head) => {
                return Err(RequestError::HttpVersion);
            }
            _ if has_broken_target(head) => return Err(RequestError::Target),
            _ => return Err(RequestError::NotHttp),
        }
        // RFC 6455 §4.2.1 (1): HTTP/1.1 or higher.
        if parsed.version != Some(1) {
            return Err(RequestError::HttpVersion);
        }
        let target = parsed.path.unwrap_or_default();
        let target = Target::parse(target).ok_or(RequestError::Target);
        let headers = Headers::locate(head, parsed.headers);
        if parsed.method != Some("GET") {
            return Err(RequestError::Method);
        }
        let target = target?;
        let host = host(&headers, &target)?;
        Ok(Request { target, host, headers })
    }

    /// The path that was asked for, without the query.
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or_default()
    }

    /// What stands behind the `?` of the target.
    pub fn query(&self) -> Option<&str> {
        self.path_and_query().split_once('?').map(|(_, query)| query)
    }

    /// Path and query.
    pub fn path_and_query(&self) -> &str {
        &self.target.path_and_query
    }

    /// The host, and port if it was given, that the request is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Whether the request asks for a WebSocket at all, rightly or wrongly.
    pub fn is_upgrade(&self) -> bool {
        self.headers.has_token("upgrade", "websocket")
    }

    /// Checks everything else that RFC 6455 §4.2.1 asks of a request for a WebSocket.
    pub fn into_offer(self) -> Result<Offer, RequestError> {
        let headers = &self.headers;
        // A body would stand where the first frame is expected.
        let has_body = headers.get("transfer-encoding").is_some()
            || headers.all("content-length").any(|length| length != b"0");
        if has_body {
            return Err(RequestError::Body);
        }
        // §4.2.1 (3) and (4)
        if !self.is_upgrade() {
            return Err(RequestError::UpgradeMissing);
        }
        if !headers.has_token("connection", "upgrade") {
            return Err(RequestError::ConnectionMissing);
        }
        if headers.iter().any(|(name, value)| is_websocket_header(name) && !value.is_ascii()) {
            return Err(RequestError::NotAscii);
        }
        // §4.2.1 (6)
        match headers.only("sec-websocket-version") {
            Only::Value(value) if value == VERSION.as_bytes() => {}
            Only::Missing => return Err(RequestError::VersionMissing),
            _ => return Err(RequestError::VersionUnsupported),
        }
        // §4.2.1 (5)
        let key = match headers.only("sec-websocket-key") {
            Only::Value(value) => Key::parse(value)?,
            Only::Missing => return Err(RequestError::KeyMissing),
            Only::Repeated => return Err(RequestError::KeyRepeated),
        };
        // §4.2.1 (8) and (9)
        let subprotocols = Subprotocol::parse_list(headers.all("sec-websocket-protocol"))?;
        let extensions = Extension::parse_list(headers.all("sec-websocket-extensions"))?;
        Ok(Offer { request: self, key, subprotocols, extensions })
    }
}

fn is_websocket_header(name: &str) -> bool {
    name.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("sec-websocket-"))
}

/// §4.2.1 (2). The authority of an absolute target goes first (RFC 9112 §3.2.2), but one `Host`
/// is needed all the same.
fn host(headers: &Headers, target: &Target) -> Result<String, RequestError> {
    let host = match headers.only("host") {
        Only::Value(value) => core::str::from_utf8(value).unwrap_or_default(),
        Only::Missing => return Err(RequestError::HostMissing),
        Only::Repeated => return Err(RequestError::HostInvalid),
    };
    if !is_authority(host) {
        return Err(RequestError::HostInvalid);
    }
    Ok(target.authority.clone().unwrap_or_else(|| host.into()))
}

/// Whether the third word of the first line, where the version belongs, is some version of HTTP.
fn names_http_third(head: &[u8]) -> bool {
    first_words(head).nth(2).is_some_and(|version| version.starts_with(b"HTTP/"))
}

fn first_words(head: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.trim_ascii_end().split(|byte| *byte == b' ')
}

/// Whether the first line fails because of its target, to name the fault rightly.
fn has_broken_target(head: &[u8]) -> bool {
    let mut words = first_words(head);
    let (Some(method), Some(target), Some(version)) =
        (words.next(), words.next(), words.next_back())
    else {
        return false;
    };
    let is_one_word = words.next().is_none();
    let target = core::str::from_utf8(target).ok().and_then(Target::parse);
    super::list::is_token(method)
        && version.starts_with(b"HTTP/")
        && !(is_one_word && target.is_some())
}

/// A request for a WebSocket that keeps all the rules, waiting to be accepted or rejected.
#[derive(Clone, Debug)]
pub struct Offer {
    request: Request,
    key: Key,
    subprotocols: Vec<Subprotocol>,
    extensions: Vec<Extension>,
}

/// What a server answers to an offer that it accepts.
#[derive(Clone, Debug, Default)]
pub struct Acceptance {
    /// The subprotocol to speak. See [`Offer::choose_subprotocol`].
    pub subprotocol: Option<Subprotocol>,
    /// Further headers for the response.
    pub headers: Vec<Field>,
}

/// What a server answers to an offer that it rejects.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// The status, from 200 to 599; 101 would accept.
    pub status: u16,
    /// Headers for the response.
    pub headers: Vec<Field>,
    /// The body, plain text unless a header says otherwise.
    pub body: Bytes,
}

impl Rejection {
    /// A rejection with this status and a line of text that tells why.
    pub fn new(status: u16, why: impl Into<String>) -> Rejection {
        let body = Bytes::from(why.into() + "\n");
        Rejection { status, headers: Vec::new(), body }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, field: Field) -> Rejection {
        self.headers.push(field);
        self
    }

    /// Writes the response, after which the connection is to be closed.
    pub fn write_response(&self, output: &mut Output) {
        let status = if (200..600).contains(&self.status) { self.status } else { 500 };
        let headers = self.headers.iter().map(|field| (field.name(), field.value()));
        write_refusal(status, headers, &self.body, output);
    }
}

impl Offer {
    /// The path that was asked for, without the query.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The key that the client sent.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn subprotocols(&self) -> &[Subprotocol] {
        &self.subprotocols
    }

    /// The extensions that the client offers, in its order of preference.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The first of the server's subprotocols that the client offers too.
    pub fn choose_subprotocol(&self, supported: &[Subprotocol]) -> Option<Subprotocol> {
        supported.iter().find(|name| self.subprotocols.contains(name)).cloned()
    }

    /// Refuses pages that the policy does not allow. A request without an origin is no browser's
    /// and passes.
    pub fn check_origin(&self, policy: &OriginPolicy) -> Result<(), RequestError> {
        let headers = &self.request.headers;
        let accepted = match headers.only("origin") {
            Only::Missing => true,
            Only::Value(origin) => policy.accepts(origin, &self.request.host),
            Only::Repeated => *policy == OriginPolicy::Any,
        };
        if accepted { Ok(()) } else { Err(RequestError::OriginRefused) }
    }

    /// Accepts the offer: writes the response 101 (RFC 6455 §4.2.2, 5).
    ///
    /// A subprotocol that the client did not offer is left out, for the client would have to fail
    /// the connection.
    ///
    /// Where compression is agreed on, the connection has to be made
    /// [with what was agreed](crate::Connection::with_agreed).
    pub fn accept(
        self,
        acceptance: Acceptance,
        compression: &Compression,
        output: &mut Output,
    ) -> Agreed {
        let subprotocol =
            acceptance.subprotocol.filter(|chosen| self.subprotocols.contains(chosen));
        let mut head = Vec::with_capacity(256);
        head.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        );
        write_line(&mut head, "Sec-WebSocket-Accept", self.key.accept().as_bytes());
        if let Some(subprotocol) = &subprotocol {
            write_line(&mut head, "Sec-WebSocket-Protocol", subprotocol.as_str().as_bytes());
        }
        let deflate = super::deflate::choose(&self.extensions, compression);
        let deflate = deflate.map(|(parameters, response)| {
            write_line(&mut head, "Sec-WebSocket-Extensions", response.to_string().as_bytes());
            parameters
        });
        acceptance.headers.iter().for_each(|field| field.write(&mut head));
        head.extend_from_slice(b"\r\n");
        output.copy(&head);
        Agreed { key: self.key, subprotocol, deflate, headers: None }
    }
}
