//! One room: everything in it happens in one order, under one short lock.

use std::sync::Mutex;

use crate::closing::{Closing, Refusal};
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::event::{Connection, Event};
use crate::history::History;
use crate::limits::Limits;
use crate::lock::lock;
use crate::mailbox::Slot;
use crate::name::{MemberName, RoomName};
use crate::roster::{MemberId, Roster};
use crate::timestamp::Timestamp;

#[derive(Debug)]
pub(crate) struct Room {
    name: RoomName,
    /// Names this life of the room: offsets of another epoch mean other messages.
    epoch: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    roster: Roster,
    history: History,
    /// When the room was first found empty; nobody tells the time when the last member leaves.
    empty_since: Option<Timestamp>,
    closed: Option<Closing>,
}

impl Room {
    pub(crate) fn new(name: RoomName, epoch: String) -> Self {
        Self { name, epoch, state: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &RoomName {
        &self.name
    }

    /// Lets somebody in, welcomes them, and tells the others.
    pub(crate) fn admit(
        &self,
        wanted: Option<MemberName>,
        slot: Slot,
        connection: &Connection,
        limits: &Limits,
    ) -> Result<(MemberId, MemberName), Refusal> {
        let mut state = lock(&self.state);
        if let Some(closing) = &state.closed {
            return Err(Refusal::Closed(closing.clone()));
        }
        if state.roster.len() >= limits.members_per_room_max {
            return Err(Refusal::RoomFull);
        }
        let newcomer = slot.clone();
        let (id, name) = state.roster.admit(wanted, slot, limits);
        state.empty_since = None;
        let count = state.roster.len();
        newcomer.post(Delivery::of(&Event::Welcome {
            room: &self.name,
            name: &name,
            members: state.roster.names(limits.members_listed_max),
            count,
            epoch: &self.epoch,
            offset: state.history.last_offset(),
            history: state.history.messages(),
            connection,
        }));
        state.roster.deliver_except(id, &Delivery::of(&Event::Joined { name: &name, count }));
        Ok((id, name))
    }

    /// Says something to everybody, the speaker too; returns the message's offset.
    pub(crate) fn say(
        &self,
        from: MemberName,
        text: String,
        now: Timestamp,
        limits: &Limits,
    ) -> u64 {
        let mut state = lock(&self.state);
        let delivery = state.history.append(from, text, now, limits);
        state.roster.deliver(&delivery);
        state.history.last_offset()
    }

    /// Gives a member another name and tells everybody.
    pub(crate) fn rename(
        &self,
        id: MemberId,
        from: &MemberName,
        to: &MemberName,
    ) -> Result<(), Complaint> {
        let mut state = lock(&self.state);
        state.roster.rename(id, to.clone())?;
        state.roster.deliver(&Delivery::of(&Event::Renamed { from, to }));
        Ok(())
    }

    /// Who is here.
    pub(crate) fn members(&self, limits: &Limits) -> Delivery {
        let state = lock(&self.state);
        let members = state.roster.names(limits.members_listed_max);
        Delivery::of(&Event::Members { members, count: state.roster.len() })
    }

    /// Lets a member go and tells the others. Returns whether the room is left with nothing to remember.
    pub(crate) fn dismiss(&self, id: MemberId) -> bool {
        let mut state = lock(&self.state);
        if let Some(name) = state.roster.remove(id) {
            let count = state.roster.len();
            state.roster.deliver(&Delivery::of(&Event::Left { name: &name, count }));
        }
        state.roster.is_empty() && state.history.is_empty()
    }

    /// Since when the room is known to be empty, `now` being the time if that is news; `None` if somebody is in it.
    pub(crate) fn empty_since(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = lock(&self.state);
        state.roster.is_empty().then(|| *state.empty_since.get_or_insert(now))
    }

    pub(crate) fn has_history(&self) -> bool {
        !lock(&self.state).history.is_empty()
    }

    /// Lets nobody in any more, and all members go once they have read what waits for them.
    pub(crate) fn close(&self, closing: &Closing) {
        let mut state = lock(&self.state);
        state.roster.close(closing);
        state.closed.get_or_insert(closing.clone());
    }
}
