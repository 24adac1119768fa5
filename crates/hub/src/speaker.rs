//! Who waits to hear what became of a message.

use tokio::sync::oneshot;
use wskit_store::{Error, Outcome};

use crate::complaint::Complaint;
use crate::mailbox::Slot;
use crate::open_room::OpenRoom;

/// Goes through the store with each message and tells its sender what became of it.
///
/// It holds the room open until then.
#[derive(Debug)]
pub struct Speaker {
    pub(crate) room: OpenRoom,
    pub(crate) hears: Hears,
}

/// Where the answer goes.
#[derive(Debug)]
pub(crate) enum Hears {
    /// To a member who has given the message this id.
    Member {
        slot: Slot,
        id: Option<String>,
    },
    Program(oneshot::Sender<Answer>),
}

/// The offset at which a message is kept, now or since it was sent before; or why it is not.
pub(crate) type Answer = Result<u64, Complaint>;

impl Speaker {
    pub(crate) fn tell(self, outcome: &Outcome) {
        let answer = match outcome {
            Outcome::Kept(message) => Ok(message.offset),
            Outcome::Known(offset) => Ok(*offset),
            Outcome::Refused(Error::Busy) => Err(Complaint::Busy),
            Outcome::Refused(Error::TooManyStreams) => Err(Complaint::TooManyRooms),
            Outcome::Refused(_) => Err(Complaint::NotKept),
        };
        match (self.hears, answer) {
            (Hears::Member { slot, id }, Ok(offset)) => {
                slot.acknowledge(id.as_deref(), Some(offset));
            }
            (Hears::Member { slot, id }, Err(complaint)) => {
                slot.complain(&complaint, id.as_deref());
            }
            (Hears::Program(program), answer) => {
                let _nobody_waits_any_more = program.send(answer);
            }
        }
    }
}
