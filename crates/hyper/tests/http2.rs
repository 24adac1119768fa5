//! WebSockets over HTTP/2 (RFC 8441) through hyper, asked for by a client that knows nothing of wskit.
#![cfg(feature = "auto")]

mod common;

use common::bounded;
use common::http2::{Client, connect};
use h2::{Reason, ext::Protocol};
use http::{HeaderValue, Method, Uri};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::{convert::Infallible, time::Duration};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use wskit::{Compression, Error, RequestError, Server};
use wskit_hyper::{Body, PendingUpgrade, WebSocket};

async fn echo(socket: &mut WebSocket) -> Result<(), Error> {
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}

/// Serves echoes, and tells how each ended.
async fn serve(server: Server) -> (String, mpsc::UnboundedReceiver<Result<(), Error>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (ends, ended) = mpsc::unbounded_channel();
    let answer = move |mut request: Request<Incoming>| {
        let response: Response<Body> = match wskit_hyper::upgrade(&mut request, &server) {
            Ok((response, opening)) => {
                let ends = ends.clone();
                tokio::spawn(async move { ends.send(echo(&mut opening.await.unwrap()).await) });
                response
            }
            Err(refusal) => refusal,
        };
        async { Ok::<_, Infallible>(response) }
    };
    tokio::spawn(async move {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http2().enable_connect_protocol().initial_stream_window_size(64 << 10);
        let io = TokioIo::new(listener.accept().await.unwrap().0);
        drop(http.serve_connection_with_upgrades(io, service_fn(answer)).await);
    });
    (address, ended)
}

fn with(name: &'static str, value: &'static str) -> Request<()> {
    let mut request = connect("/chat");
    request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    request
}

const HI: &[u8] = b"\x81\x82\0\0\0\0hi";
const CLOSE: &[u8] = b"\x88\x80\0\0\0\0";

#[tokio::test]
async fn messages_go_both_ways_and_the_closing_handshake_ends_the_stream() {
    let (address, mut ended) = serve(Server::new()).await;
    let mut client = Client::new(&address).await;
    let mut stream = client.open(connect("/chat")).await;
    // RFC 8441 §5: none of these.
    for name in ["upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol"] {
        assert!(!stream.headers.contains_key(name), "{name}");
    }
    stream.send(HI, false);
    assert_eq!(bounded(stream.receive(4)).await, b"\x81\x02hi");
    stream.send(CLOSE, false);
    assert_eq!(bounded(stream.receive(2)).await, b"\x88\0");
    assert_eq!(bounded(stream.end()).await, Ok(()));
    stream.send(b"", true);
    bounded(ended.recv()).await.unwrap().unwrap();
    // The connection lasts.
    let mut next = client.open(connect("/chat")).await;
    next.send(HI, false);
    assert_eq!(bounded(next.receive(4)).await, b"\x81\x02hi");
}

