//! What is said, by whomever, on its way into the store; and what was said, out of it.

use bytes::Bytes;
use tokio::sync::oneshot;
use wskit_store::{Append, Reading, Span};

use crate::closing::Refusal;
use crate::complaint::Complaint;
use crate::delivering::TOGETHER_MAX;
use crate::delivery::Delivery;
use crate::event::Said;
use crate::fetching::history;
use crate::hub::Hub;
use crate::lock::lock;
use crate::name::MemberName;
use crate::open_room::OpenRoom;
use crate::room::Room;
use crate::speaker::{Answer, Hears, Speaker};
use crate::timestamp::Timestamp;

/// Something that somebody says.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    pub(crate) from: &'a str,
    pub(crate) text: &'a str,
    /// Names it among all that is said in the room.
    pub(crate) id: Option<Bytes>,
}

/// Something that is said from outside: by a program that is no member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Who says it. Unlike members, programs may speak under the server's names.
    pub from: String,
    /// What is said.
    pub text: String,
    /// Names it among all that programs say in this room, so that it may be sent again.
    pub id: Option<String>,
}

/// Which messages to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The first ones after this offset.
    After(u64),
    /// The last ones before this offset.
    Before(u64),
}

/// What programs call themselves, all together; too short for any other client.
const PROGRAMS: &str = "program";

impl Hub {
    /// Says all of this in a room, in its order. Gives the offset of each, or why it is not kept.
    ///
    /// # Errors
    /// There cannot be such a room, or the server goes down.
    pub async fn publish(
        &self,
        room: &str,
        publications: Vec<Publication>,
        now: Timestamp,
    ) -> Result<Vec<Result<u64, Complaint>>, Refusal> {
        let room = self.open(room, || true).await?;
        let mut said = Vec::new();
        for together in publications.chunks(TOGETHER_MAX) {
            said.extend(together.iter().map(|one| self.publish_one(&room, one, now)));
            self.keep();
        }
        let mut outcomes = Vec::new();
        for said in said {
            outcomes.push(match said {
                Ok(answer) => answer.await.unwrap_or(Err(Complaint::NotKept)),
                Err(complaint) => Err(complaint),
            });
        }
        Ok(outcomes)
    }

    fn publish_one(
        &self,
        room: &OpenRoom,
        Publication { from, text, id }: &Publication,
        now: Timestamp,
    ) -> Result<oneshot::Receiver<Answer>, Complaint> {
        let limits = self.limits();
        let from = MemberName::parse_any(from, limits)?;
        if let Some(id) = id
            && !(1..=limits.id_chars_max).contains(&id.chars().count())
        {
            return Err(Complaint::Id { chars_max: limits.id_chars_max });
        }
        let id = id.as_ref().map(|id| format!("{PROGRAMS}\0{id}").into());
        let (tell, answer) = oneshot::channel();
        let words = Words { from: from.as_str(), text, id };
        self.say(room, words, now, Hears::Program(tell))?;
        Ok(answer)
    }

    /// Reads what was said in a room, as a `history` event.
    ///
    /// # Errors
    /// There cannot be such a room, the server goes down, or the store cannot read.
    pub async fn read(
        &self,
        room: &str,
        range: Range,
        limit: Option<usize>,
    ) -> Result<Delivery, Refusal> {
        let room = self.open(room, || true).await?;
        let reading = match range {
            Range::Before(before) => self.read_before(&room, before, limit),
            Range::After(after) => {
                let from = after.saturating_add(1);
                let span = Span { from, to: u64::MAX, last_ones: false, ..self.portion(limit) };
                self.shared.store.read(room.stream(), span)
            }
        };
        history(reading).await.map_err(|_| Refusal::NotReadable)
    }

    /// Takes words that are to be kept; what becomes of them is told later. After the last of them, and after
    /// [`TOGETHER_MAX`], the caller is to [hand them to the store](Self::keep).
    pub(crate) fn say(
        &self,
        room: &OpenRoom,
        words: Words<'_>,
        now: Timestamp,
        hears: Hears,
    ) -> Result<(), Complaint> {
        let limits = self.limits();
        if words.text.len() > limits.message_bytes_max {
            return Err(Complaint::message_too_large(limits));
        }
        if words.text.trim().is_empty() {
            return Err(Complaint::MessageEmpty);
        }
        let said = Said { from: words.from, text: words.text, time: now };
        let append = Append {
            stream: room.stream().clone(),
            epoch: room.epoch_to_begin(),
            id: words.id,
            time: now.unix_milliseconds(),
            payload: said.to_json().into(),
            tag: Speaker { room: room.clone(), hears },
        };
        lock(&self.shared.said).push(append);
        Ok(())
    }

    /// Hands to the store what was said, and delivers what it keeps by now.
    pub(crate) fn keep(&self) {
        let mut said = lock(&self.shared.said);
        // Under the lock still, or what is said now might be kept before it.
        self.shared.store.append_all(&mut said);
        drop(said);
        self.deliver_committed();
    }

    /// Reads the last messages before an offset, no more than may be told at once.
    pub(crate) fn read_before(&self, room: &Room, before: u64, limit: Option<usize>) -> Reading {
        let span = Span { from: 1, to: before.saturating_sub(1), ..self.portion(limit) };
        self.shared.store.read(room.stream(), span)
    }

    /// The last messages, no more than may be told at once.
    fn portion(&self, limit: Option<usize>) -> Span {
        let limits = self.limits();
        Span {
            from: 1,
            to: u64::MAX,
            last_ones: true,
            messages_max: limit.unwrap_or(usize::MAX).min(limits.history_messages_max),
            bytes_max: limits.history_bytes_max.min(limits.mailbox_bytes_max / 2),
        }
    }
}
