//! The steps of an inspection, one after the other, until one fails.

use super::report::{Agreed, Attempt, Detour, Fault, Http2, KnownBy, Lookup, Outcome, Report, Tls};
use super::witness::Witness;
use super::{advice, over_http1, over_http2};
use crate::x509::{describe, version_name};
use std::{future::Future, io, time::Duration};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wskit::tls::{MaybeTls, rustls::CommonState};
use wskit::{Client, ClientStream, Error, HttpVersion, proto};

/// What the handshake runs on.
pub(super) type Stream = MaybeTls<ClientStream>;

/// What went wrong in a step.
pub(super) type Stop = (Outcome, Fault);

/// How long one address is waited for while there are others to try.
const ATTEMPT_TIME: Duration = Duration::from_secs(3);

/// Opens one handshake and closes again, and reports what happened.
pub(super) async fn investigate(
    client: &Client,
    version: HttpVersion,
    witness: Option<&Witness>,
    url: &str,
    time: Option<Duration>,
) -> Report {
    let mut report = Report::new(url);
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    let steps = take_steps(client, version, witness, deadline, &mut report);
    if let Err((outcome, fault)) = steps.await {
        report.end(outcome, fault);
    }
    report
}

async fn take_steps(
    client: &Client,
    version: HttpVersion,
    witness: Option<&Witness>,
    deadline: Option<Instant>,
    report: &mut Report,
) -> Result<(), Stop> {
    let versioned = client.clone().http(version);
    let stream = reach_securely(&versioned, witness, deadline, report).await?;
    let Some(known_by) = http2_known_by(&stream, version)? else {
        return over_http1::inspect(client, deadline, stream, report).await;
    };
    match over_http2::inspect(client, known_by, deadline, stream, report).await {
        Err((Outcome::Http2Unavailable, _)) if version == HttpVersion::Auto => {
            // As a client in earnest does: once more, from the start.
            let http2 = report.http2.take().map(|http2| Http2 { was_left: true, ..http2 });
            *report = Report { http2, ..Report::new(&report.url) };
            let stream = reach_securely(client, witness, deadline, report).await?;
            over_http1::inspect(client, deadline, stream, report).await
        }
        outcome => outcome,
    }
}

/// Whether HTTP/2 is spoken, and who says so.
fn http2_known_by(stream: &Stream, version: HttpVersion) -> Result<Option<KnownBy>, Stop> {
    match (stream.tls().map(CommonState::alpn_protocol), version) {
        (Some(Some(b"h2")), _) => Ok(Some(KnownBy::Alpn)),
        (Some(_), HttpVersion::Http2) => Err((Outcome::Http2Unavailable, advice::no_http2())),
        (None, HttpVersion::Http2) => Ok(Some(KnownBy::PriorKnowledge)),
        (_, HttpVersion::Http1 | HttpVersion::Auto) => Ok(None),
    }
}

async fn reach_securely(
    client: &Client,
    witness: Option<&Witness>,
    deadline: Option<Instant>,
    report: &mut Report,
) -> Result<Stream, Stop> {
    let stream = match detour(client) {
        None => {
            look_up(client, deadline, report).await?;
            connect(deadline, report).await?.into()
        }
        Some(through) => reach(client, through, deadline, report).await?,
    };
    secure(client, witness, deadline, stream, report).await
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
    let late = || Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    until(deadline, step).await.unwrap_or_else(late)
}

/// What comes of a step, unless it takes too long.
pub(super) async fn until<T>(
    deadline: Option<Instant>,
    step: impl Future<Output = T>,
) -> Option<T> {
    match deadline {
        None => Some(step.await),
        Some(deadline) => timeout_at(deadline, step).await.ok(),
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
    let certificate = report.tls.as_ref().and_then(|tls| tls.certificate.as_ref());
    secured.map_err(|error| {
        let fault = match &error {
            Error::Tls(error) => advice::tls_failed(error, certificate),
            error => advice::no_tls(error),
        };
        (Outcome::TlsFailed, fault)
    })
}

/// The same client, which waits no longer than is left.
pub(super) fn in_what_is_left(client: &Client, deadline: Option<Instant>) -> Client {
    let time = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    client.clone().opening_timeout(time)
}

/// What the response agreed on.
pub(super) fn agreed(agreed: &proto::handshake::Agreed) -> Agreed {
    Agreed {
        subprotocol: agreed.subprotocol.as_ref().map(ToString::to_string),
        extensions: agreed.extensions().iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
