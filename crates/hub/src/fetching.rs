//! What has to be read from the store for one reader.

use std::sync::{Arc, Weak};

use wskit_store::{Error, Page, Reading, Span, Store};

use crate::closing::Refusal;
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::errand::when_read;
use crate::event::Event;
use crate::limits::Limits;
use crate::mailbox::Slot;
use crate::room::Room;
use crate::roster::MemberId;
use crate::speaker::Speaker;

/// A member who came back and reads what it missed, until it has all and follows.
pub(crate) struct CatchingUp {
    pub(crate) room: Weak<Room>,
    pub(crate) member: MemberId,
    pub(crate) slot: Slot,
    pub(crate) store: Arc<dyn Store<Speaker>>,
    pub(crate) limits: Limits,
}

impl CatchingUp {
    /// Portion after portion, each when the one before was read. What is in memory is shared with all readers; only
    /// what is older is read.
    pub(crate) async fn run(self, mut from: u64) {
        while let Some(room) = self.room.upgrade() {
            let portion = room.follow(self.member, from, self.slot.portion_bytes());
            if let Some(portion) = portion {
                from += portion.deliveries.len() as u64;
                portion.deliveries.into_iter().for_each(|delivery| self.slot.post(delivery));
                if portion.is_all {
                    return;
                }
            } else {
                let reading = self.store.read(room.stream(), self.span(from));
                let epoch = room.epoch();
                drop(room);
                match reading.await {
                    Ok(page) => from = self.post(page, &epoch, from),
                    // Without what is missing nothing later may come; so it is to come again.
                    Err(_) => return self.slot.close(Refusal::NotReadable.closing()),
                }
            }
            when_read().await;
        }
    }

    fn span(&self, from: u64) -> Span {
        let bytes_max = self.limits.history_bytes_max.min(self.slot.portion_bytes());
        let messages_max = self.limits.history_messages_max.max(1);
        Span { from, to: u64::MAX, last_ones: false, messages_max, bytes_max }
    }

    /// Posts what was read; returns the offset that comes next.
    fn post(&self, page: Page, epoch: &str, from: u64) -> u64 {
        let kept_from = page.messages.first().map(|message| message.offset);
        let next = kept_from.or(page.position.map(|position| position.last + 1)).unwrap_or(from);
        if next > from {
            // What was to come next went while others were read.
            self.slot.post(Delivery::of(&Event::Gap { epoch, from: next }));
        }
        let count = page.messages.len() as u64;
        for kept in page.messages {
            self.slot.post(Delivery::of_message(kept.offset, &kept.payload));
        }
        next + count
    }
}

/// Answers a member's question about what was said before.
pub(crate) async fn tell_history(slot: Slot, reading: Reading, id: Option<String>) {
    match history(reading).await {
        Ok(history) => {
            slot.post(history);
            slot.acknowledge(id.as_deref(), None);
        }
        Err(_) => slot.complain(&Complaint::NotKept, id.as_deref()),
    }
}

/// The `history` event of what is being read.
pub(crate) async fn history(reading: Reading) -> Result<Delivery, Error> {
    let page = reading.await?;
    let messages: Vec<_> =
        page.messages.iter().map(|kept| Delivery::of_message(kept.offset, &kept.payload)).collect();
    let position = page.position.as_ref();
    Ok(Delivery::of(&Event::History {
        epoch: position.map(|position| &*position.epoch),
        offset: position.map_or(0, |position| position.last),
        first: position.map_or(1, |position| position.first),
        messages: messages.iter().map(Delivery::json).collect(),
    }))
}
