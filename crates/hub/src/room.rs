//! One room: everything in it happens in one order, under one short lock.

mod presence;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use wskit_store::{Commit, Message, Outcome, Position, Span, next_epoch};

use crate::closing::{Closing, Refusal};
use crate::delivery::Delivery;
use crate::elsewhere::Elsewhere;
use crate::event::{Connection, Event};
use crate::gathering::Gathered;
use crate::limits::Limits;
use crate::lock::lock;
use crate::mailbox::Waiting;
use crate::name::{MemberName, RoomName};
use crate::roster::{Entrant, MemberId, Roster};
use crate::speaker::Speaker;
use crate::tail::Tail;
use crate::timestamp::Timestamp;
use crate::visit::Had;

#[derive(Debug)]
pub(crate) struct Room {
    name: RoomName,
    /// The name of its stream in the store: the same.
    stream: Arc<str>,
    /// How many hold it open. It rises from 0 only under the lock of the hub, which also forgets it only there.
    holders: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Names this life of the room: offsets of another epoch mean other messages.
    epoch: Arc<str>,
    /// Names the life after this one.
    next_epoch: Arc<str>,
    roster: Roster,
    elsewhere: Elsewhere,
    /// Who came and went and was not told of yet.
    gathered: Gathered,
    /// When other nodes were told who is here; `None` if they are to be told now.
    told: Option<Timestamp>,
    /// Whether other nodes were asked who is there.
    has_asked: bool,
    tail: Tail,
    closed: Option<Closing>,
}

/// Where a member who came back goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumption {
    pub(crate) from: u64,
}

/// What somebody who catches up gets from memory.
#[derive(Debug)]
pub(crate) struct Portion {
    pub(crate) deliveries: Vec<Delivery>,
    /// Whether nothing is missing any more: from here on the member follows.
    pub(crate) is_all: bool,
}

impl Room {
    /// A room of which the store knows this, or nothing, and that one holds open.
    pub(crate) fn new(name: RoomName, new_epoch: Arc<str>, position: Option<Position>) -> Self {
        let (epoch, last) =
            position.map_or((new_epoch, 0), |position| (position.epoch, position.last));
        let (roster, elsewhere, gathered) = Default::default();
        let tail = Tail::after(last);
        let stream = name.as_str().into();
        let next_epoch = next_epoch(&epoch);
        let (told, has_asked, closed) = (None, false, None);
        let state =
            State { epoch, next_epoch, roster, elsewhere, gathered, told, has_asked, tail, closed };
        Self { name, stream, holders: AtomicUsize::new(1), state: Mutex::new(state) }
    }

    /// One more holds it open.
    pub(crate) fn hold(&self) {
        self.holders.fetch_add(1, Ordering::Relaxed);
    }

    /// One lets go; whether it was the last.
    pub(crate) fn release(&self) -> bool {
        self.holders.fetch_sub(1, Ordering::AcqRel) == 1
    }

    pub(crate) fn is_held(&self) -> bool {
        self.holders.load(Ordering::Acquire) > 0
    }

    pub(crate) fn name(&self) -> &RoomName {
        &self.name
    }

    pub(crate) fn stream(&self) -> &Arc<str> {
        &self.stream
    }

    pub(crate) fn epoch(&self) -> Arc<str> {
        lock(&self.state).epoch.clone()
    }

    /// What the stream is to be called if the next message begins it: as the members were told, unless they have
    /// messages already. Then the store has forgotten it meanwhile, and this is another life.
    pub(crate) fn epoch_to_begin(&self) -> Arc<str> {
        let state = lock(&self.state);
        match state.tail.last() {
            0 => state.epoch.clone(),
            _ => state.next_epoch.clone(),
        }
    }

    /// What has to be read from the store before those who come can be told the last messages.
    pub(crate) fn missing_before_tail(&self, limits: &Limits) -> Option<Span> {
        let to = lock(&self.state).tail.to_be_filled_up_to()?;
        Some(Span {
            from: 1,
            to,
            last_ones: true,
            messages_max: limits.history_messages_max,
            bytes_max: limits.history_bytes_max,
        })
    }

    /// Puts in what was missing.
    pub(crate) fn fill_tail(&self, messages: &[Message], limits: &Limits) {
        let deliveries =
            messages.iter().map(|kept| Delivery::of_message(kept.offset, &kept.payload));
        lock(&self.state).tail.fill(deliveries.collect(), limits);
    }

    /// Lets go of what the store has let go of. It is asked under the lock, so that nothing is delivered meanwhile.
    pub(crate) fn let_go(&self, position: impl FnOnce() -> Option<Position>) {
        let mut state = lock(&self.state);
        let first = match position() {
            Some(position) if position.epoch == state.epoch => position.first,
            // Another life of the room is about to be told of.
            Some(_) => return,
            None => state.tail.last() + 1,
        };
        state.tail.let_go_before(first);
    }

