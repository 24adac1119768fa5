//! An end of a connection that speaks by hand, to do what the library never does.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wskit::proto::handshake::Key;

pub(crate) const FIN: u8 = 0x80;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

pub(crate) const REQUEST: &str = concat!(
    "GET /chat HTTP/1.1\r\nHost: test.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
);

/// A frame, masked as a client's or not.
pub(crate) fn frame(first: u8, payload: &[u8], masks: bool) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    if !masks {
        return [&frame, payload].concat();
    }
    let key = [0x37, 0xfa, 0x21, 0x3d];
    frame[1] |= 0x80;
    frame.extend_from_slice(&key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The payload of a Close frame.
pub(crate) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

#[derive(Debug)]
pub(crate) struct Peer<S> {
    pub(crate) stream: S,
    input: Vec<u8>,
    masks: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Before its opening handshake.
    pub(crate) fn new(stream: S, masks: bool) -> Peer<S> {
        Peer { stream, input: Vec::new(), masks }
    }

    /// Opens a connection as a client.
    pub(crate) async fn client(stream: S) -> Peer<S> {
        let mut peer = Peer::new(stream, true);
        peer.write(REQUEST.as_bytes()).await;
        let head = peer.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        peer
    }

    /// Accepts a connection as a server.
    pub(crate) async fn server(stream: S) -> Peer<S> {
        let mut peer = Peer::new(stream, false);
        let response = peer.response().await;
        peer.write(response.as_bytes()).await;
        peer
    }

    /// Takes a request, and says what a good server answers.
    pub(crate) async fn response(&mut self) -> String {
        let head = self.head().await;
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = Key::parse(key.as_bytes()).unwrap().accept();
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
    }

    /// Everything up to the next empty line, or the end.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            let end = self.input.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                return String::from_utf8(self.input.drain(..end + 4).collect()).unwrap();
            }
            if !self.fill().await {
                return String::from_utf8(std::mem::take(&mut self.input)).unwrap();
            }
        }
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.input)
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        self.write(&frame(first, payload, self.masks)).await;
    }

    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        self.send(CLOSE, &close_payload(code, reason)).await;
    }

    /// The first byte and the payload of the next frame; `None` when the stream has ended.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((start, end)) = place_of_payload(&self.input) {
                let frame: Vec<u8> = self.input.drain(..end).collect();
                let mut payload = frame[start..].to_vec();
                assert_eq!(frame[1] & 0x80 != 0, !self.masks, "only the client masks");
                if !self.masks {
                    let key = &frame[start - 4..start];
                    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
                }
                return Some((frame[0], payload));
            }
            if !self.fill().await {
                assert!(self.input.is_empty(), "the stream ends within a frame");
                return None;
            }
        }
    }

    /// Reads once. False when the stream has ended.
    pub(crate) async fn fill(&mut self) -> bool {
        self.stream.read_buf(&mut self.input).await.is_ok_and(|read| read > 0)
    }
}

/// From where to where the payload of the frame at the front lies, once it is there whole.
fn place_of_payload(input: &[u8]) -> Option<(usize, usize)> {
    let second = *input.get(1)?;
    let (len, length_bytes) = match second & 0x7f {
        126 => (u16::from_be_bytes(*input[2..].first_chunk()?) as usize, 2),
        127 => (u64::from_be_bytes(*input[2..].first_chunk()?) as usize, 8),
        short => (short as usize, 0),
    };
    let start = 2 + length_bytes + if second & 0x80 == 0 { 0 } else { 4 };
    (input.len() >= start + len).then_some((start, start + len))
}