#[tokio::test]
async fn subprotocols_and_compression_are_agreed_on_as_over_http1() {
    let server = Server::new().subprotocol("v1").unwrap().compression(Compression::default());
    let (address, _ended) = serve(server).await;
    let mut request = with("sec-websocket-protocol", "v0, v1");
    let deflate = HeaderValue::from_static("permessage-deflate");
    request.headers_mut().append("sec-websocket-extensions", deflate);
    let mut stream = Client::new(&address).await.open(request).await;
    assert_eq!(stream.headers["sec-websocket-protocol"], "v1");
    let extensions = stream.headers["sec-websocket-extensions"].to_str().unwrap();
    assert!(extensions.starts_with("permessage-deflate"), "{extensions}");
    // RFC 7692 §7.2.3.1: "Hello", compressed.
    stream.send(b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\x00", false);
    let echo = bounded(stream.receive(7)).await;
    // It does not shrink, so it comes back as it is.
    assert_eq!(echo, b"\x81\x05Hello");
}

#[tokio::test]
async fn a_stream_that_ends_without_a_close_frame_is_lost_and_its_siblings_are_not() {
    let (address, mut ended) = serve(Server::new()).await;
    let mut client = Client::new(&address).await;
    let mut sibling = client.open(connect("/")).await;
    for reset in [false, true] {
        let mut stream = client.open(connect("/")).await;
        if reset {
            stream.cancel();
        } else {
            stream.send(b"", true);
        }
        let error = bounded(ended.recv()).await.unwrap().unwrap_err();
        assert_eq!(error.close_code(), Some(1006), "{error}");
    }
    sibling.send(HI, false);
    assert_eq!(bounded(sibling.receive(4)).await, b"\x81\x02hi");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_from() {
    let (address, _ended) = serve(Server::new()).await;
    let mut client = Client::new(&address).await;
    let mut stream = client.open(connect("/")).await;
    // 16 MiB are sent and not read, so most of it has to wait on the client's side.
    const MESSAGE: &[u8] = &{
        let mut message = [0; 8 + (60 << 10)];
        let head = [0x82, 0xfe, 0xf0, 0, 0, 0, 0, 0];
        message.split_at_mut(head.len()).0.copy_from_slice(&head);
        message
    };
    let mut taken = 0;
    while let Ok(capacity) =
        tokio::time::timeout(Duration::from_millis(500), stream.room(MESSAGE.len())).await
    {
        assert!(capacity > 0);
        stream.send(MESSAGE, false);
        taken += MESSAGE.len();
        assert!(taken < 16 << 20, "the server takes everything");
    }
    let mut sibling = client.open(connect("/")).await;
    sibling.send(HI, false);
    assert_eq!(bounded(sibling.receive(4)).await, b"\x81\x02hi");
}

#[tokio::test]
async fn a_faulty_request_gets_its_status_and_a_line_that_names_the_fault() {
    let (address, _ended) = serve(Server::new()).await;
    let mut client = Client::new(&address).await;
    let edit = |edit: fn(&mut Request<()>)| {
        let mut request = connect("/chat");
        edit(&mut request);
        request
    };
    let long: &'static str = Box::leak(format!("/{}", "x".repeat(8 << 10)).into_boxed_str());
    for (request, fault) in [
        (
            edit(|r| {
                *r.method_mut() = Method::POST;
                r.extensions_mut().remove::<Protocol>();
            }),
            Some(RequestError::Method),
        ),
        (
            edit(|r| {
                *r.method_mut() = Method::GET;
                r.extensions_mut().remove::<Protocol>();
            }),
            Some(RequestError::ConnectMissing),
        ),
        (
            edit(|r| drop(r.extensions_mut().insert(Protocol::from_static("connect-udp")))),
            Some(RequestError::Protocol),
        ),
        (connect("/%zz"), Some(RequestError::Target)),
        (connect(long), Some(RequestError::TargetTooLong(8 << 10))),
        (
            edit(|r| *r.uri_mut() = Uri::from_static("http://user@example.com/")),
            Some(RequestError::HostInvalid),
        ),
        (
            edit(|r| *r.uri_mut() = Uri::from_static("/chat")),
            Some(RequestError::PseudoHeader(":authority")),
        ),
        (with("host", "other.example"), Some(RequestError::HostInvalid)),
        (
            edit(|r| drop(r.headers_mut().remove("sec-websocket-version"))),
            Some(RequestError::VersionMissing),
        ),
        (
            edit(|r| {
                r.headers_mut().insert("sec-websocket-version", 8.into());
            }),
            Some(RequestError::VersionUnsupported),
        ),
        (with("sec-websocket-version", "13"), Some(RequestError::VersionUnsupported)),
        (with("sec-websocket-protocol", "a,,b"), None),
        (with("sec-websocket-extensions", "a;"), Some(RequestError::Extensions)),
        (with("sec-websocket-anything", "caf\u{e9}"), Some(RequestError::NotAscii)),
        (with("origin", "http://evil.example"), Some(RequestError::OriginRefused)),
    ] {
        let told = format!("{request:?}");
        let refusal = bounded(client.refused(request)).await;
        assert!(refusal.status.is_client_error() || refusal.status == 501, "{told} {refusal:?}");
        for name in ["upgrade", "connection"] {
            assert!(!refusal.headers.contains_key(name), "{told} {refusal:?}");
        }
        if let Some(fault) = fault {
            // 426 has to name what to upgrade to, which HTTP/2 does not know.
            let status = if fault.status() == 426 { 400 } else { fault.status() };
            assert_eq!((refusal.status.as_u16(), &*refusal.body), (status, &*format!("{fault}\n")));
        } else {
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{told}");
        }
    }
    // RFC 8441 §4: malformed already for HTTP/2 itself.
    let reset = client.reset(edit(|r| *r.method_mut() = Method::GET));
    assert_eq!(bounded(reset).await, Reason::PROTOCOL_ERROR);
}

#[tokio::test]
async fn a_rejection_knows_the_version_of_http() {
    let answer = |version| {
        let mut request = Request::new(());
        *request.version_mut() = version;
        *request.uri_mut() = Uri::from_static("http://example.com/");
        let error = PendingUpgrade::from_request(&mut request, &Server::new()).unwrap_err();
        (error.status().as_u16(), error.to_response().headers().contains_key("connection"))
    };
    assert_eq!(answer(http::Version::HTTP_10), (505, true));
    assert_eq!(answer(http::Version::HTTP_2), (405, false));
    assert_eq!(answer(http::Version::HTTP_3), (505, false));
}
