//! Many connections that read on one thread.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Readers {
    poll: Poll,
    events: Events,
    readers: Vec<Reader>,
    /// What all have received so far.
    pub bytes: usize,
}

struct Reader {
    stream: TcpStream,
    /// The beginning of a frame.
    rest: Vec<u8>,
}

impl Readers {
    /// Opens connections, one after the other.
    pub fn open(address: SocketAddr, path: &str, count: usize) -> io::Result<Readers> {
        let poll = Poll::new()?;
        let mut readers = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream = TcpStream::from_std(upgrade(address, path)?);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            readers.push(Reader { stream, rest: Vec::new() });
        }
        Ok(Readers { poll, events: Events::with_capacity(1024), readers, bytes: 0 })
    }

    pub fn len(&self) -> usize {
        self.readers.len()
    }

    /// Reads until nothing comes for so long.
    pub fn read_until_quiet(&mut self, quiet: Duration) -> io::Result<()> {
        while self.read(quiet)?.is_some() {}
        Ok(())
    }

    /// The first connection says this, and all read so many messages.
    pub fn speak(&mut self, frames: &[u8], messages: usize) -> io::Result<()> {
        self.readers[0].stream.write_all(frames)?;
        let mut missing = messages * self.readers.len();
        while missing > 0 {
            let read = self.read(PATIENCE)?.ok_or_else(|| Error::other("messages are missing"))?;
            missing =
                missing.checked_sub(read).ok_or_else(|| Error::other("more than was said"))?;
        }
        Ok(())
    }

    /// Reads what is there, and counts the messages; `None` if nothing comes.
    fn read(&mut self, timeout: Duration) -> io::Result<Option<usize>> {
        self.poll.poll(&mut self.events, Some(timeout))?;
        if self.events.is_empty() {
            return Ok(None);
        }
        let mut messages = 0;
        for event in &self.events {
            let (read, bytes) = self.readers[event.token().0].read()?;
            messages += read;
            self.bytes += bytes;
        }
        Ok(Some(messages))
    }
}

impl Reader {
    /// How many messages, and bytes, there were.
    fn read(&mut self) -> io::Result<(usize, usize)> {
        let (mut messages, mut bytes) = (0, 0);
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
        while let Some(length) = frame_bytes(&self.rest[taken..]) {
            messages += usize::from(self.rest[taken] == 0x81);
            taken += length;
        }
        self.rest.drain(..taken);
        Ok((messages, bytes))
    }
}

/// The length of the frame at the front, if it is whole.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit));
    let whole = match bytes.get(1)? {
        126 => 4 + number(bytes.get(2..4)?),
        127 => 10 + number(bytes.get(2..10)?),
        &short => 2 + usize::from(short),
    };
    (bytes.len() >= whole).then_some(whole)
}

/// A connection after its opening handshake.
fn upgrade(address: SocketAddr, path: &str) -> io::Result<std::net::TcpStream> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    // Byte for byte, for messages may come behind it.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        return Err(Error::other("not upgraded"));
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}
