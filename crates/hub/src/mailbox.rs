//! What waits for one reader.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::closing::Closing;
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::errand::Errand;
use crate::event::Event;
use crate::lock::lock;
use crate::queue::Queue;

/// The reader's end: deliveries in order, and at last the reason why no more will come.
///
/// What may wait is bounded in bytes. Beyond the bound the mailbox is *overrun*: what waited is thrown away at
/// once, and the reader is told to close. Whoever delivers never waits. One delivery of any size always fits an
/// empty mailbox, so a small bound cannot lock a reader out.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Mutex<State>>,
    /// What was taken out together, to be handed out one by one.
    taken: Queue,
    /// What is being read from the store for this reader.
    errand: Option<Errand>,
}

/// The end at which deliveries are put in.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    shared: Arc<Mutex<State>>,
    bytes_max: usize,
}

// In this order, so that what each delivery needs lies together.
#[derive(Debug, Default)]
#[repr(C)]
struct State {
    bytes: usize,
    reader: Option<Waker>,
    waiting: Queue,
    /// Boxed, for most readers are far from their end.
    closing: Option<Box<Closing>>,
    overrun: bool,
    /// Done one after the other, and not counted in `bytes`.
    errands: VecDeque<Errand>,
}

/// What waits for all members of all rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// All of it.
    pub bytes: usize,
    /// The most that waits for one member.
    pub bytes_max: usize,
}

/// So many bytes are taken out together at most, and do not count as waiting any more.
const TAKEN_BYTES_MAX: usize = 16 * 1024;

/// An empty mailbox, as its two ends.
pub(crate) fn mailbox(bytes_max: usize) -> (Slot, Mailbox) {
    let shared = Arc::new(Mutex::new(State::default()));
    (
        Slot { shared: shared.clone(), bytes_max },
        Mailbox { shared, taken: Queue::default(), errand: None },
    )
}

impl Mailbox {
    /// The next delivery, or the reason why there will be none; pending as long as nothing waits.
    ///
    /// One task reads: the waker of the last call is the one that is woken.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Delivery, Closing>> {
        if let Some(delivery) = self.taken.pop() {
            return Poll::Ready(Ok(delivery));
        }
        loop {
            let mut state = lock(&self.shared);
            if let Some(next) = state.take(&mut self.taken) {
                return Poll::Ready(next);
            }
            self.errand = self.errand.take().or_else(|| state.errands.pop_front());
            let Some(errand) = &mut self.errand else { return state.wait(context) };
            drop(state);
            if errand.poll(context).is_ready() {
                self.errand = None;
                continue;
            }
            let mut state = lock(&self.shared);
            if state.waiting.is_empty() && state.closing.is_none() {
                return state.wait(context);
            }
        }
    }

    /// The next delivery, or the reason why there will be none. Cancel safe: a delivery is taken out only by the
    /// poll that returns it.
    ///
    /// # Errors
    /// The connection is to be closed as the [`Closing`] says.
    pub async fn next(&mut self) -> Result<Delivery, Closing> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next delivery if one waits; never pending. `None` means that nothing waits now.
    pub fn try_next(&mut self) -> Option<Result<Delivery, Closing>> {
        match self.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => Some(next),
            Poll::Pending => None,
        }
    }

    /// Asks for the memory that the next delivery needs and does not wait for it. For who reads many mailboxes in turn:
    /// their memory may lie far away, and comes sooner if it is asked for together.
    #[inline]
    pub fn prefetch(&self) {
        black_box(Arc::strong_count(&self.shared));
    }

    /// Ready when the reader is dropped for reading too slowly, and only then. To be asked while a write to the socket
    /// waits: a peer that reads nothing would hold that write, and so its place in the room, for ever.
    pub fn poll_overrun(&mut self, context: &mut Context<'_>) -> Poll<Closing> {
        let mut state = lock(&self.shared);
        match &state.closing {
            Some(closing) if state.overrun => Poll::Ready((**closing).clone()),
            _ => state.wait(context),
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.empty();
        state.closing.get_or_insert_with(|| Closing::left().into());
    }
}

impl Slot {
    /// As [`Mailbox::prefetch`], for who posts to many in turn.
    #[inline]
    pub(crate) fn prefetch(&self) {
        black_box(Arc::strong_count(&self.shared));
    }

