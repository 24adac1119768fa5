//! Responses that must not open a connection: RFC 6455 §4.1.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use wskit::{Client, Error};

use crate::script::{Peer, SHORT, Script, accept, header, response_with, within_patience};

#[tokio::test]
async fn row_13_responses_that_prove_nothing_fail_the_handshake() {
    let extension = "Sec-WebSocket-Extensions: permessage-deflate";
    let subprotocol = "Sec-WebSocket-Protocol: chat";
    for (wrong, right) in [
        ("", "Sec-WebSocket-Accept: ACCEPT"),
        ("Sec-WebSocket-Accept:", "Sec-WebSocket-Accept: ACCEPT"),
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Accept: ACCEPT"),
        ("Sec-WebSocket-Accept: KEY", "Sec-WebSocket-Accept: ACCEPT"),
        ("", "Upgrade: websocket"),
        ("Upgrade: h2c", "Upgrade: websocket"),
        ("Upgrade: websockets", "Upgrade: websocket"),
        ("", "Connection: Upgrade"),
        ("Connection: keep-alive", "Connection: Upgrade"),
        (extension, ""),
        ("Sec-WebSocket-Extensions: x-never-offered; a=1", ""),
        (subprotocol, ""),
    ] {
        assert_fails(&format!("{wrong} for {right}"), &response_with(right, wrong), &[]).await;
    }
    // A subprotocol was offered, and another, or the same in another case, or two come back.
    for answer in ["soap", "CHAT", "chat, soap", "", "chat\r\nSec-WebSocket-Protocol: chat"] {
        let response = response_with("", &format!("Sec-WebSocket-Protocol: {answer}"));
        assert_fails(answer, &response, &["chat", "v2.chat"]).await;
    }

    assert_opens("any case", "HTTP/1.1 101 \r\nupgrade: WebSocket\r\nCONNECTION:\tkeep-alive , upgrade\t\r\nsec-websocket-accept:ACCEPT\r\n\r\n", &[]).await;
    assert_opens("no subprotocol, though some were offered", &response_with("", ""), &["chat"])
        .await;
    assert_opens("one of those offered", &response_with("", subprotocol), &["v2.chat", "chat"])
        .await;
}

#[test]
fn row_20_line_breaks_in_a_request_header_are_an_error() {
    for (name, value) in [
        ("X-Trace", "a\r\nX-Injected: yes"),
        ("X-Trace", "a\nb"),
        ("X-Trace", "a\0b"),
        ("X-Injected: yes\r\nX", "a"),
    ] {
        let client = Client::new("ws://localhost/").unwrap();
        assert!(client.header(name, value).is_err(), "{name:?}: {value:?}");
    }
    for name in ["chat\r\nX-Injected: yes", "two words", ""] {
        let client = Client::new("ws://localhost/").unwrap();
        assert!(client.subprotocol(name).is_err(), "{name:?}");
    }
}

