//! The head of the opening handshake: RFC 6455 §4.2.1 and the HTTP rules beneath it.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::raw::frame::TEXT;
use crate::raw::server::command;
use crate::raw::{Frame, PATIENCE, Server, until};

#[test]
fn row_01_non_get_upgrade_is_405_with_allow() {
    let server = Server::echo(&[]);
    // RFC 9110 §9.1: methods are case-sensitive, so `get` is not GET.
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        let request = server.request().line(format!("{method} / HTTP/1.1"));
        let response = server.refuses(&request, 405, "GET");
        assert!(response.lists("Allow", "GET"), "{response:?}");
    }
}

#[test]
fn row_02_other_http_versions_are_505() {
    let server = Server::echo(&[]);
    server.refuses(&server.request().line("GET / HTTP/1.0"), 505, "HTTP");
    let response = server.answers(&server.request().line("GET / HTTP/2.0"));
    assert!(matches!(response.status, 400 | 505), "{response:?}");
}

#[test]
fn row_03_host_missing_doubled_or_malformed_is_400() {
    let server = Server::echo(&[]);
    let request = server.request();
    server.refuses(&request.clone().without("Host"), 400, "Host");
    server.refuses(&request.clone().and("Host", server.address().to_string()), 400, "Host");
    server.refuses(&request.clone().and("Host", "other.example"), 400, "Host");
    for malformed in ["two words", "user@host.example", "host.example/path", "a.example, b.example"]
    {
        server.refuses(&request.clone().with("Host", malformed), 400, "Host");
    }
}

#[test]
fn row_04_upgrade_or_connection_missing_or_wrong_is_426() {
    let server = Server::echo(&[]);
    let request = server.request();
    for wrong in [
        request.clone().without("Upgrade"),
        request.clone().with("Upgrade", "h2c"),
        request.clone().with("Upgrade", "websockets"),
        request.clone().with("Upgrade", "web socket"),
    ] {
        let response = server.refuses(&wrong, 426, "Upgrade");
        assert!(response.lists("Upgrade", "websocket"), "{response:?}");
    }
    for wrong in [
        request.clone().without("Connection"),
        request.clone().with("Connection", "keep-alive"),
        request.clone().with("Connection", "Upgraded, not-upgrade"),
    ] {
        let response = server.refuses(&wrong, 426, "Connection");
        assert!(response.lists("Upgrade", "websocket"), "{response:?}");
    }
    server.accepts(&request.clone().with("Connection", "keep-alive, UPGRADE"));
    server.accepts(&request.clone().with("Upgrade", "WebSocket"));
    server.accepts(&request.with("Upgrade", "h2c, websocket"));
}

