//! Why a handshake fails, in plain words, and what to try.

mod http2;

pub(super) use http2::{
    connection_ended_http2, http_1_1_required, no_extended_connect, no_http2, not_http2,
};

use super::over_http2::begins_with_settings;
use super::report::{Fault, Header, Opening, Report, Response};
use crate::x509::Described;
use std::io;
use wskit::proto::handshake::Check;
use wskit::tls::TlsError;
use wskit::tls::rustls::{self, AlertDescription, CertificateError};
use wskit::{CloseFrame, Error};

fn fault(why: impl Into<String>, remedies: &[&str]) -> Fault {
    Fault { why: why.into(), remedies: remedies.iter().map(ToString::to_string).collect() }
}

pub(super) fn name_unknown(host: &str, error: &str) -> Fault {
    fault(
        format!("the name {host} cannot be looked up: {error}"),
        &["check how the name is spelled", "check that this machine can reach a name server"],
    )
}

/// There is no way through the proxy or the Unix-domain socket.
pub(super) fn no_detour(error: &Error) -> Fault {
    let remedies: &[&str] = match error {
        Error::Proxy(_) => &[
            "check the proxy with another program",
            "go another way: --proxy URL, or --proxy none to go directly",
        ],
        Error::Connect(_) => &["check that the server runs", "check the path of --unix"],
        _ => &["give it more time with --opening-timeout"],
    };
    fault(error.to_string(), remedies)
}

pub(super) fn no_connection(error: io::ErrorKind) -> Fault {
    match error {
        io::ErrorKind::ConnectionRefused => fault(
            "nothing listens on that port",
            &["check that the server runs", "check the port, and the address it listens on"],
        ),
        io::ErrorKind::TimedOut => fault(
            "the host does not answer on that port",
            &["check the address and the port", "look for a firewall in between"],
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => fault(
            "there is no way to that host from here",
            &["check this machine's network", "check the address"],
        ),
        _ => fault("no TCP connection can be made", &["check the address and the port"]),
    }
}

/// What helps only where there is no TLS yet.
const EXPECTS_TLS: &str = "if the port expects TLS, the URL begins with wss://";

pub(super) fn no_response(is_secure: bool) -> Fault {
    let remedies = [
        "check that the port is that of the WebSocket server, and not of another protocol",
        "check that the server is not overloaded, or give it more time with --opening-timeout",
        EXPECTS_TLS,
    ];
    fault(
        "the server took the connection but did not answer the request in time",
        &remedies[..remedies.len() - usize::from(is_secure)],
    )
}

pub(super) fn connection_ended(error: &str, is_secure: bool) -> Fault {
    let remedies = [
        "check that the port is that of the WebSocket server, and not of another protocol",
        "look into the log of the server, or of a proxy before it",
        EXPECTS_TLS,
    ];
    fault(error, &remedies[..remedies.len() - usize::from(is_secure)])
}

/// The server did not do its part of the TLS handshake.
pub(super) fn no_tls(error: &Error) -> Fault {
    fault(
        format!("there is no TLS: {error}"),
        &[
            "check that the port is that of a server that speaks TLS",
            "without TLS the URL begins with ws://",
        ],
    )
}

/// TLS does not come about. Who signed the certificate is known as far as it came.
pub(super) fn tls_failed(error: &TlsError, certificate: Option<&Described>) -> Fault {
    let signed_itself = certificate.is_some_and(|seen| seen.subject == seen.issuer);
    let for_a_look = "--insecure takes any certificate, for a look";
    let remedies: &[&str] = match error.rustls() {
        Some(rustls::Error::InvalidCertificate(fault)) => match fault {
            CertificateError::UnknownIssuer if signed_itself => &[
                "it signed itself, so it is its own authority: trust it with --ca-cert FILE, of its PEM text",
                for_a_look,
            ],
            CertificateError::UnknownIssuer | CertificateError::BadSignature => &[
                "name the authority that signed it: --ca-cert FILE",
                "the server may not send the certificates between its own and the authority's",
                for_a_look,
            ],
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                &[
                    "use a name that the certificate is for, or have one made for this name",
                    for_a_look,
                ]
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => &[
                "the server needs another certificate",
                "check the clock of this machine",
                for_a_look,
            ],
            _ => &["the server needs another certificate", for_a_look],
        },
        Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            &["the server does not speak this version of HTTP inside of TLS: try another --http"]
        }
        Some(rustls::Error::AlertReceived(_)) => &[
            "the server may want a client certificate: --client-cert FILE --client-key FILE",
            "look into the log of the server",
        ],
        Some(rustls::Error::InvalidMessage(_)) => {
            &["check that the port is that of a server that speaks TLS"]
        }
        _ => &[
            "check that the port is that of a server that speaks TLS 1.2 or 1.3",
            "look into the log of the server",
        ],
    };
    fault(error.why(), remedies)
}