    /// Lets somebody in, welcomes them, and tells the others. `position` is where the stream stands, which may be
    /// further than what was delivered here.
    ///
    /// Who is new is told the last messages and follows from there. Who was here before goes on where it was, and
    /// [`follow`](Self::follow)s once it has caught up.
    pub(crate) fn admit(
        &self,
        entrant: Entrant,
        connection: &Connection,
        had: Option<&Had>,
        position: Option<&Position>,
        limits: &Limits,
    ) -> Result<(MemberId, MemberName, Option<Resumption>), Refusal> {
        let mut state = lock(&self.state);
        if let Some(closing) = &state.closed {
            return Err(Refusal::Closed(closing.clone()));
        }
        if state.roster.len() >= limits.members_per_room_max {
            return Err(Refusal::RoomFull);
        }
        if let Some(position) = position
            && position.epoch != state.epoch
            && state.tail.last() == 0
        {
            // The first word was said elsewhere, and is about to be delivered.
            state.begin_anew(position.epoch.clone());
        }
        let State { roster, elsewhere, .. } = &mut *state;
        let (slot, reads) = (entrant.slot.clone(), entrant.reads);
        let (id, name) = roster.admit(entrant, elsewhere, limits);
        state.told = None;
        let count = state.count();
        let last = state.tail.last();
        let position = position.filter(|position| position.epoch == state.epoch);
        let first = position.map_or(1, |position| position.first).min(last + 1);
        let last_kept = position.map_or(last, |position| position.last.max(last));
        let history = match had {
            None if reads => state.tail.deliveries().map(Delivery::json).collect(),
            _ => Vec::new(),
        };
        slot.post(Delivery::of(&Event::Welcome {
            room: &self.name,
            name: &name,
            members: match reads {
                true => state.names(limits),
                false => vec![&name],
            },
            count,
            epoch: &state.epoch,
            offset: last,
            first,
            history,
            connection,
        }));
        let resumption = had.map(|had| {
            let is_same = *had.epoch == *state.epoch && had.offset <= last_kept;
            if is_same && had.offset + 1 >= first {
                return Resumption { from: had.offset + 1 };
            }
            slot.post(Delivery::of(&Event::Gap { epoch: &state.epoch, from: first }));
            Resumption { from: first }
        });
        if resumption.is_none() {
            state.roster.follow(id, last + 1);
        }
        if state.announces(limits) {
            state.roster.deliver_except(id, &Delivery::of(&Event::Joined { name: &name, count }));
        } else {
            state.gathered.joined(1);
        }
        Ok((id, name, resumption))
    }

    /// What a member who has all before `from` is to get next, if it is in memory.
    pub(crate) fn follow(&self, id: MemberId, from: u64, portion_bytes: usize) -> Option<Portion> {
        let mut state = lock(&self.state);
        let mut rest = state.tail.from(from)?.peekable();
        let mut bytes = 0;
        let mut deliveries = Vec::new();
        while let Some(delivery) =
            rest.next_if(|next| deliveries.is_empty() || bytes + next.len() <= portion_bytes)
        {
            bytes += delivery.len();
            deliveries.push(delivery.clone());
        }
        let is_all = rest.peek().is_none();
        drop(rest);
        if is_all {
            state.roster.follow(id, from + deliveries.len() as u64);
        }
        Some(Portion { deliveries, is_all })
    }

    /// Delivers those of these messages that are kept. Returns how many deliveries that were.
    pub(crate) fn committed(&self, commits: &[Commit<Speaker>], limits: &Limits) -> usize {
        let mut state = lock(&self.state);
        let mut deliveries = 0;
        let mut together = Vec::with_capacity(commits.len());
        for Commit { epoch, outcome, .. } in commits {
            let Outcome::Kept(Message { offset, payload, .. }) = outcome else { continue };
            if state.epoch != *epoch {
                state.deliver_messages(&mut together);
                state.begin_anew(epoch.clone());
            }
            let next = state.tail.last() + 1;
            // A room that was opened after the commit and before its delivery has it already.
            if *offset < next {
                continue;
            }
            if *offset > next {
                // What lies between went before anybody here could have it.
                state.deliver_messages(&mut together);
                state.go_on_from(*offset);
            }
            let delivery = Delivery::of_message(*offset, payload);
            together.push(delivery.clone());
            state.tail.push(*offset, delivery, limits);
            deliveries += state.roster.len();
        }
        state.deliver_messages(&mut together);
        deliveries
    }

    /// Adds up what waits for the members.
    pub(crate) fn add_waiting(&self, waiting: &mut Waiting) {
        for bytes in lock(&self.state).roster.waiting_bytes() {
            waiting.bytes += bytes;
            waiting.bytes_max = waiting.bytes_max.max(bytes);
        }
    }

    /// Lets nobody in any more, and all members go once they have read what waits for them.
    pub(crate) fn close(&self, closing: &Closing) {
        let mut state = lock(&self.state);
        state.roster.close(closing);
        state.closed.get_or_insert(closing.clone());
    }
}

impl State {
    /// Delivers the last messages to those who follow, and leaves none to be delivered.
    fn deliver_messages(&self, last_ones: &mut Vec<Delivery>) {
        if !last_ones.is_empty() {
            let first = self.tail.last() + 1 - last_ones.len() as u64;
            self.roster.deliver_messages(first, last_ones);
            last_ones.clear();
        }
    }

    /// What the members know means nothing any more, so they are to come again; unless they know of nothing that was
    /// said, because the first word was said on another node.
    fn begin_anew(&mut self, epoch: Arc<str>) {
        self.next_epoch = next_epoch(&epoch);
        self.epoch = epoch;
        if self.tail.last() == 0 {
            self.roster.deliver(&Delivery::of(&Event::Gap { epoch: &self.epoch, from: 1 }));
        } else {
            self.roster.close(&Closing::begins_anew());
            self.tail = Tail::after(0);
        }
    }

    /// Those who follow are told that this offset comes next; who catches up finds it out.
    fn go_on_from(&mut self, offset: u64) {
        self.tail = Tail::after(offset - 1);
        let gap = Event::Gap { epoch: &self.epoch, from: offset };
        self.roster.deliver_messages(offset, &[Delivery::of(&gap)]);
    }
}
