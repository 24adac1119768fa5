//! WebSockets over HTTP/2 (RFC 8441), and wskit's tower service and layer, in axum's routers.

mod common;
#[allow(dead_code, reason = "not every file needs all")]
#[path = "../../hyper/tests/common/http2.rs"]
mod http2;

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    routing::{any, get},
};
use common::{echo, serve};
use http::{HeaderValue, StatusCode, request::Parts};
use http2::{Client, connect};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use wskit::{CloseCode, Compression, HttpVersion, Message, Server};
use wskit_axum::WebSocketUpgrade;
use wskit_hyper::tower::{WebSocketLayer, WebSocketService};

async fn bounded<T>(step: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), step).await.expect("it takes no time")
}

async fn enter(upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.protocols(["v1"]).on_upgrade(echo)
}

/// A service that tells what a layer before it has found out.
fn service() -> WebSocketService {
    WebSocketService::new(Server::new(), |mut socket, request: Parts| async move {
        let user = request.extensions.get::<&str>().copied().unwrap_or("nobody");
        socket.send(format!("hello {user}")).await
    })
}

async fn told(address: &str, path: &str) -> String {
    let client = wskit::Client::new(&format!("ws://{address}{path}")).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut socket = bounded(client.connect_on(stream)).await.unwrap();
    match bounded(socket.recv()).await.unwrap().unwrap() {
        Message::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_extractor_takes_both_versions_of_http() {
    let app = Router::new()
        .route("/", get(|| async { "a page" }))
        .route("/any", any(enter))
        .route("/connect", axum::routing::connect(enter));
    let address = serve(app).await;
    let mut client = Client::new(&address).await;
    for path in ["/any", "/connect"] {
        let mut request = connect(path);
        let names = HeaderValue::from_static("v0, v1");
        request.headers_mut().insert("sec-websocket-protocol", names);
        let mut stream = bounded(client.open(request)).await;
        assert_eq!(stream.headers["sec-websocket-protocol"], "v1");
        stream.send(b"\x81\x82\0\0\0\0hi", false);
        assert_eq!(bounded(stream.receive(4)).await, b"\x81\x02hi");
        stream.send(b"\x88\x80\0\0\0\0", false);
        assert_eq!(bounded(stream.receive(2)).await, b"\x88\0");
        assert_eq!(bounded(stream.end()).await, Ok(()));
    }
    let client = wskit::Client::new(&format!("ws://{address}/any")).unwrap();
    let stream = TcpStream::connect(&address).await.unwrap();
    let mut socket = bounded(client.connect_on(stream)).await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(bounded(socket.recv()).await.unwrap().unwrap(), Message::Text("hello".into()));
}

#[tokio::test]
async fn compressed_messages_go_both_ways_on_many_streams() {
    let address = serve(Router::new().route("/", any(enter))).await;
    let client = wskit::Client::new(&format!("ws://{address}/")).unwrap();
    let client = client.http(HttpVersion::Http2).subprotocol("v1").unwrap();
    let client = client.compression(Compression::default());
    let connection = bounded(client.connect_http2()).await.unwrap();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(bounded(connection.open(&client)).await.unwrap());
    }
    let long = "again and again ".repeat(100_000);
    for socket in &mut sockets {
        assert_eq!(socket.agreed().subprotocol.as_ref().unwrap().as_str(), "v1");
        socket.send(&*long).await.unwrap();
    }
    for mut socket in sockets {
        assert_eq!(bounded(socket.recv()).await.unwrap().unwrap().as_text(), Some(&*long));
        assert!(socket.savings().1.plain_bytes >= long.len() as u64);
        let closed = bounded(socket.close(CloseCode::NORMAL, "enough")).await.unwrap().unwrap();
        assert_eq!(closed.to_string(), "1000 enough");
    }
}

#[tokio::test]
async fn a_faulty_request_of_http2_gets_its_status_and_no_upgrade() {
    let app = Router::new().route("/", any(enter));
    let mut client = Client::new(&serve(app).await).await;
    let mut request = connect("/");
    request.extensions_mut().insert(h2::ext::Protocol::from_static("connect-udp"));
    let refusal = bounded(client.refused(request)).await;
    assert_eq!(refusal.status, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(refusal.body, "the only :protocol that is spoken here is websocket\n");
    let mut request = connect("/");
    request.headers_mut().insert("sec-websocket-version", 8.into());
    let refusal = bounded(client.refused(request)).await;
    assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    assert_eq!(refusal.headers["sec-websocket-version"], "13");
    assert!(!refusal.headers.contains_key("upgrade"));
    let mut request = connect("/");
    request.headers_mut().insert("origin", HeaderValue::from_static("http://evil.example"));
    assert_eq!(bounded(client.refused(request)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_tower_service_is_a_route() {
    let knows_users = from_fn(|mut request: Request, next: Next| {
        request.extensions_mut().insert("Ann");
        next.run(request)
    });
    let app = Router::new()
        .route("/", get(|| async { "a page" }))
        .route_service("/ws", service())
        .layer(knows_users);
    let address = serve(app).await;
    assert_eq!(told(&address, "/ws").await, "hello Ann");
    let mut stream = Client::new(&address).await.open(connect("/ws")).await;
    assert_eq!(bounded(stream.receive(11)).await, b"\x81\x09hello Ann");
}

#[tokio::test]
async fn the_layer_goes_before_a_whole_router() {
    let app = Router::new()
        .route("/", get(|| async { "a page" }))
        .layer(WebSocketLayer::new(service()).at("/ws"));
    let address = serve(app).await;
    assert_eq!(told(&address, "/ws").await, "hello nobody");
    let mut client = Client::new(&address).await;
    let mut stream = client.open(connect("/ws")).await;
    assert_eq!(bounded(stream.receive(14)).await, b"\x81\x0chello nobody");
    let page = http::Request::get("http://example.com/").body(()).unwrap();
    assert_eq!(bounded(client.refused(page)).await.body, "a page");
    let nothing = bounded(client.refused(connect("/elsewhere"))).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}
