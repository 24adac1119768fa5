//! Small DATA frames that nobody reads.

use crate::common::{FIN, TEXT, frame};
use crate::frames::{DATA, Frames, GOAWAY, HEADERS};
use crate::hostile_client::GOOD;
use crate::raw::server;
use tokio::io::{DuplexStream, duplex};
use wskit::http2::Http2Limits;
use wskit::{Error, WebSocket};

/// Serves one WebSocket as an echo, the first; the others are kept, and nobody reads them.
fn serve_unread(limits: Http2Limits) -> DuplexStream {
    let (near, far) = duplex(1 << 20);
    let mut requests = server(limits).requests(far);
    tokio::spawn(async move {
        let mut unread = Vec::new();
        while let Some(Ok(request)) = requests.next().await {
            let mut socket = request.into_offer().await?.accept().await?;
            if unread.is_empty() {
                unread.push(None);
                tokio::spawn(async move {
                    while let Some(Ok(message)) = socket.recv().await {
                        socket.feed(message).await.unwrap();
                    }
                });
            } else {
                unread.push(Some(socket));
            }
        }
        Ok::<Vec<Option<WebSocket<_>>>, Error>(unread)
    });
    near
}

/// Messages of so many bytes with their headers.
fn message(bytes: usize) -> Vec<u8> {
    frame(FIN | TEXT, &vec![b'x'; bytes - 6], true)
}

#[tokio::test]
async fn many_streams_full_of_small_frames_harm_no_other() {
    let mut peer = Frames::client(serve_unread(Http2Limits::default())).await;
    let streams: Vec<u32> = (1..).step_by(2).take(21).collect();
    for stream in &streams {
        peer.headers(0, *stream, &GOOD).await;
        assert_eq!(peer.next(HEADERS).await.stream, *stream);
    }
    let small = message(20);
    for stream in &streams[1..] {
        for _ in 0..(64 << 10) / small.len() {
            peer.send(DATA, 0, *stream, &small).await;
        }
    }
    peer.send(DATA, 0, 1, &message(11)).await;
    let answer = peer.next(DATA).await;
    assert_eq!((answer.stream, &answer.payload[2..]), (1, &b"xxxxx"[..]));
}

#[tokio::test]
async fn more_small_frames_than_may_wait_end_the_connection() {
    let limits = Http2Limits { small_frames_max: 100, ..Http2Limits::default() };
    for (frames, ends) in [(99, false), (101, true)] {
        let mut peer = Frames::client(serve_unread(limits)).await;
        for stream in [1, 3] {
            peer.headers(0, stream, &GOOD).await;
            assert_eq!(peer.next(HEADERS).await.stream, stream);
        }
        for _ in 0..frames {
            peer.send(DATA, 0, 3, b"\x81").await;
        }
        if !ends {
            peer.send(DATA, 0, 1, &message(7)).await;
        }
        let answer = loop {
            let frame = peer.any().await.expect("an answer");
            if matches!(frame.kind, DATA | GOAWAY) {
                break frame;
            }
        };
        assert_eq!(answer.kind == GOAWAY, ends, "{frames} frames");
        if ends {
            // ENHANCE_YOUR_CALM
            assert_eq!(answer.payload[4..8], [0, 0, 0, 11]);
        }
    }
}
