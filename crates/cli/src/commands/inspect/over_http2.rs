//! The opening handshake over HTTP/2 (RFC 8441).

use super::closing::close;
use super::investigation::{Stop, Stream, agreed, in_what_is_left, text, until};
use super::recording::Recording;
use super::report::{Header, Http2, KnownBy, Opening, Outcome, Report};
use super::response::{examine, note};
use super::{advice, checks, settings};
use tokio::time::Instant;
use wskit::http2::{Http2Connection, Http2Limits, Http2Stream};
use wskit::proto::handshake::ConnectOpening;
use wskit::{Client, Error};

/// Begins to speak HTTP/2, sends the request, looks at the response, and closes again.
pub(super) async fn inspect(
    client: &Client,
    known_by: KnownBy,
    deadline: Option<Instant>,
    stream: Stream,
    report: &mut Report,
) -> Result<(), Stop> {
    let connection = begin(client, known_by, deadline, stream, report).await?;
    ask(client, &connection, deadline, report).await
}

/// Begins to speak HTTP/2 and looks at the server's settings.
async fn begin(
    client: &Client,
    known_by: KnownBy,
    deadline: Option<Instant>,
    stream: Stream,
    report: &mut Report,
) -> Result<Http2Connection, Stop> {
    let stream = Recording::new(stream);
    let tape = stream.tape();
    let start = Instant::now();
    let begun = until(deadline, Http2Connection::begin(stream, Http2Limits::default())).await;
    let (received, time) = (tape.received(), start.elapsed());
    let settings = settings::read(&received);
    let note = |takes_websockets| {
        let was_left = false;
        Http2 { known_by, settings, takes_websockets, was_left, time }
    };
    match begun {
        Some(Ok(connection)) => {
            report.http2 = Some(note(true));
            Ok(connection)
        }
        Some(Err(Error::Http2Unavailable(_))) => {
            report.http2 = Some(note(false));
            Err((Outcome::Http2Unavailable, advice::no_extended_connect()))
        }
        Some(Err(error)) if received.is_empty() || begins_with_settings(&received) => Err((
            Outcome::ConnectionEnded,
            advice::connection_ended_http2(&error.to_string(), client.is_secure()),
        )),
        Some(Err(_)) => Err((Outcome::ResponseUnreadable, advice::not_http2(&received))),
        None => Err((Outcome::ResponseTimeout, advice::no_response(client.is_secure()))),
    }
}

/// RFC 9113 §3.4: a server begins with a SETTINGS frame.
pub(super) fn begins_with_settings(received: &[u8]) -> bool {
    received.len() >= 9 && received[..2] == [0, 0] && received[3..5] == [4, 0]
}

/// Sends the request, looks at the response, and closes again.
async fn ask(
    client: &Client,
    connection: &Http2Connection,
    deadline: Option<Instant>,
    report: &mut Report,
) -> Result<(), Stop> {
    let opening = client.extended_connect();
    report.opening = Some(asked(&opening, client.is_secure()));
    let start = Instant::now();
    let opened = connection.open(&in_what_is_left(client, deadline)).await;
    let time = start.elapsed();
    let mut socket = opened.map_err(|error| {
        if error.needs_http_1_1() {
            return (Outcome::Http2Unavailable, advice::http_1_1_required());
        }
        examine(error, client, &[], report, |status, response, report| {
            if let Some(headers) = response.headers() {
                note(status, headers, response.body(), time, report);
                report.checks = checks::of_extended_connect(&opening, status, headers);
            }
        })
    })?;
    if let Some(headers) = &socket.agreed().headers {
        let status = status(headers.raw());
        note(status, headers, &[], time, report);
        report.checks = checks::of_extended_connect(&opening, status, headers);
    }
    report.agreed = Some(agreed(socket.agreed()));
    let has_ended =
        |stream: &wskit::ClientStream| stream.http2().is_some_and(Http2Stream::has_ended);
    close(&mut socket, has_ended, report).await
}

fn asked(opening: &ConnectOpening, is_secure: bool) -> Opening {
    let header = |(name, value): (&str, &str)| Header { name: name.into(), value: value.into() };
    let pseudo_headers = opening.pseudo_headers(is_secure).iter().map(header).collect();
    let mut headers = Vec::new();
    opening.for_each_header(|name, value| {
        // RFC 9113 §8.2.1: names are in small letters there.
        headers.push(Header { name: name.to_ascii_lowercase(), value: text(value) });
    });
    Opening::ExtendedConnect { pseudo_headers, headers }
}

/// Which of the 2xx it is.
fn status(head: &[u8]) -> u16 {
    let digits = head.strip_prefix(b":status: ").and_then(|rest| rest.get(..3));
    digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(200)
}
