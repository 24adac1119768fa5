//! What an inspection found. Its JSON is what `--output json` writes, so its names stay as they are.

use crate::failure::Kind;
use crate::x509::Described;
use serde::{Serialize, Serializer};
use std::net::SocketAddr;
use std::time::Duration;

/// What an inspection found, as far as it came.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) url: String,
    pub(super) outcome: Outcome,
    pub(super) exit_code: u8,
    pub(super) detour: Option<Detour>,
    pub(super) lookup: Option<Lookup>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) tls: Option<Tls>,
    pub(super) http2: Option<Http2>,
    #[serde(flatten, serialize_with = "asked")]
    pub(super) opening: Option<Opening>,
    pub(super) response: Option<Response>,
    pub(super) checks: Vec<Checked>,
    pub(super) agreed: Option<Agreed>,
    pub(super) closing: Option<Closing>,
    pub(super) fault: Option<Fault>,
}

/// How the inspection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The handshake is right, and so is its end.
    Open,
    /// The name has no address.
    NameUnknown,
    /// No address accepts a TCP connection.
    NoConnection,
    /// The TLS handshake failed.
    TlsFailed,
    /// The server does not speak HTTP/2, or takes no WebSockets over it.
    Http2Unavailable,
    /// No response in time.
    ResponseTimeout,
    /// The connection ended before the response.
    ConnectionEnded,
    /// The response is not of the version of HTTP, or too long.
    ResponseUnreadable,
    /// The response is not 101, or over HTTP/2 not 2xx.
    Refused,
    /// The response opens a connection, but breaks a rule.
    HandshakeWrong,
    /// The handshake is right, but the closing is not.
    ClosingWrong,
}

/// What is wrong, in plain words, and what may help.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    pub(super) why: String,
    #[serde(rename = "try")]
    pub(super) remedies: Vec<String>,
}

/// A way that is not the direct one.
#[derive(Debug, Serialize)]
pub(super) struct Detour {
    pub(super) through: String,
    pub(super) error: Option<String>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

#[derive(Debug, Serialize)]
pub(super) struct Lookup {
    pub(super) host: String,
    pub(super) addresses: Vec<SocketAddr>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

/// An address that was tried.
#[derive(Debug, Serialize)]
pub(super) struct Attempt {
    pub(super) address: SocketAddr,
    pub(super) error: Option<String>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

/// What TLS agreed on, and the certificate of the server.
#[derive(Debug, Serialize)]
pub(super) struct Tls {
    pub(super) version: Option<String>,
    pub(super) cipher: Option<&'static str>,
    pub(super) protocol: Option<String>,
    pub(super) certificate: Option<Described>,
    pub(super) error: Option<String>,
    pub(super) let_pass: Option<String>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

/// The beginning of an HTTP/2 connection.
#[derive(Debug, Serialize)]
pub(super) struct Http2 {
    pub(super) known_by: KnownBy,
    pub(super) settings: Vec<Setting>,
    pub(super) takes_websockets: bool,
    /// Whether the rest of the report is of another connection, over HTTP/1.1.
    #[serde(skip)]
    pub(super) was_left: bool,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

/// How the client knows that the server speaks HTTP/2.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KnownBy {
    Alpn,
    PriorKnowledge,
}

/// What the server says of itself (RFC 9113 §6.5).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Setting {
    pub(super) number: u16,
    pub(super) name: Option<&'static str>,
    pub(super) value: u32,
}

/// How the WebSocket is asked for, which depends on the version of HTTP.
#[derive(Debug)]
pub(super) enum Opening {
    /// HTTP/1.1: GET with `Upgrade`, and a key.
    Upgrade { line: String, headers: Vec<Header>, key: Key },
    /// HTTP/2: CONNECT with `:protocol`, and no key.
    ExtendedConnect { pseudo_headers: Vec<Header>, headers: Vec<Header> },
}

#[derive(Debug, Serialize)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Key {
    pub(super) text: String,
    #[serde(serialize_with = "hex")]
    pub(super) bytes: [u8; 16],
    pub(super) accept: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) line: String,
    pub(super) status: u16,
    pub(super) headers: Vec<Header>,
    pub(super) body: String,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

/// A rule of RFC 6455 §4.1, and whether the response keeps it.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    pub(super) number: u8,
    pub(super) header: Option<&'static str>,
    pub(super) demand: &'static str,
    pub(super) found: Vec<String>,
    #[serde(flatten, serialize_with = "verdict")]
    pub(super) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    /// It does not apply, for this reason.
    FallsAway(&'static str),
}

#[derive(Debug, Serialize)]
pub(super) struct Agreed {
    pub(super) subprotocol: Option<String>,
    pub(super) extensions: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Closing {
    pub(super) sent: u16,
    pub(super) received: Option<CloseFrame>,
    pub(super) ended_by_peer: bool,
    pub(super) error: Option<String>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) time: Duration,
}

#[derive(Debug, Serialize)]
pub(super) struct CloseFrame {
    pub(super) code: Option<u16>,
    pub(super) reason: String,
}

impl Report {
    /// A report on an inspection that has yet to begin.
    pub(super) fn new(url: &str) -> Report {
        Report {
            url: url.to_owned(),
            outcome: Outcome::Open,
            exit_code: 0,
            detour: None,
            lookup: None,
            attempts: Vec::new(),
            tls: None,
            http2: None,
            opening: None,
            response: None,
            checks: Vec::new(),
            agreed: None,
            closing: None,
            fault: None,
        }
    }