/// The response is not what was asked for, but something that may be known.
pub(super) fn unreadable(error: &str, received: &[u8]) -> Fault {
    // RFC 8446 §5.1: an alert of any version of TLS.
    if received.starts_with(&[21, 3]) {
        return fault(
            "the server answered with a TLS alert: this port expects TLS",
            &["the URL begins with wss://", "or use the port for plain connections"],
        );
    }
    if begins_with_settings(received) {
        return fault(
            "the server answers with HTTP/2",
            &[
                "speak HTTP/2 with it: --http 2",
                "use a port that speaks HTTP/1.1, or allow HTTP/1.1 on this one",
            ],
        );
    }
    let start: String = String::from_utf8_lossy(received).chars().take(60).collect();
    fault(
        format!("{error}; it begins with {start:?}"),
        &["check that the port is that of the WebSocket server, and not of another protocol"],
    )
}

/// What helps where the request does not arrive as one for a WebSocket.
const LET_PASS: &str = "if a proxy is in between, let it pass Upgrade and Connection on (nginx: \
    proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \
    \"upgrade\";)";

/// The status of the response opens no connection.
pub(super) fn refused(report: &Report) -> Fault {
    let Some(response) = &report.response else { return fault("the server refused", &[]) };
    let why = |meaning: &str| format!("the server answered {}: {meaning}", status_line(response));
    if matches!(report.opening, Some(Opening::ExtendedConnect { .. }))
        && let Some(fault) = http2::refused(response, why)
    {
        return fault;
    }
    match response.status {
        200..=299 if response.line.starts_with("HTTP/1.0 ") => fault(
            "the server answers with HTTP/1.0, and a WebSocket needs HTTP/1.1",
            &[
                "a plain server of HTTP/1.0 takes no WebSockets: check the port, and what listens there",
                "a proxy in between has to speak HTTP/1.1 on both sides (nginx: proxy_http_version 1.1)",
            ],
        ),
        200..=299 => fault(
            why("an ordinary answer of HTTP, as if no WebSocket was asked for"),
            &["check the path: another one may be the WebSocket endpoint", LET_PASS],
        ),
        301..=303 | 307 | 308 => moved(why("the endpoint is elsewhere"), response),
        400 if mentions(response, "HTTPS port") || mentions(response, "speaks TLS") => fault(
            why("this port expects TLS"),
            &["the URL begins with wss://", "or use the port for plain connections"],
        ),
        400 | 426 if !speaks_13(response) => fault(
            why("the server speaks other versions of the protocol only"),
            &["the version that RFC 6455 defines is 13; the server has to be brought up to date"],
        ),
        400 => fault(
            why("the server found a fault in the request"),
            &[
                "read the body above: it may name the fault",
                LET_PASS,
                "a server may need a --subprotocol, an --origin or a --header",
            ],
        ),
        401 | 407 => fault(
            why("the server wants to know who you are"),
            &["send credentials: --header 'Authorization: Bearer TOKEN'"],
        ),
        403 if report.sent_header("origin") => fault(
            why("the server does not allow this"),
            &[
                "check that the server allows this origin: scheme, host and port all count",
                "check the credentials, if the endpoint needs any",
            ],
        ),
        403 => fault(
            why("the server does not allow this"),
            &[
                "a server may demand an origin: --origin https://the-site.example",
                "check the credentials, if the endpoint needs any",
            ],
        ),
        404 | 410 => fault(
            why("there is nothing at this path"),
            &["check the path: letters in the right case, and a slash at the end or none"],
        ),
        405 => fault(
            why("there is something at this path, but it takes no GET"),
            &["check the path: another one may be the WebSocket endpoint"],
        ),
        426 => fault(why("the server did not see the request for a WebSocket"), &[LET_PASS]),
        429 => fault(why("too many requests"), &[&*retry_later(response)]),
        502 | 504 => fault(
            why("a proxy answers, but the server behind it does not"),
            &["check that the server behind the proxy runs, and the address the proxy has of it"],
        ),
        505 => fault(
            why("the request did not reach the server as HTTP/1.1"),
            &[
                "let the proxy in between speak HTTP/1.1 with the server (nginx: proxy_http_version 1.1)",
            ],
        ),
        503 => fault(why("the server has no room or is not ready"), &[&*retry_later(response)]),
        500..=599 => fault(
            why("something failed on the server"),
            &["look into the log of the server", "check that a proxy passes the request on whole"],
        ),
        _ => {
            let wanted = report.opening.as_ref().map_or("101", Opening::wanted_status);
            let meaning = format!("only {wanted} opens a WebSocket");
            fault(why(&meaning), &["check the path, and what serves it"])
        }
    }
}

