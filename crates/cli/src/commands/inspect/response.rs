//! What came in answer to the request.

use super::advice;
use super::investigation::{Stop, text};
use super::report::{Header, Outcome, Report, Response};
use std::time::Duration;
use wskit::proto::handshake::Headers;
use wskit::{Client, Error, ResponseError};

/// How much of the body of a refusal is shown.
pub(super) const BODY_BYTES_MAX: usize = 1000;

/// Tells what is wrong, after what there is of a response has been noted.
pub(super) fn examine(
    error: Error,
    client: &Client,
    received: &[u8],
    report: &mut Report,
    note: impl FnOnce(u16, &ResponseError, &mut Report),
) -> Stop {
    let error = match error {
        Error::OpeningTimeout(_) => {
            return (Outcome::ResponseTimeout, advice::no_response(client.is_secure()));
        }
        Error::Tls(error) => return (Outcome::TlsFailed, advice::tls_failed(&error, None)),
        Error::Handshake(error) => error,
        error => {
            return (
                Outcome::ConnectionEnded,
                advice::connection_ended(&error.to_string(), client.is_secure()),
            );
        }
    };
    if let Some(status) = error.status() {
        note(status, &error, report);
    }
    match &*error {
        ResponseError::Refused(_) => (Outcome::Refused, advice::refused(report)),
        ResponseError::Check { check, .. } => {
            (Outcome::HandshakeWrong, advice::handshake_wrong(*check, report))
        }
        ResponseError::Ended => (
            Outcome::ConnectionEnded,
            advice::connection_ended(&error.to_string(), client.is_secure()),
        ),
        error => (Outcome::ResponseUnreadable, advice::unreadable(&error.to_string(), received)),
    }
}

pub(super) fn note(
    status: u16,
    headers: &Headers,
    body: &[u8],
    time: Duration,
    report: &mut Report,
) {
    let (line, _) = split_line(headers.raw());
    let header =
        |(name, value): (&str, &[u8])| Header { name: name.to_owned(), value: text(value) };
    report.response = Some(Response {
        line,
        status,
        headers: headers.iter().map(header).collect(),
        body: text(&body[..body.len().min(BODY_BYTES_MAX)]),
        time,
    });
}

/// The first line of a head, and the others.
pub(super) fn split_line(head: &[u8]) -> (String, &[u8]) {
    let end = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    let (line, rest) = head.split_at(end);
    (text(line).trim_end().to_owned(), rest)
}
