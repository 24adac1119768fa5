//! All rooms.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::closing::{Closing, Refusal};
use crate::event::Connection;
use crate::limits::Limits;
use crate::lock::lock;
use crate::mailbox::{Mailbox, mailbox};
use crate::membership::Membership;
use crate::name::{MemberName, RoomName};
use crate::room::Room;
use crate::timestamp::Timestamp;

/// The rooms of a server. Cheap to clone, and every clone is the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    rooms: Mutex<Rooms>,
}

/// A room is handed out of here only under the lock. So a room that nobody else holds while the lock is held is
/// one that nobody is in or is about to enter, and may be forgotten.
#[derive(Debug)]
struct Rooms {
    by_name: HashMap<RoomName, Arc<Room>>,
    entropy: u64,
    opened: u64,
    closed: Option<Closing>,
}

impl Hub {
    /// A hub without rooms. `entropy` is to be random: it tells the offsets of this hub's rooms from those of
    /// another run of the server.
    #[must_use]
    pub fn new(limits: Limits, entropy: u64) -> Self {
        let rooms = Rooms { by_name: HashMap::new(), entropy, opened: 0, closed: None };
        Self { shared: Arc::new(Shared { limits, rooms: Mutex::new(rooms) }) }
    }

    /// The bounds of everything.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Enters a room, which is opened if there is none of that name. The first delivery in the mailbox is the
    /// welcome.
    ///
    /// A wanted name never keeps anybody out: in place of one that is taken, missing or no good a free one is
    /// given, and in the last case an `error` event after the welcome says what was wrong.
    ///
    /// # Errors
    /// The room cannot be entered.
    pub fn join(
        &self,
        room: &str,
        wanted_name: Option<&str>,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<(Membership, Mailbox), Refusal> {
        let limits = self.limits();
        let room = self.open(RoomName::parse(room, limits)?, now)?;
        let wanted = wanted_name.filter(|name| !name.trim().is_empty());
        let (wanted, complaint) =
            match wanted.map(|name| MemberName::parse(name, limits)).transpose() {
                Ok(wanted) => (wanted, None),
                Err(complaint) => (None, Some(complaint)),
            };
        let (slot, mailbox) = mailbox(limits.mailbox_bytes_max);
        let (id, name) = room.admit(wanted, slot.clone(), connection, limits)?;
        let membership = Membership::new(self.clone(), room, id, name, slot, now);
        if let Some(complaint) = complaint {
            membership.complain(&complaint, None);
        }
        Ok((membership, mailbox))
    }

    /// Forgets rooms that have been empty for `room_retention`. To be called now and then, about once a minute.
    pub fn forget_empty_rooms(&self, now: Timestamp) {
        let retention = self.limits().room_retention;
        lock(&self.shared.rooms).by_name.retain(|_, room| {
            let unused = Arc::strong_count(room) == 1;
            let over = |since| now.since(since) >= retention || !room.has_history();
            !(unused && room.empty_since(now).is_some_and(over))
        });
    }

    /// Lets nobody in any more; every member is closed so once it has read what waits for it.
    pub fn close(&self, closing: &Closing) {
        let mut rooms = lock(&self.shared.rooms);
        rooms.closed.get_or_insert(closing.clone());
        for room in rooms.by_name.values() {
            room.close(closing);
        }
    }

    /// How many rooms there are, empty ones that still remember something among them.
    #[must_use]
    pub fn room_count(&self) -> usize {
        lock(&self.shared.rooms).by_name.len()
    }

    fn open(&self, name: RoomName, now: Timestamp) -> Result<Arc<Room>, Refusal> {
        let mut rooms = lock(&self.shared.rooms);
        if let Some(closing) = &rooms.closed {
            return Err(Refusal::Closed(closing.clone()));
        }
        if let Some(room) = rooms.by_name.get(&name) {
            return Ok(room.clone());
        }
        if rooms.by_name.len() >= self.limits().rooms_max {
            rooms.forget_longest_empty(now)?;
        }
        rooms.opened += 1;
        let epoch = format!("{:016x}-{:x}", rooms.entropy, rooms.opened);
        let room = Arc::new(Room::new(name.clone(), epoch));
        rooms.by_name.insert(name, room.clone());
        Ok(room)
    }

    /// Forgets a room that its last member, who still holds it, found to be left with nothing to remember.
    pub(crate) fn forget(&self, room: &Arc<Room>) {
        let mut rooms = lock(&self.shared.rooms);
        // The map's and the leaving member's; a third is of somebody about to enter.
        if Arc::strong_count(room) == 2 {
            rooms.by_name.remove(room.name());
        }
    }
}

impl Rooms {
    fn forget_longest_empty(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let unused = self.by_name.iter().filter(|(_, room)| Arc::strong_count(room) == 1);
        let empty = unused.filter_map(|(name, room)| Some((room.empty_since(now)?, name)));
        let longest = empty.min_by_key(|(since, _)| *since).map(|(_, name)| name.clone());
        self.by_name.remove(&longest.ok_or(Refusal::TooManyRooms)?);
        Ok(())
    }
}
