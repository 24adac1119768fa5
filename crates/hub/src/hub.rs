//! All rooms.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use wskit_store::{Append, Bounds, Following, Memory, Statistics, Store};

use crate::beginnings::Beginnings;
use crate::closing::{Closing, Refusal};
use crate::complaint::Complaint;
use crate::delivering::Delivering;
use crate::elsewhere::News;
use crate::event::Connection;
use crate::fetching::CatchingUp;
use crate::limits::Limits;
use crate::lock::lock;
use crate::mailbox::{Mailbox, Waiting, mailbox};
use crate::membership::{Membership, Passport};
use crate::name::{MemberName, NameKind, RoomName};
use crate::open_room::OpenRoom;
use crate::room::Room;
use crate::roster::Entrant;
use crate::speaker::Speaker;
use crate::timestamp::Timestamp;
use crate::users::Users;
use crate::visit::{ClientName, Standing, Visit};

/// The rooms of a server. Cheap to clone, and every clone is the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    limits: Limits,
    pub(crate) store: Arc<dyn Store<Speaker>>,
    rooms: Mutex<Rooms>,
    users: Arc<Users>,
    beginnings: Beginnings,
    /// What was said and is to be handed to the store together.
    pub(crate) said: Mutex<Vec<Append<Speaker>>>,
    pub(crate) delivering: Mutex<Delivering>,
}

#[derive(Debug)]
struct Rooms {
    by_name: HashMap<RoomName, Held>,
    entropy: u64,
    opened: u64,
    closed: Option<Closing>,
    /// Rooms that were left by all since other nodes were last told; `None` as long as nobody wants to tell them.
    left: Option<HashSet<RoomName>>,
}

/// A room that is held open.
#[derive(Debug)]
struct Held {
    room: Arc<Room>,
    /// What others say in it comes as long as it is open.
    _following: Following,
}

impl Hub {
    /// A hub that keeps what is said in memory. `entropy` is to be random: it tells the offsets of this hub's rooms
    /// from those of another run of the server.
    #[must_use]
    pub fn new(limits: Limits, entropy: u64) -> Self {
        Self::with_store(limits, entropy, Arc::new(Memory::new(Bounds::default())))
    }

    /// A hub that keeps what is said in this store. [`run`](Self::run) has to be awaited all the time.
    #[must_use]
    pub fn with_store(limits: Limits, entropy: u64, store: Arc<dyn Store<Speaker>>) -> Self {
        let rooms = Rooms { by_name: HashMap::new(), entropy, opened: 0, closed: None, left: None };
        let rooms = Mutex::new(rooms);
        let (users, beginnings, said, delivering) = Default::default();
        let shared = Shared { limits, store, rooms, users, beginnings, said, delivering };
        Self { shared: Arc::new(shared) }
    }

