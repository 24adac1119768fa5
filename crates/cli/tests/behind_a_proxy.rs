//! Whom `serve` and `echo` believe when they are told who the client is, and what they do with it.

mod common;

use common::{Server, run};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Asks for a WebSocket with these headers beside. Gives the head of the response, and the connection.
fn open(server: &Server, headers: &str) -> (String, TcpStream) {
    request(server, "/", headers)
}

fn request(server: &Server, path: &str, headers: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: inner:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    (String::from_utf8(head).unwrap(), stream)
}

fn status(server: &Server, headers: &str) -> u16 {
    open(server, headers).0[9..12].parse().unwrap()
}

#[test]
fn pages_are_compared_with_the_public_host_as_a_trusted_proxy_tells_it() {
    let page = "Origin: https://chat.example\r\n";
    let told = format!("{page}X-Forwarded-Host: chat.example\r\n");
    let told_otherwise = format!("{page}Forwarded: for=192.0.2.1;host=chat.example\r\n");
    let trusting = ["echo", "--trusted-proxy", "127.0.0.0/8"];
    let server = Server::start(&["echo"]);
    assert_eq!([status(&server, &told), status(&server, &told_otherwise)], [403, 403]);
    let server = Server::start(&["echo", "--trusted-proxy", "192.0.2.1"]);
    assert_eq!(status(&server, &told), 403);
    let server = Server::start(&trusting);
    assert_eq!([status(&server, &told), status(&server, &told_otherwise)], [101, 403]);
    assert_eq!(status(&server, page), 403, "the host inside is not the page's");
    let other = format!("{page}X-Forwarded-Host: chat.example.evil.example\r\n");
    assert_eq!(status(&server, &other), 403);
    let server = Server::start(&[&trusting[..], &["--forwarded", "forwarded"]].concat());
    assert_eq!([status(&server, &told), status(&server, &told_otherwise)], [403, 101]);
    let server = Server::start(&["echo", "--public-host", "chat.example"]);
    assert_eq!(status(&server, page), 101);
    assert_eq!(status(&server, "Origin: https://inner:8080\r\n"), 403);
}

#[test]
fn what_a_trusted_proxy_says_has_to_be_readable() {
    let server = Server::start(&["echo", "--trusted-proxy", "127.0.0.1"]);
    assert_eq!(status(&server, "X-Forwarded-Host: a b\r\n"), 400);
    let arguments = ["echo", "--trusted-proxy", "127.0.0.1", "--forwarded", "forwarded"];
    let server = Server::start(&arguments);
    assert_eq!(status(&server, "Forwarded: for=\"\r\n"), 400);
    let server = Server::start(&["echo"]);
    assert_eq!(status(&server, "Forwarded: for=\"\r\nX-Forwarded-Host: a b\r\n"), 101);
}

#[test]
fn an_address_has_no_more_connections_than_it_may_have() {
    let arguments = ["echo", "--trusted-proxy", "127.0.0.1", "--max-connections-per-address", "2"];
    let server = Server::start(&arguments);
    let of = |address: &str| open(&server, &format!("X-Forwarded-For: 203.0.113.1, {address}\r\n"));
    let mut held = [of("192.0.2.1"), of("192.0.2.1")];
    assert!(held.iter().all(|(head, _)| head.starts_with("HTTP/1.1 101 ")));
    let (head, _) = of("192.0.2.1");
    assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{head}");
    assert!(head.contains("\r\nRetry-After: 30\r\n"), "{head}");
    // Others are not kept out, nor is this machine.
    assert!(of("192.0.2.2").0.starts_with("HTTP/1.1 101 "));
    let local: Vec<_> = (0..3).map(|_| open(&server, "")).collect();
    assert!(local.iter().all(|(head, _)| head.starts_with("HTTP/1.1 101 ")));
    // Whoever ends one may open another, once the server has seen the end.
    drop(std::mem::replace(&mut held[0], of("192.0.2.3")));
    for attempt in 0.. {
        if of("192.0.2.1").0.starts_with("HTTP/1.1 101 ") {
            break;
        }
        assert!(attempt < 10_000, "its place is not given back");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_log_tells_who_was_refused_behind_a_proxy() {
    let arguments = ["--trusted-proxy", "127.0.0.1", "--max-connections-per-address", "1"];
    let arguments = [&["serve", "--ephemeral", "--log", "json"][..], &arguments].concat();
    let mut server = Server::start(&arguments);
    let chat = |headers: &str| request(&server, "/chat", headers);
    let _held = chat("X-Forwarded-For: 192.0.2.1\r\n");
    assert!(chat("X-Forwarded-For: 192.0.2.1\r\n").0.starts_with("HTTP/1.1 429 "));
    let unreadable = chat("X-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Host: a b\r\n").0;
    assert!(unreadable.starts_with("HTTP/1.1 400 "), "{unreadable}");
    let log = server.stop();
    let entries = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let refused: Vec<_> = entries
        .filter(|entry| entry["code"].is_u64() && entry["by"].is_null())
        .map(|entry| (entry["code"].as_u64().unwrap(), entry["address"].to_string()))
        .collect();
    assert_eq!(refused, [(429, "\"192.0.2.1\"".into()), (400, "\"192.0.2.2\"".into())], "{log}");
}

#[tokio::test]
async fn an_address_begins_no_more_rooms_than_it_may() {
    let arguments = ["--trusted-proxy", "127.0.0.1", "--rooms-begun-per-hour", "2"];
    let server = Server::start(&[&["serve", "--ephemeral"][..], &arguments].concat());
    let enter = async |room: &str, address: &str| {
        let url = format!("ws://{}/chat/{room}", server.address);
        let client = wskit::Client::new(&url).unwrap().header("X-Forwarded-For", address).unwrap();
        let mut socket = client.connect().await.unwrap();
        match socket.recv().await.unwrap().unwrap() {
            wskit::Message::Close(frame) => frame.unwrap().code().number(),
            _welcome => 0,
        }
    };
    let (network, same, other) = ("2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:3::1");
    assert_eq!([enter("one", network).await, enter("two", same).await], [0, 0]);
    assert_eq!([enter("three", network).await, enter("three", other).await], [4429, 0]);
    // This machine is not counted.
    for room in ["four", "five", "six"] {
        assert_eq!(enter(room, "127.0.0.1").await, 0);
    }
}

#[test]
fn addresses_of_ipv6_are_counted_by_their_network() {
    let arguments = ["echo", "--trusted-proxy", "127.0.0.1", "--max-connections-per-address", "1"];
    let server = Server::start(&arguments);
    let of = |address: &str| open(&server, &format!("X-Forwarded-For: {address}\r\n"));
    let (head, _held) = of("2001:db8:1:2::1");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(of("2001:db8:1:2::2").0.starts_with("HTTP/1.1 429 "));
    assert!(of("2001:db8:1:3::1").0.starts_with("HTTP/1.1 101 "));
}

#[test]
fn what_is_no_address_or_host_is_refused_at_the_start() {
    for (flag, value, words) in [
        ("--trusted-proxy", "nginx", "10.0.0.0/8"),
        ("--public-host", "https://chat.example/", "chat.example:8443"),
    ] {
        let ran = run(&["echo", "--listen", "127.0.0.1:0", flag, value], b"");
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}
