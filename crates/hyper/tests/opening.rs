//! A response that is never written does not keep its task for ever, in virtual time.

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::pending, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use wskit::{Error, Server};
use wskit_hyper::{Body, WebSocket};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// What becomes of the response.
#[derive(Clone, Copy, PartialEq)]
enum Serve {
    Rightly,
    KeepingTheResponse,
    DroppingTheResponse,
    WithoutUpgrades,
}

/// Serves one request and tells what became of the connection.
async fn request(server: Server, how: Serve) -> (DuplexStream, mpsc::Receiver<Outcome>) {
    // The response does not fit in between the two.
    let (mut client, stream) = duplex(64);
    let (told, outcome) = mpsc::channel(1);
    let answer = move |mut request: Request<Incoming>| {
        let (server, told) = (server.clone(), told.clone());
        async move {
            let (response, opening) = wskit_hyper::upgrade(&mut request, &server).unwrap();
            tokio::spawn(async move {
                let begun = Instant::now();
                let opened = opening.await;
                told.send((opened, begun.elapsed())).await.unwrap();
            });
            match how {
                Serve::KeepingTheResponse => pending().await,
                Serve::DroppingTheResponse => Ok(Response::new(Body::default())),
                _ => Ok::<_, Infallible>(response),
            }
        }
    };
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    if how == Serve::WithoutUpgrades {
        tokio::spawn(connection);
    } else {
        tokio::spawn(connection.with_upgrades());
    }
    client.write_all(REQUEST).await.unwrap();
    (client, outcome)
}

type Outcome = (Result<WebSocket, Error>, Duration);

async fn read_head(client: &mut DuplexStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
}

fn after(seconds: u64) -> Server {
    Server::new().opening_timeout(Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_the_response_is_given_up_after_the_opening_timeout() {
    for (server, seconds) in [(Server::new(), 10), (after(3), 3)] {
        let (client, mut outcome) = request(server, Serve::Rightly).await;
        let (opened, took) = outcome.recv().await.unwrap();
        let error = opened.unwrap_err();
        assert!(matches!(error, Error::OpeningTimeout(_)), "{error}");
        assert_eq!(error.status(), Some(408));
        assert_eq!(took.as_secs(), seconds);
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_the_program_does_not_return_is_not_waited_for_either() {
    // After another response, hyper keeps the connection for the next request.
    for how in [Serve::KeepingTheResponse, Serve::DroppingTheResponse] {
        let (client, mut outcome) = request(after(3), how).await;
        let (opened, took) = outcome.recv().await.unwrap();
        assert!(matches!(opened.unwrap_err(), Error::OpeningTimeout(_)));
        assert_eq!(took.as_secs(), 3);
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_in_time_or_without_a_limit_has_a_connection_that_lasts() {
    let unlimited = Server::new().opening_timeout(None);
    for (server, seconds) in [(after(3), 2), (unlimited, 3600)] {
        let (mut client, mut outcome) = request(server, Serve::Rightly).await;
        sleep(Duration::from_secs(seconds)).await;
        read_head(&mut client).await;
        let (opened, took) = outcome.recv().await.unwrap();
        assert_eq!(took.as_secs(), seconds);
        let mut socket = opened.unwrap();
        // Longer than the opening may take, but shorter than the keepalive.
        sleep(Duration::from_secs(15)).await;
        client.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
        assert_eq!(socket.recv().await.unwrap().unwrap().as_text(), Some("hi"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_opening_fails_at_once_when_hyper_gives_the_connection_up() {
    let (mut client, mut outcome) = request(Server::new(), Serve::WithoutUpgrades).await;
    read_head(&mut client).await;
    let (opened, took) = outcome.recv().await.unwrap();
    assert!(matches!(opened.unwrap_err(), Error::Opening(_)));
    assert_eq!(took, Duration::ZERO);
    for how in [Serve::Rightly, Serve::KeepingTheResponse] {
        let (client, mut outcome) = request(Server::new(), how).await;
        sleep(Duration::from_secs(1)).await;
        drop(client);
        let (opened, took) = outcome.recv().await.unwrap();
        assert!(matches!(opened.unwrap_err(), Error::Opening(_)));
        assert_eq!(took.as_secs(), 1);
    }
}