    /// The bounds of everything.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Enters a room, which is opened if there is none of that name. The first delivery in the mailbox is the
    /// welcome. Waits only for the store, and only if nobody is in the room; with a store in memory it is ready at
    /// once.
    ///
    /// A wanted name never keeps anybody out: in place of one that is taken, missing or no good a free one is
    /// given, and in the last case an `error` event after the welcome says what was wrong.
    ///
    /// # Errors
    /// The room cannot be entered.
    pub async fn join(
        &self,
        visit: &Visit,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<(Membership, Mailbox), Refusal> {
        let limits = self.limits();
        // Who is refused by these begins no room, and is not counted as one who does.
        let user = match &visit.standing {
            Standing::Known { user, .. } => Some(self.shared.users.enter(user, limits, now)?),
            Standing::Open | Standing::Stranger => None,
        };
        let (wanted, kind, name_complaint) = name(visit, limits)?;
        let may_begin = || match visit.beginner() {
            Some(who) => self.shared.beginnings.take(&who, limits, now),
            None => true,
        };
        let room = self.open(&visit.room, may_begin).await?;
        let (client, client_complaint) =
            split(visit.client.as_deref().map(|name| ClientName::parse(name, limits)));
        let store = &self.shared.store;
        if visit.had.is_none()
            && let Some(span) = room.missing_before_tail(limits)
        {
            // If the store cannot read, what it has is missing in the welcome; life goes on without.
            if let Ok(page) = store.read(room.stream(), span).await {
                room.fill_tail(&page.messages, limits);
            }
        }
        let mut position = store.position(room.stream());
        if let Some(had) = &visit.had
            && had.is_ahead_of(position.as_ref())
        {
            // Another node may have been faster than this one.
            store.look(room.stream()).await.map_err(|_| Refusal::NotReadable)?;
            position = store.position(room.stream());
        }
        room.let_go(|| store.position(room.stream()));
        let (slot, mailbox) = mailbox(limits.mailbox_bytes_max);
        let reads = visit.rights.reads;
        let had = visit.had.as_ref().filter(|_| reads);
        let entrant = Entrant { wanted, kind, slot: slot.clone(), reads };
        let (id, name, resumption) =
            room.admit(entrant, connection, had, position.as_ref(), limits)?;
        for complaint in [name_complaint, client_complaint].into_iter().flatten() {
            slot.complain(&complaint, None);
        }
        if let Some(resumption) = resumption {
            let (member, store) = (id, store.clone());
            let room = Arc::downgrade(room.room());
            let catching_up =
                CatchingUp { room, member, slot: slot.clone(), store, limits: limits.clone() };
            slot.send_for(1, catching_up.run(resumption.from));
        }
        let rights = visit.rights;
        let passport = Passport { id, name, kind, client, user, rights };
        Ok((Membership::new(self.clone(), room, passport, slot, now), mailbox))
    }

    /// What other nodes are to be told of who is here, each a message of its own. Where there are other nodes it is to
    /// be called about ten times a second; who has not been heard of for some seconds is forgotten then.
    #[must_use]
    pub fn news(&self, now: Timestamp) -> Vec<String> {
        let mut rooms = lock(&self.shared.rooms);
        let node = node(rooms.entropy);
        let mut left = rooms.left.replace(HashSet::new()).unwrap_or_default();
        let open: Vec<_> = rooms.by_name.values().map(|held| held.room.clone()).collect();
        drop(rooms);
        let of_open = open.iter().filter_map(|room| {
            left.remove(room.name());
            room.news(&node, now, self.limits())
        });
        let mut news: Vec<_> = of_open.collect();
        news.extend(left.iter().map(|room| News::of_empty(&node, room)));
        news.iter().filter_map(|news| serde_json::to_string(news).ok()).collect()
    }

    /// Takes in what another node tells. What is no news, and this node's own, is passed over.
    pub fn hear(&self, news: &[u8], now: Timestamp) {
        let Ok(news) = serde_json::from_slice::<News>(news) else { return };
        if news.node != node(lock(&self.shared.rooms).entropy)
            && let Some(room) = self.find(&news.room)
        {
            room.hear(&news, now, self.limits());
        }
    }

    /// Tells members of large rooms how many came and went. To be called about once a second.
    pub fn tell_gathered(&self) {
        for room in self.rooms() {
            room.tell_gathered();
        }
    }

    /// What the store did so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.store.statistics()
    }

    /// Lets go of what is too old. To be called now and then, about once a minute.
    pub fn expire(&self, now: Timestamp) {
        let store = &self.shared.store;
        store.expire(now.unix_milliseconds());
        for room in self.rooms() {
            room.let_go(|| store.position(room.stream()));
        }
        self.shared.users.expire(now);
        self.shared.beginnings.expire(now);
    }

    /// Lets nobody in any more; every member is closed so once it has read what waits for it.
    pub fn close(&self, closing: &Closing) {
        let mut rooms = lock(&self.shared.rooms);
        rooms.closed.get_or_insert(closing.clone());
        for held in rooms.by_name.values() {
            held.room.close(closing);
        }
    }

    /// How many rooms there are that somebody is in.
    #[must_use]
    pub fn room_count(&self) -> usize {
        lock(&self.shared.rooms).by_name.len()
    }

