//! HTTP proxies, by CONNECT.

use super::{carry, echo, fault, proxy, says_hello};
use crate::common::{at_most, for_every_await_point};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use wskit::{Client, Error, Proxy, ProxyFault, ResponseError, Server};

/// A name that nobody but the proxy knows.
const URL: &str = "ws://chat.test.example/";

fn client(url: &str, proxy: &str) -> Client {
    Client::new(url).unwrap().proxy(Proxy::new(proxy).unwrap())
}

/// Reads a head and not a byte more; the client must not have sent more.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_tunnel_is_asked_for_with_credentials() {
    let server = echo(Server::new()).await;
    let (tell, told) = oneshot::channel();
    let url = proxy("http://ann:open%20sesame@", async move |mut stream| {
        tell.send(head(&mut stream).await).unwrap();
        // In pieces, with interim and other headers, in the old version: all of it is HTTP.
        stream.write_all(b"HTTP/1.0 20").await.unwrap();
        stream.write_all(b"0 Connection established\r\nVia: x\r\n\r\n").await.unwrap();
        carry(stream, server).await;
    });
    says_hello(&client(URL, &url.await)).await;
    assert_eq!(
        told.await.unwrap(),
        "CONNECT chat.test.example:80 HTTP/1.1\r\nHost: chat.test.example:80\r\n\
         Proxy-Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n\r\n"
    );
}

#[tokio::test]
async fn credentials_for_the_server_are_not_told_to_the_proxy() {
    let server = echo(Server::new()).await;
    let (tell, told) = oneshot::channel();
    let url = proxy("http://", async move |mut stream| {
        tell.send(head(&mut stream).await).unwrap();
        stream.write_all(b"HTTP/1.1 200 \r\n\r\n").await.unwrap();
        carry(stream, server).await;
    });
    let client = client("ws://ann:secret@[2001:db8::1]:81/", &url.await);
    says_hello(&client.header("Cookie", "a=1").unwrap()).await;
    assert_eq!(
        told.await.unwrap(),
        "CONNECT [2001:db8::1]:81 HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n\r\n"
    );
}

#[cfg(feature = "tls-ring")]
#[tokio::test]
async fn tls_is_done_with_the_server_inside_of_the_tunnel() {
    use crate::common::{Authority, HOST};
    let authority = Authority::new();
    let server = echo(Server::new().tls(authority.issue(HOST).server())).await;
    let url = proxy("http://", async move |mut stream| {
        assert!(head(&mut stream).await.starts_with("CONNECT chat.test.example:443 "));
        stream.write_all(b"HTTP/1.1 200 \r\n\r\n").await.unwrap();
        carry(stream, server).await;
    });
    let client = client(&format!("wss://{HOST}/"), &url.await).tls(authority.client());
    says_hello(&client).await;
}

#[tokio::test]
async fn a_refusal_keeps_its_status() {
    for (status, words) in [(407, "credentials"), (403, "rules"), (502, "server"), (418, "418")] {
        let url = proxy("http://ann:secret@", async move |mut stream| {
            head(&mut stream).await;
            let refusal = format!("HTTP/1.1 {status} No\r\nX: y\r\nContent-Length: 4\r\n\r\nwhy?");
            stream.write_all(refusal.as_bytes()).await.unwrap();
        });
        let url = url.await;
        let error = client(URL, &url).connect().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        let text = error.to_string();
        assert!(text.contains(words) && !text.contains("secret"), "{text}");
        let Error::Proxy(error) = error else { panic!("{text}") };
        assert_eq!(
            (error.status(), error.proxy()),
            (Some(status), &*url.replace("ann:secret@", ""))
        );
        let ProxyFault::Response(response) = error.fault() else { panic!("{text}") };
        assert_eq!(response.body(), b"why?");
        assert_eq!(response.headers().unwrap().get("x"), Some(&b"y"[..]));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let answering = async |answer: &'static [u8]| {
        let url = proxy("http://", async move |mut stream| {
            head(&mut stream).await;
            stream.write_all(answer).await.unwrap();
        });
        fault(&client(URL, &url.await)).await
    };
    for (answer, is_expected) in [
        (&b""[..], (|fault| matches!(fault, ResponseError::Ended)) as fn(&ResponseError) -> bool),
        (b"HTTP/1.1 200 OK\r\n", |fault| matches!(fault, ResponseError::Ended)),
        (b"\x05\xff", |fault| matches!(fault, ResponseError::NotHttp)),
        (b"HTTP/1.1 101 \r\n\r\n", |fault| fault.status() == Some(101)),
    ] {
        let error = answering(answer).await;
        let ProxyFault::Response(response) = error.fault() else { panic!("{error}") };
        assert!(is_expected(response), "{error}");
    }
    let error = answering(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 ").await;
    assert!(matches!(error.fault(), ProxyFault::TooMuch), "{error}");
    // Nobody listens there, and nobody is given that port.
    let error = fault(&client(URL, "127.0.0.1:9")).await;
    assert!(matches!(error.fault(), ProxyFault::Connect(_)), "{error}");
}

#[tokio::test]
async fn an_endless_head_is_bounded_and_silence_is_not_waited_for() {
    let url = proxy("http://", async |mut stream| {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        while stream.write_all(b"X: y\r\n").await.is_ok() {}
    });
    let error = fault(&client(URL, &url.await)).await;
    let ProxyFault::Response(response) = error.fault() else { panic!("{error}") };
    assert!(
        matches!(response, ResponseError::HeadTooLong(_) | ResponseError::TooManyHeaders(_)),
        "{error}"
    );
    for answer in ["", "HTTP/1.1 200 ", "HTTP/1.1 407 \r\n\r\nendless"] {
        let url = proxy("http://", async move |mut stream| {
            head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        });
        let client = client(URL, &url.await).opening_timeout(Duration::from_millis(200));
        let outcome = client.connect().await;
        assert!(matches!(outcome, Err(Error::OpeningTimeout(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_opening_that_is_dropped_leaves_nothing_behind() {
    for_every_await_point(async |polls| {
        let (tell, told) = oneshot::channel();
        let url = proxy("http://", async move |mut stream| {
            let mut received = Vec::new();
            let _may_have_ended = stream.write_all(b"HTTP/1.1 200 \r\n\r\n").await;
            let _ended_or_reset = stream.read_to_end(&mut received).await;
            let _may_have_gone = tell.send(received);
        });
        let client = client(URL, &url.await).opening_timeout(None);
        let connecting = tokio::time::timeout(Duration::from_millis(300), client.connect());
        let opened = at_most(polls, connecting).await;
        assert!(!matches!(opened, Some(Ok(Ok(_)))), "nobody answers");
        // The proxy sees the end of every connection that was made.
        match opened {
            None if polls < 3 => drop(told),
            _ => drop(told.await.unwrap()),
        }
        usize::from(opened.is_none())
    })
    .await;
}
