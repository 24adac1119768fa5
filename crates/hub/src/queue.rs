//! Deliveries in the order in which they came.

use std::collections::VecDeque;

use crate::delivery::Delivery;

/// A queue that usually holds one delivery, which lies in the queue itself: memory of its own would have to be fetched
/// from far away for each of thousands of readers.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Missing only where there are no others either.
    first: Option<Delivery>,
    others: Option<Box<Others>>,
}

#[derive(Debug, Default)]
struct Others(VecDeque<Delivery>);

/// What a rush leaves behind is given back if it has room for more than so many deliveries.
const KEPT_DELIVERIES_MAX: usize = 32;

impl Queue {
    pub(crate) fn push(&mut self, delivery: Delivery) {
        if self.first.is_none() {
            self.first = Some(delivery);
        } else {
            self.others.get_or_insert_default().0.push_back(delivery);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Delivery> {
        let next = self.others.as_mut().and_then(|others| others.0.pop_front());
        std::mem::replace(&mut self.first, next)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether it has memory for others.
    pub(crate) fn has_memory(&self) -> bool {
        self.others.is_some()
    }

    /// Gives back what a rush has left behind; nothing is in the queue.
    pub(crate) fn give_back(&mut self) {
        self.others.take_if(|others| others.0.capacity() > KEPT_DELIVERIES_MAX);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let others = self.others.as_ref().map_or(0, |others| others.0.len());
        usize::from(self.first.is_some()) + others
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn what_comes_first_goes_first() {
        let delivery =
            |number: u64| Delivery::of(&Event::Acknowledged { id: "1", offset: Some(number) });
        let (mut queue, mut pushed, mut popped) = (Queue::default(), 0, 0);
        for (pushes, pops) in [(1, 1), (3, 1), (1, 2), (0, 1), (2, 2)] {
            for _ in 0..pushes {
                queue.push(delivery(pushed));
                pushed += 1;
            }
            for _ in 0..pops {
                assert_eq!(queue.pop(), Some(delivery(popped)));
                popped += 1;
            }
            assert_eq!(queue.is_empty(), pushed == popped);
        }
        assert_eq!(queue.pop(), None);
    }
}
