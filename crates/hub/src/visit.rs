//! Who comes, and where to.

use bytes::Bytes;
use wskit_store::Position;

use crate::complaint::Complaint;
use crate::limits::Limits;

/// What somebody says when entering a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// The name of the room.
    pub room: String,
    /// The name that is wanted.
    pub name: Option<String>,
    /// What the client calls itself, so that a message it sends again is known again. Nobody else is to know it.
    pub client: Option<String>,
    /// What the client has already, if it was here before.
    pub had: Option<Had>,
    /// Who it is, as the embedding server has found out.
    pub standing: Standing,
    /// What it may do.
    pub rights: Rights,
    /// Where it comes from, as the embedding server tells places apart. Rooms that are begun are counted for each, or for
    /// each user where the server knows that; without either they are not counted.
    pub place: Option<String>,
}

/// Whether somebody is known, and so whose name it has.
///
/// Where the server knows some of its members, a name tells whether it is vouched for: `~` stands before one that is
/// not, and no name that is has any but the `~2` that tells a user's second connection from the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The server knows nobody, and everybody may have any name.
    #[default]
    Open,
    /// The server knows some of its members, and this is none of them.
    Stranger,
    /// The server knows who this is.
    Known {
        /// Tells this user from all others. Its connections share its limits.
        user: String,
        /// The name that the server vouches for; without one, what tells the user from others if it is fit for a
        /// name.
        name: Option<String>,
    },
}

/// What somebody may do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Hear what is said, read what was, and see who is here.
    pub reads: bool,
    /// Say something.
    pub writes: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Self { reads: true, writes: true }
    }
}

/// The last message somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Had {
    /// The epoch of the room at that time.
    pub epoch: String,
    /// The offset of the last message; 0 if there was none.
    pub offset: u64,
}

impl Visit {
    /// On whose account it is if a room is begun.
    pub(crate) fn beginner(&self) -> Option<String> {
        match &self.standing {
            Standing::Known { user, .. } => Some(format!("user {user}")),
            Standing::Open | Standing::Stranger => {
                self.place.as_ref().map(|place| format!("place {place}"))
            }
        }
    }
}

impl Had {
    /// Whether that is more than there is.
    pub(crate) fn is_ahead_of(&self, position: Option<&Position>) -> bool {
        match position {
            Some(position) => *self.epoch == *position.epoch && self.offset > position.last,
            None => self.offset > 0,
        }
    }
}

/// What a client calls itself, long enough not to be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientName(String);

const CLIENT_NAME_CHARS_MIN: usize = 16;

impl ClientName {
    pub(crate) fn parse(name: &str, limits: &Limits) -> Result<Self, Complaint> {
        let chars = CLIENT_NAME_CHARS_MIN..=limits.id_chars_max;
        if chars.contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Complaint::Client {
                chars_min: CLIENT_NAME_CHARS_MIN,
                chars_max: limits.id_chars_max,
            })
        }
    }

    /// Names a message among all of all clients, by the id it has with this client.
    pub(crate) fn message_id(&self, id: &str) -> Bytes {
        format!("{}\0{id}", self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_name_has_a_length_and_nothing_unseen() {
        let limits = Limits::default();
        let parse = |name: &str| ClientName::parse(name, &limits).map_err(|error| error.reason());
        assert!(parse(&"a".repeat(16)).is_ok() && parse(&"~".repeat(64)).is_ok());
        for name in ["", &"a".repeat(15), &"a".repeat(65), "0123456789 abcdef", "0123456789abcdé"]
        {
            assert_eq!(parse(name), Err("client_invalid"), "{name}");
        }
    }
}
