//! The command over HTTP/2, on the port that it serves HTTP/1.1 on.

mod common;

use common::{Server, get, run, wait};
use std::process::Command;
use wskit::http2::Http2Connection;
use wskit::{Client, CloseCode, HttpVersion, Message};

fn client(server: &Server, path: &str) -> Client {
    let url = format!("ws://{}{path}", server.address);
    Client::new(&url).unwrap().http(HttpVersion::Http2)
}

async fn connect(server: &Server) -> Http2Connection {
    client(server, "/").connect_http2().await.unwrap()
}

#[tokio::test]
async fn both_versions_share_a_port() {
    let server = Server::start(&["echo"]);
    let connection = connect(&server).await;
    let mut first = connection.open(&client(&server, "/")).await.unwrap();
    let mut second = connection.open(&client(&server, "/")).await.unwrap();
    let mut third = wskit::connect(&format!("ws://{}/", server.address)).await.unwrap();
    for socket in [&mut first, &mut second, &mut third] {
        socket.send("hello").await.unwrap();
        assert_eq!(socket.recv().await.unwrap().unwrap().as_text(), Some("hello"));
        socket.close(CloseCode::NORMAL, "").await.unwrap();
    }
}

#[tokio::test]
async fn a_member_of_the_chat_is_told_the_version() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let mut socket = client(&server, "/chat").connect().await.unwrap();
    let welcome = socket.recv().await.unwrap().unwrap();
    let welcome: serde_json::Value = serde_json::from_str(welcome.as_text().unwrap()).unwrap();
    assert_eq!(welcome["connection"]["http_version"], "2");
    assert!(welcome["connection"]["key"].is_null());
    // What is not here, and what is no WebSocket, is answered over HTTP/2 too.
    let error = client(&server, "/nothing").connect().await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert!(get(&server.address, "/").0.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_connection_and_each_websocket_on_it_have_a_place() {
    let server = Server::start(&["echo", "--max-connections", "3"]);
    let connection = connect(&server).await;
    let _first = connection.open(&client(&server, "/")).await.unwrap();
    let mut second = connection.open(&client(&server, "/")).await.unwrap();
    let error = connection.open(&client(&server, "/")).await.unwrap_err();
    assert_eq!(error.status(), Some(503), "{error}");
    // Another connection is told so too.
    let error = client(&server, "/").connect().await.unwrap_err();
    assert_eq!(error.status(), Some(503), "{error}");
    second.close(CloseCode::NORMAL, "").await.unwrap();
    drop(second);
    for attempt in 0.. {
        if connection.open(&client(&server, "/")).await.is_ok() {
            break;
        }
        assert!(attempt < 10_000, "its place is not given back");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_goes_down_says_goodbye_to_every_stream() {
    let mut server = Server::start(&["echo"]);
    let connection = connect(&server).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(connection.open(&client(&server, "/")).await.unwrap());
    }
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    for socket in &mut sockets {
        let Some(Ok(Message::Close(Some(frame)))) = socket.recv().await else {
            panic!("no Close frame")
        };
        assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
        assert!(socket.recv().await.is_none());
    }
    assert!(connection.open(&client(&server, "/")).await.is_err());
    drop((sockets, connection));
    let status = tokio::task::spawn_blocking(move || wait(&mut server.child)).await.unwrap();
    assert!(status.success());
}

#[test]
fn connect_speaks_the_version_that_it_is_told_to() {
    let plain = Server::start(&["echo"]);
    let url = format!("ws://{}/", plain.address);
    let ran = run(&["connect", "--http", "2", "--verbose", "--send", "hello", &url], b"");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
    let told = format!("* connected to {url} at {}, HTTP/2", plain.address);
    assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    let secure = Server::start(&["echo", "--tls-self-signed"]);
    let url = format!("wss://{}/", secure.address);
    for (version, says) in [("auto", true), ("2", true), ("1.1", false)] {
        let arguments =
            ["connect", "--http", version, "--insecure", "--verbose", "--send", "hello", &url];
        let ran = run(&arguments, b"");
        assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
        assert_eq!(ran.stderr.contains(", HTTP/2"), says, "{}", ran.stderr);
        let told = format!("* connected to {url} at {}, TLS 1.3", secure.address);
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
}
