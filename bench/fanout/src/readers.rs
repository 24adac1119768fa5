//! Many connections that read on one thread.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

pub const PATIENCE: Duration = Duration::from_secs(10);

/// So many ask at a time, and the others read meanwhile: the members of a chat are told of each who comes.
const OPENED_TOGETHER: usize = 100;

pub struct Readers {
    poll: Poll,
    events: Events,
    readers: Vec<Reader>,
    /// What all have received so far.
    pub bytes: usize,
}

struct Reader {
    stream: TcpStream,
    is_open: bool,
    /// What is not whole yet: the response's head, and then a frame.
    rest: Vec<u8>,
}

impl Readers {
    /// Opens connections to these targets. `offer` is a header field more, or nothing.
    pub fn open(address: SocketAddr, targets: &[String], offer: &str) -> io::Result<Readers> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(1024));
        let mut opened =
            Readers { poll, events, readers: Vec::with_capacity(targets.len()), bytes: 0 };
        for together in targets.chunks(OPENED_TOGETHER) {
            let first = opened.len();
            for target in together {
                let mut stream = TcpStream::from_std(ask(address, target, offer)?);
                let token = Token(opened.len());
                opened.poll.registry().register(&mut stream, token, Interest::READABLE)?;
                opened.readers.push(Reader { stream, is_open: false, rest: Vec::new() });
            }
            while !opened.readers[first..].iter().all(|reader| reader.is_open) {
                opened.read(PATIENCE, |_, _| {})?.ok_or_else(|| Error::other("no response"))?;
            }
        }
        Ok(opened)
    }

    pub fn len(&self) -> usize {
        self.readers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// Reads until nothing comes for so long.
    pub fn read_until_quiet(&mut self, quiet: Duration) -> io::Result<()> {
        while self.read(quiet, |_, _| {})?.is_some() {}
        Ok(())
    }

    /// This one says this.
    pub fn speak(&mut self, speaker: usize, frames: &[u8]) -> io::Result<()> {
        self.readers[speaker].stream.write_all(frames)
    }

    /// Reads until all together have read so many messages, each of which is handed over with its reader's number.
    pub fn read_messages(
        &mut self,
        mut missing: usize,
        mut heard: impl FnMut(usize, &[u8]),
    ) -> io::Result<()> {
        while missing > 0 {
            let read = self.read(PATIENCE, &mut heard)?;
            let read = read.ok_or_else(|| Error::other("messages are missing"))?;
            missing =
                missing.checked_sub(read).ok_or_else(|| Error::other("more than was said"))?;
        }
        Ok(())
    }

    /// Reads what is there, and counts the messages; `None` if nothing comes.
    pub fn read(
        &mut self,
        timeout: Duration,
        mut heard: impl FnMut(usize, &[u8]),
    ) -> io::Result<Option<usize>> {
        self.poll.poll(&mut self.events, Some(timeout))?;
        if self.events.is_empty() {
            return Ok(None);
        }
        let mut messages = 0;
        for event in &self.events {
            let number = event.token().0;
            self.bytes += self.readers[number].read(|payload| {
                messages += 1;
                heard(number, payload);
            })?;
        }
        Ok(Some(messages))
    }
}

impl Reader {
    /// Reads what is there and says how many bytes that were.
    fn read(&mut self, mut heard: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut bytes = 0;
        let mut buffer = [0; 16 << 10];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::other("the server has ended a connection")),
                Ok(read) => {
                    bytes += read;
                    self.rest.extend_from_slice(&buffer[..read]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let mut taken = 0;
        if !self.is_open {
            let end = self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            let Some(end) = end else { return Ok(bytes) };
            if !self.rest.starts_with(b"HTTP/1.1 101 ") {
                return Err(Error::other("not upgraded"));
            }
            self.is_open = true;
            taken = end + 4;
        }
        while let Some((head, whole)) = frame_bytes(&self.rest[taken..]) {
            let payload = &self.rest[taken + head..taken + whole];
            match self.rest[taken] & 0x8f {
                // The last frame of a text, compressed or not.
                0x81 => heard(payload),
                0x89 => self.stream.write_all(&pong(payload))?,
                _ => {}
            }
            taken += whole;
        }
        self.rest.drain(..taken);
        Ok(bytes)
    }
}

/// The lengths of the header and of the whole frame at the front, if it is whole.
fn frame_bytes(bytes: &[u8]) -> Option<(usize, usize)> {
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit));
    let (head, payload) = match bytes.get(1)? {
        126 => (4, number(bytes.get(2..4)?)),
        127 => (10, number(bytes.get(2..10)?)),
        &short => (2, usize::from(short)),
    };
    (bytes.len() >= head + payload).then_some((head, head + payload))
}

/// The answer to a Ping, with a masking key of zeros.
fn pong(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x8a, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// A connection on which the opening handshake was begun.
fn ask(address: SocketAddr, target: &str, offer: &str) -> io::Result<std::net::TcpStream> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
