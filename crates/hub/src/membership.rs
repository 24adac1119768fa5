//! One member of one room, for as long as its connection lasts.

use crate::closing::Closing;
use crate::command::{Before, Command, Request};
use crate::complaint::Complaint;
use crate::delivering::TOGETHER_MAX;
use crate::fetching::tell_history;
use crate::hub::Hub;
use crate::mailbox::Slot;
use crate::name::{MemberName, NameKind};
use crate::open_room::OpenRoom;
use crate::rate::Rate;
use crate::roster::MemberId;
use crate::saying::Words;
use crate::speaker::Hears;
use crate::timestamp::Timestamp;
use crate::users::UserPlace;
use crate::visit::{ClientName, Rights};

/// A place in a room. What the peer sends goes in here; what it is to receive comes out of its
/// [`Mailbox`](crate::Mailbox). Dropping the membership is leaving the room.
#[derive(Debug)]
pub struct Membership {
    hub: Hub,
    room: OpenRoom,
    passport: Passport,
    slot: Slot,
    rate: Rate,
    /// What is refused because it came too fast; when this is spent, the member has to go.
    patience: Rate,
    /// How many messages are to be handed to the store.
    said: usize,
}

/// Who a member is, and what it may do.
#[derive(Debug)]
pub(crate) struct Passport {
    pub(crate) id: MemberId,
    pub(crate) name: MemberName,
    pub(crate) kind: NameKind,
    pub(crate) client: Option<ClientName>,
    /// Whom the server knows; its rate goes before the membership's own.
    pub(crate) user: Option<UserPlace>,
    pub(crate) rights: Rights,
}

impl Membership {
    pub(crate) fn new(
        hub: Hub,
        room: OpenRoom,
        passport: Passport,
        slot: Slot,
        now: Timestamp,
    ) -> Self {
        let rate = Rate::of_messages(hub.limits(), now);
        let patience = Rate::of_refusals(hub.limits(), now);
        Self { hub, room, passport, slot, rate, patience, said: 0 }
    }

    /// The room's name.
    #[must_use]
    pub fn room(&self) -> &str {
        self.room.name().as_str()
    }

    /// The member's name now.
    #[must_use]
    pub fn name(&self) -> &str {
        self.passport.name.as_str()
    }

    /// Takes a text message from the peer and does what it asks. What is wrong with it is told to the peer as an
    /// `error` event.
    pub fn receive_text(&mut self, text: &str, now: Timestamp) {
        self.take_text(text, now);
        self.deliver();
    }

    /// As [`receive_text`](Self::receive_text), for one of many that came together: what they say is to be
    /// [delivered](Self::deliver) after the last of them, which takes less than to deliver each by itself.
    pub fn take_text(&mut self, text: &str, now: Timestamp) {
        let in_time = self.spend(text.len(), now);
        let (command, id) = match Request::parse(text, self.hub.limits()) {
            Ok(Request { command, id }) => (Ok(command), id),
            Err(unknown) => (Err(unknown.complaint), unknown.id),
        };
        // What came too fast is not done, but its sender is told which it was.
        let command = in_time.and(command);
        if !matches!(command, Ok(Command::Say(_))) {
            // What was said before it comes before what it does.
            self.deliver();
        }
        let outcome = command.and_then(|command| self.perform(command, id.clone(), now));
        if let Err(complaint) = outcome {
            // What was said before it is acknowledged before it is refused.
            self.deliver();
            self.slot.complain(&complaint, id.as_deref());
        }
    }

    /// Takes a binary message from the peer, which is an error here, whatever is in it.
    pub fn receive_binary(&mut self, payload: &[u8], now: Timestamp) {
        self.deliver();
        let complaint = self.spend(payload.len(), now).err().unwrap_or(Complaint::Binary);
        self.slot.complain(&complaint, None);
    }

