//! What wskit's extractor does beyond axum's.

mod common;

use axum::{Error, Extension, Router, body::Body, extract::FromRequestParts, routing::any};
use common::{echo, serve};
use http::{HeaderValue, Request, StatusCode};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::{sync::mpsc, time::timeout};
use wskit::{Client, CloseCode, Error as ClientError, Limits, Server};
use wskit_axum::{CloseFrame, Compression, Message, OriginPolicy, WebSocketUpgrade, close_code};

const FAILURE: &str = "pages of this origin may not connect here";

async fn connect(
    address: &str,
    client: impl FnOnce(Client) -> Client,
) -> Result<wskit::WebSocket<TcpStream>, ClientError> {
    let client = client(Client::new(&format!("ws://{address}/")).unwrap());
    client.connect_on(TcpStream::connect(address).await.unwrap()).await
}

#[tokio::test]
async fn messages_are_compressed_unless_it_is_turned_off() {
    let app = Router::new().route(
        "/",
        any(|upgrade: WebSocketUpgrade| async {
            let off = upgrade.offer().request().query() == Some("off");
            let upgrade = if off { upgrade.compression(Compression::off()) } else { upgrade };
            upgrade.on_upgrade(echo)
        }),
    );
    let address = serve(app).await;
    for (query, compressed) in [("", true), ("?off", false)] {
        let client = Client::new(&format!("ws://{address}/{query}")).unwrap();
        let stream = TcpStream::connect(&address).await.unwrap();
        let mut socket =
            client.compression(Compression::default()).connect_on(stream).await.unwrap();
        assert_eq!(socket.agreed().deflate.is_some(), compressed);
        let long = "again and again ".repeat(1000);
        socket.send(&*long).await.unwrap();
        assert_eq!(socket.recv().await.unwrap().unwrap().as_text(), Some(&*long));
        assert_eq!(socket.savings().0.plain_bytes > 0, compressed);
    }
}

#[tokio::test]
async fn pages_of_other_hosts_are_refused_unless_they_are_let_in() {
    let (failures, mut failed) = mpsc::channel::<Error>(1);
    let app = Router::new()
        .route(
            "/",
            any(move |upgrade: WebSocketUpgrade| async move {
                let failures = failures.clone();
                upgrade
                    .on_failed_upgrade(move |error| failures.try_send(error).unwrap())
                    .on_upgrade(echo)
            }),
        )
        .route(
            "/open",
            any(|upgrade: WebSocketUpgrade| async {
                upgrade.origins(OriginPolicy::Any).on_upgrade(echo)
            }),
        );
    let address = serve(app).await;
    let open = |path: &str, origin: &str| {
        let client = Client::new(&format!("ws://{address}{path}")).unwrap();
        let client = client.header("Origin", origin).unwrap();
        let stream = TcpStream::connect(address.clone());
        async move { client.connect_on(stream.await.unwrap()).await }
    };
    assert!(open("/", &format!("http://{address}")).await.is_ok());
    let error = open("/", "http://evil.example").await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(error.to_string().contains(FAILURE), "{error}");
    let told = timeout(Duration::from_secs(30), failed.recv()).await.unwrap().unwrap();
    assert_eq!(told.to_string(), FAILURE);
    assert!(open("/open", "http://evil.example").await.is_ok());
}

#[tokio::test]
async fn a_faulty_request_gets_its_status_and_a_line_that_names_the_fault() {
    let app = Router::new()
        .route("/", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }));
    let address = serve(app).await;
    for (lines, status, parts) in [
        (
            "Upgrade: x\r\nConnection: Upgrade",
            426,
            &["upgrade: websocket", "has to be websocket"][..],
        ),
        (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8",
            426,
            &["sec-websocket-version: 13", "has to be 13"],
        ),
        (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: x",
            400,
            &["24 characters"],
        ),
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\n{lines}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = timeout(Duration::from_secs(30), stream.read_to_string(&mut answer));
        read.await.unwrap().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(parts.iter().all(|part| answer.contains(part)), "{answer}");
    }
}

