//! How TLS ends: told from being cut off, and in the right order with the closing handshake.

use super::common::{self, CLOSE, FIN, REQUEST, close_payload, frame};
use super::{Authority, client, server};
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wskit::tls::MaybeTls;
use wskit::{Error, Lost, Message, WebSocket};

type Stream = MaybeTls<DuplexStream>;

/// The two ends of TLS in memory: the client's and the server's.
async fn secured() -> (Stream, Stream) {
    let authority = Authority::new();
    let (near, far) = duplex(1 << 16);
    let (client, server) = (client(&authority), server(&authority));
    let (near, far) = tokio::join!(client.secure(near), server.secure(far));
    (near.unwrap(), far.unwrap())
}

/// An open connection, and the stream of its server, which goes on by hand.
async fn client_of_a_hand() -> (WebSocket<Stream>, Stream) {
    let (near, mut far) = secured().await;
    let client = common::client();
    let by_hand = async {
        let mut opening = wskit::proto::handshake::ServerOpening::default();
        let mut input = bytes::BytesMut::new();
        let request = loop {
            far.read_buf(&mut input).await.unwrap();
            if let Some(request) = opening.receive_head(&mut input).unwrap() {
                break request;
            }
        };
        let accept = request.into_offer().unwrap().bootstrap().key().unwrap().accept().to_string();
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        far.write_all(response.as_bytes()).await.unwrap();
        far.flush().await.unwrap();
    };
    let (socket, ()) = tokio::join!(client.connect_on(near), by_hand);
    (socket.unwrap(), far)
}

/// Ends the transport without the end of TLS.
fn cut_off(stream: Stream) {
    let MaybeTls::Second(tls) = stream else { panic!("there is no TLS") };
    drop(tls);
}

#[tokio::test]
async fn the_server_says_close_notify_after_the_closing_handshake() {
    let (mut near, far) = secured().await;
    let serving = async {
        let mut socket = wskit::accept(far).await.unwrap();
        let received = common::next(&mut socket).await;
        assert!(matches!(received, Message::Close(Some(_))), "{received:?}");
        assert!(socket.recv().await.is_none());
    };
    let by_hand = async {
        near.write_all(REQUEST.as_bytes()).await.unwrap();
        near.write_all(&frame(FIN | CLOSE, &close_payload(1000, ""), true)).await.unwrap();
        near.flush().await.unwrap();
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.expect("TLS ends with close_notify");
        assert!(answer.ends_with(&[0x88, 2, 3, 232]), "{answer:?}");
        near.shutdown().await.unwrap();
    };
    tokio::join!(serving, by_hand);
}

#[tokio::test]
async fn the_client_says_close_notify_to_a_server_that_ends_tls() {
    let (mut socket, mut far) = client_of_a_hand().await;
    let by_hand = async {
        // A Close frame of the server: 1000.
        far.write_all(&[0x88, 2, 3, 232]).await.unwrap();
        far.shutdown().await.unwrap();
        let mut answer = Vec::new();
        far.read_to_end(&mut answer).await.expect("TLS ends with close_notify");
        assert_eq!(answer[..2], [0x88, 0x82]);
    };
    let (received, ()) = tokio::join!(common::next(&mut socket), by_hand);
    assert!(matches!(received, Message::Close(Some(_))), "{received:?}");
    assert!(socket.recv().await.is_none());
}

#[tokio::test]
async fn being_cut_off_after_the_closing_handshake_is_no_error() {
    let (mut socket, mut far) = client_of_a_hand().await;
    far.write_all(&[0x88, 2, 3, 232]).await.unwrap();
    far.flush().await.unwrap();
    let by_hand = async {
        let mut answer = [0; 8];
        far.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[..2], [0x88, 0x82]);
        cut_off(far);
    };
    let (received, ()) = tokio::join!(common::next(&mut socket), by_hand);
    assert!(matches!(received, Message::Close(Some(_))), "{received:?}");
    assert!(socket.recv().await.is_none());
}

#[tokio::test]
async fn being_cut_off_before_the_closing_handshake_is_an_error_that_says_so() {
    let (mut socket, mut far) = client_of_a_hand().await;
    far.write_all(&[0x81, 2, b'h', b'i']).await.unwrap();
    far.flush().await.unwrap();
    assert_eq!(common::next(&mut socket).await.as_text(), Some("hi"));
    cut_off(far);
    let error = socket.recv().await.unwrap().unwrap_err();
    assert!(
        matches!(&error, Error::Lost(Lost::Broken(error)) if error.kind() == ErrorKind::UnexpectedEof),
        "{error}"
    );
    assert!(error.to_string().contains("cut off"), "{error}");
    assert_eq!(error.close_code(), Some(1006));
    assert!(socket.recv().await.is_none());
}

#[tokio::test]
async fn the_end_of_tls_without_a_close_frame_is_no_closing_handshake() {
    let (mut socket, mut far) = client_of_a_hand().await;
    far.shutdown().await.unwrap();
    let error = socket.recv().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost(Lost::Ended)), "{error}");
}
