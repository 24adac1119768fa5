//! The last messages of a room, ready to be delivered.

use std::collections::VecDeque;

use crate::delivery::Delivery;
use crate::limits::Limits;

/// The last messages, bounded in number and in bytes, without a gap up to the last that was delivered.
#[derive(Debug)]
pub(crate) struct Tail {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
    last: u64,
    /// Whether what the store had before was put in.
    is_filled: bool,
}

impl Tail {
    /// The tail of a room in which this was the last message.
    pub(crate) fn after(last: u64) -> Self {
        Self { deliveries: VecDeque::new(), bytes: 0, last, is_filled: last == 0 }
    }

    pub(crate) fn push(&mut self, offset: u64, delivery: Delivery, limits: &Limits) {
        self.last = offset;
        self.bytes += delivery.len();
        self.deliveries.push_back(delivery);
        while self.deliveries.len() > limits.history_messages_max
            || self.bytes > limits.history_bytes_max
        {
            let first = self.deliveries.pop_front();
            self.bytes -= first.map_or(self.bytes, |first| first.len());
            self.is_filled = true;
        }
    }

    /// Up to which offset the store is to be asked for what comes before; `None` if nothing is to come.
    pub(crate) fn to_be_filled_up_to(&self) -> Option<u64> {
        (!self.is_filled).then(|| self.first() - 1)
    }

    /// Puts in what the store had before: messages up to the one that was asked for.
    pub(crate) fn fill(&mut self, older: Vec<Delivery>, limits: &Limits) {
        if std::mem::replace(&mut self.is_filled, true) {
            return;
        }
        for delivery in older.into_iter().rev() {
            let bytes = self.bytes + delivery.len();
            if self.deliveries.len() >= limits.history_messages_max
                || bytes > limits.history_bytes_max
            {
                break;
            }
            self.bytes = bytes;
            self.deliveries.push_front(delivery);
        }
    }

    /// Lets go of what comes before this offset, as the store did.
    pub(crate) fn let_go_before(&mut self, offset: u64) {
        while self.first() < offset
            && let Some(first) = self.deliveries.pop_front()
        {
            self.bytes -= first.len();
            self.is_filled = true;
        }
    }

    /// The offset of the last message that was delivered; 0 as long as there was none.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// All that is here, oldest first.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter()
    }

    /// What comes from this offset on; `None` if it is not all here.
    pub(crate) fn from(&self, offset: u64) -> Option<impl Iterator<Item = &Delivery>> {
        let skipped = usize::try_from(offset.checked_sub(self.first())?).ok()?;
        Some(self.deliveries.iter().skip(skipped))
    }

    fn first(&self) -> u64 {
        self.last + 1 - self.deliveries.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(offset: u64) -> Delivery {
        Delivery::of_message(offset, br#"{"text":"hello"}"#)
    }

    fn filled(limits: &Limits, count: u64) -> Tail {
        let mut tail = Tail::after(0);
        (1..=count).for_each(|offset| tail.push(offset, delivery(offset), limits));
        tail
    }

    fn offsets<'a>(deliveries: impl Iterator<Item = &'a Delivery>) -> Vec<u64> {
        let offset = |delivery: &Delivery| {
            serde_json::from_str::<serde_json::Value>(delivery.text()).unwrap()["offset"].as_u64()
        };
        deliveries.map(|delivery| offset(delivery).unwrap()).collect()
    }

    #[test]
    fn keeps_the_last_messages() {
        let limits = Limits { history_messages_max: 3, ..Limits::default() };
        assert_eq!(offsets(filled(&limits, 3).deliveries()), [1, 2, 3]);
        assert_eq!(offsets(filled(&limits, 4).deliveries()), [2, 3, 4]);
    }

    #[test]
    fn keeps_no_more_bytes_than_it_may() {
        let one = delivery(1).len();
        let three = Limits { history_bytes_max: 3 * one, ..Limits::default() };
        assert_eq!(offsets(filled(&three, 4).deliveries()), [2, 3, 4]);
        let almost_three = Limits { history_bytes_max: 3 * one - 1, ..Limits::default() };
        assert_eq!(offsets(filled(&almost_three, 4).deliveries()), [3, 4]);
    }

    #[test]
    fn may_keep_nothing_and_still_counts() {
        let limits = Limits { history_messages_max: 0, ..Limits::default() };
        let tail = filled(&limits, 5);
        assert_eq!((tail.last(), tail.deliveries().count(), tail.bytes), (5, 0, 0));
    }

    #[test]
    fn what_the_store_had_is_put_before_what_came_since_and_once() {
        let limits = Limits { history_messages_max: 4, ..Limits::default() };
        let mut tail = Tail::after(10);
        assert_eq!(tail.to_be_filled_up_to(), Some(10));
        tail.push(11, delivery(11), &limits);
        assert_eq!(tail.to_be_filled_up_to(), Some(10));
        for _ in 0..2 {
            tail.fill((7..=10).map(delivery).collect(), &limits);
            assert_eq!(offsets(tail.deliveries()), [8, 9, 10, 11]);
        }
        assert_eq!(tail.to_be_filled_up_to(), None);
    }

    #[test]
    fn lets_go_of_what_the_store_let_go_of() {
        let mut tail = filled(&Limits::default(), 3);
        tail.let_go_before(1);
        assert_eq!(offsets(tail.deliveries()), [1, 2, 3]);
        tail.let_go_before(3);
        assert_eq!(offsets(tail.deliveries()), [3]);
        tail.let_go_before(9);
        assert_eq!((tail.last(), tail.deliveries().count(), tail.bytes), (3, 0, 0));
    }

    #[test]
    fn is_read_from_any_offset_it_has() {
        let limits = Limits { history_messages_max: 3, ..Limits::default() };
        let tail = filled(&limits, 5);
        assert!(tail.from(2).is_none());
        assert_eq!(offsets(tail.from(3).unwrap()), [3, 4, 5]);
        assert_eq!(offsets(tail.from(5).unwrap()), [5]);
        assert_eq!(offsets(tail.from(6).unwrap()), [] as [u64; 0]);
    }
}