#[tokio::test]
async fn a_request_without_a_connection_cannot_be_upgraded() {
    let request = Request::get("/")
        .header("host", "example.com")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut parts = request.body(Body::empty()).unwrap().into_parts().0;
    let rejection = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.unwrap_err();
    assert_eq!(rejection.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(rejection.body_text(), "the connection of this request cannot be upgraded");
}

#[tokio::test]
async fn a_subprotocol_that_was_not_offered_is_not_selected() {
    let app = Router::new().route(
        "/",
        any(|mut upgrade: WebSocketUpgrade| async {
            upgrade.set_selected_protocol(HeaderValue::from_static("b"));
            assert_eq!(upgrade.selected_protocol().unwrap(), "b");
            upgrade.set_selected_protocol(HeaderValue::from_static("c"));
            assert_eq!(upgrade.selected_protocol(), None);
            upgrade.protocols(["c", "a"]).on_upgrade(echo)
        }),
    );
    let address = serve(app).await;
    let socket =
        connect(&address, |client| client.subprotocol("a").unwrap().subprotocol("b").unwrap());
    assert_eq!(socket.await.unwrap().agreed().subprotocol.as_ref().unwrap().as_str(), "a");
}

#[tokio::test]
async fn what_axum_has_no_shape_for_is_behind_into_inner() {
    let app = Router::new().route(
        "/",
        any(|upgrade: WebSocketUpgrade| async {
            upgrade.on_upgrade(|mut socket| async {
                let reason = "x".repeat(124).into();
                let frame = CloseFrame { code: close_code::NORMAL, reason };
                assert!(socket.send(Message::Close(Some(frame))).await.is_err());
                let frame = CloseFrame { code: close_code::ABNORMAL, reason: "".into() };
                assert!(socket.send(Message::Close(Some(frame))).await.is_err());
                let (mut sender, mut receiver) = socket.into_inner().split();
                while let Some(Ok(message)) = receiver.recv().await {
                    sender.send(message).await.unwrap();
                }
            })
        }),
    );
    let mut socket = connect(&serve(app).await, |client| client).await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().unwrap().as_text(), Some("hello"));
    socket.close(CloseCode::NORMAL, "").await.unwrap();
}

#[tokio::test]
async fn an_error_knows_its_close_code() {
    let (failures, mut failed) = mpsc::channel::<Error>(1);
    let app = Router::new().route(
        "/",
        any(|upgrade: WebSocketUpgrade| async {
            upgrade.max_message_size(10).on_upgrade(|mut socket| async move {
                failures.send(socket.recv().await.unwrap().unwrap_err()).await.unwrap();
            })
        }),
    );
    let mut socket = connect(&serve(app).await, |client| client).await.unwrap();
    socket.send("longer than ten").await.unwrap();
    while socket.recv().await.is_some() {}
    let error = timeout(Duration::from_secs(30), failed.recv()).await.unwrap().unwrap();
    let error = error.into_inner().downcast::<wskit_axum::wskit::Error>().unwrap();
    assert_eq!(error.close_code(), Some(close_code::SIZE));
}

#[tokio::test]
async fn a_server_in_the_extensions_sets_up_all_routes() {
    let server = Server::new().origins(OriginPolicy::Any).subprotocol("b").unwrap();
    let server = server.limits(Limits { message_bytes_max: 20, ..Limits::default() });
    let app = Router::new()
        .route("/", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .route(
            "/own",
            any(|upgrade: WebSocketUpgrade| async {
                assert_eq!(upgrade.selected_protocol().unwrap(), "b");
                // What is set here goes before; the rest stays.
                upgrade.protocols(["a"]).max_frame_size(10).on_upgrade(echo)
            }),
        )
        .layer(Extension(server));
    let address = serve(app).await;
    for (path, subprotocol, bytes_max) in [("/", "b", 20), ("/own", "a", 10)] {
        let client = Client::new(&format!("ws://{address}{path}")).unwrap();
        let client = client.header("Origin", "http://other.example").unwrap();
        let client = client.subprotocol("a").unwrap().subprotocol("b").unwrap();
        let client = client.compression(Compression::off());
        let stream = TcpStream::connect(&address).await.unwrap();
        let mut socket = client.connect_on(stream).await.unwrap();
        assert_eq!(socket.agreed().subprotocol.as_ref().unwrap().as_str(), subprotocol);
        socket.send("x".repeat(bytes_max)).await.unwrap();
        assert_eq!(socket.recv().await.unwrap().unwrap().as_text().unwrap().len(), bytes_max);
        socket.send("x".repeat(bytes_max + 1)).await.unwrap();
        let Some(Ok(wskit::Message::Close(Some(frame)))) = socket.recv().await else { panic!() };
        assert_eq!(frame.code(), CloseCode::MESSAGE_TOO_BIG);
    }
}
