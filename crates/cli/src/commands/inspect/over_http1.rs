//! The opening handshake over HTTP/1.1 (RFC 6455 §4).

use super::checks;
use super::closing::close;
use super::investigation::{Stop, Stream, agreed, in_what_is_left, text};
use super::recording::{Recording, Tape};
use super::report::{Header, Key, Opening, Report};
use super::response::{BODY_BYTES_MAX, examine, note, split_line};
use tokio::time::Instant;
use wskit::Client;
use wskit::proto::handshake::{ClientOpening, Headers};

/// Sends the request, looks at the response, and closes again.
pub(super) async fn inspect(
    client: &Client,
    deadline: Option<Instant>,
    stream: Stream,
    report: &mut Report,
) -> Result<(), Stop> {
    let stream = Recording::new(stream);
    let tape = stream.tape();
    let mut opening = client.opening();
    report.opening = Some(asked(&opening));
    let opened = in_what_is_left(client, deadline).connect_with(&mut opening, stream).await;
    let mut socket = opened.map_err(|error| {
        examine(error, client, &tape.received(), report, |status, response, report| {
            if let Some(headers) = response.headers() {
                note_response(status, headers, &opening, &tape, report);
            }
        })
    })?;
    if let Some(headers) = &socket.agreed().headers {
        note_response(101, headers, &opening, &tape, report);
    }
    report.agreed = Some(agreed(socket.agreed()));
    close(&mut socket, |_| tape.has_ended(), report).await
}

fn asked(opening: &ClientOpening) -> Opening {
    let (line, rest) = split_line(opening.request_bytes());
    let header = |line: &[u8]| {
        let line = text(line);
        let (name, value) = line.split_once(": ")?;
        Some(Header { name: name.to_owned(), value: value.trim_end().to_owned() })
    };
    let key = opening.key();
    Opening::Upgrade {
        line,
        headers: rest.split(|byte| *byte == b'\n').filter_map(header).collect(),
        key: Key { text: key.to_string(), bytes: key.bytes(), accept: key.accept().to_string() },
    }
}

fn note_response(
    status: u16,
    headers: &Headers,
    opening: &ClientOpening,
    tape: &Tape,
    report: &mut Report,
) {
    let received = tape.received();
    let body = if status == 101 { &[] } else { body(headers.raw(), &received) };
    note(status, headers, body, tape.response_time(), report);
    report.checks = checks::of_upgrade(opening, status, headers);
}

/// The start of the body; of a chunked one, the start of its first chunk.
fn body<'a>(head: &[u8], received: &'a [u8]) -> &'a [u8] {
    let place = received.windows(head.len().max(1)).position(|window| window == head);
    let body = place.map_or(&[][..], |place| &received[place + head.len()..]);
    let (body, length) = first_chunk(body).unwrap_or((body, BODY_BYTES_MAX));
    &body[..body.len().min(length).min(BODY_BYTES_MAX)]
}

/// What follows the size of a chunk, and that size, if there is one (RFC 9112 §7.1).
fn first_chunk(body: &[u8]) -> Option<(&[u8], usize)> {
    let end = body.windows(2).position(|window| window == b"\r\n")?;
    let size = usize::from_str_radix(str::from_utf8(&body[..end]).ok()?, 16).ok()?;
    Some((&body[end + 2..], size))
}
