//! The steps of an inspection, one after the other, until one fails.

use super::advice;
use super::recording::Recording;
use super::report::{
    Agreed, Attempt, Checked, CloseFrame, Closing, Detour, Fault, Header, Key, Lookup, Outcome,
    Report, Request, Response, Tls,
};
use super::witness::Witness;
use crate::x509::{describe, version_name};
use std::{future::Future, io, time::Duration};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wskit::proto::handshake::{Check, ClientOpening, Headers};
use wskit::tls::{MaybeTls, rustls::CommonState};
use wskit::{Client, ClientStream, CloseCode, Error, ResponseError, WebSocket};

/// What the handshake runs on.
type Stream = MaybeTls<ClientStream>;

/// What went wrong in a step.
type Stop = (Outcome, Fault);

/// How long one address is waited for while there are others to try.
const ATTEMPT_TIME: Duration = Duration::from_secs(3);

/// How much of the body of a refusal is shown.
const BODY_BYTES_MAX: usize = 1000;

/// Opens one handshake and closes again, and reports what happened.
pub(super) async fn investigate(
    client: &Client,
    witness: Option<&Witness>,
    url: &str,
    time: Option<Duration>,
) -> Report {
    let mut report = Report::new(url);
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    if let Err((outcome, fault)) = take_steps(client, witness, deadline, &mut report).await {
        report.end(outcome, fault);
    }
    report
}

async fn take_steps(
    client: &Client,
    witness: Option<&Witness>,
    deadline: Option<Instant>,
    report: &mut Report,
) -> Result<(), Stop> {
    let stream = match detour(client) {
        None => {
            look_up(client, deadline, report).await?;
            connect(deadline, report).await?.into()
        }
        Some(through) => reach(client, through, deadline, report).await?,
    };
    let stream = secure(client, witness, deadline, stream, report).await?;
    let mut stream = Recording::new(stream);
    let mut opening = client.opening();
    report.request = Some(request(&opening));
    report.key = Some(Key {
        text: opening.key().to_string(),
        bytes: *opening.key().bytes(),
        accept: opening.key().accept().to_string(),
    });
    let mut socket = match open(client, deadline, &mut opening, &mut stream).await {
        Ok(socket) => socket,
        Err(error) => return Err(examine(error, client, &opening, &stream, report)),
    };
    let agreed = socket.agreed();
    if let Some(headers) = &agreed.headers {
        note_response(101, headers, &opening, socket.stream(), report);
    }
    report.agreed = Some(Agreed {
        subprotocol: agreed.subprotocol.as_ref().map(ToString::to_string),
        extensions: agreed.extensions().iter().map(ToString::to_string).collect(),
    });
    close(&mut socket, report).await
}

/// What the way leads through, if it is not the direct one.
fn detour(client: &Client) -> Option<String> {
    #[cfg(unix)]
    if let Some(path) = client.chosen_unix_socket() {
        return Some(format!("unix:{}", path.display()));
    }
    match client.chosen_proxy() {
        Ok(proxy) => proxy.map(|proxy| proxy.to_string()),
        // What is wrong is found again on the way.
        Err(_) => Some("a proxy that the environment names".to_owned()),
    }
}

async fn reach(
    client: &Client,
    through: String,
    deadline: Option<Instant>,
    report: &mut Report,
) -> Result<ClientStream, Stop> {
    let start = Instant::now();
    let reached = in_what_is_left(client, deadline).reach().await;
    let error = reached.as_ref().err().map(ToString::to_string);
    report.detour = Some(Detour { through, error, time: start.elapsed() });
    reached.map_err(|error| (Outcome::NoConnection, advice::no_detour(&error)))
}

