//! What is sent back.

use wskit_proto::handshake::{Acceptance, ServerOpening};
use wskit_proto::{Compression, Config, Connection, Event, Input, Message, Output, Role};

pub enum Echo {
    Bytes(Vec<u8>),
    Messages(Box<Messages>),
}

/// The server's end of a WebSocket.
pub struct Messages {
    input: Input,
    output: Output,
    opening: ServerOpening,
    connection: Option<Connection>,
}

impl Echo {
    pub fn bytes() -> Echo {
        Echo::Bytes(Vec::new())
    }

    pub fn messages() -> Echo {
        let opening = ServerOpening::default();
        Echo::Messages(Box::new(Messages {
            input: Input::new(),
            output: Output::default(),
            opening,
            connection: None,
        }))
    }

    pub fn receive(&mut self, bytes: &[u8]) {
        match self {
            Echo::Bytes(replies) => replies.extend_from_slice(bytes),
            Echo::Messages(messages) => messages.receive(bytes),
        }
    }

    /// Puts what waits to be sent behind `replies`.
    pub fn take_replies(&mut self, replies: &mut Vec<u8>) {
        match self {
            Echo::Bytes(waiting) => std::mem::swap(replies, waiting),
            Echo::Messages(messages) => {
                let output = &mut messages.output;
                output.chunks().for_each(|chunk| replies.extend_from_slice(chunk));
                output.advance(output.len());
            }
        }
    }
}

impl Messages {
    fn receive(&mut self, bytes: &[u8]) {
        let Messages { input, output, opening, connection } = self;
        input.extend_from_slice(bytes);
        if connection.is_none() {
            let Some(offer) = opening.receive(input.bytes_mut()).expect("it is a good request")
            else {
                return;
            };
            let agreed = offer.accept(Acceptance::default(), &Compression::off(), output);
            *connection = Some(Connection::with_agreed(Role::Server, Config::default(), &agreed));
        }
        let Some(connection) = connection else { return };
        // After an error there is nothing more to receive; what it says is in the output.
        while let Ok(Some(message)) =
            connection.receive(input, output).map(|event| event.map(Event::into_message))
        {
            if let Message::Text(_) | Message::Binary(_) = message {
                connection.send(message, output).expect("it is open");
            }
        }
    }
}
