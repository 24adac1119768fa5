//! Taking a response as it arrives (RFC 9112 §6).

use super::head::{HEADERS_MAX, HeadEnd, HeadLimits, Headers};
use super::{Refusal, ResponseError};
use alloc::vec::Vec;
use bytes::{Buf, BytesMut};
use core::{mem::MaybeUninit, ops::RangeInclusive};

/// Takes a response as it arrives: the head of one whose status is wanted, and the start of the
/// body too of one that says why not.
///
/// ```
/// use bytes::BytesMut;
/// use wskit_proto::handshake::IncomingResponse;
///
/// let mut response = IncomingResponse::new(200..=299, 4096);
/// let mut input = BytesMut::from("HTTP/1.1 407 Who are you?\r\nContent-Length: 5\r\n\r\nhello");
/// let refused = response.receive(&mut input).unwrap_err();
/// assert_eq!((refused.status(), refused.body()), (Some(407), &b"hello"[..]));
/// ```
#[derive(Debug)]
pub struct IncomingResponse {
    wanted: RangeInclusive<u16>,
    limits: HeadLimits,
    body_bytes_max: usize,
    end: HeadEnd,
    head_bytes: usize,
    refusal: Option<(u16, Headers)>,
}

impl IncomingResponse {
    /// A response that is to have one of these statuses. Of another one's body, this much is kept.
    pub fn new(wanted: RangeInclusive<u16>, body_bytes_max: usize) -> IncomingResponse {
        IncomingResponse {
            wanted,
            limits: HeadLimits::default(),
            body_bytes_max,
            end: HeadEnd::default(),
            head_bytes: 0,
            refusal: None,
        }
    }

    /// Takes the head of a response whose status is wanted off the front of `input` once it is
    /// whole; what follows stays. `None` means that more bytes are needed.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Headers>, ResponseError> {
        loop {
            if let Some((status, headers)) = &self.refusal {
                let body = Body::arrived(*status, headers, self.body_start(input));
                let is_enough = body.is_whole
                    || input.len() >= self.body_bytes_max
                    || points_elsewhere(*status, headers);
                return if is_enough { Err(self.end(input)) } else { Ok(None) };
            }
            let Some((status, headers)) = self.receive_head(input)? else { return Ok(None) };
            match status {
                _ if self.wanted.contains(&status) => return Ok(Some(headers)),
                // RFC 9110 §15.2: the real response is still to come.
                100..=199 if status != 101 => {}
                _ => self.refusal = Some((status, headers)),
            }
        }
    }

    /// Takes note that nothing more arrives, and says what is wrong with that. A refusal whose body
    /// ends with the connection is whole then.
    pub fn end(&mut self, input: &mut BytesMut) -> ResponseError {
        let Some((status, headers)) = self.refusal.take() else { return ResponseError::Ended };
        let body = Body::arrived(status, &headers, self.body_start(input));
        input.advance(body.taken_bytes);
        ResponseError::Refused(Refusal { status, headers, body: body.content.into() })
    }

    /// What of a body is looked at.
    fn body_start<'a>(&self, input: &'a [u8]) -> &'a [u8] {
        &input[..input.len().min(self.body_bytes_max)]
    }

    fn receive_head(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<(u16, Headers)>, ResponseError> {
        // Several heads may come, but together they have one limit.
        let limit = self.limits.head_bytes_max;
        let searched = &input[..input.len().min(limit - self.head_bytes)];
        let expected = b"HTTP/1.";
        if searched.iter().zip(expected).any(|(found, expected)| found != expected) {
            return Err(ResponseError::NotHttp);
        }
        let Some(head_bytes) = self.end.find(searched) else {
            if self.head_bytes + searched.len() == limit {
                return Err(ResponseError::HeadTooLong(limit));
            }
            return Ok(None);
        };
        self.head_bytes += head_bytes;
        self.end = HeadEnd::default();
        let response = parse(&input[..head_bytes])?;
        input.advance(head_bytes);
        Ok(Some(response))
    }
}

