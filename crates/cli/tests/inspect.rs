//! `wskit inspect` against servers that do it right, and in all ways wrong.

mod common;

use common::{Echo, Ran, Server, nowhere, run, serve, serve_bytes};
use std::process::Command;
use wskit::proto::handshake::Key;

fn inspect_json(url: &str) -> Ran {
    run(&["inspect", "--output", "json", "--opening-timeout", "20", url], b"")
}

/// What the failure is called, and what is said of it.
fn outcome(ran: &Ran) -> (String, String) {
    let report = ran.json();
    assert_eq!(report["exit_code"], ran.code.unwrap(), "{report}");
    let fault = &report["fault"];
    let words = [fault["why"].to_string(), fault["try"].to_string()].concat();
    (report["outcome"].as_str().unwrap().to_owned(), words)
}

#[test]
fn a_good_endpoint_is_explained() {
    let echo = Echo::start(&["--subprotocol", "chat.v1"]);
    let url = echo.url.clone() + "room?x=1";
    let good = run(&["inspect", &url, "--subprotocol", "chat.v1", "--header", "X-Test: yes"], b"");
    assert_eq!((good.code, &*good.stderr), (Some(0), ""));
    for words in [
        "GET /room?x=1 HTTP/1.1",
        "X-Test: yes",
        "16 random bytes: ",
        "258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        "HTTP/1.1 101 Switching Protocols",
        "ok        1. the status has to be 101",
        "ok        6. ",
        "agreed    subprotocol chat.v1, extensions permessage-deflate; server_no_context_takeover",
        "closing   sent 1000, received 1000, then the server ended the TCP connection",
        "ok        this endpoint opens WebSocket connections",
    ] {
        assert!(good.text().contains(words), "{words:?} in {}", good.text());
    }
    assert!(!good.text().contains(['\u{1b}', '\r']), "colours belong on a terminal");
}

#[test]
fn the_report_has_its_documented_names() {
    let echo = Echo::start(&[]);
    let good = inspect_json(&echo.url);
    assert_eq!((good.code, &*good.stderr), (Some(0), ""));
    let report = good.json();
    assert_eq!(report["outcome"], "open");
    assert_eq!(report["url"], *echo.url);
    assert_eq!(report["lookup"]["host"], "127.0.0.1");
    assert!(report["attempts"][0]["error"].is_null());
    assert_eq!(report["request"]["line"], "GET / HTTP/1.1");
    assert_eq!(report["response"]["status"], 101);
    assert_eq!(report["agreed"]["extensions"].as_array().unwrap().len(), 1);
    assert_eq!(report["closing"]["received"]["code"], 1000);
    assert_eq!(report["closing"]["ended_by_peer"], true);
    assert!(report["fault"].is_null());
    let key: Key = report["key"]["text"].as_str().unwrap().parse().unwrap();
    let bytes: Vec<String> = key.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["key"]["bytes"], bytes.join(" "));
    assert_eq!(report["key"]["accept"], key.accept().as_str());
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 6);
    for (place, check) in checks.iter().enumerate() {
        assert_eq!((&check["number"], &check["passed"]), (&(place + 1).into(), &true.into()));
    }
    assert_eq!(checks[3]["found"][0], key.accept().as_str());
    let names = run(&["inspect", "--help"], b"");
    for name in report.as_object().unwrap().keys() {
        let is_told = |line: &str| {
            line.strip_prefix("  ").and_then(|line| line.split(' ').next()) == Some(name)
        };
        assert!(names.text().lines().any(is_told), "{name} is not documented");
    }
}