#[tokio::test]
async fn row_22_redirects_are_not_followed_where_none_may_be() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = format!("ws://{}/", elsewhere.local_addr().unwrap());
    for status in [301, 302, 303, 307, 308] {
        let response = format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        );
        let server = Script::play(move |peer| {
            assert_eq!(header(&peer.request(), "Authorization"), Some("Bearer secret"));
            peer.send(response);
        });
        let client = Client::new(&server.url)
            .unwrap()
            .header("Authorization", "Bearer secret")
            .unwrap()
            .header("Cookie", "a=1")
            .unwrap()
            .redirects_max(0);
        let Err(Error::Handshake(error)) = client.connect().await else {
            panic!("{status} is no open connection")
        };
        assert_eq!(error.status(), Some(status));
        assert_eq!(
            error.headers().and_then(|headers| headers.get("location")),
            Some(location.as_bytes())
        );
        server.finish();
    }
    // Neither credentials nor anything else went to the other origin.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(elsewhere.accept().map(drop).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn row_22_another_origin_is_told_no_secrets() {
    for status in [301, 302, 303, 307, 308] {
        let secrets = ["Authorization", "Cookie", "Proxy-Authorization"];
        let elsewhere = Script::play(move |peer| {
            let request = peer.request();
            assert!(request.starts_with("GET /room?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
            for name in secrets {
                assert_eq!(header(&request, name), None, "after {status}");
            }
            assert_eq!(header(&request, "X-Trace"), Some("7"));
            assert_eq!(header(&request, "Sec-WebSocket-Protocol"), Some("chat"));
            let accept = accept(header(&request, "Sec-WebSocket-Key").unwrap());
            peer.send(response_with("ACCEPT", &accept));
            peer.wait_for_end();
        });
        let location = format!("{}room?x=1#top", elsewhere.url.replace("ws://", "http://eve:x@"));
        let server = Script::play(move |peer| {
            let request = peer.request();
            secrets.iter().for_each(|name| assert!(header(&request, name).is_some(), "{name}"));
            peer.send(redirect(status, &location));
        });
        let client = Client::new(&server.url.replace("ws://", "ws://ann:secret@")).unwrap();
        let client = client.header("Cookie", "a=1").unwrap().header("X-Trace", "7").unwrap();
        let client = client.header("Proxy-Authorization", "Basic abc").unwrap();
        let client = client.subprotocol("chat").unwrap();
        drop(within_patience(client.connect()).await.unwrap());
        server.finish();
        elsewhere.finish();
    }
}

#[tokio::test]
async fn row_22_the_same_origin_is_asked_again_with_what_it_knows() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://ann:secret@{}/a/b", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut keys = Vec::new();
        for (target, location) in [("/a/b", "c?d"), ("/a/c?d", "/"), ("/", "")] {
            let mut peer = Peer { stream: listener.accept().unwrap().0 };
            let request = peer.request();
            assert!(request.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{request}");
            assert_eq!(header(&request, "Authorization"), Some("Basic YW5uOnNlY3JldA=="));
            let key = header(&request, "Sec-WebSocket-Key").unwrap().to_owned();
            match location {
                "" => peer.send(response_with("ACCEPT", &accept(&key))),
                location => peer.send(redirect(302, location)),
            }
            keys.push(key);
        }
        keys.dedup();
        assert_eq!(keys.len(), 3, "each request has a fresh key");
    });
    drop(within_patience(Client::new(&url).unwrap().connect()).await.unwrap());
    serving.join().unwrap();
}

