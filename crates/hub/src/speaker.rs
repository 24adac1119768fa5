//! Who waits to hear what became of a message.

use std::fmt;

use wskit_store::{Error, Outcome};

use crate::complaint::Complaint;
use crate::open_room::OpenRoom;

/// Goes through the store with each message and tells its sender what became of it.
///
/// It holds the room open until then.
pub struct Speaker {
    pub(crate) room: OpenRoom,
    tell: Box<dyn FnOnce(Answer) + Send>,
}

/// The offset at which a message is kept, now or since it was sent before; or why it is not.
pub(crate) type Answer = Result<u64, Complaint>;

impl Speaker {
    pub(crate) fn new(room: OpenRoom, tell: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self { room, tell: Box::new(tell) }
    }

    pub(crate) fn tell(self, outcome: &Outcome) {
        (self.tell)(match outcome {
            Outcome::Kept(message) => Ok(message.offset),
            Outcome::Known(offset) => Ok(*offset),
            Outcome::Refused(Error::Busy) => Err(Complaint::Busy),
            Outcome::Refused(Error::TooManyStreams) => Err(Complaint::TooManyRooms),
            Outcome::Refused(_) => Err(Complaint::NotKept),
        });
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speaker").field("room", &self.room).finish_non_exhaustive()
    }
}
