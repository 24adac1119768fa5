//! The client's side of the opening handshake: the request it sends, and every check of the answer.

mod common;

use bytes::BytesMut;
use wskit_proto::handshake::{
    Agreed, Check, ClientOpening, ClientRequest, Field, InvalidRequest, InvalidSubprotocol, Key,
    Refusal, ResponseError, Subprotocol,
};

const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// An opening that offers the subprotocols `a` and `b`.
fn opening() -> ClientOpening {
    let mut request = ClientRequest::new("example.com:8080", "/chat?x=1").unwrap();
    request.add_header(Field::new("Authorization", "Bearer abc").unwrap());
    request.add_subprotocol(Subprotocol::new("a").unwrap()).unwrap();
    request.add_subprotocol(Subprotocol::new("b").unwrap()).unwrap();
    request.body_bytes_max = 10;
    ClientOpening::new(request, Key::from_entropy(*b"the sample nonce"))
}

fn receive(response: impl AsRef<[u8]>) -> Result<Option<Agreed>, ResponseError> {
    opening().receive(&mut BytesMut::from(response.as_ref()))
}

/// The good response with `from` replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

fn plus(line: &str) -> String {
    with("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
}

#[test]
fn the_request_has_all_that_a_server_asks_for() {
    let expected = "GET /chat?x=1 HTTP/1.1\r\nHost: example.com:8080\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\
        Authorization: Bearer abc\r\n\r\n";
    assert_eq!(str::from_utf8(opening().request_bytes()).unwrap(), expected);
}

#[test]
fn a_request_that_would_not_be_understood_is_not_made() {
    for host in ["", "a b", "user@host", "host:x", "host/", "a\r\nX: y", "::1"] {
        assert_eq!(ClientRequest::new(host, "/").unwrap_err(), InvalidRequest::Host, "{host}");
    }
    for target in ["", "chat", "/a b", "/#part", "http://host/", "/\r\nX: y", "/%zz", "*"] {
        let refused = ClientRequest::new("host", target).unwrap_err();
        assert_eq!(refused, InvalidRequest::Target, "{target}");
    }
    let mut request = ClientRequest::new("host", "/").unwrap();
    let name = Subprotocol::new("a").unwrap();
    request.add_subprotocol(name.clone()).unwrap();
    let repeated = Err(InvalidSubprotocol::Repeated(name.clone()));
    assert_eq!(request.add_subprotocol(name), repeated);
}

#[test]
fn every_check_fails_alone() {
    let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let failing = [
        (Check::Upgrade, with("Upgrade: websocket\r\n", "")),
        (Check::Upgrade, with("websocket", "h2c")),
        (Check::Upgrade, plus("Upgrade: websocket")),
        (Check::Connection, with("Connection: Upgrade\r\n", "")),
        (Check::Connection, with("Connection: Upgrade", "Connection: close")),
        (Check::Accept, with(&format!("Sec-WebSocket-Accept: {accept}\r\n"), "")),
        (Check::Accept, with(accept, "")),
        (Check::Accept, with(accept, &accept.to_lowercase())),
        (Check::Accept, with(accept, "ICX+Yqv66kxgM0FcWaLWlFLwTAI=")),
        (Check::Accept, with(accept, &format!("{accept}A"))),
        (Check::Accept, with(accept, &format!("\"{accept}\""))),
        (Check::Accept, plus("Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=")),
        (Check::Accept, plus(&format!("Sec-WebSocket-Accept: {accept}"))),
        (Check::Extensions, plus("Sec-WebSocket-Extensions: permessage-deflate")),
        (Check::Extensions, plus("Sec-WebSocket-Extensions:")),
        (Check::Subprotocol, plus("Sec-WebSocket-Protocol: c")),
        (Check::Subprotocol, plus("Sec-WebSocket-Protocol: A")),
        (Check::Subprotocol, plus("Sec-WebSocket-Protocol: a, b")),
        (Check::Subprotocol, plus("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a")),
        (Check::Subprotocol, plus("Sec-WebSocket-Protocol:")),
    ];
    for (expected, response) in failing {
        let error = receive(&response).unwrap_err();
        assert_eq!(error.status(), Some(101));
        assert!(error.to_string().contains(expected.header()), "{error}");
        let ResponseError::Check { check, headers, .. } = error else { panic!("{response}") };
        assert_eq!(check, expected, "{response}");
        let failed = Check::ALL.into_iter().filter(|check| !opening().passes(*check, &headers));
        assert_eq!(failed.collect::<Vec<_>>(), [expected], "{response}");
    }
    assert_eq!(Check::ALL.map(Check::number), [2, 3, 4, 5, 6]);
}

#[test]
fn every_legal_variety_is_accepted() {
    let good = [
        (GOOD.to_owned(), None),
        (GOOD.replace("\r\n", "\n"), None),
        (with("Upgrade: websocket", "upgrade:\tWebSocket \t"), None),
        (with("Connection: Upgrade", "CONNECTION: keep-alive\r\nConnection: x, upgrade"), None),
        (with(" Switching Protocols", " "), None),
        (with(" Switching Protocols", ""), None),
        (plus("X-Empty:"), None),
        (plus("Sec-WebSocket-Protocol: b"), Some("b")),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n".to_owned() + GOOD, None),
    ];
    for (response, subprotocol) in good {
        let agreed = receive(&response).expect(&response).expect(&response);
        assert_eq!(agreed.subprotocol.as_ref().map(Subprotocol::as_str), subprotocol);
        assert!(agreed.extensions().is_empty() && agreed.bootstrap.key() == Some(opening().key()));
        assert!(agreed.headers.is_some_and(|headers| headers.get("upgrade").is_some()));
    }
}

#[test]
fn what_follows_the_head_stays_in_the_buffer() {
    let mut input = BytesMut::from(GOOD);
    input.extend_from_slice(b"\x81\x00");
    opening().receive(&mut input).unwrap().unwrap();
    assert_eq!(input, &b"\x81\x00"[..]);
}

#[test]
fn what_is_no_answer_of_http_1_1_is_told_at_once() {
    for bytes in [&b"\x15\x03"[..], b"SSH-2.0", b"HTTP/2", b"http/1.1 101\r\n", b"\r\n"] {
        assert!(matches!(receive(bytes), Err(ResponseError::NotHttp)), "{bytes:?}");
    }
    for head in ["HTTP/1.0 101 \r\n\r\n", "HTTP/1.1 1x1 \r\n\r\n", "HTTP/1.1 101 \r\nx\r\n\r\n"] {
        assert!(matches!(receive(head), Err(ResponseError::NotHttp)), "{head}");
    }
}

fn refusal(result: Result<Option<Agreed>, ResponseError>) -> Refusal {
    match result {
        Err(ResponseError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_tells_status_headers_and_the_start_of_the_body() {
    for status in [200, 301, 400, 401, 403, 426, 503] {
        let head = format!("HTTP/1.1 {status} Why\r\nContent-Length: 7\r\nX-Why: full\r\n\r\n");
        assert!(receive(head.clone() + "so ful").unwrap().is_none(), "the body is not whole");
        let refusal = refusal(receive(head + "so full and more"));
        assert_eq!((refusal.status, &refusal.body[..]), (status, &b"so full"[..]));
        assert_eq!(refusal.headers.get("x-why"), Some(&b"full"[..]));
    }
}

#[test]
fn no_more_of_a_body_is_kept_than_the_limit() {
    for length in ["", "Content-Length: 11\r\n", "Content-Length: 99999999999999999999999\r\n"] {
        let head = format!("HTTP/1.1 503 \r\n{length}\r\n");
        assert!(receive(head.clone() + "123456789").unwrap().is_none());
        assert_eq!(refusal(receive(head.clone() + "1234567890")).body, "1234567890");
        assert_eq!(refusal(receive(head + "1234567890a")).body, "1234567890");
    }
    let exact = "HTTP/1.1 503 \r\nContent-Length: 10\r\n\r\n1234567890";
    assert_eq!(refusal(receive(exact)).body, "1234567890");
    assert_eq!(refusal(receive("HTTP/1.1 301 \r\nContent-Length: 0\r\n\r\n")).body, "");
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let (mut opening, mut input) = (opening(), BytesMut::from("HTTP/1.1 401 \r\n\r\nwho?"));
    assert!(opening.receive(&mut input).unwrap().is_none());
    assert_eq!(refusal(Err(opening.end(&mut input))).body, "who?");
}

#[test]
fn a_body_in_chunks_ends_with_the_last() {
    let head = "HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(receive(head.to_owned() + "4\r\nwho?").unwrap().is_none());
    assert_eq!(refusal(receive(head.to_owned() + "3\r\nw\r\n\r\n0\r\n\r\n")).body, "w\r\n");
    assert_eq!(refusal(receive(head.to_owned() + "1\r\nw\r\n0\r\n\r\n")).body, "w");
    assert_eq!(refusal(receive("HTTP/1.1 304 \r\n\r\n")).body, "");
}

#[test]
fn a_refusal_may_be_in_the_old_version() {
    assert_eq!(refusal(receive("HTTP/1.0 404 \r\nContent-Length: 0\r\n\r\n")).status, 404);
}

#[test]
fn an_end_before_the_response_is_no_refusal() {
    for begun in ["", "HTTP/1.1 101 Switching", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let (mut opening, mut input) = (opening(), BytesMut::from(begun));
        assert!(opening.receive(&mut input).unwrap().is_none());
        assert!(matches!(opening.end(&mut input), ResponseError::Ended));
    }
}

#[test]
fn every_limit_of_a_head_holds_at_its_edge() {
    let limit = 16 << 10;
    let head = |len: usize| plus(&format!("X: {}", "x".repeat(len - GOOD.len() - 5)));
    assert_eq!(head(limit).len(), limit);
    assert!(receive(head(limit)).unwrap().is_some());
    assert!(matches!(receive(head(limit + 1)), Err(ResponseError::HeadTooLong(_))));
    // Interim responses count, for they might never end.
    let interim = "HTTP/1.1 100 \r\n\r\n";
    assert!(receive(interim.to_owned() + &head(limit - interim.len())).unwrap().is_some());
    let endless = interim.repeat(limit / interim.len() + 1);
    assert!(matches!(receive(endless), Err(ResponseError::HeadTooLong(_))));

    let headers = |count: usize| plus(&vec!["X: y"; count - 3].join("\r\n"));
    assert!(receive(headers(100)).unwrap().is_some());
    assert!(matches!(receive(headers(101)), Err(ResponseError::TooManyHeaders(100))));
}

#[test]
fn what_a_server_sends_cannot_harm_a_terminal() {
    let text = "HTTP/1.1 403 \r\nContent-Length: 9\r\n\r\n\x1b[2J\r\n\x07\x00!";
    let shown = receive(text).unwrap_err().to_string();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
}
