//! What a member did that cannot be done, and how to do it right.

use std::error::Error;
use std::fmt;

use crate::limits::Limits;

/// Why the engine did not do what a member asked. It is told to this member alone, as an `error` event, and the
/// member stays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Complaint {
    /// A text that begins with `{` but is no command; says what is wrong with it.
    NotACommand(String),
    /// The `id` is empty or longer than `id_chars_max`.
    Id {
        /// The limit.
        chars_max: usize,
    },
    /// What the client calls itself is too short, too long, or has characters other than visible ASCII.
    Client {
        /// The fewest characters.
        chars_min: usize,
        /// The most.
        chars_max: usize,
    },
    /// There is nothing in the message.
    MessageEmpty,
    /// The message is longer than `message_bytes_max`.
    MessageTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The member sends more often than `messages_per_second_max`.
    TooFast {
        /// The limit.
        per_second_max: u32,
    },
    /// More waits to be kept than may wait.
    Busy,
    /// There are as many rooms as may be kept, and nothing was said in this one so far.
    TooManyRooms,
    /// The store failed: the message is not kept, or nothing can be read.
    NotKept,
    /// Binary messages have no meaning here.
    Binary,
    /// A name has to have something in it that can be seen.
    NameEmpty,
    /// The name is longer than `name_chars_max`.
    NameTooLong {
        /// The limit.
        chars_max: usize,
    },
    /// The name has control characters, or characters that turn or hide text.
    NameCharacters,
    /// The name belongs to the server.
    NameReserved,
    /// Another member has the name.
    NameTaken,
    /// The member is known to the server under its name.
    NameFixed,
    /// The member has no right to do that.
    NotAllowed,
}

impl Complaint {
    pub(crate) fn message_too_large(limits: &Limits) -> Self {
        Self::MessageTooLarge { bytes_max: limits.message_bytes_max }
    }

    /// The complaint as programs know it; these words never change.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotACommand(_) => "not_a_command",
            Self::Id { .. } => "id_invalid",
            Self::Client { .. } => "client_invalid",
            Self::MessageEmpty => "message_empty",
            Self::MessageTooLarge { .. } => "message_too_large",
            Self::TooFast { .. } => "too_fast",
            Self::Busy => "busy",
            Self::TooManyRooms => "too_many_rooms",
            Self::NotKept => "not_kept",
            Self::Binary => "binary_refused",
            Self::NameEmpty => "name_empty",
            Self::NameTooLong { .. } => "name_too_long",
            Self::NameCharacters => "name_characters",
            Self::NameReserved => "name_reserved",
            Self::NameTaken => "name_taken",
            Self::NameFixed => "name_fixed",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// The complaint as people read it.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACommand(fault) => write!(
                f,
                "{fault}. Known are {{\"say\":\"hello\"}}, {{\"name\":\"ann\"}}, {{\"who\":true}} and \
                 {{\"history\":{{\"before\":100}}}}, each with an \"id\" if you like; any text that does not begin with {{ is simply said."
            ),
            Self::Id { chars_max } => write!(f, "An id has 1 to {chars_max} characters."),
            Self::Client { chars_min, chars_max } => write!(
                f,
                "What a client calls itself has {chars_min} to {chars_max} characters of visible ASCII, best drawn by \
                 chance."
            ),
            Self::MessageEmpty => f.write_str("There is nothing in that message."),
            Self::MessageTooLarge { bytes_max } => {
                write!(f, "A message has at most {bytes_max} bytes.")
            }
            Self::TooFast { per_second_max } => {
                write!(
                    f,
                    "That was too fast and was passed over: at most {per_second_max} messages a second for long."
                )
            }
            Self::Busy => f.write_str("Too much waits to be kept just now; send it again in a moment."),
            Self::TooManyRooms => f.write_str(
                "There are as many rooms as there may be; say it in one that exists, or try again another day.",
            ),
            Self::NotKept => f.write_str(
                "The history cannot be written or read just now; send it again later, under the same id.",
            ),
            Self::Binary => f.write_str("Binary messages have no meaning here; send text."),
            Self::NameEmpty => f.write_str("A name needs at least one character that can be seen."),
            Self::NameTooLong { chars_max } => {
                write!(f, "A name has at most {chars_max} characters.")
            }
            Self::NameCharacters => {
                f.write_str("A name has no control characters and none that turn or hide text.")
            }
            Self::NameReserved => f.write_str("That name belongs to the server; choose another."),
            Self::NameTaken => f.write_str("Somebody here has that name; choose another."),
            Self::NameFixed => f.write_str("The server knows you under your name."),
            Self::NotAllowed => f.write_str("You may not do that here."),
        }
    }
}

impl Error for Complaint {}
