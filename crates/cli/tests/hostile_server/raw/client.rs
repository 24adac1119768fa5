//! A client that can misbehave: raw bytes out, strictly checked responses and frames in, all within a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::frame::{CLOSE, Frame, Received};
use super::http::{ACCEPT, Response};

/// How long a test waits for what must happen. Long, because it only ever passes in full when a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How the TCP connection ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ending {
    Closed,
    Reset,
}

pub(crate) struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
    /// How much of `received` was taken.
    taken: usize,
    ending: Option<Ending>,
    compression_agreed: bool,
}

impl RawClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let (received, compression_agreed) = (Vec::new(), false);
        RawClient { stream, received, taken: 0, ending: None, compression_agreed }
    }

    /// The socket itself, for what the other methods do not offer.
    pub(crate) fn stream(&self) -> TcpStream {
        self.stream.try_clone().unwrap()
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the server reads");
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    pub(crate) fn send_frame(&mut self, frame: &Frame) {
        self.send(frame.encode());
    }

    /// Ends our direction of the TCP connection.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads until `complete` finds what it wants among the bytes not yet taken, and takes as much as it says.
    /// `None` when the stream ends first; a panic when nothing decides it in time.
    fn take<T>(&mut self, what: &str, complete: impl Fn(&[u8]) -> Option<(T, usize)>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((value, length)) = complete(&self.received[self.taken..]) {
                self.taken += length;
                return Some(value);
            }
            if self.ending.is_some() {
                return None;
            }
            assert!(self.read_before(deadline), "no {what} within {PATIENCE:?}");
        }
    }

    /// One read. False when the deadline passes first.
    fn read_before(&mut self, deadline: Instant) -> bool {
        self.received.drain(..std::mem::take(&mut self.taken));
        let remaining = deadline.saturating_duration_since(Instant::now());
        self.stream.set_read_timeout(Some(remaining.max(Duration::from_millis(1)))).unwrap();
        let mut chunk = vec![0; 256 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.ending = Some(Ending::Closed),
            Ok(length) => self.received.extend(&chunk[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return false;
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                self.ending = Some(Ending::Reset);
            }
            Err(error) => panic!("reading: {error}"),
        }
        true
    }

    /// Waits for anything new: bytes, or the end. False when nothing came.
    pub(crate) fn hears_within(&mut self, wait: Duration) -> bool {
        self.taken < self.received.len()
            || self.ending.is_some()
            || self.read_before(Instant::now() + wait)
    }

    /// The server's response; a refusal with its whole body, up to the end of the stream.
    pub(crate) fn response(&mut self) -> Response {
        let head = self.take("response", |bytes| {
            let length = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
            Some((bytes[..length].to_vec(), length + 4))
        });
        let head =
            head.unwrap_or_else(|| panic!("the stream ended before a response: {:?}", self.ending));
        let mut response = Response::parse(&String::from_utf8(head).expect("a head in ASCII"));
        if response.status != 101 {
            self.ending();
            response.body =
                String::from_utf8(self.received.split_off(self.taken)).expect("a body in UTF-8");
        }
        response
    }

    /// The 101 that completes the opening handshake, checked as §4.1 tells a client to.
    pub(crate) fn accepted(&mut self) -> Response {
        let response = self.response();
        assert_eq!(response.status, 101, "{response:?}");
        assert!(response.lists("Upgrade", "websocket"), "{response:?}");
        assert!(response.lists("Connection", "Upgrade"), "{response:?}");
        assert_eq!(response.header("Sec-WebSocket-Accept"), Some(ACCEPT));
        self.compression_agreed = response.header("Sec-WebSocket-Extensions").is_some();
        response
    }

    /// The next frame, or `None` at the end of the stream.
    pub(crate) fn frame(&mut self) -> Option<Received> {
        let frame = self.take("frame", Received::parse);
        if frame.is_none() {
            assert_eq!(self.received.len(), self.taken, "the stream ended inside a frame");
        }
        assert!(
            self.compression_agreed || frame.as_ref().is_none_or(|frame| !frame.compressed),
            "the server compressed without agreement (§5.2)"
        );
        frame
    }

    /// The next frame must be this one.
    pub(crate) fn expect(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        let frame = self.frame().expect("a frame, not the end of the stream");
        // Compared without assert_eq!: nobody wants a megabyte printed.
        let same = frame.fin
            && !frame.compressed
            && frame.opcode == opcode
            && frame.payload == payload.as_ref();
        let start = &frame.payload[..frame.payload.len().min(80)];
        assert!(
            same,
            "opcode {} fin {} {start:?}… ({} bytes)",
            frame.opcode,
            frame.fin,
            frame.payload.len()
        );
    }

    /// How the connection ended, after whatever still came.
    pub(crate) fn ending(&mut self) -> &Ending {
        let deadline = Instant::now() + PATIENCE;
        while self.ending.is_none() {
            assert!(
                self.read_before(deadline),
                "the server did not end the connection within {PATIENCE:?}"
            );
        }
        self.ending.as_ref().unwrap()
    }

    /// The server closes with this code: one Close frame, nothing after it, then the end of the TCP connection.
    /// Frames that were on their way before the Close are let through.
    pub(crate) fn expect_close(&mut self, code: u16) {
        let close = loop {
            let frame = self.frame().unwrap_or_else(|| panic!("no Close frame: {:?}", self.ending));
            if frame.opcode == CLOSE {
                break frame;
            }
        };
        assert_eq!(close.close_code(), Some(code), "{}", String::from_utf8_lossy(&close.payload));
        assert_eq!(self.frame(), None, "a frame after the server's Close frame");
        assert_eq!(self.ending, Some(Ending::Closed));
    }
}
