//! What is said, by whomever, on its way into the store; and what was said, out of it.

use bytes::Bytes;
use wskit_store::{Append, Reading, Span};

use crate::complaint::Complaint;
use crate::event::Said;
use crate::hub::Hub;
use crate::open_room::OpenRoom;
use crate::room::Room;
use crate::speaker::{Answer, Speaker};
use crate::timestamp::Timestamp;

/// Something that somebody says.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    pub(crate) from: &'a str,
    pub(crate) text: &'a str,
    /// Names it among all that is said in the room.
    pub(crate) id: Option<Bytes>,
}

impl Hub {
    /// Hands words to the store; what becomes of them is told later.
    pub(crate) fn say(
        &self,
        room: &OpenRoom,
        words: Words<'_>,
        now: Timestamp,
        tell: impl FnOnce(Answer) + Send + 'static,
    ) -> Result<(), Complaint> {
        let limits = self.limits();
        if words.text.len() > limits.message_bytes_max {
            return Err(Complaint::message_too_large(limits));
        }
        if words.text.trim().is_empty() {
            return Err(Complaint::MessageEmpty);
        }
        let said = Said { from: words.from, text: words.text, time: now };
        let payload = serde_json::to_vec(&said).map_err(|_| Complaint::NotKept)?;
        self.shared.store.append(Append {
            stream: room.stream().clone(),
            epoch: room.epoch_to_begin(),
            id: words.id,
            time: now.unix_milliseconds(),
            payload: payload.into(),
            tag: Speaker::new(room.clone(), tell),
        });
        self.deliver_committed();
        Ok(())
    }

    /// Reads the last messages before an offset, no more than may be told at once.
    pub(crate) fn read_before(&self, room: &Room, before: u64, limit: Option<usize>) -> Reading {
        let limits = self.limits();
        let span = Span {
            from: 1,
            to: before.saturating_sub(1),
            last_ones: true,
            messages_max: limit.unwrap_or(usize::MAX).min(limits.history_messages_max),
            bytes_max: limits.history_bytes_max.min(limits.mailbox_bytes_max / 2),
        };
        self.shared.store.read(room.stream(), span)
    }
}
