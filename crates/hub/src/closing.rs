//! Why a connection ends, and why one is not let in.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// What goes into the Close frame of a connection that the server ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closing {
    /// The close code, from the registry of RFC 6455 §11.7.
    pub code: u16,
    /// A sentence for people, of at most 123 bytes so that it fits a Close frame.
    pub reason: Cow<'static, str>,
}

impl Closing {
    /// For a reason of the embedding server's own.
    #[must_use]
    pub fn because(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// 1001: the server stops. Coming back later, or to another server, is right.
    #[must_use]
    pub const fn going_away() -> Self {
        Self::new(1001, "the server is stopping; come back later")
    }

    /// 1012: the server starts again. Coming back soon is right.
    #[must_use]
    pub const fn restarting() -> Self {
        Self::new(1012, "the server is restarting; come back soon")
    }

    /// 4013: more waited for this reader than `mailbox_bytes_max`. Coming back is right.
    pub(crate) const fn read_too_slowly() -> Self {
        Self::new(4013, "you read too slowly and too much was waiting; come back and read on")
    }

    /// 4429: the member sent much more than it may. Coming back later is right.
    pub(crate) const fn sent_too_much() -> Self {
        Self::new(4429, "you send too much; come back later and send less")
    }

    /// 1012: the room was forgotten while its members were silent, and begins anew. Coming back is right.
    pub(crate) const fn begins_anew() -> Self {
        Self::new(1012, "the room was forgotten and begins anew; come back")
    }

    /// 1000: the member left.
    pub(crate) const fn left() -> Self {
        Self::new(1000, "you left the room")
    }

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }
}

/// Why nobody was let into the room.
///
/// A browser's page cannot see the status of a refused handshake, so a chat server best opens the connection and
/// closes it with [`Refusal::closing`]; a server that refuses the handshake itself uses [`Refusal::http_status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The name of the room is empty, too long, or has characters other than those allowed.
    RoomName,
    /// The room has `members_per_room_max` members.
    RoomFull,
    /// There are `rooms_max` rooms that somebody is in.
    TooManyRooms,
    /// The user or the address has begun `rooms_begun_per_hour_max` rooms.
    TooManyBegun,
    /// The user has `memberships_per_user_max` connections.
    TooManyOfUser,
    /// The name that the server vouches for cannot be one.
    Name,
    /// The store cannot read.
    NotReadable,
    /// The server stops and lets nobody in any more.
    Closed(Closing),
}

impl Refusal {
    /// How to close a connection that is open already. Code 1008 says "not like this", 1013 "try again later".
    #[must_use]
    pub fn closing(&self) -> Closing {
        let code = match self {
            Self::RoomName => 1008,
            Self::TooManyOfUser | Self::TooManyBegun => 4429,
            Self::Name => 4403,
            Self::RoomFull | Self::TooManyRooms | Self::NotReadable => 1013,
            Self::Closed(closing) => return closing.clone(),
        };
        Closing { code, reason: self.to_string().into() }
    }

    /// The refusal as programs know it; these words never change.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::RoomName => "room_invalid",
            Self::RoomFull => "room_full",
            Self::TooManyRooms => "too_many_open_rooms",
            Self::TooManyBegun => "too_many_rooms_begun",
            Self::TooManyOfUser => "too_many_of_user",
            Self::Name => "name_invalid",
            Self::NotReadable => "not_readable",
            Self::Closed(_) => "stopping",
        }
    }

    /// The status that refuses the opening handshake.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::RoomName => 404,
            Self::TooManyOfUser | Self::TooManyBegun => 429,
            Self::Name => 403,
            Self::RoomFull | Self::TooManyRooms | Self::NotReadable | Self::Closed(_) => 503,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RoomName => {
                "a room's name is short, of a-z, 0-9, '-', '_' and '.', and begins with a letter or digit"
            }
            Self::RoomFull => "the room is full; try again later",
            Self::TooManyRooms => "there are too many rooms; try again later, or enter one that exists",
            Self::TooManyBegun => "you begin too many rooms; come back later, or enter one that exists",
            Self::TooManyOfUser => "you have too many connections; end one of them",
            Self::Name => "the name you are known under cannot be one",
            Self::NotReadable => "the history cannot be read just now; try again later",
            Self::Closed(closing) => &closing.reason,
        })
    }
}

impl Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_fits_a_close_frame() {
        let refusals = [
            Refusal::RoomName,
            Refusal::RoomFull,
            Refusal::TooManyRooms,
            Refusal::TooManyOfUser,
            Refusal::TooManyBegun,
            Refusal::Name,
        ];
        let closings = [
            Closing::going_away(),
            Closing::restarting(),
            Closing::read_too_slowly(),
            Closing::begins_anew(),
            Closing::sent_too_much(),
            Closing::left(),
        ];
        for closing in refusals.iter().map(Refusal::closing).chain(closings) {
            // RFC 6455 §5.5: a control frame carries at most 125 bytes, of which the code takes two.
            assert!(closing.reason.len() <= 123, "{}", closing.reason);
        }
    }
}
