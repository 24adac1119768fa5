//! The opening handshake: `Client` and `Server` with one another and with peers by hand.

mod common;

use common::{BINARY, FIN, PING, Peer, REQUEST, TEXT, client, frame, next, tcp};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use wskit::{
    Acceptance, Client, Error, Field, Message, OriginPolicy, Rejection, RequestError, Server,
    Subprotocol,
};

#[tokio::test(start_paused = true)]
async fn the_servers_preferred_subprotocol_is_spoken() {
    let server = Server::new().subprotocol("v2").unwrap().subprotocol("v1").unwrap();
    for (offered, spoken) in
        [(&["v1", "v2"][..], Some("v2")), (&["v1", "v0"], Some("v1")), (&["v0"], None), (&[], None)]
    {
        let mut client = client();
        for name in offered {
            client = client.subprotocol(*name).unwrap();
        }
        let (near, far) = common::open(&client, &server, duplex(1 << 16)).await;
        let name = |agreed: &wskit::Agreed| agreed.subprotocol.clone();
        let spoken = spoken.map(|name| Subprotocol::new(name).unwrap());
        assert_eq!(name(near.agreed()), spoken);
        assert_eq!(name(far.agreed()), spoken);
    }
}

#[tokio::test(start_paused = true)]
async fn headers_reach_the_other_end() {
    let (near, far) = duplex(1 << 16);
    let client = client().header("X-Room", "lobby").unwrap();
    let serving = async {
        let pending = Server::new().receive_offer(far).await.unwrap();
        assert_eq!(pending.offer().path(), "/");
        assert_eq!(pending.offer().request().headers().get("x-room"), Some(&b"lobby"[..]));
        let headers = vec![Field::new("X-Node", "seven").unwrap()];
        pending.accept_with(Acceptance { headers, ..Acceptance::default() }).await.unwrap()
    };
    let (near, far) = tokio::join!(client.connect_on(near), serving);
    let near = near.unwrap();
    let headers = near.agreed().headers.as_ref().unwrap();
    assert_eq!(headers.get("x-node"), Some(&b"seven"[..]));
    assert!(far.agreed().headers.is_none(), "a server does not keep them");
}

