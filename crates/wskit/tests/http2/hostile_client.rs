//! Rows 49 and 50 of the hostile input, against a server.

use crate::common::{CLOSE, FIN, TEXT, close_payload, frame};
use crate::frames::{
    DATA, ENABLE_CONNECT, END_STREAM, Frames, HEADERS, PROTOCOL_ERROR, RST_STREAM, SETTINGS,
};
use crate::raw::{served, server};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::oneshot;
use wskit::http2::Http2Limits;
use wskit::{Error, Lost, Server};

pub(crate) type Header = (&'static str, &'static str);

pub(crate) const GOOD: [Header; 6] = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "http"),
    (":authority", "test.example"),
    (":path", "/chat"),
    ("sec-websocket-version", "13"),
];

fn without(name: &str) -> Vec<Header> {
    GOOD.into_iter().filter(|(found, _)| *found != name).collect()
}

fn with(name: &'static str, value: &'static str) -> Vec<Header> {
    let replace = |header: Header| if header.0 == name { (name, value) } else { header };
    GOOD.into_iter().map(replace).collect()
}

fn plus(name: &'static str, value: &'static str) -> Vec<Header> {
    let mut headers = GOOD.to_vec();
    // Pseudo-header fields come first.
    headers.insert(if name.starts_with(':') { 0 } else { headers.len() }, (name, value));
    headers
}

#[tokio::test]
async fn row_49_a_malformed_connect_is_a_stream_error() {
    let mut peer = Frames::client(served(&server(Http2Limits::default()))).await;
    assert!(peer.next(SETTINGS).await.payload.windows(6).any(|setting| setting == ENABLE_CONNECT));
    let mut stream = 1;
    for headers in [
        without(":scheme"),
        without(":path"),
        without(":authority"),
        with(":method", "GET"),
        with(":scheme", "wss"),
        plus(":protocol", "websocket"),
        plus("connection", "upgrade"),
        plus("upgrade", "websocket"),
        plus("transfer-encoding", "chunked"),
    ] {
        peer.headers(0, stream, &headers).await;
        let reset = peer.next(RST_STREAM).await;
        assert_eq!((reset.stream, reset.code()), (stream, PROTOCOL_ERROR), "{headers:?}");
        stream += 2;
    }
    // The connection is none the worse for it.
    peer.headers(0, stream, &GOOD).await;
    let response = peer.next(HEADERS).await;
    assert_eq!((response.stream, response.status()), (stream, 200));
}

#[tokio::test]
async fn row_49_a_connect_where_it_was_not_enabled_is_no_websocket() {
    // A server that speaks HTTP/1.1 alone does not take the preface for a request.
    let mut peer = Frames::client(served(&Server::new())).await;
    let answer = peer.stream.read_u8().await.unwrap();
    assert_eq!(answer, b'H');
}

/// How the server's end of the one WebSocket of a connection ends after what the client did.
async fn ended_by(act: impl AsyncFnOnce(&mut Frames)) -> Error {
    let (near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    let (told, ended) = oneshot::channel();
    tokio::spawn(async move {
        let offer = requests.next().await.unwrap().unwrap().into_offer().await.unwrap();
        let mut socket = offer.accept().await.unwrap();
        tokio::spawn(async move {
            let error = loop {
                match socket.recv().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break error,
                    None => panic!("it ended well"),
                }
            };
            told.send(error).unwrap();
        });
        while requests.next().await.is_some() {}
    });
    let mut peer = Frames::client(near).await;
    peer.headers(0, 1, &GOOD).await;
    peer.next(HEADERS).await;
    act(&mut peer).await;
    ended.await.unwrap()
}

#[tokio::test]
async fn row_50_the_end_of_a_stream_without_close_is_1006() {
    let error = ended_by(async |peer| peer.send(DATA, END_STREAM, 1, b"").await).await;
    assert!(matches!(error, Error::Lost(Lost::Ended)), "{error}");
    assert_eq!(error.close_code(), Some(1006));
    // Within a frame too.
    let error = ended_by(async |peer| {
        let frame = frame(FIN | TEXT, b"hello", true);
        peer.send(DATA, END_STREAM, 1, &frame[..8]).await;
    })
    .await;
    assert_eq!(error.close_code(), Some(1006), "{error}");
}

#[tokio::test]
async fn row_50_a_reset_stream_is_an_error() {
    for code in [8_u32, 0, 1] {
        let error = ended_by(async |peer| {
            peer.send(RST_STREAM, 0, 1, &code.to_be_bytes()).await;
        })
        .await;
        assert!(matches!(error, Error::Lost(Lost::Broken(_))), "{error}");
    }
    let error = ended_by(async |peer| peer.stream.shutdown().await.unwrap()).await;
    assert_eq!(error.close_code(), Some(1006), "{error}");
}

#[tokio::test]
async fn row_50_an_unknown_protocol_is_501() {
    let mut client = crate::raw::RawClient::connect(served(&server(Http2Limits::default()))).await;
    let mut request = crate::raw::good();
    request.extensions_mut().insert(h2::ext::Protocol::from_static("webrtc"));
    assert_eq!(client.status(request).await.unwrap().0, 501);
    let _opens = client.open().await;
}

