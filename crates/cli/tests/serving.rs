//! What `serve` and `echo` do as programs: start, serve, refuse to start, and stop.

mod common;

use common::{Server, get, run, wait};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use wskit::{CloseCode, Message};

/// The next text message, as JSON.
async fn event<S>(socket: &mut wskit::WebSocket<S>) -> serde_json::Value
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_page_and_its_files_are_served() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let (head, page) = get(&server.address, "/");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Security-Policy: default-src 'none'; script-src 'self'"));
    for file in [
        "chat.css",
        "chat.js",
        "dom.js",
        "line.js",
        "log.js",
        "memory.js",
        "opening.js",
        "outbox.js",
    ] {
        assert!(page.contains(file), "{file}");
        let (head, content) = get(&server.address, &format!("/{file}"));
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && !content.is_empty(), "{file}: {head}");
    }
    assert!(get(&server.address, "/nothing").0.starts_with("HTTP/1.1 404 Not Found\r\n"));
}

#[tokio::test]
async fn two_bare_clients_talk_in_the_lobby() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let url = |name| format!("ws://{}/chat?name={name}", server.address);
    let mut ann = wskit::connect(&url("ann")).await.unwrap();
    let welcome = event(&mut ann).await;
    assert_eq!((&welcome["event"], &welcome["room"]), (&"welcome".into(), &"lobby".into()));
    let key = welcome["connection"]["key"].as_str().unwrap();
    assert_eq!(key, ann.agreed().bootstrap.key().unwrap().to_string());
    let mut bob = wskit::connect(&url("bob")).await.unwrap();
    assert_eq!(event(&mut bob).await["members"], serde_json::json!(["ann", "bob"]));
    assert_eq!(event(&mut ann).await["event"], "joined");
    bob.send("plain text is simply said").await.unwrap();
    for socket in [&mut ann, &mut bob] {
        let said = event(socket).await;
        assert_eq!(said["event"], "message");
        assert_eq!((&said["from"], &said["offset"]), (&"bob".into(), &1.into()));
        assert_eq!(said["text"], "plain text is simply said");
    }
    bob.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(event(&mut ann).await["event"], "left");
}

#[tokio::test]
async fn all_hear_what_is_said_where_they_are_more_than_a_speaker_carries_for() {
    for threads in ["1", "2"] {
        let server = Server::start(&["serve", "--ephemeral", "--threads", threads]);
        let url = format!("ws://{}/chat", server.address);
        let mut members = Vec::new();
        for _ in 0..100 {
            let mut member = wskit::connect(&url).await.unwrap();
            assert_eq!(event(&mut member).await["event"], "welcome");
            members.push(member);
        }
        let talk = async {
            for speaker in [0, 99] {
                members[speaker].send("hello").await.unwrap();
                for member in &mut members {
                    while event(member).await["event"] != "message" {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), talk).await.expect("somebody hears nothing");
    }
}

#[tokio::test]
async fn who_asks_for_a_room_that_cannot_be_is_told_so() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let url = format!("ws://{}/chat/no%20such%20room", server.address);
    let mut socket = wskit::connect(&url).await.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = socket.recv().await else { panic!("no Close") };
    assert_eq!(frame.code(), CloseCode::POLICY_VIOLATION);
    assert!(frame.reason().starts_with("a room's name"), "{frame}");
    let elsewhere = wskit::connect(&format!("ws://{}/elsewhere", server.address)).await;
    assert_eq!(elsewhere.unwrap_err().status(), Some(404));
}

#[test]
fn an_address_that_cannot_be_listened_on_is_told_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, code, words) in [
        (&*taken, 6, "the port is taken"),
        ("192.0.2.1:8080", 6, "does not have that address"),
        ("8080", 2, "write it as 127.0.0.1:8080"),
        ("127.0.0.1:99999", 2, "write it as 127.0.0.1:8080"),
    ] {
        for command in [&["serve", "--ephemeral"][..], &["echo"]] {
            let ran = run(&[command, &["--listen", address]].concat(), b"");
            assert_eq!(ran.code, Some(code), "{address}: {}", ran.stderr);
            assert!(ran.stderr.contains(words), "{address}: {}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_told_to_stop_says_goodbye() {
    for (command, path) in [(&["serve", "--ephemeral"][..], "chat"), (&["echo"], "")] {
        let mut server = Server::start(command);
        let url = format!("ws://{}/{path}", server.address);
        let mut socket = wskit::connect(&url).await.unwrap();
        let pid = server.child.id().to_string();
        let kill = std::process::Command::new("kill").args(["-TERM", &pid]).status();
        assert!(kill.unwrap().success());
        let closed = loop {
            match socket.recv().await {
                Some(Ok(Message::Close(frame))) => break frame,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        };
        let closed = closed.unwrap();
        assert_eq!(closed.code(), CloseCode::SERVICE_RESTART);
        assert!(closed.reason().contains("come back in "), "{closed}");
        assert_eq!(wait(&mut server.child).code(), Some(0));
        assert!(TcpStream::connect(&server.address).is_err(), "nobody is let in any more");
    }
}
