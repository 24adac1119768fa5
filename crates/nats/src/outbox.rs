//! What one node wants kept in one room, in its order.
//!
//! Many messages are on their way at a time, and yet none may overtake another, nor be kept where it was kept before.
//! So each is published on the condition that it gets the offset that it is meant for, right behind the one before
//! it. When another node was faster, none of those that are on their way is kept; they are brought up to date and
//! sent again.

use std::collections::VecDeque;
use std::time::Instant;

use wskit_store::Append;

use crate::record::Id;

#[derive(Debug)]
pub(crate) struct Outbox<T> {
    waiting: VecDeque<Pending<T>>,
    under_way: VecDeque<Pending<T>>,
    /// Whether one of those under way was not kept, so that none behind it can be.
    is_stuck: bool,
}

/// A message that is to be kept.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    pub(crate) append: Append<T>,
    pub(crate) id: Option<Id>,
    pub(crate) attempt: String,
    pub(crate) since: Instant,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing, or not before something that is under way has arrived.
    Wait,
    /// The first that waits is kept already, at this offset.
    Known(u64),
    /// The first that waits can be sent, to get the offset behind so many that are under way.
    Send,
}

/// So many may be under way in one room, so that others get their turn.
const UNDER_WAY_MAX: usize = 256;

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), under_way: VecDeque::new(), is_stuck: false }
    }
}

impl<T> Outbox<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    pub(crate) fn push(&mut self, pending: Pending<T>) {
        self.waiting.push_back(pending);
    }

    /// `known` tells the offset at which an id is kept.
    pub(crate) fn next(&self, known: impl Fn(Id) -> Option<u64>) -> Next {
        let Some(first) = self.waiting.front() else { return Next::Wait };
        let is_full = self.under_way.len() >= UNDER_WAY_MAX;
        let is_under_way = |id| self.under_way.iter().any(|pending| pending.id == Some(id));
        match first.id {
            // What becomes of it is told after what became of those before it.
            Some(id) => match known(id) {
                Some(offset) if self.under_way.is_empty() => Next::Known(offset),
                Some(_) => Next::Wait,
                None if is_full || self.is_stuck || is_under_way(id) => Next::Wait,
                None => Next::Send,
            },
            None if is_full || self.is_stuck => Next::Wait,
            None => Next::Send,
        }
    }

    pub(crate) fn first(&self) -> Option<&Pending<T>> {
        self.waiting.front()
    }

    /// Takes out the first that waits.
    pub(crate) fn take_first(&mut self) -> Option<Pending<T>> {
        self.waiting.pop_front()
    }

    /// Whoever is under way last, and how many are.
    pub(crate) fn last_under_way(&self) -> (Option<&Pending<T>>, u64) {
        (self.under_way.back(), self.under_way.len() as u64)
    }

    /// The first that waits is under way from now on.
    pub(crate) fn sent(&mut self) {
        self.under_way.extend(self.waiting.pop_front());
    }

    /// Takes out the one of this attempt, if it is under way.
    pub(crate) fn arrived(&mut self, attempt: &str) -> Option<Pending<T>> {
        let index = self.under_way.iter().position(|pending| pending.attempt == attempt)?;
        self.under_way.remove(index)
    }

    /// One of those under way was not kept.
    pub(crate) fn stuck(&mut self) {
        self.is_stuck = true;
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// All that were under way are to be sent again. To be called when the answer to each has come.
    pub(crate) fn begin_again(&mut self) {
        self.is_stuck = false;
        self.under_way.append(&mut self.waiting);
        std::mem::swap(&mut self.under_way, &mut self.waiting);
    }

    /// Gives up on all.
    pub(crate) fn give_up(&mut self) -> impl Iterator<Item = Pending<T>> {
        self.begin_again();
        std::mem::take(&mut self.waiting).into_iter()
    }

    /// Gives up on those, of the ones that wait, that have waited since before this.
    pub(crate) fn give_up_older(&mut self, than: Instant) -> impl Iterator<Item = Pending<T>> {
        let count = self.waiting.iter().take_while(|pending| pending.since < than).count();
        self.waiting.drain(..count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(ids: &[&str]) -> Outbox<usize> {
        let mut outbox = Outbox::default();
        for (tag, id) in ids.iter().enumerate() {
            let (stream, epoch) = ("room".into(), "epoch".into());
            let payload = Default::default();
            outbox.push(Pending {
                append: Append { stream, epoch, id: None, time: 0, payload, tag },
                id: (!id.is_empty()).then(|| Id::of(id.as_bytes())),
                attempt: tag.to_string(),
                since: Instant::now(),
            });
        }
        outbox
    }

    fn nothing_known(_: Id) -> Option<u64> {
        None
    }

    fn attempts(pending: impl Iterator<Item = Pending<usize>>) -> Vec<usize> {
        pending.map(|pending| pending.append.tag).collect()
    }

    #[test]
    fn what_got_stuck_is_sent_again_in_its_order() {
        let mut outbox = outbox(&["", "", "", ""]);
        for _ in 0..3 {
            assert_eq!(outbox.next(nothing_known), Next::Send);
            outbox.sent();
        }
        assert_eq!(outbox.last_under_way().1, 3);
        assert_eq!(outbox.arrived("0").unwrap().append.tag, 0);
        outbox.stuck();
        assert_eq!(outbox.next(nothing_known), Next::Wait);
        outbox.begin_again();
        assert_eq!(outbox.next(nothing_known), Next::Send);
        assert_eq!(attempts(outbox.give_up()), [1, 2, 3]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn an_id_waits_for_the_same_one_that_is_under_way() {
        let mut outbox = outbox(&["a", "a", ""]);
        outbox.sent();
        assert_eq!(outbox.next(nothing_known), Next::Wait);
        assert_eq!(outbox.next(|_| Some(1)), Next::Wait);
        outbox.arrived("0");
        assert_eq!(outbox.next(|_| Some(1)), Next::Known(1));
        outbox.take_first();
        assert_eq!(outbox.next(|_| Some(1)), Next::Send);
    }

    #[test]
    fn no_more_are_under_way_than_may_be() {
        let mut outbox = outbox(&[""; UNDER_WAY_MAX + 1]);
        for _ in 0..UNDER_WAY_MAX {
            assert_eq!(outbox.next(nothing_known), Next::Send);
            outbox.sent();
        }
        assert_eq!(outbox.next(nothing_known), Next::Wait);
        outbox.arrived("0");
        assert_eq!(outbox.next(nothing_known), Next::Send);
    }

    #[test]
    fn who_waited_too_long_is_given_up() {
        let mut outbox = outbox(&["", ""]);
        let now = Instant::now();
        outbox.waiting[1].since = now;
        assert_eq!(attempts(outbox.give_up_older(now)), [0]);
    }
}
