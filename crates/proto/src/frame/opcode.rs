//! Opcodes (RFC 6455 §5.2).

/// What a data message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// The frames that may stand between the fragments of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// Begins or answers the closing handshake (RFC 6455 §5.5.1).
    Close,
    /// Asks for a Pong with the same payload (RFC 6455 §5.5.2).
    Ping,
    /// Answers a Ping, or comes unasked as a sign of life (RFC 6455 §5.5.3).
    Pong,
}

/// What a frame is. The reserved opcodes cannot be expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// A further fragment of the message begun before.
    Continuation,
    /// The first, or only, frame of a message.
    Data(Kind),
    /// A control frame.
    Control(Control),
}

impl Opcode {
    /// The opcode with this number, unless it is reserved.
    #[inline]
    pub const fn from_number(number: u8) -> Option<Opcode> {
        Some(match number {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Data(Kind::Text),
            0x2 => Opcode::Data(Kind::Binary),
            0x8 => Opcode::Control(Control::Close),
            0x9 => Opcode::Control(Control::Ping),
            0xA => Opcode::Control(Control::Pong),
            _ => return None,
        })
    }

    /// The number that stands for it in a frame.
    #[inline]
    pub const fn number(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Data(Kind::Text) => 0x1,
            Opcode::Data(Kind::Binary) => 0x2,
            Opcode::Control(Control::Close) => 0x8,
            Opcode::Control(Control::Ping) => 0x9,
            Opcode::Control(Control::Pong) => 0xA,
        }
    }
}
