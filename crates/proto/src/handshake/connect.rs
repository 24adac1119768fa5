//! The extended CONNECT that opens a WebSocket over HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220).

use super::head::{HeadLimits, Headers, Only};
use super::target::{Target, is_authority};
use super::{
    Agreed, Bootstrap, Check, ClientRequest, PseudoHeaders, Refusal, RequestError, ResponseError,
};
use alloc::{format, string::String};
use bytes::Bytes;

/// The only protocol that is spoken here (RFC 8441 §5). As a name in the registry of `Upgrade` it
/// is compared without regard to case (RFC 9110 §7.8).
const PROTOCOL: &str = "websocket";

/// Headers that belong to a connection of HTTP/1.1, and make a later request malformed (RFC 9113
/// §8.2.2).
const CONNECTION_HEADERS: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Makes an extended CONNECT as a client, and checks the response.
///
/// Whoever speaks HTTP/2 or HTTP/3 sends the one and receives the other; and does so only after the
/// server has said SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3).
///
/// ```
/// use wskit_proto::handshake::{ClientRequest, ConnectOpening};
///
/// let opening = ConnectOpening::new(ClientRequest::new("example.com", "/chat")?);
/// let fields: Vec<_> = opening.pseudo_headers(true).iter().collect();
/// assert_eq!(fields, [
///     (":method", "CONNECT"),
///     (":protocol", "websocket"),
///     (":scheme", "https"),
///     (":authority", "example.com"),
///     (":path", "/chat"),
/// ]);
/// let headers: [(&str, &[u8]); 1] = [("server", b"example")];
/// let agreed = opening.receive(200, headers)?;
/// assert_eq!(agreed.subprotocol, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ConnectOpening {
    request: ClientRequest,
}

impl ConnectOpening {
    /// An opening with this request.
    pub fn new(request: ClientRequest) -> ConnectOpening {
        ConnectOpening { request }
    }

    /// The pseudo-header fields of the request, inside of TLS or without.
    pub fn pseudo_headers(&self, is_secure: bool) -> PseudoHeaders<'_> {
        PseudoHeaders {
            method: "CONNECT",
            protocol: Some(PROTOCOL),
            // RFC 8441 §5: not `wss` and `ws`.
            scheme: Some(if is_secure { "https" } else { "http" }),
            authority: Some(&self.request.host),
            path: Some(&self.request.target),
        }
    }

    /// Gives the headers of the request one after the other.
    pub fn for_each_header(&self, add_header: impl FnMut(&str, &[u8])) {
        self.request.for_each_header(add_header);
    }

    /// How much of the body of a refusal is kept.
    pub fn body_bytes_max(&self) -> usize {
        self.request.body_bytes_max
    }

    /// Whether a response 2xx with these headers passes the check. Those that the
    /// [bootstrap](Bootstrap::checks) does not make are not to be asked for.
    pub fn passes(&self, check: Check, headers: &Headers) -> bool {
        check.passes(&self.request, &Bootstrap::ExtendedConnect, headers)
    }

    /// Checks a response that is no 1xx. A [`Refusal`] has no body yet.
    pub fn receive<'a>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Agreed, ResponseError> {
        let head = format!(":status: {status}\r\n").into_bytes();
        let headers = Headers::copy(head, headers, HeadLimits::default().head_bytes_max)?;
        // RFC 8441 §5: any 2xx.
        if !(200..300).contains(&status) {
            return Err(ResponseError::Refused(Refusal { status, headers, body: Bytes::new() }));
        }
        self.request.agree(Bootstrap::ExtendedConnect, headers)
    }
}

/// What a request of HTTP/2 or HTTP/3 turned out to be.
pub(super) struct Checked<'a> {
    pub(super) is_connect: bool,
    pub(super) target: Target<'a>,
    pub(super) host: String,
}

/// Checks what belongs to every request that is a GET or an extended CONNECT.
pub(super) fn check<'a>(
    fields: PseudoHeaders<'a>,
    headers: &Headers,
) -> Result<Checked<'a>, RequestError> {
    let PseudoHeaders { method, protocol, scheme, authority, path } = fields;
    for name in CONNECTION_HEADERS {
        if headers.get(name).is_some() {
            return Err(RequestError::ConnectionHeader(name));
        }
    }
    let is_connect = match (method, protocol) {
        // RFC 8441 §4: `:protocol` stands with CONNECT only.
        ("CONNECT", Some(protocol)) if protocol.eq_ignore_ascii_case(PROTOCOL) => true,
        // RFC 9220 §3: what it is to be is not implemented.
        ("CONNECT", Some(_)) => return Err(RequestError::Protocol),
        (_, Some(_)) => return Err(RequestError::PseudoHeader(":protocol")),
        ("GET", None) => false,
        (_, None) => return Err(RequestError::Method),
    };
    // RFC 8441 §4: `:scheme`, `:path` and `:authority` stand there too.
    let (scheme, path) = match (scheme, path) {
        (None, _) if is_connect => return Err(RequestError::PseudoHeader(":scheme")),
        (_, None) => return Err(RequestError::PseudoHeader(":path")),
        // Who has no authority has no scheme for some parsers, as a URI cannot have it alone.
        (scheme, Some(path)) => (scheme.unwrap_or("http"), path),
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(RequestError::PseudoHeader(":scheme"));
    }
    let target = Target::parse(path).filter(|target| target.authority.is_none());
    let target = target.ok_or(RequestError::Target)?;
    Ok(Checked { is_connect, target, host: host(authority, is_connect, headers)? })
}

/// RFC 9113 §8.3.1: `:authority`, with which `Host` agrees if it is there; or `Host` for a GET that
/// was made of one of HTTP/1.1.
fn host(
    authority: Option<&str>,
    is_connect: bool,
    headers: &Headers,
) -> Result<String, RequestError> {
    let host = match headers.only("host") {
        Only::Missing => None,
        Only::Value(value) => Some(core::str::from_utf8(value).unwrap_or_default()),
        Only::Repeated => return Err(RequestError::HostInvalid),
    };
    if authority.is_none() && is_connect {
        return Err(RequestError::PseudoHeader(":authority"));
    }
    if let (Some(authority), Some(host)) = (authority, host)
        && !authority.eq_ignore_ascii_case(host)
    {
        return Err(RequestError::HostInvalid);
    }
    let host = authority.or(host).ok_or(RequestError::HostMissing)?;
    if !is_authority(host) {
        return Err(RequestError::HostInvalid);
    }
    Ok(host.into())
}
