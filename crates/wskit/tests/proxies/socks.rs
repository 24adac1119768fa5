//! SOCKS proxies.

use super::{carry, echo, fault, proxy, says_hello};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wskit::{Client, Error, Proxy, ProxyFault, Server};

const SUCCEEDED: [u8; 10] = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80];

fn client(url: &str, proxy: &str) -> Client {
    Client::new(url).unwrap().proxy(Proxy::new(proxy).unwrap())
}

async fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn a_name_is_for_the_proxy_to_look_up() {
    let server = echo(Server::new()).await;
    let url = proxy("socks5h://ann:secret@", async move |mut stream| {
        expect(&mut stream, &[5, 2, 0, 2]).await;
        stream.write_all(&[5, 2]).await.unwrap();
        expect(&mut stream, b"\x01\x03ann\x06secret").await;
        stream.write_all(&[1, 0]).await.unwrap();
        expect(&mut stream, b"\x05\x01\x00\x03\x11chat.test.example\x00\x50").await;
        stream.write_all(&SUCCEEDED).await.unwrap();
        carry(stream, server).await;
    });
    says_hello(&client("ws://chat.test.example/", &url.await)).await;
}

#[tokio::test]
async fn or_it_is_looked_up_here_and_each_address_tried() {
    let server = echo(Server::new()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("socks5://{}", listener.local_addr().unwrap());
    let count = tokio::net::lookup_host("localhost:80").await.unwrap().count();
    tokio::spawn(async move {
        for place in 1..=count {
            let mut stream = listener.accept().await.unwrap().0;
            expect(&mut stream, &[5, 1, 0]).await;
            stream.write_all(&[5, 0]).await.unwrap();
            expect(&mut stream, &[5, 1, 0]).await;
            let rest = if stream.read_u8().await.unwrap() == 1 { 6 } else { 18 };
            stream.read_exact(&mut [0; 18][..rest]).await.unwrap();
            if place == count {
                stream.write_all(&SUCCEEDED).await.unwrap();
                carry(stream, server).await;
            } else {
                stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            }
        }
    });
    says_hello(&client("ws://localhost/", &url)).await;
}

#[tokio::test]
async fn a_refusal_says_why() {
    let url = proxy("socks5://", async |mut stream| {
        expect(&mut stream, &[5, 1, 0]).await;
        stream.write_all(&[5, 0]).await.unwrap();
        expect(&mut stream, &[5, 1, 0, 1, 10, 0, 0, 1, 0, 80]).await;
        stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    });
    let error = fault(&client("ws://10.0.0.1/", &url.await)).await;
    assert!(matches!(error.fault(), ProxyFault::Refused(2)), "{error}");
    assert!(error.to_string().ends_with("answered 2: its rules do not allow the connection"));
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn a_name_that_is_not_known_here_is_no_fault_of_the_proxy() {
    let outcome = client("ws://chat.invalid/", "socks5://127.0.0.1:9").connect().await;
    assert!(matches!(outcome, Err(Error::Connect(_))), "{outcome:?}");
}
