//! The service and the layer, behind a server that speaks both versions of HTTP.
#![cfg(all(feature = "auto", feature = "tower"))]

mod common;

use common::{bounded, http2};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, server::conn::http1};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::{server::conn::auto, service::TowerToHyperService};
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tower::{Layer, Service, service_fn};
use wskit::{Client, CloseCode, Error, Message, Server};
use wskit_hyper::tower::{WebSocketLayer, WebSocketService};
use wskit_hyper::{Body, WebSocket};

const GOOD: &[u8] = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

async fn echo(mut socket: WebSocket) -> Result<(), Error> {
    while let Some(message) = socket.recv().await {
        let message = message?;
        assert_ne!(message.as_text(), Some("panic"));
        socket.feed(message).await?;
    }
    Ok(())
}

fn service() -> WebSocketService {
    WebSocketService::new(Server::new().subprotocol("v1").unwrap(), |socket, _| echo(socket))
}

/// What stands behind the layer.
async fn greet(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::from(format!("this is {}", request.uri().path()))))
}

/// Serves any number of connections, and gives the address.
async fn serve<S, C>(service: S) -> String
where
    S: Service<Request<Incoming>, Response = Response<C>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: std::error::Error + Send + Sync + 'static,
    C: hyper::body::Body<Data: Send> + Send + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http2().enable_connect_protocol();
    tokio::spawn(async move {
        loop {
            let io = TokioIo::new(listener.accept().await.unwrap().0);
            let (http, service) = (http.clone(), TowerToHyperService::new(service.clone()));
            tokio::spawn(
                async move { drop(http.serve_connection_with_upgrades(io, service).await) },
            );
        }
    });
    address
}

async fn connect(address: &str, path: &str) -> Result<wskit::WebSocket<TcpStream>, Error> {
    let client = Client::new(&format!("ws://{address}{path}")).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    bounded(client.subprotocol("v1").unwrap().connect_on(stream)).await
}

async fn echoes(socket: &mut wskit::WebSocket<TcpStream>) {
    socket.send("hello").await.unwrap();
    assert_eq!(bounded(socket.recv()).await.unwrap().unwrap(), Message::Text("hello".into()));
}