fn parse(head: &[u8]) -> Result<(u16, Headers), ResponseError> {
    let mut storage = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut parsed, head, &mut storage) {
        Ok(httparse::Status::Complete(_)) => match (parsed.version, parsed.code) {
            // RFC 9110 §15.2: HTTP/1.0 knows no 1xx.
            (Some(0), Some(100..=199)) | (_, None) => Err(ResponseError::NotHttp),
            (_, Some(status)) => Ok((status, Headers::locate(head, parsed.headers))),
        },
        Err(httparse::Error::TooManyHeaders) => Err(ResponseError::TooManyHeaders(HEADERS_MAX)),
        _ => Err(ResponseError::NotHttp),
    }
}

/// Whether all that matters of a response is where it points to. Its body is not waited for: it may end
/// with a connection that the server keeps.
fn points_elsewhere(status: u16, headers: &Headers) -> bool {
    matches!(status, 300..=399) && headers.get("location").is_some()
}

/// The start of the body of a response, as far as it has arrived.
#[derive(Debug, PartialEq, Eq)]
struct Body {
    content: Vec<u8>,
    /// How much of the input it is.
    taken_bytes: usize,
    is_whole: bool,
}

impl Body {
    /// Reads what follows a head; where it ends is in RFC 9112 §6.3.
    fn arrived(status: u16, headers: &Headers, input: &[u8]) -> Body {
        if matches!(status, 204 | 304) {
            return Body { content: Vec::new(), taken_bytes: 0, is_whole: true };
        }
        if headers.has_token("transfer-encoding", b"chunked") {
            return Body::in_chunks(input);
        }
        let declared = headers.get("content-length");
        let declared = declared.and_then(|length| core::str::from_utf8(length).ok()?.parse().ok());
        let length = declared.unwrap_or(usize::MAX);
        let content = input[..input.len().min(length)].to_vec();
        Body { taken_bytes: content.len(), is_whole: content.len() == length, content }
    }

    /// Reads chunks (RFC 9112 §7.1), up to the last or what is none.
    fn in_chunks(input: &[u8]) -> Body {
        let mut body = Body { content: Vec::new(), taken_bytes: input.len(), is_whole: false };
        let mut rest = input;
        while let Some(line_end) = rest.windows(2).position(|two| two == b"\r\n") {
            let size = rest[..line_end].split(|byte| *byte == b';').next().unwrap_or_default();
            let size = core::str::from_utf8(size.trim_ascii()).unwrap_or_default();
            rest = &rest[line_end + 2..];
            let Ok(size @ 1..) = usize::from_str_radix(size, 16) else {
                return Body { taken_bytes: input.len() - rest.len(), is_whole: true, ..body };
            };
            body.content.extend_from_slice(&rest[..rest.len().min(size)]);
            let Some(next) = size.checked_add(2).and_then(|place| rest.get(place..)) else { break };
            rest = next;
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_redirect_is_not_waited_for() {
        let outcome = |head: &str| {
            let mut input = BytesMut::from(head);
            IncomingResponse::new(101..=101, 100)
                .receive(&mut input)
                .map_err(|error| error.status())
        };
        assert!(matches!(outcome("HTTP/1.1 302 \r\nLocation: /x\r\n\r\n"), Err(Some(302))));
        assert!(matches!(outcome("HTTP/1.1 302 \r\n\r\n"), Ok(None)));
        assert!(matches!(outcome("HTTP/1.1 404 \r\nLocation: /x\r\n\r\n"), Ok(None)));
    }

    #[test]
    fn chunks_are_read_as_far_as_they_have_come() {
        let chunks = b"5\r\nhello\r\n7;why=so\r\n, world\r\n0\r\nX: y\r\n\r\n";
        for length in 0..=chunks.len() {
            let body = Body::in_chunks(&chunks[..length]);
            assert!(b"hello, world".starts_with(&body.content));
            let last = chunks.windows(3).position(|three| three == b"0\r\n").unwrap() + 3;
            assert_eq!(body.is_whole, length >= last, "{length}");
        }
        for wrong in [&b"x\r\n"[..], b"\r\n", b"-1\r\n", b"\xff\r\n", b"fffffffffffffffff\r\n"] {
            let body = Body::in_chunks(wrong);
            assert!(body.is_whole && body.content.is_empty(), "{wrong:?}");
        }
        let endless = Body::in_chunks(b"ffffffffffffffff\r\nabc");
        assert_eq!((&*endless.content, endless.is_whole), (&b"abc"[..], false));
    }
}