#[tokio::test]
async fn row_22_redirects_in_a_circle_come_to_an_end() {
    for redirects_max in [1, 3, 10] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            for _ in 0..=redirects_max {
                let mut peer = Peer { stream: listener.accept().unwrap().0 };
                peer.request();
                peer.send(redirect(302, "/"));
            }
            listener
        });
        let mut client = Client::new(&url).unwrap();
        if redirects_max != 10 {
            client = client.redirects_max(redirects_max);
        }
        let error = within_patience(client.connect()).await.unwrap_err();
        let Error::Redirect { response, why } = &error else { panic!("{error}") };
        assert_eq!((error.status(), response.status()), (Some(302), Some(302)));
        assert_eq!(*why, format!("{redirects_max} have been followed already"));
        let listener = serving.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().map(drop).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn row_22_a_redirect_to_nowhere_says_why_it_is_not_followed() {
    for (location, words) in [
        ("ftp://example.com/", "its scheme is \"ftp\""),
        ("http:///", "cannot be connected to"),
        ("/a b", "character ' '"),
        ("http://example.com:99999/", "port"),
    ] {
        let server = Script::play(move |peer| {
            peer.request();
            peer.send(redirect(307, location));
        });
        let error = Client::new(&server.url).unwrap().connect().await.unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{error}");
        assert_eq!(error.status(), Some(307));
        let text = error.to_string();
        assert!(text.contains(location) && text.contains(words), "{text}");
        server.finish();
    }
    // Without a Location it is a refusal as any other.
    let server = Script::play(|peer| {
        peer.request();
        peer.send("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    });
    let outcome = Client::new(&server.url).unwrap().connect().await;
    assert!(matches!(outcome, Err(Error::Handshake(_))), "{outcome:?}");
    server.finish();
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn row_52_refusals_carry_status_headers_and_the_start_of_the_body() {
    for status in [200, 301, 401, 403, 426, 503] {
        let server = Script::play(move |peer| {
            peer.request();
            peer.send(format!(
                "HTTP/1.1 {status} No\r\nX-Reason: full moon\r\nContent-Length: 6\r\n\r\nsorry!"
            ));
        });
        let Err(Error::Handshake(error)) = Client::new(&server.url).unwrap().connect().await else {
            panic!("{status}")
        };
        assert_eq!(error.status(), Some(status));
        let headers = error.headers().expect("the headers of the response");
        assert_eq!(headers.get("x-reason"), Some(&b"full moon"[..]));
        assert_eq!(headers.get("x-absent"), None);
        assert_eq!(error.body(), b"sorry!");
        server.finish();
    }

    // A body without end is cut off, by size or, when it comes slowly, by the opening timeout.
    let head = "HTTP/1.1 403 Forbidden\r\n\r\n";
    for (piece, pause) in [("long ".repeat(10_000), Duration::ZERO), ("slow ".into(), SHORT / 4)] {
        let server = Script::play(move |peer| {
            peer.request();
            peer.send(head);
            peer.send_for_ever(&piece, pause);
        });
        let client = Client::new(&server.url).unwrap().opening_timeout(SHORT * 10);
        let Err(Error::Handshake(error)) = within_patience(client.connect()).await else {
            panic!("the status is lost, pausing {pause:?}")
        };
        assert_eq!(error.status(), Some(403));
        assert!(error.body().len() <= 64 * 1024, "{} bytes of body", error.body().len());
        assert!(
            error.body().starts_with(b"long long") || error.body().starts_with(b"slow"),
            "{:?}",
            error.body()
        );
        server.finish();
    }
}

#[tokio::test]
async fn row_52_heads_that_never_end_are_bounded_and_interim_responses_are_passed_over() {
    assert_opens(
        "interim responses",
        &format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{}",
            response_with("", "")
        ),
        &[],
    )
    .await;

    for endless in ["x", "X-Header: 1\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        for (piece, pause) in
            [(endless.repeat(1000), Duration::ZERO), (endless.to_owned(), SHORT / 4)]
        {
            let server = Script::play(move |peer| {
                peer.request();
                if endless != "HTTP/1.1 100 Continue\r\n\r\n" {
                    peer.send("HTTP/1.1 101 Switching Protocols\r\n");
                }
                peer.send_for_ever(&piece, pause);
            });
            let client = Client::new(&server.url).unwrap().opening_timeout(SHORT * 2);
            assert!(
                within_patience(client.connect()).await.is_err(),
                "{endless:?} without end, pausing {pause:?}"
            );
            server.finish();
        }
    }

    for unfinished in ["", "HTTP/1.1 101 Swi", "\0\0\0\0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n"] {
        let server = Script::play(move |peer| {
            peer.request();
            peer.send(unfinished);
        });
        assert!(
            Client::new(&server.url).unwrap().connect().await.is_err(),
            "{unfinished:?}, then the end"
        );
        server.finish();
    }
}

#[tokio::test]
async fn row_53_accept_values_followed_by_another_or_too_long_fail_the_handshake() {
    for value in [
        "ACCEPT\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned(),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Accept: ACCEPT".into(),
        "ACCEPT, s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into(),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into(), // right for the key in RFC 6455 §1.3, not for this one
        "ACCEPT=".into(),
        "ACCEPTACCEPT".into(),
        "ACCEPT;".into(),
        format!("ACCEPT{}", "A".repeat(5000)),
        "=".repeat(28),
        "\u{e9}\u{e9}".into(),
    ] {
        assert_fails(&value, &response_with("ACCEPT", &value), &[]).await;
    }
}

/// What `connect` makes of this response.
async fn handshake(response: &str, subprotocols: &[&str]) -> Result<(), Error> {
    let response = response.to_owned();
    let server = Script::play(move |peer| {
        let key = peer.key();
        peer.send(response.replace("ACCEPT", &accept(&key)).replace("KEY", &key));
        peer.wait_for_end();
    });
    let mut client = Client::new(&server.url).unwrap();
    for name in subprotocols {
        client = client.subprotocol(*name).unwrap();
    }
    let outcome = within_patience(client.connect()).await.map(drop);
    server.finish();
    outcome
}

async fn assert_fails(what: &str, response: &str, subprotocols: &[&str]) {
    let outcome = handshake(response, subprotocols).await;
    assert!(matches!(outcome, Err(Error::Handshake(_))), "{what}: {outcome:?}");
}

async fn assert_opens(what: &str, response: &str, subprotocols: &[&str]) {
    let outcome = handshake(response, subprotocols).await;
    assert!(outcome.is_ok(), "{what}: {outcome:?}");
}
