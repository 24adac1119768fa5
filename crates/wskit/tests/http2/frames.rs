//! Frames of HTTP/2 by hand, for what no library sends.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const PROTOCOL_ERROR: u32 = 1;

/// SETTINGS_ENABLE_CONNECT_PROTOCOL = 1
pub(crate) const ENABLE_CONNECT: [u8; 6] = [0, 8, 0, 0, 0, 1];

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The code in a RST_STREAM.
    pub(crate) fn code(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }

    /// The status in a block of headers as the crate h2 writes it: from the static table, or as a
    /// literal with the name from it.
    pub(crate) fn status(&self) -> u16 {
        match self.payload[0] {
            0x88 => 200,
            0x8c => 400,
            0x8d => 404,
            _ => 0,
        }
    }
}

/// A block of headers without any compression (RFC 7541 §6.2.2).
pub(crate) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// One end of a connection that writes and reads frames.
pub(crate) struct Frames {
    pub(crate) stream: DuplexStream,
    /// Whether settings and pings are answered.
    pub(crate) answers: bool,
}

impl Frames {
    /// Begins as a client.
    pub(crate) async fn client(mut stream: DuplexStream) -> Frames {
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut frames = Frames { stream, answers: true };
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    /// Begins as a server with these settings, or none yet.
    pub(crate) async fn server(mut stream: DuplexStream, settings: Option<&[u8]>) -> Frames {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        let mut frames = Frames { stream, answers: true };
        if let Some(settings) = settings {
            frames.send(SETTINGS, 0, 0, settings).await;
        }
        frames
    }

    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).await.unwrap();
    }

    pub(crate) async fn headers(&mut self, flags: u8, stream: u32, headers: &[(&str, &str)]) {
        self.send(HEADERS, END_HEADERS | flags, stream, &block(headers)).await;
    }

    /// The next frame of this kind; others are passed over, and settings and pings answered.
    pub(crate) async fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.any().await.expect("a frame comes");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// The next frame, or `None` at the end.
    pub(crate) async fn any(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        let [kind, flags] = [head[3], head[4]];
        if self.answers && matches!(kind, SETTINGS | PING) && flags & ACK == 0 {
            let answer = if kind == PING { &payload[..] } else { &[] };
            self.send(kind, ACK, 0, answer).await;
        }
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind, flags, stream, payload })
    }
}