    /// What waits to be read by members. It looks at every mailbox, one room after the other.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let mut waiting = Waiting::default();
        self.rooms().iter().for_each(|room| room.add_waiting(&mut waiting));
        waiting
    }

    /// How many members all rooms have together.
    #[must_use]
    pub fn member_count(&self) -> usize {
        lock(&self.shared.rooms).by_name.values().map(|held| held.room.member_count()).sum()
    }

    /// All that are open just now; whatever is done with them is done without holding up all others.
    fn rooms(&self) -> Vec<Arc<Room>> {
        lock(&self.shared.rooms).by_name.values().map(|held| held.room.clone()).collect()
    }

    pub(crate) fn find(&self, stream: &str) -> Option<Arc<Room>> {
        let name = RoomName::parse(stream, self.limits()).ok()?;
        lock(&self.shared.rooms).by_name.get(&name).map(|held| held.room.clone())
    }

    /// Holds a room open; if nobody did, the store begins to follow it first. One of which nothing is kept is begun only
    /// by who may.
    pub(crate) async fn open(
        &self,
        name: &str,
        may_begin: impl FnOnce() -> bool,
    ) -> Result<OpenRoom, Refusal> {
        let Shared { limits, store, rooms, .. } = &*self.shared;
        let name = RoomName::parse(name, limits)?;
        let counted = |room| OpenRoom::counted(Arc::downgrade(&self.shared), room);
        if let Some(room) = lock(rooms).hold(&name, limits)? {
            return Ok(counted(room));
        }
        let following = store.follow(name.as_str()).await.map_err(|_| Refusal::NotReadable)?;
        let mut rooms = lock(rooms);
        // Somebody else may have opened it meanwhile.
        if let Some(room) = rooms.hold(&name, limits)? {
            return Ok(counted(room));
        }
        let position = store.position(name.as_str());
        if position.is_none() && !may_begin() {
            return Err(Refusal::TooManyBegun);
        }
        rooms.opened += 1;
        let epoch = format!("{:016x}-{:x}", rooms.entropy, rooms.opened);
        let room = Arc::new(Room::new(name.clone(), epoch.into(), position));
        let held = Held { room: room.clone(), _following: following };
        rooms.by_name.insert(name, held);
        Ok(counted(room))
    }
}

impl Rooms {
    /// Counts one who holds a room that is open; `None` if the room may be opened.
    fn hold(&mut self, name: &RoomName, limits: &Limits) -> Result<Option<Arc<Room>>, Refusal> {
        if let Some(closing) = &self.closed {
            return Err(Refusal::Closed(closing.clone()));
        }
        let count = self.by_name.len();
        match self.by_name.get(name) {
            Some(held) => {
                held.room.hold();
                Ok(Some(held.room.clone()))
            }
            None if count >= limits.rooms_max => Err(Refusal::TooManyRooms),
            None => Ok(None),
        }
    }
}

/// What a node calls itself among others.
fn node(entropy: u64) -> String {
    format!("{entropy:016x}")
}

/// The name for somebody, as far as there is one, and what is wrong with the one that is wanted.
fn name(
    visit: &Visit,
    limits: &Limits,
) -> Result<(Option<MemberName>, NameKind, Option<Complaint>), Refusal> {
    let wanted = visit.name.as_deref().filter(|name| !name.trim().is_empty());
    let stranger = || {
        let (name, complaint) = split(wanted.map(|name| MemberName::parse_marked(name, limits)));
        (name, NameKind::Stranger, complaint)
    };
    match &visit.standing {
        Standing::Open => {
            let (name, complaint) = split(wanted.map(|name| MemberName::parse(name, limits)));
            Ok((name, NameKind::Open, complaint))
        }
        Standing::Stranger => Ok(stranger()),
        Standing::Known { name: Some(name), .. } => {
            let name = MemberName::parse_vouched(name, limits).map_err(|_| Refusal::Name)?;
            Ok((Some(name), NameKind::Known, None))
        }
        // What tells a user from others need not be fit for a name.
        Standing::Known { user, name: None } => Ok(MemberName::parse_vouched(user, limits)
            .map_or_else(|_| stranger(), |name| (Some(name), NameKind::Known, None))),
    }
}

/// What is good, and what is to be complained about.
fn split<T, E>(parsed: Option<Result<T, E>>) -> (Option<T>, Option<E>) {
    match parsed {
        None => (None, None),
        Some(Ok(good)) => (Some(good), None),
        Some(Err(complaint)) => (None, Some(complaint)),
    }
}

impl Shared {
    /// Forgets a room that the last holder has let go of, unless somebody has come for it meanwhile.
    pub(crate) fn forget(&self, room: &Arc<Room>) {
        let mut rooms = lock(&self.rooms);
        let is_it = |held: &Held| Arc::ptr_eq(&held.room, room);
        if rooms.by_name.get(room.name()).is_some_and(is_it) && !room.is_held() {
            rooms.by_name.remove(room.name());
            if let Some(left) = &mut rooms.left {
                left.insert(room.name().clone());
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("limits", &self.limits)
            .field("rooms", &self.rooms)
            .finish_non_exhaustive()
    }
}