    /// Puts a delivery in, if the mailbox is still open.
    pub(crate) fn post(&self, delivery: Delivery) {
        self.post_all([delivery]);
    }

    /// Puts deliveries in, one after the other, as long as the mailbox is open.
    pub(crate) fn post_all(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        let mut state = lock(&self.shared);
        if state.closing.is_some() {
            return;
        }
        for delivery in deliveries {
            if state.bytes > 0 && state.bytes.saturating_add(delivery.len()) > self.bytes_max {
                state.empty();
                state.overrun = true;
                state.closing = Some(Closing::read_too_slowly().into());
                break;
            }
            state.bytes += delivery.len();
            state.waiting.push(delivery);
        }
        wake(state);
    }

    /// Lets something be fetched for the reader, unless so many errands wait already.
    pub(crate) fn send_for(
        &self,
        errands_max: usize,
        errand: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let mut state = lock(&self.shared);
        if state.errands.len() >= errands_max {
            return false;
        }
        if state.closing.is_none() {
            state.errands.push_back(Errand::new(errand));
        }
        wake(state);
        true
    }

    /// How much may be posted at once to a reader who has read everything, with room for what else may come.
    pub(crate) fn portion_bytes(&self) -> usize {
        self.bytes_max / 2
    }

    /// Tells this reader alone that something cannot be done.
    pub(crate) fn complain(&self, complaint: &Complaint, id: Option<&str>) {
        let event = Event::Error { reason: complaint.reason(), text: complaint.to_string(), id };
        self.post(Delivery::of(&event));
    }

    /// Tells this reader that it was done. Who asks without an id wants no acknowledgement.
    pub(crate) fn acknowledge(&self, id: Option<&str>, offset: Option<u64>) {
        if let Some(id) = id {
            self.post(Delivery::of(&Event::Acknowledged { id, offset }));
        }
    }

    /// How many bytes wait.
    pub(crate) fn waiting_bytes(&self) -> usize {
        lock(&self.shared).bytes
    }

    /// Lets the reader take what waits, and then close.
    pub(crate) fn close(&self, closing: Closing) {
        let mut state = lock(&self.shared);
        state.closing.get_or_insert_with(|| closing.into());
        wake(state);
    }
}

impl State {
    /// Takes out what waits, all of it unless it is much, and gives the first; `taken` is empty.
    fn take(&mut self, taken: &mut Queue) -> Option<Result<Delivery, Closing>> {
        if self.bytes > TAKEN_BYTES_MAX {
            let first = self.waiting.pop();
            self.bytes -= first.as_ref().map_or(0, Delivery::len);
            return first.map(Ok);
        }
        self.bytes = 0;
        if let Some(first) = self.waiting.pop() {
            if !self.waiting.is_empty() {
                std::mem::swap(&mut self.waiting, taken);
            }
            return Some(Ok(first));
        }
        // One of the two keeps its memory for what comes next.
        if taken.has_memory() {
            self.waiting = std::mem::take(taken);
        }
        self.waiting.give_back();
        self.closing.as_deref().cloned().map(Err)
    }

    fn wait<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        match &mut self.reader {
            Some(reader) => reader.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Gives back the memory too.
    fn empty(&mut self) {
        self.waiting = Queue::default();
        self.errands = VecDeque::new();
        self.bytes = 0;
    }
}

/// Wakes the reader after the lock is given back, so that it may read from within its waker.
fn wake(mut state: MutexGuard<'_, State>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::errand::when_read;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn delivery() -> Delivery {
        Delivery::of(&Event::Acknowledged { id: "1", offset: None })
    }

    #[test]
    fn deliveries_come_in_order_and_wake_a_waiting_reader_once() {
        let (slot, mut mailbox) = mailbox(1000);
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut context = Context::from_waker(&waker);
        assert!(mailbox.poll_next(&mut context).is_pending());
        assert!(mailbox.poll_next(&mut context).is_pending());
        slot.post(delivery());
        slot.post(delivery());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(mailbox.poll_next(&mut context), Poll::Ready(Ok(delivery())));
        assert_eq!(mailbox.poll_next(&mut context), Poll::Ready(Ok(delivery())));
        assert!(mailbox.poll_next(&mut context).is_pending());
    }

