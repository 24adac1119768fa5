//! Receives or sends messages with the protocol core alone, for the instructions to be counted.
//!
//! `core-costs receive-binary 125 100 200` prepares 200 messages of 125 bytes and receives 100 of them. What two
//! such runs differ by is the receiving alone, for both have prepared the same.

use std::{env, hint::black_box, process::exit};
use wskit_proto::{Config, Connection, Event, Input, Message, Output, ProtocolError, Role};

const CLIENT: Role = Role::Client(|| [0x12, 0x34, 0x56, 0x78]);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [action, numbers @ ..] = &arguments[..] else { usage() };
    let numbers: Vec<usize> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let [bytes, count, prepared] = numbers[..] else { usage() };
    let text = "a".repeat(bytes);
    let binary = Message::binary(text.clone());
    match action.as_str() {
        "receive-binary" => receive(binary, count, prepared),
        "receive-text" => receive(Message::text(text), count, prepared),
        "receive-multibyte" => receive(Message::text(multibyte(bytes)), count, prepared),
        "receive-parts" => receive(Message::text(text), count, 0),
        "send" => send(Role::Server, binary, count),
        "send-masked" => send(CLIENT, binary, count),
        _ => usage(),
    }
}

fn usage() -> ! {
    eprintln!(
        "core-costs receive-binary|receive-text|receive-multibyte|receive-parts|send|send-masked \
         BYTES COUNT PREPARED"
    );
    exit(2)
}

/// Text of characters of two, three and four bytes, as long as whole ones allow.
fn multibyte(bytes: usize) -> String {
    let mut text = "é漢🦀".repeat(bytes / 9 + 1);
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// Receives what a client has sent. What was prepared of it lies in the input already; the rest arrives in four parts for
/// each message, which are copied into the input.
fn receive(message: Message, count: usize, prepared: usize) {
    let frame = masked(message);
    let mut input = Input::from(&frame.repeat(prepared)[..]);
    let mut parts = frame.chunks(frame.len().div_ceil(4)).cycle();
    let mut output = Output::default();
    let mut connection = Connection::new(Role::Server, Config::default());
    for _ in 0..count {
        while !is_received(connection.receive(&mut input, &mut output)) {
            input.extend_from_slice(parts.next().expect("they come again and again"));
        }
    }
}

fn is_received(received: Result<Option<Event<'_>>, ProtocolError>) -> bool {
    match received {
        Ok(None) => return false,
        Ok(Some(Event::Binary(binary))) => drop(black_box(binary)),
        Ok(Some(Event::Text(text))) => drop(black_box(text)),
        other => panic!("{other:?}"),
    }
    true
}

/// A message as a client sends it.
fn masked(message: Message) -> Vec<u8> {
    let mut output = Output::default();
    Connection::new(CLIENT, Config::default()).send(message, &mut output).expect("it is open");
    output.chunks().flatten().copied().collect()
}

/// Sends a message again and again, and takes it out of the output as a socket would.
fn send(role: Role, message: Message, count: usize) {
    let mut output = Output::default();
    let mut connection = Connection::new(role, Config::default());
    for _ in 0..count {
        connection.send(message.clone(), &mut output).expect("it is open");
        black_box(&output);
        output.advance(output.len());
    }
}