#[test]
fn row_05_key_that_is_not_one_value_of_16_bytes_in_base64_is_400() {
    let server = Server::echo(&[]);
    let request = server.request();
    server.refuses(&request.clone().without("Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key");
    let again = request.clone().and("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    server.refuses(&again, 400, "Sec-WebSocket-Key");
    server.refuses(
        &request.clone().and("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw=="),
        400,
        "Sec-WebSocket-Key",
    );
    for key in [
        "",
        "not base64!",
        "dGhlIHNhbXBsZSBub25jZQ",                             // no padding
        "dGhlIHNhbXBsZSBub25j",                               // 15 bytes
        "dGhlIHNhbXBsZSBub25jZWU=",                           // 17 bytes
        "dGhlIHNhbXBsZSBub25jZR==",                           // bits set that decode to nothing
        "____IHNhbXBsZSBub25jZQ==",                           // the alphabet for URLs
        "dGhlIHNh bXBsZSBub25jZQ==",                          // a blank inside
        "====================== ==",                          // nothing but padding
        "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==", // two joined into one
    ] {
        server.refuses(&request.clone().with("Sec-WebSocket-Key", key), 400, "Sec-WebSocket-Key");
    }
}

#[test]
fn row_06_version_other_than_13_is_426_naming_13() {
    let server = Server::echo(&[]);
    let request = server.request();
    let wrong = [
        "",
        "0",
        "8",
        "12",
        "14",
        "130",
        "300",
        "013",
        "+13",
        "13.0",
        "13, 8",
        "thirteen",
        "99999999999999999999",
    ];
    let mut requests =
        Vec::from(wrong.map(|version| request.clone().with("Sec-WebSocket-Version", version)));
    requests.push(request.clone().without("Sec-WebSocket-Version"));
    requests.push(request.clone().and("Sec-WebSocket-Version", "13"));
    requests.push(request.clone().and("Sec-WebSocket-Version", "8"));
    for request in requests {
        let response = server.answers(&request);
        assert!(matches!(response.status, 400 | 426), "{response:?}");
        response.assert_names("Sec-WebSocket-Version");
        assert_eq!(response.header("Sec-WebSocket-Version"), Some("13"), "{response:?}");
    }
    // §4.4: a version that is well formed but not ours is a matter of negotiation, not a malformed request.
    server.refuses(&request.with("Sec-WebSocket-Version", "8"), 426, "Sec-WebSocket-Version");
}

#[test]
fn row_15_heads_beyond_the_limits_are_431_or_414() {
    let server = Server::echo(&[]);
    let request = server.request();
    let with_headers = |count: usize| {
        let missing = count - request.header_count();
        (0..missing).fold(request.clone(), |request, n| request.and(&format!("X-{n}"), "1"))
    };
    server.accepts(&with_headers(100));
    for count in [101, 2_000, 4_000] {
        assert_eq!(server.answers(&with_headers(count)).status, 431, "{count} headers");
    }
    server.accepts(&request.clone().and("X-Long", "x".repeat(12_000)));
    for length in [17_000, 200_000] {
        assert_eq!(server.answers(&request.clone().and("X-Long", "x".repeat(length))).status, 431);
    }

    server.accepts(&request.clone().line(format!("GET /{} HTTP/1.1", "x".repeat(8_000))));
    for length in [9_000, 200_000] {
        let long = request.clone().line(format!("GET /{} HTTP/1.1", "x".repeat(length)));
        assert_eq!(server.answers(&long).status, 414);
    }

    // Lines that never end are answered as soon as the limit is passed.
    let mut client = server.connect();
    client.send(format!("GET /{}", "x".repeat(9_000)));
    assert_eq!(client.response().status, 414);
    let mut client = server.connect();
    client.send(format!("GET / HTTP/1.1\r\nX-Long: {}", "x".repeat(17_000)));
    assert_eq!(client.response().status, 431);
}

#[test]
fn row_17_frames_in_the_segment_of_the_request_are_read_after_101_and_dropped_after_a_refusal() {
    let server = Server::echo(&[]);
    let request = server.request();
    let hello = Frame::text("hello").encode();

    let mut client = server.connect();
    client.send([request.encode(), hello.clone(), hello[..4].to_vec()].concat());
    client.accepted();
    client.expect(TEXT, "hello");
    client.send(&hello[4..]);
    client.expect(TEXT, "hello");

    for more in [hello, request.encode()] {
        let mut client = server.connect();
        client.send([request.clone().without("Sec-WebSocket-Key").encode(), more].concat());
        let response = client.response();
        assert_eq!(response.status, 400);
        // That the body ends where it says shows that nothing answered what followed the head.
        response.assert_names("Sec-WebSocket-Key");
        assert!(!response.body.contains("HTTP/1.1 "), "{response:?}");
    }
}

#[test]
fn row_18_upgrade_with_a_body_is_400_and_closed() {
    let server = Server::echo(&[]);
    let request = server.request();
    let second = request.encode();
    for (head, body) in [
        (request.clone().and("Content-Length", "5"), b"hello".to_vec()),
        // The body would be taken for a second request by whoever does not see it as one, and be smuggled past a proxy.
        (request.clone().and("Content-Length", second.len().to_string()), second.clone()),
        (request.clone().and("Transfer-Encoding", "chunked"), b"5\r\nhello\r\n0\r\n\r\n".to_vec()),
        (
            request.clone().and("Transfer-Encoding", "chunked").and("Content-Length", "5"),
            b"0\r\n\r\n".to_vec(),
        ),
        (request.clone().and("Content-Length", "5").and("Content-Length", "6"), b"hello!".to_vec()),
    ] {
        let mut client = server.connect();
        client.send([head.encode(), body].concat());
        let response = client.response();
        assert_eq!(response.status, 400, "{response:?}");
        response.assert_names("body");
        assert!(!response.body.contains("HTTP/1.1 "), "{response:?}");
    }
}

#[test]
fn row_20_line_breaks_in_a_configured_header_value_are_an_error() {
    for flags in [
        ["--subprotocol", "chat\r\nX-Injected: yes"],
        ["--subprotocol", "chat\n"],
        ["--subprotocol", "two words"],
        ["--subprotocol", ""],
        ["--origin", "https://app.example\r\nX-Injected: yes"],
    ] {
        let output =
            command("echo", &flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (status, complaint) = outcome(output);
        assert!(
            status.is_some_and(|code| code != 0),
            "{flags:?} ended with {status:?}: {complaint}"
        );
        assert!(
            !complaint.trim().is_empty() && !complaint.contains("panicked"),
            "{flags:?}: {complaint}"
        );
    }
}

#[test]
fn row_21_over_capacity_is_503_with_retry_after() {
    let server = Server::echo(&["--max-connections", "1"]);
    let mut first = server.open();
    let response = server.refuses(&server.request(), 503, "connection");
    let retry_after = response.header("Retry-After").expect("Retry-After");
    assert!(retry_after.parse::<u32>().is_ok(), "not a number of seconds: {retry_after}");

    first.send_frame(&Frame::close(1000, ""));
    first.expect_close(1000);
    drop(first);
    until("the place is free again", || server.answers(&server.request()).status == 101);
}

#[test]
fn row_54_legal_variety_is_accepted() {
    let server = Server::echo(&["--subprotocol", "chat"]);
    let request = server.request();
    let bare = request.clone().without("Upgrade").without("Connection");
    for legal in [
        bare.clone().and("uPGRADE", "\tWebSocket\t").and("CONNECTION", " \t uPgRaDe \t"),
        bare.clone()
            .and("Upgrade", "websocket")
            .and("Connection", "keep-alive")
            .and("Connection", "Upgrade"),
        bare.clone().and("Upgrade", "websocket").and("connection", "keep-alive\t,\tupgrade , x"),
        bare.clone().and("Upgrade", "websocket").and("Connection", ", upgrade ,"),
        bare.and("Upgrade", "h2c").and("Upgrade", "websocket").and("Connection", "upgrade"),
        request.clone().with("Sec-WebSocket-Key", "\tdGhlIHNhbXBsZSBub25jZQ==  "),
        request.clone().with("sec-websocket-version", " 13\t"),
        request.clone().and("Cookie", "a=1").and("Cookie", "b=\u{e9}"),
        request.clone().line("GET /rooms/a%20b?x=1&y=%2f HTTP/1.1"),
    ] {
        server.accepts(&legal);
    }
    let two_lines =
        request.and("Sec-WebSocket-Protocol", "soap").and("sec-websocket-protocol", "chat");
    assert_eq!(server.accepts(&two_lines).header("Sec-WebSocket-Protocol"), Some("chat"));
}

#[test]
fn row_55_targets_that_are_no_path_are_400() {
    let server = Server::echo(&[]);
    let request = server.request();
    let host = server.address();
    server.accepts(&request.clone().line(format!("GET http://{host}/ HTTP/1.1")));
    server.accepts(&request.clone().line(format!("GET http://{host}/a?b HTTP/1.1")));
    server.accepts(&request.clone().line(format!("GET HTTP://{host} HTTP/1.1")));
    let (userinfo, authority) = (format!("http://user:secret@{host}/"), host.to_string());
    for target in [
        userinfo.as_bytes(),
        authority.as_bytes(),
        b"/#fragment",
        b"/<",
        b"/a b",
        b"/\\",
        b"/\"",
        b"/%",
        b"/%zz",
        b"/\x00",
        b"/\x7f",
        b"/\xff",
        "/\u{e9}".as_bytes(),
        b"*",
        b"",
        b"no-slash",
        b"http://",
        b"http:///no-host",
        b"://",
        b"http://[::1/",
    ] {
        let line = [b"GET ", target, b" HTTP/1.1"].concat();
        let response = server.answers(&request.clone().line(&line));
        assert_eq!(response.status, 400, "to {}", String::from_utf8_lossy(&line));
    }
    server.assert_well();
}

/// The exit code and stderr of a program that is to end by itself; no code when it had to be killed.
fn outcome(mut child: Child) -> (Option<i32>, String) {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
