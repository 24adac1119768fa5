//! What was said in a room.

use std::collections::VecDeque;

use crate::delivery::Delivery;
use crate::event::{Event, Message};
use crate::limits::Limits;
use crate::name::MemberName;
use crate::timestamp::Timestamp;

/// The last messages of a room, bounded in number and in bytes, and the offset of the last.
#[derive(Debug, Default)]
pub(crate) struct History {
    messages: VecDeque<Message>,
    /// The encoded size of each message, in the same order.
    sizes: VecDeque<usize>,
    bytes: usize,
    last_offset: u64,
}

impl History {
    /// Gives the message the next offset, remembers it, and forgets the oldest beyond the bounds.
    pub(crate) fn append(
        &mut self,
        from: MemberName,
        text: String,
        time: Timestamp,
        limits: &Limits,
    ) -> Delivery {
        self.last_offset += 1;
        let message = Message { offset: self.last_offset, from, text, time };
        let delivery = Delivery::of(&Event::Message(&message));
        self.messages.push_back(message);
        self.sizes.push_back(delivery.len());
        self.bytes += delivery.len();
        while self.messages.len() > limits.history_messages_max
            || self.bytes > limits.history_bytes_max
        {
            self.messages.pop_front();
            self.bytes -= self.sizes.pop_front().unwrap_or(self.bytes);
        }
        delivery
    }

    pub(crate) fn messages(&self) -> &VecDeque<Message> {
        &self.messages
    }

    /// 0 as long as nothing was ever said.
    pub(crate) fn last_offset(&self) -> u64 {
        self.last_offset
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(limits: &Limits, count: usize) -> History {
        let mut history = History::default();
        let ann = MemberName::parse("ann", limits).unwrap();
        for _ in 0..count {
            history.append(ann.clone(), "hello".into(), Timestamp::default(), limits);
        }
        history
    }

    fn offsets(history: &History) -> Vec<u64> {
        history.messages().iter().map(|message| message.offset).collect()
    }

    #[test]
    fn keeps_the_last_messages() {
        let limits = Limits { history_messages_max: 3, ..Limits::default() };
        assert_eq!(offsets(&filled(&limits, 3)), [1, 2, 3]);
        assert_eq!(offsets(&filled(&limits, 4)), [2, 3, 4]);
    }

    #[test]
    fn keeps_no_more_bytes_than_it_may() {
        let one = filled(&Limits::default(), 1).bytes;
        let three = Limits { history_bytes_max: 3 * one, ..Limits::default() };
        assert_eq!(offsets(&filled(&three, 4)), [2, 3, 4]);
        let almost_three = Limits { history_bytes_max: 3 * one - 1, ..Limits::default() };
        assert_eq!(offsets(&filled(&almost_three, 4)), [3, 4]);
    }

    #[test]
    fn may_keep_nothing_and_still_counts() {
        for limits in [
            Limits { history_messages_max: 0, ..Limits::default() },
            Limits { history_bytes_max: 0, ..Limits::default() },
        ] {
            let history = filled(&limits, 5);
            assert!(history.is_empty());
            assert_eq!((history.last_offset(), history.bytes), (5, 0));
        }
    }
}
