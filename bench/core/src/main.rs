//! Receives or sends messages with the protocol core alone, for the instructions to be counted.
//!
//! `core-costs receive-binary 125 100 200` prepares 200 messages of 125 bytes and receives 100 of them. What two
//! such runs differ by is the receiving alone, for both have prepared the same.

use bytes::BytesMut;
use std::{env, hint::black_box, process::exit};
use wskit_proto::{Config, Connection, Event, Message, Output, Role};

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
        "send" => send(Role::Server, binary, count),
        "send-masked" => send(CLIENT, binary, count),
        _ => usage(),
    }
}

fn usage() -> ! {
    eprintln!("core-costs receive-binary|receive-text|send|send-masked BYTES COUNT PREPARED");
    exit(2)
}

/// Receives what a client has sent. All of it lies in the input already, so nothing is copied meanwhile.
fn receive(message: Message, count: usize, prepared: usize) {
    let mut output = Output::default();
    Connection::new(CLIENT, Config::default()).send(message, &mut output).expect("it is open");
    let frame: Vec<u8> = output.chunks().flatten().copied().collect();
    let mut input = BytesMut::from(&frame.repeat(prepared)[..]);

    let mut output = Output::default();
    let mut connection = Connection::new(Role::Server, Config::default());
    for _ in 0..count {
        match connection.receive(&mut input, &mut output) {
            Ok(Some(Event::Binary(binary))) => drop(black_box(binary)),
            Ok(Some(Event::Text(text))) => drop(black_box(text)),
            other => panic!("{other:?}"),
        }
    }
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
