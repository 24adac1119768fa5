//! What is delivered, in the order in which they came.

use std::collections::VecDeque;

use wskit_proto::Joined;

use crate::delivery::Delivery;
use crate::parcel::Parcel;

/// A queue that usually holds one parcel, which lies in the queue itself: memory of its own would have to be fetched
/// from far away for each of thousands of readers.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Missing only where there are no others either.
    first: Option<Parcel>,
    others: Option<Box<Others>>,
}

#[derive(Debug, Default)]
struct Others(VecDeque<Parcel>);

/// What a rush leaves behind is given back if it has room for more than so many parcels.
const KEPT_PARCELS_MAX: usize = 32;

impl Queue {
    pub(crate) fn push(&mut self, parcel: Parcel) {
        if self.first.is_none() {
            self.first = Some(parcel);
        } else {
            self.others.get_or_insert_default().0.push_back(parcel);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Parcel> {
        let next = self.others.as_mut().and_then(|others| others.0.pop_front());
        std::mem::replace(&mut self.first, next)
    }

    /// The first of these, the others of which go before all that is in the queue.
    pub(crate) fn unpack(&mut self, joined: &Joined) -> Option<Delivery> {
        let mut deliveries = joined.messages().iter().map(Delivery::one_of_many);
        let first = deliveries.next();
        for delivery in deliveries.rev() {
            if let Some(second) = self.first.replace(Parcel::One(delivery)) {
                self.others.get_or_insert_default().0.push_front(second);
            }
        }
        first
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
        self.others.take_if(|others| others.0.capacity() > KEPT_PARCELS_MAX);
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

    fn delivery(number: u64) -> Delivery {
        Delivery::of(&Event::Acknowledged { id: "1", offset: Some(number) })
    }

    #[test]
    fn what_is_unpacked_goes_before_all_others() {
        let (mut queue, mut popped) = (Queue::default(), Vec::new());
        for (numbers, behind) in [(0..1, 0), (0..3, 0), (0..3, 1), (0..3, 3)] {
            let messages: Vec<_> =
                numbers.clone().map(|one| delivery(one).message().clone()).collect();
            (0..behind).for_each(|one| queue.push(Parcel::One(delivery(numbers.end + one))));
            let first = queue.unpack(&messages.into()).map(Parcel::One);
            popped.extend(first.into_iter().chain(std::iter::from_fn(|| queue.pop())));
            let expected: Vec<_> =
                (0..numbers.end + behind).map(|one| Parcel::One(delivery(one))).collect();
            assert_eq!(std::mem::take(&mut popped), expected);
        }
    }

    #[test]
    fn what_comes_first_goes_first() {
        let parcel = |number| Parcel::One(delivery(number));
        let (mut queue, mut pushed, mut popped) = (Queue::default(), 0, 0);
        for (pushes, pops) in [(1, 1), (3, 1), (1, 2), (0, 1), (2, 2)] {
            for _ in 0..pushes {
                queue.push(parcel(pushed));
                pushed += 1;
            }
            for _ in 0..pops {
                assert_eq!(queue.pop(), Some(parcel(popped)));
                popped += 1;
            }
            assert_eq!(queue.is_empty(), pushed == popped);
        }
        assert_eq!(queue.pop(), None);
    }
}
