//! The floor of opening handshakes: the same 101 to whatever comes first, and the same Close to whatever comes next.

use canned::{BUFFER_BYTES, CLOSE, UPGRADED};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};

const LISTENER: Token = Token(usize::MAX);

struct Connection {
    stream: TcpStream,
    upgraded: bool,
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).expect("the first argument is the address");
    let mut listener = TcpListener::bind(address.parse().expect("an address and a port"))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let slot = free.pop().unwrap_or_else(|| {
                        connections.push(None);
                        connections.len() - 1
                    });
                    poll.registry().register(&mut stream, Token(slot), Interest::READABLE)?;
                    connections[slot] = Some(Connection { stream, upgraded: false });
                }
                continue;
            }
            let slot = &mut connections[event.token().0];
            let Some(connection) = slot else { continue };
            if !answer(connection, &mut buffer).unwrap_or(false) {
                *slot = None;
                free.push(event.token().0);
            }
        }
    }
}

/// Answers what has arrived; whether the connection goes on.
fn answer(connection: &mut Connection, buffer: &mut [u8]) -> io::Result<bool> {
    match connection.stream.read(buffer) {
        Ok(0) => return Ok(false),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
        Err(error) => return Err(error),
    }
    let first = !std::mem::replace(&mut connection.upgraded, true);
    connection.stream.write_all(if first { UPGRADED } else { CLOSE })?;
    Ok(first)
}