/// The whole answer to a request.
async fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    bounded(stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status and the body of the response to a plain GET.
async fn get(address: &str, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = exchange(address, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_service_answers_upgrades_and_refuses_everything_else() {
    let address = serve(service()).await;
    let mut socket = connect(&address, "/any").await.unwrap();
    assert_eq!(socket.agreed().subprotocol.as_ref().unwrap().as_str(), "v1");
    echoes(&mut socket).await;
    bounded(socket.close(CloseCode::NORMAL, "")).await.unwrap();
    let (status, body) = get(&address, "/any").await;
    assert_eq!(status, "426");
    assert!(body.contains("this is a WebSocket endpoint"), "{body}");
}

#[tokio::test]
async fn a_layer_lets_other_requests_pass() {
    for (layer, elsewhere) in
        [(WebSocketLayer::new(service()), true), (WebSocketLayer::new(service()).at("/ws"), false)]
    {
        let address = serve(layer.layer(service_fn(greet))).await;
        echoes(&mut connect(&address, "/ws?x=1").await.unwrap()).await;
        for path in ["/ws", "/page"] {
            assert_eq!(get(&address, path).await, ("200".into(), format!("this is {path}")));
        }
        match connect(&address, "/page").await {
            Ok(mut socket) if elsewhere => echoes(&mut socket).await,
            Err(error) if !elsewhere => assert_eq!(error.status(), Some(200)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_layer_refuses_what_asks_for_a_websocket_wrongly() {
    let address = serve(WebSocketLayer::new(service()).layer(service_fn(greet))).await;
    let client = Client::new(&format!("ws://{address}/")).unwrap();
    let client = client.header("Origin", "http://evil.example").unwrap();
    let stream = TcpStream::connect(&address).await.unwrap();
    assert_eq!(client.connect_on(stream).await.unwrap_err().status(), Some(403));
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c, WebSocket\r\n\r\n";
    let answer = exchange(&address, request).await;
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}

#[tokio::test]
async fn many_websockets_share_a_connection_of_http2_with_other_requests() {
    let address = serve(WebSocketLayer::new(service()).at("/ws").layer(service_fn(greet))).await;
    let mut client = http2::Client::new(&address).await;
    let mut sockets = vec![client.open(http2::connect("/ws")).await];
    sockets.push(client.open(http2::connect("/ws")).await);
    for socket in &mut sockets {
        socket.send(b"\x81\x82\0\0\0\0hi", false);
        assert_eq!(bounded(socket.receive(4)).await, b"\x81\x02hi");
    }
    let page = Request::get("http://example.com/page").body(()).unwrap();
    let page = bounded(client.refused(page)).await;
    assert_eq!((page.status, &*page.body), (StatusCode::OK, "this is /page"));
    let elsewhere = bounded(client.refused(http2::connect("/page"))).await;
    assert_eq!(elsewhere.status, StatusCode::OK);
}

#[tokio::test]
async fn the_handler_sees_the_request_and_what_layers_put_into_it() {
    let handler = |mut socket: WebSocket, request: http::request::Parts| async move {
        let user = request.extensions.get::<&str>().unwrap();
        socket.send(format!("{user} at {}", request.uri)).await
    };
    let mut inner = WebSocketService::new(Server::new(), handler);
    let knows_users = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert("Ann");
        inner.call(request)
    });
    let address = serve(knows_users).await;
    let mut socket = connect(&address, "/chat?x=1").await.unwrap();
    let told = bounded(socket.recv()).await.unwrap().unwrap();
    assert_eq!(told, Message::Text("Ann at /chat?x=1".into()));
}

#[tokio::test]
async fn a_handler_that_panics_or_fails_ends_its_own_connection_only() {
    let address = serve(service()).await;
    let mut other = connect(&address, "/").await.unwrap();
    let mut client = http2::Client::new(&address).await;
    let mut stream = client.open(http2::connect("/")).await;
    let mut sibling = client.open(http2::connect("/")).await;
    // It panics, on a connection and on a stream of its own; and it fails.
    let mut panics = connect(&address, "/").await.unwrap();
    panics.send("panic").await.unwrap();
    assert_eq!(bounded(panics.recv()).await.unwrap().unwrap_err().close_code(), Some(1006));
    stream.send(b"\x81\x85\0\0\0\0panic", false);
    // Without a Close frame; whether by a reset is for hyper to say.
    let _in_order_or_not = bounded(stream.end()).await;
    // A frame without a mask breaks the protocol.
    let answer = exchange(&address, &[GOOD, b"\x81\x01x"].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("mask"), "{answer}");
    // Nobody else saw anything of it.
    echoes(&mut other).await;
    sibling.send(b"\x81\x82\0\0\0\0hi", false);
    assert_eq!(bounded(sibling.receive(4)).await, b"\x81\x02hi");
    echoes(&mut connect(&address, "/").await.unwrap()).await;
}

#[tokio::test]
async fn who_wants_to_know_is_told_of_connections_that_do_not_open() {
    let (failures, mut failed) = mpsc::channel(1);
    let report = move |error| failures.try_send(error).unwrap();
    let service = TowerToHyperService::new(service().on_failed_opening(report));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let io = TokioIo::new(listener.accept().await.unwrap().0);
        http1::Builder::new().serve_connection(io, service).await // Without upgrades.
    });
    let mut socket = connect(&address, "/").await.unwrap();
    assert!(matches!(bounded(failed.recv()).await.unwrap(), Error::Opening(_)));
    assert!(bounded(socket.recv()).await.unwrap().is_err());
}