#[test]
fn every_refusal_has_its_reason() {
    for (response, words) in [
        ("200 OK\r\nContent-Length: 0", "an ordinary answer of HTTP"),
        ("301 Moved Permanently\r\nLocation: https://example.com/x", "wss://example.com/x"),
        ("302 Found\r\nLocation: http://example.com/x", "go where it points: ws://example.com/x"),
        ("307 Temporary Redirect\r\nLocation: /other", "go where it points: /other"),
        ("400 Bad Request\r\nContent-Length: 0", "found a fault in the request"),
        ("401 Unauthorized\r\nContent-Length: 0", "--header 'Authorization"),
        ("403 Forbidden\r\nContent-Length: 0", "--origin"),
        ("404 Not Found\r\nContent-Length: 0", "nothing at this path"),
        ("405 Method Not Allowed\r\nAllow: POST", "takes no GET"),
        ("426 Upgrade Required\r\nUpgrade: websocket", "did not see the request"),
        ("426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7", "other versions"),
        ("429 Too Many Requests\r\nRetry-After: 17", "Retry-After: 17"),
        ("502 Bad Gateway\r\nContent-Length: 0", "the server behind it does not"),
        ("503 Service Unavailable\r\nContent-Length: 0", "no room or is not ready"),
        ("500 Internal Server Error\r\nContent-Length: 0", "failed on the server"),
        ("418 I'm a teapot\r\nContent-Length: 0", "only 101 opens"),
    ] {
        let refused = inspect_json(&serve_bytes(format!("HTTP/1.1 {response}\r\n\r\n")));
        let (outcome, said) = outcome(&refused);
        assert_eq!((&*outcome, refused.code), ("refused", Some(4)), "{response}");
        assert!(said.contains(words), "{response}: {said}");
        assert!(said.contains(&response[..3]), "{response}: {said}");
        let report = refused.json();
        assert_eq!(report["checks"][0]["passed"], false);
        assert!(report["checks"][1]["passed"].is_null());
    }
}

#[test]
fn every_broken_handshake_shows_all_checks() {
    let both = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    let upgrade = "Upgrade: websocket\r\n";
    let connection = "Connection: Upgrade\r\n";
    let accept = "Sec-WebSocket-Accept: ACCEPT\r\n";
    let hex = "Sec-WebSocket-Accept: b37a4f2cc0624f1690f64606cf385945b2bec4ea\r\n";
    let stale = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let subprotocol = "Sec-WebSocket-Protocol: nobody-asked\r\n";
    for (headers, failed, words) in [
        ([connection, accept, ""], 2, "the response has no Upgrade"),
        ([upgrade, accept, ""], 3, "the response has no Connection"),
        ([upgrade, "Connection: close\r\n", accept], 3, "Connection has to contain Upgrade"),
        ([upgrade, connection, ""], 4, "without Sec-WebSocket-Accept"),
        ([upgrade, connection, stale], 4, "it is the example of RFC 6455"),
        ([upgrade, connection, hex], 4, "it is the hash in hex"),
        ([both, accept, accept], 4, "more than once"),
        ([both, accept, extension], 5, "extension that was not offered"),
        ([both, accept, subprotocol], 6, "subprotocol that was not offered"),
    ] {
        let head = format!("HTTP/1.1 101 Switching Protocols\r\n{}\r\n", headers.concat());
        let wrong = inspect_json(&serve(move |mut client| {
            let response = head.replace("ACCEPT", &client.accept());
            client.write(response.as_bytes());
        }));
        let (outcome, said) = outcome(&wrong);
        assert_eq!((&*outcome, wrong.code), ("handshake_wrong", Some(4)), "{said}");
        assert!(said.contains(words), "{said}");
        let report = wrong.json();
        for check in report["checks"].as_array().unwrap() {
            assert_eq!(check["passed"], check["number"] != failed, "{headers:?} {check}");
        }
    }
}

