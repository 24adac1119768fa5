//! What is peculiar to HTTP/2.

use super::{EXPECTS_TLS, fault, speaks_13, unreadable};
use crate::commands::inspect::report::{Fault, Response};

const OVER_HTTP_1_1: &str = "open the WebSocket over HTTP/1.1: --http 1.1, or --http auto";

/// ALPN chose something else, or nothing.
pub(in super::super) fn no_http2() -> Fault {
    fault(
        "the server does not speak HTTP/2 inside of TLS: ALPN did not choose it",
        &[OVER_HTTP_1_1, "let the server, or the proxy before it, offer h2 by ALPN"],
    )
}

/// RFC 8441 §3: the extended CONNECT may not be sent.
pub(in super::super) fn no_extended_connect() -> Fault {
    fault(
        "the server speaks HTTP/2, but takes no WebSockets over it",
        &[
            OVER_HTTP_1_1,
            "let the server enable the extended CONNECT (Envoy: allow_connect; Node.js: \
             enableConnectProtocol; hyper: enable_connect_protocol)",
        ],
    )
}

/// RFC 9113 §7: the server resets the stream with HTTP_1_1_REQUIRED.
pub(in super::super) fn http_1_1_required() -> Fault {
    fault("the server demands HTTP/1.1 for this (HTTP_1_1_REQUIRED)", &[OVER_HTTP_1_1])
}

/// What came is no HTTP/2.
pub(in super::super) fn not_http2(received: &[u8]) -> Fault {
    let why = "the server does not answer with HTTP/2";
    if !received.starts_with(b"HTTP/1.") {
        return unreadable(why, received);
    }
    let end = received.iter().take(60).position(|byte| *byte == b'\r').unwrap_or(8);
    let line = String::from_utf8_lossy(&received[..end]);
    fault(format!("{why}, but with {line}"), &[OVER_HTTP_1_1])
}

/// The connection did not live until the request.
pub(in super::super) fn connection_ended_http2(error: &str, is_secure: bool) -> Fault {
    let remedies = [
        "the server may not speak HTTP/2 on this port: --http 1.1",
        "look into the log of the server, or of a proxy before it",
        EXPECTS_TLS,
    ];
    fault(error, &remedies[..remedies.len() - usize::from(is_secure)])
}

/// A status that means another thing than over HTTP/1.1.
pub(super) fn refused(response: &Response, why: impl Fn(&str) -> String) -> Option<Fault> {
    Some(match response.status {
        400 if speaks_13(response) => fault(
            why("the server found a fault in the request"),
            &[
                "read the body above: it may name the fault",
                "a server may need a --subprotocol, an --origin or a --header",
                OVER_HTTP_1_1,
            ],
        ),
        405 | 426 | 501 => fault(
            why("the server takes no extended CONNECT here"),
            &["check the path: another one may be the WebSocket endpoint", OVER_HTTP_1_1],
        ),
        421 => fault(
            why("the server is not the one for this host"),
            &["check the host of the URL, and which certificate and server stand for it"],
        ),
        _ => return None,
    })
}
