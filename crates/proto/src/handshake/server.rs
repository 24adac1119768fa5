//! The request as bytes: the server's side of the opening handshake (RFC 6455 §4.2).

use super::head::{HEADERS_MAX, HeadEnd, HeadLimits, Headers};
use super::target::Target;
use super::{Offer, Request, RequestError, RequestLine};
use bytes::{Buf, BytesMut};
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
        // Where it ends is told by the parser, but not before it is whole.
        if !searched.ends_with(b"\r\n\r\n") && self.end.find(searched).is_none() {
            if searched.len() == head_bytes_max {
                return Err(RequestError::HeadTooLong(head_bytes_max));
            }
            return Ok(None);
        }
        let (request, head_bytes) = parse(searched)?;
        input.advance(head_bytes);
        Ok(Some(request))
    }
}

/// Reads the request that begins with these bytes, which hold its whole head, and says how long that
/// is.
fn parse(bytes: &[u8]) -> Result<(Request, usize), RequestError> {
    let mut storage = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    let head = match parsed.parse_with_uninit_headers(bytes, &mut storage) {
        Ok(httparse::Status::Complete(head_bytes)) => &bytes[..head_bytes],
        Err(httparse::Error::TooManyHeaders) => {
            return Err(RequestError::TooManyHeaders(HEADERS_MAX));
        }
        Err(httparse::Error::Version) if names_http_third(bytes) => {
            return Err(RequestError::HttpVersion);
        }
        _ if has_broken_target(bytes) => return Err(RequestError::Target),
        _ => return Err(RequestError::NotHttp),
    };
    let line = RequestLine {
        method: parsed.method.unwrap_or_default(),
        target: parsed.path.unwrap_or_default(),
        minor_version: parsed.version.unwrap_or_default(),
    };
    let request = Request::check(line, Headers::locate(head, parsed.headers))?;
    Ok((request, head.len()))
}

/// Whether the third word of the first line, where the version belongs, is some version of HTTP.
fn names_http_third(bytes: &[u8]) -> bool {
    first_words(bytes).nth(2).is_some_and(|version| version.starts_with(b"HTTP/"))
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
