//! The same program on axum's own extractor and on wskit's: it compiles, and clients see the same.

mod on_axum {
    use axum::extract::ws;
    include!("app.rs");
}

mod on_wskit {
    use wskit_axum as ws;
    include!("app.rs");
}

use axum::Router;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use wskit::{Client, CloseCode, Compression, Error, Message, WebSocket};

/// The two programs: what a client says to one it says to the other.
fn both() -> [(&'static str, Router); 2] {
    [("axum", on_axum::app()), ("wskit", on_wskit::app())]
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}

/// A connection to one of the programs' paths.
async fn connect(url: &str, path: &str, subprotocols: &[&str]) -> WebSocket<TcpStream> {
    let mut client = Client::new(&format!("{url}{path}")).unwrap().shows_control_frames(true);
    client = client.compression(Compression::off());
    for name in subprotocols {
        client = client.subprotocol(*name).unwrap();
    }
    let stream = TcpStream::connect(url.strip_prefix("ws://").unwrap()).await.unwrap();
    client.connect_on(stream).await.unwrap()
}

async fn next(socket: &mut WebSocket<TcpStream>) -> Option<Result<Message, Error>> {
    timeout(Duration::from_secs(30), socket.recv()).await.expect("it takes no time")
}

async fn text(socket: &mut WebSocket<TcpStream>) -> String {
    next(socket).await.unwrap().unwrap().as_text().expect("a text").to_owned()
}

#[tokio::test]
async fn echo() {
    for (name, app) in both() {
        let mut socket = connect(&serve(app).await, "/echo", &[]).await;
        for message in [Message::text("hello"), Message::binary(vec![7; 100_000])] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(next(&mut socket).await.unwrap().unwrap(), message, "{name}");
        }
        let closed = socket.close(CloseCode::GOING_AWAY, "bye").await;
        // axum drops the connection before it has answered.
        if name == "wskit" {
            assert_eq!(closed.unwrap().unwrap().to_string(), "1001 bye");
        }
    }
}

#[tokio::test]
async fn split() {
    for (name, app) in both() {
        let mut socket = connect(&serve(app).await, "/split", &[]).await;
        for _ in 0..3 {
            socket.send("hello").await.unwrap();
            assert_eq!(text(&mut socket).await, "hello", "{name}");
        }
        let closed = socket.close(CloseCode::GOING_AWAY, "bye").await.unwrap().unwrap();
        assert_eq!(closed.code(), CloseCode::GOING_AWAY, "{name}");
    }
}

#[tokio::test]
async fn control_frames_are_received_and_pings_are_answered() {
    for (name, app) in both() {
        let mut socket = connect(&serve(app).await, "/tell", &[]).await;
        socket.send(Message::Ping("123".into())).await.unwrap();
        // axum writes the Pong with the message that follows.
        let pair =
            [next(&mut socket).await, next(&mut socket).await].map(|told| told.unwrap().unwrap());
        for told in [Message::Pong("123".into()), Message::text("ping 3")] {
            assert!(pair.contains(&told), "{name}: {pair:?}");
        }
        socket.send(Message::Pong("1234".into())).await.unwrap();
        assert_eq!(text(&mut socket).await, "pong 4", "{name}");
        socket.send("close").await.unwrap();
        let Some(Ok(Message::Close(Some(frame)))) = next(&mut socket).await else {
            panic!("{name}")
        };
        assert_eq!(frame.to_string(), "1000 as you like", "{name}");
        assert!(next(&mut socket).await.is_none(), "{name}");
    }
}

#[tokio::test]
async fn subprotocols() {
    for (name, app) in both() {
        let url = serve(app).await;
        for (offered, told) in [
            (&["v1", "v2"][..], r#"2 Some("v2")"#),
            (&["v1", "v0"], r#"2 Some("v1")"#),
            (&["v0"], "1 None"),
            (&[], "0 None"),
        ] {
            let mut socket = connect(&url, "/protocol", offered).await;
            assert_eq!(text(&mut socket).await, told, "{name}");
            let agreed = socket.agreed().subprotocol.as_ref().map(|name| name.as_str().to_owned());
            assert_eq!(agreed.is_some(), told.contains("Some"), "{name}");
        }
    }
}

#[tokio::test]
async fn limits() {
    for (name, app) in both() {
        let mut socket = connect(&serve(app).await, "/limited", &[]).await;
        socket.send("x".repeat(500)).await.unwrap();
        assert_eq!(text(&mut socket).await.len(), 500, "{name}");
        let _it_may_fail = socket.send("x".repeat(501)).await;
        // axum drops the connection, and wskit says why.
        let end = next(&mut socket).await.unwrap();
        assert!(matches!(end, Err(_) | Ok(Message::Close(_))), "{name}: {end:?}");
    }
}

#[tokio::test]
async fn chat() {
    for (name, app) in both() {
        let url = serve(app).await;
        let (mut ann, mut bob) =
            (connect(&url, "/nested/chat", &[]).await, connect(&url, "/nested/chat", &[]).await);
        ann.send("Ann").await.unwrap();
        assert_eq!(text(&mut ann).await, "Ann joined", "{name}");
        bob.send("Bob").await.unwrap();
        assert_eq!(text(&mut bob).await, "Bob joined", "{name}");
        ann.send("hi Bob").await.unwrap();
        for (member, heard) in
            [(&mut ann, &["Bob joined", "Ann: hi Bob"][..]), (&mut bob, &["Ann: hi Bob"])]
        {
            for said in heard {
                assert_eq!(text(member).await, *said, "{name}");
            }
        }
        let _axum_may_drop_the_connection = ann.close(CloseCode::NORMAL, "").await;
        assert_eq!(text(&mut bob).await, "Ann left", "{name}");
    }
}
