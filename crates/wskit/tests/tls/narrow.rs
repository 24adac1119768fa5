//! Transports that take little at a time, and futures that are dropped, inside of TLS.

use super::common::{Trickle, at_most, at_once};
use super::{Authority, client, server};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, duplex};
use tokio::time::timeout;
use wskit::tls::MaybeTls;
use wskit::{CloseCode, Message, Split, WebSocket};

/// Both ends of an open connection on these transports.
async fn open<A, B>(near: A, far: B) -> (WebSocket<MaybeTls<A>>, WebSocket<MaybeTls<B>>)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let authority = Authority::new();
    let (client, server) = (client(&authority), server(&authority));
    let opening = async { client.connect_on(client.secure(near).await?).await };
    let serving = async { server.accept(server.secure(far).await?).await };
    let (near, far) = tokio::join!(opening, serving);
    (near.unwrap(), far.unwrap())
}

/// Sends as much as both directions cannot hold, and closes, while all that is echoed is received.
async fn exchange<A, B>(near: WebSocket<A>, mut far: WebSocket<B>)
where
    A: Split,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let message = vec![7; 100_000];
    let echo = async {
        while let Some(message) = far.recv().await {
            far.feed(message.unwrap()).await.unwrap();
        }
    };
    let (mut sending, mut receiving) = near.split();
    let send = async {
        for _ in 0..5 {
            sending.send(message.clone()).await.unwrap();
        }
        sending.close(CloseCode::NORMAL, "").await.unwrap();
    };
    let receive = async {
        let mut received = 0;
        while let Some(item) = receiving.recv().await {
            let item = item.unwrap();
            if item.is_binary() {
                assert_eq!(item, Message::binary(message.clone()));
                received += 1;
            }
        }
        received
    };
    let ((), (), received) =
        timeout(Duration::from_secs(60), async { tokio::join!(echo, send, receive) })
            .await
            .expect("nobody waits for ever");
    assert_eq!(received, 5);
}

#[tokio::test]
async fn messages_pass_through_a_transport_that_holds_little() {
    // The last of a handshake and the first of a request wait for one another in less.
    let (near, far) = duplex(2000);
    let (near, far) = open(near, far).await;
    exchange(near, far).await;
}

#[tokio::test]
async fn messages_pass_through_a_transport_that_passes_little_at_a_time() {
    let (near, far) = duplex(1 << 16);
    let (mut near, mut far) = open(Trickle::new(near, 60), Trickle::new(far, 50)).await;
    let message = vec![7; 5000];
    let echo = async {
        while let Some(message) = far.recv().await {
            far.feed(message.unwrap()).await.unwrap();
        }
    };
    let check = async {
        // Dropping a future at any point loses and doubles nothing.
        for polls in 1..40 {
            near.feed(message.clone()).await.unwrap();
            at_most(polls, near.flush()).await;
            let mut received = None;
            while received.is_none() {
                received = at_most(polls, near.recv()).await;
            }
            assert_eq!(received.unwrap().unwrap().unwrap(), Message::binary(message.clone()));
        }
        near.close(CloseCode::NORMAL, "").await.unwrap();
    };
    let both = async { tokio::join!(echo, check) };
    timeout(Duration::from_secs(60), both).await.expect("nobody waits for ever");
}

#[tokio::test]
async fn a_handshake_that_is_given_up_leaves_nothing_behind() {
    let authority = Authority::new();
    let (near, mut far) = duplex(1 << 16);
    assert!(at_once(client(&authority).secure(near)).await.is_none());
    let mut hello = Vec::new();
    far.read_to_end(&mut hello).await.unwrap();
    assert_eq!(hello.first(), Some(&22), "a handshake record, and then the end");
}