/// The status is 101, but a check failed.
pub(super) fn handshake_wrong(check: Check, report: &Report) -> Fault {
    let found = |name| {
        let values: Vec<&str> = report.response.iter().flat_map(|r| values(r, name)).collect();
        (values.len(), values.first().copied().unwrap_or_default().to_owned())
    };
    let (count, value) = found(check.header());
    let proxy = "if a proxy is in between, let it pass the headers of the response on";
    match (check, count) {
        (Check::Accept, 0) => fault(
            "the server switches protocols without Sec-WebSocket-Accept, so nothing proves that \
             it speaks WebSocket",
            &["the server has to answer the key with its accept value", proxy],
        ),
        (Check::Accept, 1) => fault(
            format!("the accept value does not answer the key: {}", accept_mistake(&value)),
            &[
                "the server has to compute it as shown above, anew for each key",
                "a cache in between must not answer for the server",
            ],
        ),
        (Check::Upgrade | Check::Connection, 0) => fault(
            format!("the response has no {}", check.header()),
            &["the server has to send Upgrade: websocket and Connection: Upgrade", proxy],
        ),
        (Check::Upgrade | Check::Connection, _) => fault(
            check.demand(),
            &["the server has to send Upgrade: websocket and Connection: Upgrade"],
        ),
        (Check::Extensions, _) => fault(
            "the server uses an extension that was not offered",
            &["a server may only agree to what the request offers"],
        ),
        (Check::Subprotocol, 1) => fault(
            "the server chose a subprotocol that was not offered",
            &[
                "offer the one it speaks, if you do too: --subprotocol NAME",
                "a server may only choose one that the request offers, in the same letters",
            ],
        ),
        (_, _) => fault(
            format!("{} stands more than once", check.header()),
            &["the server has to send it once", "look for a proxy that adds it again"],
        ),
    }
}

pub(super) fn closing_wrong(error: &str, report: &Report) -> Fault {
    let carrier = report.opening.as_ref().map_or("connection", Opening::carrier);
    let duty = "a Close frame is answered with a Close frame, then the server ends the";
    fault(
        format!("the handshake is right, but the closing is not: {error}"),
        &[&format!("{duty} {carrier}")],
    )
}

/// The server opened the connection only to close it with a reason of its own.
pub(super) fn sent_away(frame: &CloseFrame) -> Fault {
    fault(
        format!("the handshake is right, but the server closed the connection with {frame}"),
        &["see whether the path, the origin and the credentials are what the server wants"],
    )
}

/// What a wrong accept value looks like.
fn accept_mistake(value: &str) -> &'static str {
    /// The value that answers the example key of RFC 6455 §1.3.
    const EXAMPLE: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    match value.len() {
        _ if value == EXAMPLE => "it is the example of RFC 6455, which answers the example key",
        28 => "it answers another key, or was computed in another way",
        40 => "it is the hash in hex, and has to be the base64 of its 20 bytes",
        56 => "it is the base64 of the hash in hex, and has to be that of its 20 bytes",
        _ => "it has to be 28 characters of base64",
    }
}

fn moved(why: String, response: &Response) -> Fault {
    let Some(location) = values(response, "location").next() else {
        return fault(why, &["the response should have a Location, but has none"]);
    };
    let url = match location.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => format!("ws://{rest}"),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => format!("wss://{rest}"),
        _ => location.to_owned(),
    };
    fault(why, &[&format!("go where it points: {url}")])
}

fn retry_later(response: &Response) -> String {
    match values(response, "retry-after").next() {
        Some(time) => format!("try again later; the server says Retry-After: {time}"),
        None => "try again later".into(),
    }
}

/// Whether the server takes version 13, as far as it tells.
fn speaks_13(response: &Response) -> bool {
    let mut versions = values(response, "sec-websocket-version").peekable();
    versions.peek().is_none()
        || versions.flat_map(|value| value.split(',')).any(|version| version.trim() == "13")
}

fn mentions(response: &Response, words: &str) -> bool {
    response.body.contains(words)
}

/// The status and its phrase.
fn status_line(response: &Response) -> &str {
    response.line.split_once(' ').map_or("", |(_, status)| status.trim())
}

fn values<'a>(response: &'a Response, name: &str) -> impl Iterator<Item = &'a str> {
    let is_named = move |header: &&Header| header.name.eq_ignore_ascii_case(name);
    response.headers.iter().filter(is_named).map(|header| &*header.value)
}
