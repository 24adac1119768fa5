//! One connection: sends as many messages as may be in flight, and one more for each reply.

use crate::replies::Replies;
use crate::stream::Stream;
use mio::net::TcpStream;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) replies: Replies,
    in_flight_max: usize,
    /// Messages that were given to the socket, or of which a part was.
    begun: usize,
    /// What of the last of them is still to be written: this many messages, without their first bytes.
    unwritten: usize,
    written_of_unwritten: usize,
    /// When messages were sent, and how many at that time.
    sent: VecDeque<(Instant, usize)>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, replies: Replies, in_flight_max: usize) -> Self {
        Self {
            stream,
            replies,
            in_flight_max,
            begun: 0,
            unwritten: 0,
            written_of_unwritten: 0,
            sent: VecDeque::new(),
        }
    }

    /// Sends as many messages as may be in flight.
    pub(crate) fn send(&mut self, stream: &Stream) -> Result<(), String> {
        loop {
            if self.unwritten == 0 {
                let count = self.in_flight_max - (self.begun - self.replies.received);
                if count == 0 {
                    return Ok(());
                }
                self.sent.push_back((Instant::now(), count));
                self.begun += count;
                self.unwritten = count;
                self.written_of_unwritten = 0;
            }
            let bytes = stream.bytes(self.begun - self.unwritten, self.unwritten);
            while self.written_of_unwritten < bytes.len() {
                match self.stream.write(&bytes[self.written_of_unwritten..]) {
                    Ok(written) => self.written_of_unwritten += written,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(format!("cannot write: {error}")),
                }
            }
            self.unwritten = 0;
        }
    }

    /// Takes what has arrived, and tells of each reply how long after its message it came.
    pub(crate) fn receive(
        &mut self,
        stream: &Stream,
        buffer: &mut [u8],
        mut replied: impl FnMut(Duration, usize),
    ) -> Result<(), String> {
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Err("the server ended the connection".into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(format!("cannot read: {error}")),
            };
            let before = self.replies.received;
            self.replies.take(&buffer[..read], stream)?;
            let now = Instant::now();
            let mut count = self.replies.received - before;
            while count > 0 {
                let (at, waiting) = self.sent.front_mut().ok_or("a reply to nothing")?;
                let answered = count.min(*waiting);
                replied(now - *at, answered);
                *waiting -= answered;
                count -= answered;
                if *waiting == 0 {
                    self.sent.pop_front();
                }
            }
            if read < buffer.len() {
                return Ok(());
            }
        }
    }
}