#[tokio::test]
async fn a_rejection_reaches_the_clients_error_whole() {
    let (near, far) = tcp().await;
    let serving = tokio::spawn(async move {
        let pending = Server::new().receive_offer(far).await.unwrap();
        let retry = Field::new("Retry-After", "30").unwrap();
        pending.reject(Rejection::new(503, "full house").with_header(retry)).await
    });
    let error = client().connect_on(near).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(error.to_string().contains("503: full house"), "{error}");
    let Error::Handshake(refused) = error else { panic!("{error:?}") };
    assert_eq!(refused.headers().unwrap().get("retry-after"), Some(&b"30"[..]));
    assert_eq!(refused.body(), b"full house\n");
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn pages_connect_as_far_as_the_policy_lets_them() {
    let friend = OriginPolicy::Only(vec!["https://friend.example".parse().unwrap()]);
    for (policy, origin, welcome) in [
        (OriginPolicy::SameHost, "http://test.example", true),
        (OriginPolicy::SameHost, "https://friend.example", false),
        (friend.clone(), "https://friend.example", true),
        (friend, "null", false),
        (OriginPolicy::Any, "null", true),
    ] {
        let (near, far) = duplex(1 << 16);
        let server = Server::new().origins(policy);
        let serving = tokio::spawn(async move { server.accept(far).await });
        let opened = client().header("Origin", origin).unwrap().connect_on(near).await;
        assert_eq!(opened.is_ok(), welcome, "{origin}");
        if let Err(error) = opened {
            assert_eq!(error.status(), Some(403));
            let Err(Error::Request(why)) = serving.await.unwrap() else { panic!("it is refused") };
            assert_eq!(*why, RequestError::OriginRefused);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_come_with_the_request_are_received() {
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(near, true);
    let text = frame(FIN | TEXT, b"early", true);
    // The beginning of one more, which is longer than what comes with the head.
    let long = frame(FIN | BINARY, &[7; 30_000], true);
    let (front, back) = long.split_at(10_000);
    peer.write(&[REQUEST.as_bytes(), &text, front].concat()).await;
    let mut server = wskit::accept(far).await.unwrap();
    assert_eq!(next(&mut server).await, Message::text("early"));
    peer.write(back).await;
    assert_eq!(next(&mut server).await, Message::binary(vec![7; 30_000]));
}

#[tokio::test(start_paused = true)]
async fn frames_that_come_with_the_response_are_received() {
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(far, false);
    let answering = async {
        let response = peer.response().await;
        let frames = [frame(PING, b"", false), frame(FIN | TEXT, b"early", false)].concat();
        peer.write(&[response.as_bytes(), &frames].concat()).await;
    };
    let client = client().shows_control_frames(true);
    let (opened, ()) = tokio::join!(client.connect_on(near), answering);
    let mut socket = opened.unwrap();
    assert_eq!(next(&mut socket).await, Message::Ping("".into()));
    assert_eq!(next(&mut socket).await, Message::text("early"));
}

#[tokio::test(start_paused = true)]
async fn other_requests_may_be_answered_by_other_means() {
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(near, true);
    peer.write(b"GET /page?x=1 HTTP/1.1\r\nHost: test.example\r\n\r\nmore").await;
    let pending = Server::new().receive_request(far).await.unwrap();
    assert!(!pending.is_upgrade());
    let (mut stream, rest, request) = pending.into_parts();
    assert_eq!((request.path(), request.query()), ("/page", Some("x=1")));
    assert_eq!(rest, "more");
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    assert!(peer.head().await.starts_with("HTTP/1.1 200 "));

    // Or by an error.
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(near, true);
    peer.write(b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n").await;
    let pending = Server::new().receive_request(far).await.unwrap();
    let rejecting = tokio::spawn(pending.reject(Rejection::new(404, "nothing here")));
    assert!(peer.head().await.starts_with("HTTP/1.1 404 "));
    assert_eq!(peer.rest().await, b"nothing here\n");
    drop(peer);
    rejecting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_asks_for_no_websocket_is_told_so() {
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(near, true);
    peer.write(b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n").await;
    let serving = tokio::spawn(wskit::accept(far));
    let head = peer.head().await;
    assert!(head.starts_with("HTTP/1.1 426 ") && head.contains("Upgrade: websocket\r\n"), "{head}");
    drop(peer);
    assert_eq!(serving.await.unwrap().unwrap_err().status(), Some(426));
}

/// Connects to `host` where a server listens on `address`, and says something.
async fn connects(host: &str, address: SocketAddr) {
    let listener = TcpListener::bind(address).await.unwrap();
    let url = format!("ws://{host}:{}/", listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        let stream = listener.accept().await.unwrap().0;
        let offer = Server::new().receive_offer(stream).await.unwrap();
        let host = offer.offer().request().headers().get("host").unwrap().to_vec();
        (next(&mut offer.accept().await.unwrap()).await, host)
    });
    let mut socket = wskit::connect(&url).await.unwrap();
    socket.send("hello").await.unwrap();
    let (message, named) = serving.await.unwrap();
    assert_eq!(message, Message::text("hello"));
    assert_eq!(format!("ws://{}/", String::from_utf8(named).unwrap()), url);
}

#[tokio::test]
async fn ipv4_ipv6_and_names_are_connected_to() {
    connects("127.0.0.1", (Ipv4Addr::LOCALHOST, 0).into()).await;
    // The name may stand for addresses of both families, of which only one answers.
    connects("localhost", (Ipv4Addr::LOCALHOST, 0).into()).await;
    let ipv6: SocketAddr = (Ipv6Addr::LOCALHOST, 0).into();
    if TcpListener::bind(ipv6).await.is_ok() {
        connects("[::1]", ipv6).await;
    } else {
        println!("skipped: this machine has no IPv6");
    }
}

#[tokio::test]
async fn nobody_listening_is_an_error_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url).unwrap().connect().await.unwrap_err();
    assert!(matches!(&error, Error::Connect(_)), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[test]
fn a_client_does_not_show_its_secrets() {
    let client = Client::new("ws://ann:open-sesame@test.example/").unwrap();
    let client = client.header("Cookie", "id=open-sesame").unwrap();
    let client = client.proxy(wskit::Proxy::new("http://ann:open-sesame@proxy.example").unwrap());
    let shown = format!("{client:?} {:?}", client.opening());
    // Neither as text nor as bytes, plain or in base64.
    for secret in ["sesame", "c2VzYW1l", "115, 101, 115, 97, 109, 101"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Cookie: (not shown)"), "{shown}");
}
