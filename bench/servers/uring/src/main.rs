//! What io_uring would change: `echo-uring ADDRESS raw|wskit`. Bytes back, or messages by wskit's protocol core, on one
//! thread that waits for completions instead of readiness. One system call submits all that is to be sent and waits.

mod echo;
mod ring;

use echo::Echo;
use ring::{Completion, Ring};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;

/// A connection, and the bytes that the kernel sends for it.
struct Connection {
    socket: OwnedFd,
    echo: Echo,
    /// Must stay where it is while it is sent.
    sending: Vec<u8>,
    sent: usize,
    is_sending: bool,
    is_broken: bool,
    has_ended: bool,
}

impl Connection {
    /// Lets the kernel send what waits, unless it does already.
    fn send(&mut self, place: usize, ring: &mut Ring) {
        if self.is_sending || self.is_broken {
            return;
        }
        if self.sent == self.sending.len() {
            self.sent = 0;
            self.sending.clear();
            self.echo.take_replies(&mut self.sending);
        }
        if self.sent < self.sending.len() {
            self.is_sending = true;
            // SAFETY: `sending` is not touched until this has been completed, and a connection is not dropped before.
            unsafe { ring.send(place, &self.socket, &self.sending[self.sent..]) };
        }
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, what] = &arguments[..] else { panic!("echo-uring ADDRESS raw|wskit") };
    let new_echo = match what.as_str() {
        "raw" => Echo::bytes,
        "wskit" => Echo::messages,
        other => panic!("raw or wskit, not {other}"),
    };
    let listener = TcpListener::bind(address)?;
    let mut ring = Ring::new()?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    ring.accept(&listener);
    loop {
        ring.wait(|completion, ring| {
            let place = match completion {
                Completion::Accepted(socket) => {
                    let place = free.pop().unwrap_or_else(|| {
                        connections.push(None);
                        connections.len() - 1
                    });
                    ring.receive(place, &socket);
                    let echo = new_echo();
                    connections[place] = Some(Connection {
                        socket,
                        echo,
                        sending: Vec::new(),
                        sent: 0,
                        is_sending: false,
                        is_broken: false,
                        has_ended: false,
                    });
                    return;
                }
                Completion::AcceptEnded => return ring.accept(&listener),
                Completion::Received { place, bytes } => {
                    if let Some(connection) = &mut connections[place] {
                        connection.echo.receive(bytes);
                        connection.send(place, ring);
                    }
                    place
                }
                Completion::OutOfBuffers { place } => {
                    if let Some(connection) = &connections[place] {
                        ring.receive(place, &connection.socket);
                    }
                    place
                }
                Completion::Ended { place } => {
                    connections[place]
                        .as_mut()
                        .expect("it is there until it has ended")
                        .has_ended = true;
                    place
                }
                Completion::Sent { place, bytes } => {
                    let connection =
                        connections[place].as_mut().expect("it is there while it sends");
                    connection.is_sending = false;
                    match bytes {
                        Ok(bytes) => {
                            connection.sent += bytes;
                            connection.send(place, ring);
                        }
                        // That it has ended will be received too; nothing more is sent until then.
                        Err(_) => connection.is_broken = true,
                    }
                    place
                }
            };
            if connections[place]
                .as_ref()
                .is_some_and(|connection| connection.has_ended && !connection.is_sending)
            {
                connections[place] = None;
                free.push(place);
            }
        })?;
    }
}