    #[test]
    fn the_bound_is_exact() {
        let size = delivery().len();
        let (slot, mut exact) = mailbox(3 * size);
        (0..3).for_each(|_| slot.post(delivery()));
        assert!((0..3).all(|_| exact.try_next() == Some(Ok(delivery()))));

        let (slot, mut small) = mailbox(3 * size - 1);
        slot.post_all((0..3).map(|_| delivery()));
        assert_eq!(small.try_next(), Some(Err(Closing::read_too_slowly())));
        assert_eq!(lock(&small.shared).bytes, 0);
    }

    #[test]
    fn an_empty_mailbox_takes_one_delivery_of_any_size() {
        let (slot, mut mailbox) = mailbox(0);
        slot.post(delivery());
        assert_eq!(mailbox.try_next(), Some(Ok(delivery())));
        slot.post(delivery());
        slot.post(delivery());
        assert_eq!(mailbox.try_next(), Some(Err(Closing::read_too_slowly())));
    }

    #[test]
    fn what_was_taken_out_does_not_wait_any_more() {
        let size = delivery().len();
        let (slot, mut mailbox) = mailbox(3 * size);
        for _ in 0..3 {
            (0..3).for_each(|_| slot.post(delivery()));
            assert_eq!(mailbox.try_next(), Some(Ok(delivery())));
            (0..3).for_each(|_| slot.post(delivery()));
            assert!((0..5).all(|_| mailbox.try_next() == Some(Ok(delivery()))));
            assert_eq!(mailbox.try_next(), None);
        }
        let many = 2 * TAKEN_BYTES_MAX / size;
        let (slot, mut mailbox) = super::mailbox(many * size);
        (0..many).for_each(|_| slot.post(delivery()));
        assert_eq!(mailbox.try_next(), Some(Ok(delivery())));
        (0..2).for_each(|_| slot.post(delivery()));
        assert_eq!(mailbox.try_next(), Some(Err(Closing::read_too_slowly())));
    }

    #[test]
    fn the_memory_of_a_rush_is_given_back() {
        let (slot, mut mailbox) = mailbox(usize::MAX);
        for (count, kept) in [(8, true), (1000, false)] {
            (0..count).for_each(|_| slot.post(delivery()));
            while mailbox.try_next().is_some() {}
            assert_eq!(lock(&slot.shared).waiting.has_memory(), kept);
            assert!(!mailbox.taken.has_memory());
        }
    }

    #[test]
    fn a_reader_stuck_in_a_write_learns_that_it_is_overrun() {
        let (slot, mut mailbox) = mailbox(0);
        let mut context = Context::from_waker(Waker::noop());
        slot.post(delivery());
        assert!(mailbox.poll_overrun(&mut context).is_pending());
        slot.post(delivery());
        assert_eq!(mailbox.poll_overrun(&mut context), Poll::Ready(Closing::read_too_slowly()));
    }

    #[test]
    fn what_waits_is_read_before_the_close() {
        let (slot, mut mailbox) = mailbox(1000);
        slot.post(delivery());
        slot.close(Closing::restarting());
        slot.post(delivery());
        slot.close(Closing::left());
        assert_eq!(mailbox.try_next(), Some(Ok(delivery())));
        assert_eq!(mailbox.try_next(), Some(Err(Closing::restarting())));
        assert_eq!(mailbox.try_next(), Some(Err(Closing::restarting())));
    }

    #[test]
    fn errands_are_run_when_nothing_waits_and_go_on_when_all_is_read() {
        let (slot, mut mailbox) = mailbox(1000);
        slot.post(delivery());
        for _ in 0..2 {
            let posting = slot.clone();
            assert!(slot.send_for(2, async move {
                posting.post(delivery());
                posting.post(delivery());
                when_read().await;
                posting.post(delivery());
            }));
        }
        assert!(!slot.send_for(2, async {}));
        let mut waiting = Vec::new();
        while mailbox.try_next().is_some() {
            waiting.push(lock(&mailbox.shared).waiting.len() + mailbox.taken.len());
        }
        assert_eq!(waiting, [0, 1, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_mailbox_without_reader_holds_nothing() {
        let (slot, mailbox) = mailbox(1000);
        drop(mailbox);
        slot.post(delivery());
        assert_eq!(lock(&slot.shared).bytes, 0);
    }
}