    /// Says something in the room, and has it told when it is kept. The rate limit is the peer's, in
    /// [`receive_text`](Self::receive_text), and does not bind the embedding program.
    ///
    /// # Errors
    /// The text is empty or too large.
    pub fn say(&mut self, text: &str, now: Timestamp) -> Result<(), Complaint> {
        self.say_under(text, None, now)?;
        self.deliver();
        Ok(())
    }

    fn say_under(
        &mut self,
        text: &str,
        id: Option<String>,
        now: Timestamp,
    ) -> Result<(), Complaint> {
        let message_id = self.passport.client.as_ref().zip(id.as_ref());
        let message_id = message_id.map(|(client, id)| client.message_id(id));
        let words = Words { from: self.passport.name.as_str(), text, id: message_id };
        self.hub.say(&self.room, words, now, Hears::Member { slot: self.slot.clone(), id })?;
        self.said += 1;
        if self.said == TOGETHER_MAX {
            self.deliver();
        }
        Ok(())
    }

    /// Has what was said kept, and delivers it if it is kept at once; [`Hub::run`] delivers it if not.
    pub fn deliver(&mut self) {
        if std::mem::take(&mut self.said) > 0 {
            self.hub.keep();
        }
    }

    /// Takes another name.
    ///
    /// # Errors
    /// The name is no good, or another member has it.
    pub fn rename(&mut self, wanted: &str) -> Result<(), Complaint> {
        self.deliver();
        let limits = self.hub.limits();
        let name = match self.passport.kind {
            NameKind::Open => MemberName::parse(wanted, limits)?,
            NameKind::Stranger => MemberName::parse_marked(wanted, limits)?,
            NameKind::Known => return Err(Complaint::NameFixed),
        };
        if name != self.passport.name {
            self.room.rename(self.passport.id, &self.passport.name, &name)?;
            self.passport.name = name;
        }
        Ok(())
    }

    /// Asks who is here; the answer comes into the mailbox.
    pub fn who(&self) {
        self.slot.post(self.room.members(self.hub.limits()));
    }

    /// Asks what was said before an offset; the answer comes into the mailbox.
    fn tell_history(&self, question: Before, id: Option<String>) -> Result<(), Complaint> {
        let limits = self.hub.limits();
        let reading = self.hub.read_before(&self.room, question.before, question.limit);
        let errand = tell_history(self.slot.clone(), reading, id);
        if self.slot.send_for(limits.history_questions_max, errand) {
            Ok(())
        } else {
            Err(Complaint::TooFast { per_second_max: limits.messages_per_second_max })
        }
    }

    /// Does what is asked, or sees to it that it is done and told later.
    fn perform(
        &mut self,
        command: Command<'_>,
        id: Option<String>,
        now: Timestamp,
    ) -> Result<(), Complaint> {
        let Rights { reads, writes } = self.passport.rights;
        match command {
            // A new name is told to all, so it is a way to speak.
            Command::Say(_) | Command::Name(_) if !writes => return Err(Complaint::NotAllowed),
            Command::History(_) | Command::Who if !reads => return Err(Complaint::NotAllowed),
            Command::Say(text) => return self.say_under(&text, id, now),
            Command::History(question) => return self.tell_history(question, id),
            Command::Name(wanted) => self.rename(&wanted)?,
            Command::Who => self.who(),
        }
        self.slot.acknowledge(id.as_deref(), None);
        Ok(())
    }

    /// Everything a peer sends is counted, since every kind of it makes work.
    fn spend(&mut self, bytes: usize, now: Timestamp) -> Result<(), Complaint> {
        let messages = self.hub.limits().messages_counted(bytes);
        let in_time = match &self.passport.user {
            Some(user) => user.take(messages, now),
            None => self.rate.take(messages, now),
        };
        if in_time {
            Ok(())
        } else {
            if !self.patience.take(messages, now) {
                // Nothing is acknowledged behind the close.
                self.deliver();
                self.slot.close(Closing::sent_too_much());
            }
            Err(Complaint::TooFast { per_second_max: self.hub.limits().messages_per_second_max })
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.deliver();
        self.slot.close(Closing::left());
        self.room.dismiss(self.passport.id, self.hub.limits());
    }
}
