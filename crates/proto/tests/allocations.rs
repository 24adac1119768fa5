//! Once warm, a message costs no allocation, in or out.

mod common;
#[path = "common/counting.rs"]
mod counting;

use bytes::Bytes;
use common::*;
use counting::allocations;
use wskit_proto::{
    Config, Connection, Event, Input, Kind, Message, Output, PieceEvent, Role, Text,
};

const SIZES: [usize; 8] = [0, 1, 125, 126, 1024, 65_535, 65_536, 1 << 20];

/// A connection whose buffers are kept from message to message.
struct Warm {
    connection: Connection,
    input: Input,
    output: Output,
}

impl Warm {
    fn new(role: Role) -> Warm {
        let connection = Connection::new(role, Config::default());
        Warm { connection, input: Input::new(), output: Output::default() }
    }

    /// Hands the next message to `take`; there is exactly one.
    fn receive(&mut self, bytes: &[u8], mut take: impl FnMut(Event<'_>)) {
        self.input.extend_from_slice(bytes);
        let event = self.connection.receive(&mut self.input, &mut self.output);
        take(event.expect("the message is good").expect("the message is whole"));
        assert!(self.input.is_empty());
    }

    fn send(&mut self, message: Message) {
        self.connection.send(message, &mut self.output).expect("the connection is open");
    }

    /// Lets everything leave, as a socket would take it.
    fn drain(&mut self) -> usize {
        let mut left = 0;
        while !self.output.is_empty() {
            let written = self.output.chunks().next().map_or(0, |chunk| chunk.len().min(100_000));
            self.output.advance(written);
            left += written;
        }
        self.connection.resume(&mut self.output);
        left
    }
}

/// Asserts that `turn` allocates nothing after a few times, for every role, kind and size.
fn costs_nothing(turn: impl Fn(&mut Warm, &[u8], &Message)) {
    for role in ROLES {
        for (opcode, kind) in [(TEXT, Kind::Text), (BINARY, Kind::Binary)] {
            let mut warm = Warm::new(role);
            for size in SIZES {
                let payload = vec![b'x'; size];
                let bytes = frame_to(role, FIN | opcode, &payload);
                let message = whole((kind, payload));
                (0..3).for_each(|_| turn(&mut warm, &bytes, &message));
                let count = allocations(|| (0..10).for_each(|_| turn(&mut warm, &bytes, &message)));
                assert_eq!(count, 0, "{role:?} {kind:?} of {size} bytes");
            }
        }
    }
}

fn payload_bytes(event: &Event<'_>) -> usize {
    match event {
        Event::Text(text) => text.len(),
        Event::Binary(payload) => payload.len(),
        Event::Control(_) => panic!("a message was sent"),
    }
}

#[test]
fn receiving_and_dropping_a_message_allocates_nothing() {
    costs_nothing(|warm, bytes, message| {
        warm.receive(bytes, |event| assert_eq!(payload_bytes(&event), content(message).len()));
    });
}

#[test]
fn receiving_a_message_in_many_reads_allocates_nothing() {
    costs_nothing(|warm, bytes, _| {
        let (front, last) = bytes.split_at(bytes.len() - 1);
        for read in front.chunks(16_384) {
            warm.input.extend_from_slice(read);
            assert!(warm.connection.receive(&mut warm.input, &mut warm.output).unwrap().is_none());
        }
        warm.receive(last, |event| drop(event));
    });
}

#[test]
fn receiving_a_message_piece_by_piece_allocates_nothing() {
    costs_nothing(|warm, bytes, message| {
        let mut received = 0;
        for read in bytes.chunks(16_384) {
            warm.input.extend_from_slice(read);
            while let Some(event) =
                warm.connection.receive_piece(&mut warm.input, &mut warm.output).unwrap()
            {
                let PieceEvent::Piece(piece) = event else { panic!("a message was sent") };
                received += piece.payload.len();
            }
        }
        assert_eq!(received, content(message).len());
    });
}

#[test]
fn sending_a_message_allocates_nothing() {
    costs_nothing(|warm, bytes, message| {
        warm.send(message.clone());
        let (server, client) = (content(message).len() + 2, content(message).len() + 14);
        assert!((server..=client).contains(&warm.drain()), "{}", bytes.len());
    });
}

#[test]
fn echoing_a_message_allocates_nothing() {
    costs_nothing(|warm, bytes, _| {
        let mut kept = None;
        warm.receive(bytes, |event| kept = Some(event.into_message()));
        warm.send(kept.expect("a message was received"));
        warm.drain();
    });
}

#[test]
fn fragments_are_put_together_without_allocating() {
    for role in ROLES {
        let mut warm = Warm::new(role);
        let parts = [(TEXT, 70_000), (CONTINUATION, 1), (FIN, 3000)];
        let bytes = parts.map(|(first, len)| frame_to(role, first, &vec![b'x'; len])).concat();
        let mut turn = || warm.receive(&bytes, |event| assert_eq!(payload_bytes(&event), 73_001));
        (0..3).for_each(|_| turn());
        assert_eq!(allocations(|| (0..10).for_each(|_| turn())), 0);
    }
}

#[test]
fn answering_a_ping_allocates_nothing() {
    for role in ROLES {
        let mut warm = Warm::new(role);
        let ping = frame_to(role, FIN | PING, &[7; 125]);
        let mut turn = || {
            warm.receive(&ping, |event| drop(event));
            assert!(warm.drain() > 125);
        };
        (0..3).for_each(|_| turn());
        assert_eq!(allocations(|| (0..10).for_each(|_| turn())), 0);
    }
}

/// Says that the counting counts.
#[test]
fn a_copy_is_an_allocation() {
    let text = Text::from("x".repeat(100));
    assert_eq!(allocations(|| drop(Bytes::copy_from_slice(text.as_bytes()))), 1);
}

fn content(message: &Message) -> &[u8] {
    match message {
        Message::Text(text) => text.as_bytes(),
        Message::Binary(bytes) => bytes,
        _ => panic!("a data message"),
    }
}
