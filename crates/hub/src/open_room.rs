//! A room that is held open.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use crate::hub::Shared;
use crate::room::Room;

/// A room, which stays open as long as anything holds one of these: a member, somebody about to enter, a message on
/// its way into the store. The hub forgets it with the last.
#[derive(Debug)]
pub(crate) struct OpenRoom {
    hub: Weak<Shared>,
    room: Arc<Room>,
}

impl OpenRoom {
    /// For the hub alone, which has counted it.
    pub(crate) fn counted(hub: Weak<Shared>, room: Arc<Room>) -> Self {
        Self { hub, room }
    }

    /// The room without holding it open.
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }
}

impl Clone for OpenRoom {
    fn clone(&self) -> Self {
        self.room.hold();
        Self { hub: self.hub.clone(), room: self.room.clone() }
    }
}

impl Drop for OpenRoom {
    fn drop(&mut self) {
        if self.room.release()
            && let Some(hub) = self.hub.upgrade()
        {
            hub.forget(&self.room);
        }
    }
}

impl Deref for OpenRoom {
    type Target = Room;

    fn deref(&self) -> &Room {
        &self.room
    }
}
