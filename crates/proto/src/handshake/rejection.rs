//! The answer to a request that opens no connection.

use super::field::write_line;
use super::{Field, RequestError};
use crate::Output;
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use bytes::Bytes;

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

    /// The status as it is sent: 500 instead of one that cannot reject.
    pub fn final_status(&self) -> u16 {
        if (200..600).contains(&self.status) { self.status } else { 500 }
    }

    /// The headers as they are sent, with a `Content-Type` if none was given. What HTTP needs
    /// beside them, the length and the fate of the connection, is for who writes the response.
    pub fn final_headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let is_type = |field: &Field| field.name().eq_ignore_ascii_case("content-type");
        let text = ("Content-Type", &b"text/plain; charset=utf-8"[..]);
        let text = (!self.headers.iter().any(is_type)).then_some(text);
        self.headers.iter().map(|field| (field.name(), field.value())).chain(text)
    }

    /// The rejection as it is sent over HTTP/2 and HTTP/3, which know no `Upgrade`: 426, which would
    /// have to name it, becomes 400.
    #[must_use]
    pub fn without_upgrade(mut self) -> Rejection {
        self.headers.retain(|field| !field.name().eq_ignore_ascii_case("upgrade"));
        if self.status == 426 {
            self.status = 400;
        }
        self
    }

    /// Writes the response, after which the connection is to be closed.
    pub fn write_response(&self, output: &mut Output) {
        let status = self.final_status();
        let mut head = Vec::with_capacity(256);
        let first = format!("HTTP/1.1 {status} {}\r\n", reason_phrase(status));
        head.extend_from_slice(first.as_bytes());
        for (name, value) in self.final_headers() {
            write_line(&mut head, name, value);
        }
        write_line(&mut head, "Content-Length", self.body.len().to_string().as_bytes());
        // RFC 9110 §7.6.1: `Upgrade` is named in `Connection` wherever it is sent.
        let connection: &[u8] = if status == 426 { b"close, Upgrade" } else { b"close" };
        write_line(&mut head, "Connection", connection);
        head.extend_from_slice(b"\r\n");
        output.copy(&head);
        output.copy(&self.body);
    }
}

/// The whole answer: status, headers and a body that names the fault.
impl From<&RequestError> for Rejection {
    fn from(error: &RequestError) -> Rejection {
        let mut rejection = Rejection::new(error.status(), error.to_string());
        let headers = error.headers().iter();
        rejection.headers = headers.map(|(name, value)| Field::of_handshake(name, value)).collect();
        rejection
    }
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
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