async fn look_up(
    client: &Client,
    deadline: Option<Instant>,
    report: &mut Report,
) -> Result<(), Stop> {
    let start = Instant::now();
    let lookup = tokio::net::lookup_host((client.host(), client.port()));
    let addresses = in_time(deadline, lookup).await.map(Iterator::collect::<Vec<_>>);
    let time = start.elapsed();
    let (addresses, error) = match addresses {
        Ok(addresses) if addresses.is_empty() => (addresses, Some("it has no address".into())),
        Ok(addresses) => (addresses, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    report.lookup = Some(Lookup { host: client.host().to_owned(), addresses, time });
    match error {
        None => Ok(()),
        Some(error) => Err((Outcome::NameUnknown, advice::name_unknown(client.host(), &error))),
    }
}

/// Tries one address after the other, to tell of each. A client in earnest tries them in parallel.
async fn connect(deadline: Option<Instant>, report: &mut Report) -> Result<TcpStream, Stop> {
    let addresses = report.lookup.as_ref().map(|lookup| lookup.addresses.clone());
    let addresses = addresses.unwrap_or_default();
    let mut last_error = io::ErrorKind::NotFound;
    for (place, address) in addresses.iter().enumerate() {
        let start = Instant::now();
        let is_last = place + 1 == addresses.len();
        let patience = if is_last { None } else { start.checked_add(ATTEMPT_TIME) };
        let attempt_deadline = [deadline, patience].into_iter().flatten().min();
        let connected = in_time(attempt_deadline, TcpStream::connect(address)).await;
        report.attempts.push(Attempt {
            address: *address,
            error: connected.as_ref().err().map(ToString::to_string),
            time: start.elapsed(),
        });
        match connected {
            Ok(stream) => {
                // The request is one write, so waiting for more only delays it.
                let _the_server_may_have_gone = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last_error = error.kind(),
        }
    }
    Err((Outcome::NoConnection, advice::no_connection(last_error)))
}

async fn in_time<T>(
    deadline: Option<Instant>,
    step: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    match deadline {
        None => step.await,
        Some(deadline) => timeout_at(deadline, step).await.unwrap_or_else(late),
    }
}

/// Does the TLS handshake, if there is to be one.
async fn secure(
    client: &Client,
    witness: Option<&Witness>,
    deadline: Option<Instant>,
    stream: ClientStream,
    report: &mut Report,
) -> Result<Stream, Stop> {
    let start = Instant::now();
    let secured = in_what_is_left(client, deadline).secure(stream).await;
    let Some(witness) = witness else {
        return secured.map_err(|error| (Outcome::TlsFailed, advice::no_tls(&error)));
    };
    let seen = witness.seen();
    let agreed = secured.as_ref().ok().and_then(Stream::tls);
    let why = |error: &Error| match error {
        Error::Tls(error) => error.why().to_owned(),
        Error::OpeningTimeout(_) => "the server did not do its part in time".to_owned(),
        error => error.to_string(),
    };
    report.tls = Some(Tls {
        version: agreed.and_then(CommonState::protocol_version).map(version_name),
        cipher: agreed
            .and_then(CommonState::negotiated_cipher_suite)
            .and_then(|suite| suite.suite().as_str()),
        protocol: agreed.and_then(CommonState::alpn_protocol).map(text),
        certificate: seen.certificate.as_deref().and_then(describe),
        error: secured.as_ref().err().map(why),
        let_pass: seen.explain(client.host()).filter(|_| secured.is_ok()),
        time: start.elapsed(),
    });
    secured.map_err(|error| {
        let fault = match &error {
            Error::Tls(error) => advice::tls_failed(error),
            error => advice::no_tls(error),
        };
        (Outcome::TlsFailed, fault)
    })
}

/// The same client, which waits no longer than is left.
fn in_what_is_left(client: &Client, deadline: Option<Instant>) -> Client {
    let time = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    client.clone().opening_timeout(time)
}

/// Sends the request and takes the response.
async fn open<'a>(
    client: &Client,
    deadline: Option<Instant>,
    opening: &mut ClientOpening,
    stream: &'a mut Recording<Stream>,
) -> Result<WebSocket<&'a mut Recording<Stream>>, Error> {
    in_what_is_left(client, deadline).connect_with(opening, stream).await
}

/// Notes the response, if there is one, and what is wrong with it.
fn examine(
    error: Error,
    client: &Client,
    opening: &ClientOpening,
    stream: &Recording<Stream>,
    report: &mut Report,
) -> Stop {
    let error = match error {
        Error::OpeningTimeout(_) => {
            return (Outcome::ResponseTimeout, advice::no_response(client.is_secure()));
        }
        Error::Tls(error) => return (Outcome::TlsFailed, advice::tls_failed(&error)),
        Error::Handshake(error) => error,
        error => {
            return (
                Outcome::ConnectionEnded,
                advice::connection_ended(&error.to_string(), client.is_secure()),
            );
        }
    };
    if let (Some(status), Some(headers)) = (error.status(), error.headers()) {
        note_response(status, headers, opening, stream, report);
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
        error => {
            let why = error.to_string();
            (Outcome::ResponseUnreadable, advice::unreadable(&why, stream.received()))
        }
    }
}

fn note_response(
    status: u16,
    headers: &Headers,
    opening: &ClientOpening,
    stream: &Recording<Stream>,
    report: &mut Report,
) {
    let head = headers.raw();
    let (line, _) = split_line(head);
    report.response = Some(Response {
        line,
        status,
        headers: headers
            .iter()
            .map(|(name, value)| Header { name: name.to_owned(), value: text(value) })
            .collect(),
        body: if status == 101 { String::new() } else { text(body(head, stream.received())) },
        time: stream.response_time(),
    });
    let is_101 = status == 101;
    report.checks.push(Checked {
        number: 1,
        header: None,
        demand: "the status has to be 101",
        found: vec![status.to_string()],
        passed: Some(is_101),
    });
    report.checks.extend(Check::ALL.map(|check| Checked {
        number: check.number(),
        header: Some(check.header()),
        demand: check.demand(),
        found: headers.all(check.header()).map(text).collect(),
        // RFC 6455 §4.1: any other status is handled as HTTP tells.
        passed: is_101.then(|| opening.passes(check, headers)),
    }));
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

/// Closes as a polite client does, and waits for the server to do its part.
async fn close(
    socket: &mut WebSocket<&mut Recording<Stream>>,
    report: &mut Report,
) -> Result<(), Stop> {
    let start = Instant::now();
    let result = socket.close(CloseCode::NORMAL, "").await;
    let received = socket.peer_close().map(|frame| CloseFrame {
        code: frame.map(|frame| frame.code().number()),
        reason: frame.map(|frame| frame.reason().to_string()).unwrap_or_default(),
    });
    let error = result.err().map(|error| error.to_string());
    report.closing = Some(Closing {
        sent: CloseCode::NORMAL.number(),
        received,
        tcp_ended_by_peer: socket.stream().has_ended(),
        error: error.clone(),
        time: start.elapsed(),
    });
    match (error, socket.peer_close().flatten()) {
        (Some(error), _) => Err((Outcome::ClosingWrong, advice::closing_wrong(&error))),
        (None, Some(frame))
            if ![CloseCode::NORMAL, CloseCode::GOING_AWAY].contains(&frame.code()) =>
        {
            Err((Outcome::ClosingWrong, advice::sent_away(frame)))
        }
        (None, _) => Ok(()),
    }
}

fn request(opening: &ClientOpening) -> Request {
    let (line, rest) = split_line(opening.request_bytes());
    let header = |line: &[u8]| {
        let line = text(line);
        let (name, value) = line.split_once(": ")?;
        Some(Header { name: name.to_owned(), value: value.trim_end().to_owned() })
    };
    Request { line, headers: rest.split(|byte| *byte == b'\n').filter_map(header).collect() }
}

fn split_line(head: &[u8]) -> (String, &[u8]) {
    let end = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    let (line, rest) = head.split_at(end);
    (text(line).trim_end().to_owned(), rest)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
