//! Connections and refusals through hyper, compared with those of wskit's own server.

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use wskit::{Client, CloseCode, Compression, Either, Error, Message, Server};
use wskit_hyper::{Body, Opening, WebSocket};

/// How hyper serves a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Serve {
    /// HTTP/1 on the stream itself.
    Http1,
    /// HTTP/1 on a stream that this crate does not know.
    Wrapped,
    /// Whatever version of HTTP comes.
    #[cfg(feature = "auto")]
    Auto,
}

const SERVES: &[Serve] = &[
    Serve::Http1,
    Serve::Wrapped,
    #[cfg(feature = "auto")]
    Serve::Auto,
];

/// Serves one connection and gives the address; the WebSocket is passed to `act`.
async fn serve<A, F>(serve: Serve, server: Server, act: A) -> String
where
    A: Fn(WebSocket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = move |mut request: Request<Incoming>| {
        let act = act.clone();
        let run = |opening: Opening| async move { act(opening.await.unwrap()).await };
        let response: Response<Body> = match wskit_hyper::upgrade(&mut request, &server) {
            Ok((response, opening)) => {
                tokio::spawn(run(opening));
                response
            }
            Err(refusal) => refusal,
        };
        async { Ok::<_, Infallible>(response) }
    };
    tokio::spawn(async move {
        let stream = listener.accept().await.unwrap().0;
        let service = service_fn(answer);
        let http1 = http1::Builder::new();
        match serve {
            Serve::Http1 => {
                let io = TokioIo::new(stream);
                http1.serve_connection(io, service).with_upgrades().await.unwrap();
            }
            Serve::Wrapped => {
                let (reader, writer) = stream.into_split();
                let io = TokioIo::new(tokio::io::join(reader, writer));
                http1.serve_connection(io, service).with_upgrades().await.unwrap();
            }
            #[cfg(feature = "auto")]
            Serve::Auto => {
                let executor = hyper_util::rt::TokioExecutor::new();
                let auto = hyper_util::server::conn::auto::Builder::new(executor);
                let io = TokioIo::new(stream);
                auto.serve_connection_with_upgrades(io, service).await.unwrap();
            }
        }
    });
    address
}

async fn echo(mut socket: WebSocket) -> Result<(), Error> {
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}

async fn bounded<T>(step: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), step).await.expect("it takes no time")
}

#[tokio::test]
async fn messages_go_both_ways_compressed_and_in_the_chosen_subprotocol() {
    for how in SERVES {
        let server = Server::new()
            .compression(Compression::default())
            .subprotocol("v2")
            .unwrap()
            .subprotocol("v1")
            .unwrap();
        let address = serve(*how, server, move |socket| {
            let is_tcp = matches!(socket.stream(), Either::First(_));
            assert_eq!(is_tcp, *how != Serve::Wrapped, "{how:?}");
            echo(socket)
        })
        .await;
        let client = Client::new(&format!("ws://{address}/chat?x=1")).unwrap();
        let client = client.subprotocol("v1").unwrap().compression(Compression::default());
        let mut socket = bounded(client.connect()).await.unwrap();
        assert_eq!(socket.agreed().subprotocol.as_ref().unwrap().as_str(), "v1");
        assert!(socket.agreed().deflate.is_some());
        for text in ["hello".to_owned(), "again and again ".repeat(10_000)] {
            socket.send(&*text).await.unwrap();
            let back = bounded(socket.recv()).await.unwrap().unwrap();
            assert_eq!(back, Message::Text(text.into()));
        }
        bounded(socket.close(CloseCode::NORMAL, "")).await.unwrap();
    }
}

#[tokio::test]
async fn the_halves_of_a_connection_serve_two_tasks() {
    for how in SERVES {
        let address = serve(*how, Server::new(), |socket| async {
            let (mut sender, mut receiver) = socket.split();
            while let Some(message) = receiver.recv().await {
                sender.send(message?).await?;
            }
            Ok(())
        })
        .await;
        let mut socket = bounded(wskit::connect(&format!("ws://{address}"))).await.unwrap();
        socket.send("hello").await.unwrap();
        assert_eq!(bounded(socket.recv()).await.unwrap().unwrap(), Message::Text("hello".into()));
        bounded(socket.close(CloseCode::NORMAL, "")).await.unwrap();
    }
}

const GOOD: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn frames_right_behind_the_request_are_received() {
    for how in SERVES {
        let address = serve(*how, Server::new(), echo).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = [GOOD.as_bytes(), b"\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0"].concat();
        stream.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        bounded(stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{how:?}");
        assert!(answer.ends_with(b"\r\n\r\n\x81\x02hi\x88\0"), "{how:?}");
    }
}

/// The response to a request: its status, its headers in order of their names, and its body.
async fn exchange(address: &str, request: &str) -> (String, Vec<String>, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    bounded(stream.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (first, lines) = head.split_once("\r\n").unwrap();
    let mut lines: Vec<String> = lines.lines().map(str::to_ascii_lowercase).collect();
    lines.retain(|line| !line.starts_with("date:"));
    lines.sort();
    (first.split(' ').nth(1).unwrap().to_owned(), lines, body.to_owned())
}

#[tokio::test]
async fn a_refusal_is_the_same_as_that_of_wskits_own_server() {
    let replace = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replacen(from, to, 1)
    };
    let plus = |line: &str| replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"));
    let faults = [
        replace("GET", "POST"),
        replace("HTTP/1.1", "HTTP/1.0"),
        replace("/chat", "/%zz"),
        replace("/chat", "http://user@example.com/"),
        replace("Host: example.com\r\n", ""),
        plus("Host: example.com"),
        replace("example.com", "a, b"),
        replace("Upgrade: websocket\r\n", ""),
        replace("Connection: Upgrade", "Connection: close"),
        replace("Connection: Upgrade", "Connection: Upgrades, close"),
        replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
        plus("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        replace("jZQ==", "jZR=="),
        replace("Sec-WebSocket-Version: 13\r\n", ""),
        replace("Version: 13", "Version: 8"),
        plus("Sec-WebSocket-Version: 13"),
        plus("Sec-WebSocket-Protocol: a,,b"),
        plus("Sec-WebSocket-Extensions: a;"),
        plus("Sec-WebSocket-Anything: caf\u{e9}"),
        plus("Content-Length: 5"),
        plus("Origin: http://evil.example"),
        replace("/chat", &format!("/{}", "x".repeat(8 << 10))),
    ];
    for request in faults {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move {
            let stream = listener.accept().await.unwrap().0;
            Server::new().accept(stream).await.unwrap_err().to_string()
        });
        let expected = exchange(&own, &request).await;
        let error = serving.await.unwrap();
        assert_eq!(expected.2, error + "\n", "{request}");
        for how in SERVES {
            let address = serve(*how, Server::new(), echo).await;
            assert_eq!(exchange(&address, &request).await, expected, "{how:?} {request}");
        }
    }
}