#[test]
fn what_is_not_http_is_recognised() {
    for (response, expected, words) in [
        (&b"\x15\x03\x01\x00\x02\x02\x16"[..], "response_unreadable", "wss://"),
        (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00", "response_unreadable", "HTTP/2"),
        (b"HTTP/1.0 200 OK\r\n\r\n", "refused", "a plain server of HTTP/1.0"),
        (b"HTTP/1.0 200 OK\r\n\r\n", "refused", "proxy_http_version 1.1"),
        (b"HTTP/1.0 101 \r\n\r\n", "response_unreadable", "HTTP/1.0"),
        (b"HTTP/1.1 505 \r\nContent-Length: 0\r\n\r\n", "refused", "proxy_http_version 1.1"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "response_unreadable", "SSH-2.0-OpenSSH_9.6"),
        (b"HTTP/1.1 101 Switching", "connection_ended", "before its response was whole"),
        (b"", "connection_ended", "before its response was whole"),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 52\r\n\r\n\
              The plain HTTP request was sent to HTTPS port. Sorry",
            "refused",
            "this port expects TLS",
        ),
    ] {
        let ran = inspect_json(&serve_bytes(response));
        let (outcome, said) = outcome(&ran);
        assert_eq!((&*outcome, ran.code), (expected, Some(4)), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn no_connection_is_explained() {
    let ran = inspect_json(&nowhere());
    let (name, said) = outcome(&ran);
    assert_eq!((&*name, ran.code), ("no_connection", Some(3)));
    assert!(said.contains("nothing listens on that port"), "{said}");
    let ran = inspect_json("ws://name.invalid/");
    let (name, said) = outcome(&ran);
    assert_eq!((&*name, ran.code), ("name_unknown", Some(3)));
    assert!(said.contains("how the name is spelled"), "{said}");
}

#[test]
fn silence_is_not_waited_for_in_vain() {
    let url = serve(std::mem::forget);
    let ran = run(&["inspect", "--output", "json", "--opening-timeout", "0.3", &url], b"");
    let (name, said) = outcome(&ran);
    assert_eq!((&*name, ran.code), ("response_timeout", Some(4)));
    assert!(said.contains("--opening-timeout"), "{said}");
}

#[test]
fn a_refusal_whose_body_never_ends_is_still_one() {
    let url = serve(|mut client| {
        client.write(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.write(b"a\r\nnot here!\n\r\n");
        std::mem::forget(client);
    });
    let ran = run(&["inspect", "--output", "json", "--opening-timeout", "3", &url], b"");
    assert_eq!(outcome(&ran).0, "refused");
    assert_eq!(ran.json()["response"]["body"], "not here!\n");
}

#[test]
fn a_wrong_closing_is_told() {
    let ended = serve(|mut client| {
        client.open();
        client.receive();
    });
    let ran = inspect_json(&ended);
    let (name, said) = outcome(&ran);
    assert_eq!((&*name, ran.code), ("closing_wrong", Some(5)));
    assert!(said.contains("without a Close frame"), "{said}");
    assert!(ran.json()["closing"]["received"].is_null());
}

#[test]
fn a_server_that_opens_only_to_close_is_told() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let ran = inspect_json(&format!("ws://{}/chat/no!room", server.address));
    let (name, said) = outcome(&ran);
    assert_eq!((&*name, ran.code), ("closing_wrong", Some(5)));
    assert!(said.contains("closed the connection with 1008 a room's name"), "{said}");
}

#[test]
fn the_peer_cannot_paint_the_terminal() {
    let url = serve_bytes(
        "HTTP/1.1 404 Not\u{9b}2J Found\r\nX-Paint: \u{202e}evil\r\nContent-Length: 20\r\n\r\n\
         \u{1b}[2J\u{1b}]0;owned\u{7}\r\nok        yes!",
    );
    for arguments in [&["inspect", &url][..], &["inspect", "--output", "json", &url]] {
        let ran = run(arguments, b"");
        assert_eq!(ran.code, Some(4));
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.text().contains(harmful), "{}", ran.text());
        assert!(!ran.text().contains("\nok        yes!"), "{}", ran.text());
    }
}

#[cfg(unix)]
#[test]
fn a_line_that_shows_why_it_does_not_open_can_be_pasted() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let url = format!("ws://{}/nothing?a=1&b='2'", server.address);
    let note = r#"it's "here" $HOME `x`"#;
    let header = format!("User-Agent: {note}");
    let ran = run(&["connect", "--http", "2", "--header", &header, "--stats", &url], b"");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let (_, line) = ran.stderr.split_once("to see why: wskit ").unwrap();
    let line = format!("\"$0\" {} --output json", line.lines().next().unwrap());
    let shell = Command::new("sh").args(["-c", &line, env!("CARGO_BIN_EXE_wskit")]).output();
    let report: serde_json::Value = serde_json::from_slice(&shell.unwrap().stdout).unwrap();
    assert_eq!((&report["url"], &report["http_version"]), (&url.into(), &"2".into()));
    assert_eq!(report["response"]["status"], 404);
    let headers = report["request"]["headers"].as_array().unwrap();
    assert!(headers.iter().any(|header| header["value"] == note), "{report}");
}
