//! A server that plays a script on one connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// How long anything that must happen may take. Long, because it only ever passes in full when a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A timeout that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A correct response, with `old` in it replaced; an empty `old` adds a line. KEY and ACCEPT stand for what the
/// client's request makes of them.
pub(crate) fn response_with(old: &str, new: &str) -> String {
    let mut lines =
        vec!["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    lines.push("Sec-WebSocket-Accept: ACCEPT");
    if old.is_empty() {
        lines.push(new);
    }
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| if old.is_empty() { line.into() } else { line.replace(old, new) })
        .collect();
    let head: String =
        lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
    head + "\r\n"
}

pub(crate) async fn within_patience<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("an outcome in time")
}

/// The `Sec-WebSocket-Accept` value for a key (RFC 6455 §4.2.2).
pub(crate) fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

/// The value of a header in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A short frame as a server sends it.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, payload.len() as u8], payload].concat()
}

/// A server that plays a script on the one connection it accepts.
pub(crate) struct Script {
    pub url: String,
    thread: JoinHandle<()>,
}

impl Script {
    pub(crate) fn play(script: impl FnOnce(&mut Peer) + Send + 'static) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.set_write_timeout(Some(PATIENCE)).unwrap();
            script(&mut Peer { stream });
        });
        Script { url, thread }
    }

    /// Waits for the end of the script; panics when it did.
    pub(crate) fn finish(self) {
        self.thread.join().expect("the script plays to its end");
    }
}

/// The server's end of the connection.
pub(crate) struct Peer {
    pub stream: TcpStream,
}

impl Peer {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the client reads");
    }

    /// Sends until the client ends the connection, which it must.
    pub(crate) fn send_for_ever(&mut self, bytes: &str, pause: Duration) {
        let started = Instant::now();
        while self.stream.write_all(bytes.as_bytes()).is_ok() {
            assert!(started.elapsed() < PATIENCE, "the client reads for ever");
            thread::sleep(pause);
        }
    }

    /// The request head, as text.
    pub(crate) fn request(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a request");
            head.extend(byte);
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) fn key(&mut self) -> String {
        let request = self.request();
        header(&request, "Sec-WebSocket-Key")
            .unwrap_or_else(|| panic!("no key in {request}"))
            .to_owned()
    }

    /// Completes the opening handshake and sends these bytes in the same segment.
    pub(crate) fn open(&mut self, first: impl AsRef<[u8]>) {
        let key = self.key();
        let head = response_with("ACCEPT", &accept(&key));
        self.send([head.as_bytes(), first.as_ref()].concat());
    }

    /// The client's next frame, unmasked; `None` at the end of the stream.
    pub(crate) fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, payload) = self.frame_as_it_is()?;
        assert_eq!(first & 0x70, 0, "the client set a reserved bit (§5.2)");
        Some((first & 0x0f, payload))
    }

    /// The first byte of the client's next frame, and its payload, unmasked.
    pub(crate) fn frame_as_it_is(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 6];
        match self.stream.read_exact(&mut header) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
                ) =>
            {
                return None;
            }
            outcome => outcome.expect("a frame or the end"),
        }
        let [first, second, key @ ..] = header;
        assert_eq!(second & 0x80, 0x80, "the client must mask (§5.1)");
        assert!(second & 0x7f < 126, "a short frame");
        let mut payload = vec![0; usize::from(second & 0x7f)];
        self.stream.read_exact(&mut payload).unwrap();
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        Some((first, payload))
    }

    pub(crate) fn wait_for_end(&mut self) {
        match self.stream.read_to_end(&mut Vec::new()) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            outcome => drop(outcome.expect("the client ends the connection")),
        }
    }
}
