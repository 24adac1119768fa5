//! One member of one room, for as long as its connection lasts.

use std::sync::Arc;

use crate::closing::Closing;
use crate::command::{Command, Request};
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::event::Event;
use crate::hub::Hub;
use crate::mailbox::Slot;
use crate::name::MemberName;
use crate::rate::Rate;
use crate::room::Room;
use crate::roster::MemberId;
use crate::timestamp::Timestamp;

/// A place in a room. What the peer sends goes in here; what it is to receive comes out of its
/// [`Mailbox`](crate::Mailbox). Dropping the membership is leaving the room.
#[derive(Debug)]
pub struct Membership {
    hub: Hub,
    room: Arc<Room>,
    id: MemberId,
    name: MemberName,
    slot: Slot,
    rate: Rate,
}

impl Membership {
    pub(crate) fn new(
        hub: Hub,
        room: Arc<Room>,
        id: MemberId,
        name: MemberName,
        slot: Slot,
        now: Timestamp,
    ) -> Self {
        let rate = Rate::new(hub.limits(), now);
        Self { hub, room, id, name, slot, rate }
    }

    /// The room's name.
    #[must_use]
    pub fn room(&self) -> &str {
        self.room.name().as_str()
    }

    /// The member's name now.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Takes a text message from the peer and does what it asks. What is wrong with it is told to the peer as an
    /// `error` event.
    pub fn receive_text(&mut self, text: &str, now: Timestamp) {
        let in_time = self.spend(text.len(), now);
        let (command, id) = match Request::parse(text, self.hub.limits()) {
            Ok(Request { command, id }) => (Ok(command), id),
            Err(unknown) => (Err(unknown.complaint), unknown.id),
        };
        // What came too fast is not done, but its sender is told which it was.
        let outcome = in_time.and(command).and_then(|command| self.perform(command, now));
        match outcome {
            Ok(offset) => self.acknowledge(id.as_deref(), offset),
            Err(complaint) => self.complain(&complaint, id.as_deref()),
        }
    }

    /// Takes a binary message from the peer, which is an error here, whatever is in it.
    pub fn receive_binary(&mut self, payload: &[u8], now: Timestamp) {
        let complaint = self.spend(payload.len(), now).err().unwrap_or(Complaint::Binary);
        self.complain(&complaint, None);
    }

    /// Says something in the room; returns the offset of the message. The rate limit is the peer's, in
    /// [`receive_text`](Self::receive_text), and does not bind the embedding program.
    ///
    /// # Errors
    /// The text is empty or too large.
    pub fn say(&mut self, text: impl Into<String>, now: Timestamp) -> Result<u64, Complaint> {
        let text = text.into();
        let limits = self.hub.limits();
        if text.len() > limits.message_bytes_max {
            return Err(Complaint::message_too_large(limits));
        }
        if text.trim().is_empty() {
            return Err(Complaint::MessageEmpty);
        }
        Ok(self.room.say(self.name.clone(), text, now, limits))
    }

    /// Takes another name.
    ///
    /// # Errors
    /// The name is no good, or another member has it.
    pub fn rename(&mut self, wanted: &str) -> Result<(), Complaint> {
        let name = MemberName::parse(wanted, self.hub.limits())?;
        if name != self.name {
            self.room.rename(self.id, &self.name, &name)?;
            self.name = name;
        }
        Ok(())
    }

    /// Asks who is here; the answer comes into the mailbox.
    pub fn who(&self) {
        self.slot.post(self.room.members(self.hub.limits()));
    }

    /// Tells this member alone that something cannot be done.
    pub(crate) fn complain(&self, complaint: &Complaint, id: Option<&str>) {
        let event = Event::Error { reason: complaint.reason(), text: complaint.to_string(), id };
        self.slot.post(Delivery::of(&event));
    }

    fn perform(&mut self, command: Command, now: Timestamp) -> Result<Option<u64>, Complaint> {
        match command {
            Command::Say(text) => self.say(text, now).map(Some),
            Command::Name(wanted) => self.rename(&wanted).map(|()| None),
            Command::Who => {
                self.who();
                Ok(None)
            }
        }
    }

    /// Who asks without an id wants no acknowledgement.
    fn acknowledge(&self, id: Option<&str>, offset: Option<u64>) {
        if let Some(id) = id {
            self.slot.post(Delivery::of(&Event::Acknowledged { id, offset }));
        }
    }

    /// Everything a peer sends is counted, since every kind of it makes work.
    fn spend(&mut self, bytes: usize, now: Timestamp) -> Result<(), Complaint> {
        if self.rate.take(bytes, now) {
            Ok(())
        } else {
            Err(Complaint::TooFast { per_second_max: self.hub.limits().messages_per_second_max })
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.slot.close(Closing::left());
        if self.room.dismiss(self.id) {
            self.hub.forget(&self.room);
        }
    }
}