#[tokio::test]
async fn row_50_a_websocket_that_is_dropped_is_reset_with_cancel() {
    let (near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let offer = request.unwrap().into_offer().await.unwrap();
            drop(offer.accept().await.unwrap());
        }
    });
    let mut peer = Frames::client(near).await;
    peer.headers(0, 1, &GOOD).await;
    let reset = peer.next(RST_STREAM).await;
    assert_eq!((reset.stream, reset.code()), (1, 8));
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let limits = Http2Limits { pending_resets_max: 5, ..Http2Limits::default() };
    let (near, far) = duplex(1 << 20);
    let mut requests = server(limits).requests(far);
    let mut peer = Frames::client(near).await;
    for stream in (1..100).step_by(2) {
        peer.headers(0, stream, &GOOD).await;
        peer.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await;
    }
    let mut seen = 0;
    let error = loop {
        match requests.next().await.expect("it is told") {
            Ok(_) => seen += 1,
            Err(error) => break error,
        }
    };
    assert!(seen <= 6, "{seen} requests of 50");
    assert!(error.to_string().contains("excessive load"), "{error}");
    assert!(requests.next().await.is_none());
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused() {
    let limits = Http2Limits { streams_max: 2, ..Http2Limits::default() };
    let mut peer = Frames::client(served(&server(limits))).await;
    for stream in [1, 3, 5] {
        peer.headers(0, stream, &GOOD).await;
    }
    let reset = peer.next(RST_STREAM).await;
    // REFUSED_STREAM
    assert_eq!((reset.stream, reset.code()), (5, 7));
    // A place becomes free when a WebSocket ends.
    peer.send(DATA, 0, 1, &frame(CLOSE, &close_payload(1000, ""), true)).await;
    while peer.next(DATA).await.flags & END_STREAM == 0 {}
    peer.send(DATA, END_STREAM, 1, b"").await;
    peer.headers(0, 7, &GOOD).await;
    assert_eq!(peer.next(HEADERS).await.stream, 7);
}

#[tokio::test]
async fn a_list_of_headers_that_is_too_long_is_431() {
    let mut client = crate::raw::RawClient::connect(served(&server(Http2Limits::default()))).await;
    let mut request = crate::raw::good();
    for _ in 0..18 {
        request.headers_mut().append("x", "y".repeat(1000).parse().unwrap());
    }
    assert_eq!(client.status(request).await.unwrap().0, 431);
    let _opens = client.open().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_stream_is_ended() {
    // Silence from the beginning, after the preface, and after a first stream.
    let limits = Http2Limits { idle_timeout: Some(Duration::from_secs(30)), ..Default::default() };
    for (wait, begins, opens) in [(10, false, false), (10, true, false), (30, true, true)] {
        let (near, far) = duplex(1 << 16);
        let mut requests = server(limits).requests(far);
        let start = tokio::time::Instant::now();
        let mut peer = match begins {
            true => Frames::client(near).await,
            false => Frames { stream: near, answers: true },
        };
        if opens {
            let mut page = without(":protocol");
            page[0].1 = "GET";
            peer.headers(END_STREAM, 1, &page).await;
            let page = requests.next().await.unwrap().unwrap();
            page.reject(wskit::Rejection::new(404, "no page")).await.unwrap();
        }
        let ended = requests.next().await;
        assert_eq!(ended.is_none(), begins, "{ended:?}");
        // A peer that does not answer the PING that goes with GOAWAY is not waited for much longer.
        let waited = start.elapsed().as_secs();
        assert!((wait..=wait + 6).contains(&waited), "{waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_ended_whose_client_takes_no_answer() {
    // SETTINGS_INITIAL_WINDOW_SIZE = 0: no body ever leaves.
    const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];
    let mut page = without(":protocol");
    page[0].1 = "GET";
    let refused = plus("origin", "http://evil.example");
    for (request, flags, shuts_down, wait) in [
        (&page, END_STREAM, false, 60),
        (&page, END_STREAM, true, 5),
        (&refused, 0, false, 60),
        (&refused, 0, true, 5),
    ] {
        let (near, far) = duplex(1 << 16);
        let mut requests = server(Http2Limits::default()).requests(far);
        let mut peer = Frames::client(near).await;
        peer.send(SETTINGS, 0, 0, &NO_WINDOW).await;
        peer.headers(flags, 1, request).await;
        let request = requests.next().await.unwrap().unwrap();
        request.into_offer().await.unwrap_err();
        if shuts_down {
            requests.shut_down();
        }
        let start = tokio::time::Instant::now();
        let ended = tokio::time::timeout(Duration::from_secs(600), requests.next()).await;
        assert!(ended.expect("it is ended").is_none());
        let waited = start.elapsed().as_secs();
        assert!((wait..=wait + 6).contains(&waited), "{waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_begins_the_idle_time_anew() {
    let (near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    let mut peer = Frames::client(near).await;
    // It waits for the first request almost as long as it may.
    let early = tokio::time::timeout(Duration::from_secs(9), requests.next()).await;
    assert!(early.is_err());
    for stream in [1, 3] {
        peer.headers(0, stream, &without("sec-websocket-version")).await;
        let request = requests.next().await.unwrap().unwrap();
        request.into_offer().await.unwrap_err();
        let idle = tokio::time::timeout(Duration::from_secs(50), requests.next()).await;
        assert!(idle.is_err(), "it is ended too early");
    }
}

#[tokio::test(start_paused = true)]
async fn row_16_a_wait_that_is_dropped_again_and_again_has_an_end() {
    let (_near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    let start = tokio::time::Instant::now();
    let outcome = loop {
        let tick = Duration::from_millis(300);
        if let Ok(outcome) = tokio::time::timeout(tick, requests.next()).await {
            break outcome;
        }
        assert!(start.elapsed() < Duration::from_secs(12), "it is waited for too long");
    };
    assert!(matches!(outcome, Some(Err(Error::OpeningTimeout(_)))), "{outcome:?}");
    assert!(start.elapsed() >= Duration::from_secs(10));
    assert!(requests.next().await.is_none());
}
