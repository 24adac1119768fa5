//! The floor: bytes back over bare TCP, with epoll and one buffer for all connections.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::hint::black_box;
use std::io::{self, ErrorKind, Read, Write};

const LISTENER: Token = Token(usize::MAX);
/// Unless the program's second argument says otherwise.
const BUFFER_BYTES: usize = 64 << 10;
/// A masking key that leaves the bytes as they are, which the compiler is not to know.
const KEY: [u8; 4] = [0; 4];

/// What every WebSocket server has to do with the bytes on their way, by the program's third argument.
#[derive(Clone, Copy)]
enum Work {
    Nothing,
    /// As each message of a client demands (RFC 6455 §5.3).
    Unmask,
    /// As a text demands (RFC 6455 §8.1).
    UnmaskAndCheck,
}

struct Connection {
    stream: TcpStream,
    /// What could not be written yet.
    unsent: Vec<u8>,
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).expect("the first argument is the address");
    let buffer_bytes = std::env::args()
        .nth(2)
        .map_or(BUFFER_BYTES, |bytes| bytes.parse().expect("a number of bytes"));
    let work = match std::env::args().nth(3).as_deref() {
        None => Work::Nothing,
        Some("unmask") => Work::Unmask,
        Some("check") => Work::UnmaskAndCheck,
        Some(_) => panic!("the third argument is unmask or check"),
    };
    let mut listener = TcpListener::bind(address.parse().expect("an address and a port"))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = vec![0; buffer_bytes];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let slot = free.pop().unwrap_or(connections.len());
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(slot), interest)?;
                    if slot == connections.len() {
                        connections.push(None);
                    }
                    connections[slot] = Some(Connection { stream, unsent: Vec::new() });
                }
                continue;
            }
            let slot = &mut connections[event.token().0];
            let Some(connection) = slot else { continue };
            if !echo(connection, &mut buffer, work).unwrap_or(false) {
                *slot = None;
                free.push(event.token().0);
            }
        }
    }
}

/// Sends back what has arrived; whether the connection goes on.
fn echo(connection: &mut Connection, buffer: &mut [u8], work: Work) -> io::Result<bool> {
    loop {
        if !connection.unsent.is_empty() {
            let written = write(&mut connection.stream, &connection.unsent)?;
            connection.unsent.drain(..written);
            if !connection.unsent.is_empty() {
                return Ok(true);
            }
        }
        let read = match connection.stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        };
        work.on(&mut buffer[..read]);
        let written = write(&mut connection.stream, &buffer[..read])?;
        connection.unsent.extend_from_slice(&buffer[written..read]);
        if read < buffer.len() && connection.unsent.is_empty() {
            return Ok(true);
        }
    }
}

impl Work {
    fn on(self, bytes: &mut [u8]) {
        if !matches!(self, Work::Nothing) {
            wskit_bytes::mask(bytes, black_box(KEY), 0);
        }
        if matches!(self, Work::UnmaskAndCheck) {
            // A character may be cut at the end, so what comes of it is not looked at.
            let _is_text = black_box(simdutf8::basic::from_utf8(bytes).is_ok());
        }
    }
}

/// Writes what the socket takes.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