    /// Tells how it ended.
    pub(super) fn end(&mut self, outcome: Outcome, fault: Fault) {
        self.outcome = outcome;
        self.exit_code = outcome.exit_code();
        self.fault = Some(fault);
    }

    /// Whether the request has a header of this name.
    pub(super) fn sent_header(&self, name: &str) -> bool {
        let mut headers = self.opening.iter().flat_map(Opening::headers);
        headers.any(|header| header.name.eq_ignore_ascii_case(name))
    }

    /// How long it took to connect, if that came about.
    pub(super) fn connect_time(&self) -> Option<Duration> {
        let attempt = self.attempts.last().filter(|attempt| attempt.error.is_none());
        attempt.map(|attempt| attempt.time)
    }

    /// How long the way through a proxy or the like took, if it came to its end.
    pub(super) fn detour_time(&self) -> Option<Duration> {
        let detour = self.detour.as_ref().filter(|detour| detour.error.is_none());
        detour.map(|detour| detour.time)
    }
}

impl Opening {
    pub(super) fn headers(&self) -> &[Header] {
        match self {
            Opening::Upgrade { headers, .. } | Opening::ExtendedConnect { headers, .. } => headers,
        }
    }

    /// The status that opens a WebSocket.
    pub(super) fn wanted_status(&self) -> &'static str {
        match self {
            Opening::Upgrade { .. } => "101",
            Opening::ExtendedConnect { .. } => "2xx",
        }
    }

    /// What ends after the closing handshake: what carries this one WebSocket.
    pub(super) fn carrier(&self) -> &'static str {
        match self {
            Opening::Upgrade { .. } => "TCP connection",
            Opening::ExtendedConnect { .. } => "stream",
        }
    }
}

impl Verdict {
    pub(super) fn of(passes: bool) -> Verdict {
        if passes { Verdict::Passed } else { Verdict::Failed }
    }
}

impl Outcome {
    fn exit_code(self) -> u8 {
        match self {
            Outcome::Open => 0,
            Outcome::NameUnknown | Outcome::NoConnection | Outcome::TlsFailed => {
                Kind::Connect as u8
            }
            Outcome::Http2Unavailable
            | Outcome::ResponseTimeout
            | Outcome::ConnectionEnded
            | Outcome::ResponseUnreadable
            | Outcome::Refused
            | Outcome::HandshakeWrong => Kind::Handshake as u8,
            Outcome::ClosingWrong => Kind::Connection as u8,
        }
    }
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// The members `http_version`, `request` and `key`.
fn asked<S: Serializer>(opening: &Option<Opening>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Default, Serialize)]
    struct Members<'a> {
        http_version: Option<&'static str>,
        request: Option<Request<'a>>,
        key: Option<&'a Key>,
    }
    #[derive(Serialize)]
    struct Request<'a> {
        line: Option<&'a str>,
        pseudo_headers: &'a [Header],
        headers: &'a [Header],
    }
    let members = match opening {
        None => Members::default(),
        Some(Opening::Upgrade { line, headers, key }) => Members {
            http_version: Some("1.1"),
            request: Some(Request { line: Some(line), pseudo_headers: &[], headers }),
            key: Some(key),
        },
        Some(Opening::ExtendedConnect { pseudo_headers, headers }) => Members {
            http_version: Some("2"),
            request: Some(Request { line: None, pseudo_headers, headers }),
            key: None,
        },
    };
    members.serialize(serializer)
}

/// The members `passed` and `falls_away`.
fn verdict<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members {
        passed: Option<bool>,
        falls_away: Option<&'static str>,
    }
    let members = match verdict {
        Verdict::Passed => Members { passed: Some(true), falls_away: None },
        Verdict::Failed => Members { passed: Some(false), falls_away: None },
        Verdict::FallsAway(why) => Members { passed: None, falls_away: Some(why) },
    };
    members.serialize(serializer)
}

fn hex<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    serializer.serialize_str(&digits.join(" "))
}
