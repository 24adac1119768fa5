//! What waits for one reader.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use crate::closing::Closing;
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::errand::Errand;
use crate::event::Event;
use crate::lock::lock;
use crate::parcel::Parcel;
use crate::queue::Queue;

/// The reader's end: deliveries in order, and at last the reason why no more will come.
///
/// What may wait is bounded in bytes. Beyond the bound the mailbox is *overrun*: what waited is thrown away at
/// once, and the reader is told to close. Whoever delivers never waits. One delivery of any size always fits an
/// empty mailbox, so a small bound cannot lock a reader out.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Shared>,
    /// What was taken out together, to be handed out one by one.
    taken: Queue,
    /// What is being read from the store for this reader.
    errand: Option<Errand>,
}

/// The end at which deliveries are put in.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    shared: Arc<Shared>,
    bytes_max: usize,
}

/// What a mailbox hands out.
#[derive(Debug)]
#[non_exhaustive]
pub struct Handed {
    /// What is to be sent.
    pub parcel: Parcel,
    /// Nothing waits behind it, and the reader is woken when something comes, so it need not ask once more. Otherwise it
    /// has to: until this is said or the mailbox is pending, it is not woken.
    pub is_last: bool,
}

/// What both ends share. One line of a processor's cache: where thousands are delivered to in turn, each line has to come
/// from far away.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    reader: Option<Waker>,
    waiting: Queue,
    /// Boxed, for most deliveries meet none of it.
    rest: Option<Box<Rest>>,
}

/// What is rarely there.
#[derive(Debug, Default)]
struct Rest {
    closing: Option<Closing>,
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
    let shared = Arc::<Shared>::default();
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
        loop {
            let parcel = match ready!(self.poll_parcel(context)) {
                Ok(Handed { parcel, .. }) => parcel,
                Err(closing) => return Poll::Ready(Err(closing)),
            };
            let next = match parcel {
                Parcel::One(delivery) => Some(delivery),
                Parcel::Joined(joined) => self.taken.unpack(&joined),
            };
            if let Some(delivery) = next {
                return Poll::Ready(Ok(delivery));
            }
        }
    }

    /// As [`poll_next`](Self::poll_next), for who sends together what came together:
    ///
    /// ```
    /// # use std::future::poll_fn;
    /// # use wskit_hub::{Closing, Mailbox};
    /// async fn read(mailbox: &mut Mailbox) -> Closing {
    ///     loop {
    ///         match poll_fn(|context| mailbox.poll_parcel(context)).await {
    ///             Ok(handed) => println!("{} together", handed.parcel.count()),
    ///             Err(closing) => return closing,
    ///         }
    ///     }
    /// }
    /// ```
    pub fn poll_parcel(&mut self, context: &mut Context<'_>) -> Poll<Result<Handed, Closing>> {
        if let Some(parcel) = self.taken.pop() {
            return Poll::Ready(Ok(Handed { parcel, is_last: false }));
        }
        loop {
            let mut state = lock(&self.shared.0);
            if let Some(parcel) = state.take(&mut self.taken) {
                let is_last = self.taken.is_empty() && self.errand.is_none() && state.is_idle();
                if is_last {
                    state.waiting.give_back();
                    self.taken.give_back();
                    state.wait(context);
                }
                return Poll::Ready(Ok(Handed { parcel, is_last }));
            }
            if let Some(closing) = state.closing() {
                return Poll::Ready(Err(closing.clone()));
            }
            self.errand = self.errand.take().or_else(|| state.next_errand());
            let Some(errand) = &mut self.errand else {
                state.wait(context);
                return Poll::Pending;
            };
            drop(state);
            if errand.poll(context).is_ready() {
                self.errand = None;
                continue;
            }
            let mut state = lock(&self.shared.0);
            if state.waiting.is_empty() && state.closing().is_none() {
                state.wait(context);
                return Poll::Pending;
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

    /// How many to [`prefetch`](Mailbox::prefetch) together: as many as a processor asks for at the same time.
    pub const PREFETCHED_TOGETHER: usize = 16;

    /// Asks for the memory that the next delivery needs and does not wait for it. For who reads many mailboxes in turn:
    /// their memory may lie far away, and comes sooner if it is asked for together.
    #[inline]
    pub fn prefetch(&self) {
        black_box(self.shared.0.is_poisoned());
    }

    /// Ready when the reader is dropped for reading too slowly, and only then. To be asked while a write to the socket
    /// waits: a peer that reads nothing would hold that write, and so its place in the room, for ever.
    pub fn poll_overrun(&mut self, context: &mut Context<'_>) -> Poll<Closing> {
        let mut state = lock(&self.shared.0);
        match state.rest.as_deref() {
            Some(Rest { closing: Some(closing), overrun: true, .. }) => {
                Poll::Ready(closing.clone())
            }
            _ => {
                state.wait(context);
                Poll::Pending
            }
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.0);
        state.empty();
        state.close(Closing::left());
        let reader = state.reader.take();
        drop(state);
        // Behind the lock, for it may be all that keeps its task alive.
        drop(reader);
    }
}

impl Slot {
    /// As [`Mailbox::prefetch`], for who posts to many in turn.
    #[inline]
    pub(crate) fn prefetch(&self) {
        black_box(self.shared.0.is_poisoned());
    }

    /// Puts a delivery in, if the mailbox is still open.
    pub(crate) fn post(&self, delivery: Delivery) {
        self.post_all([Parcel::One(delivery)]);
    }

    /// Puts parcels in, one after the other, as long as the mailbox is open.
    pub(crate) fn post_all(&self, parcels: impl IntoIterator<Item = Parcel>) {
        let mut state = lock(&self.shared.0);
        if state.closing().is_some() {
            return;
        }
        for parcel in parcels {
            let bytes = state.bytes.saturating_add(parcel.bytes());
            let is_first = state.bytes == 0 && parcel.count() == 1;
            if bytes > self.bytes_max && !is_first {
                state.overrun();
                break;
            }
            state.bytes = bytes;
            state.waiting.push(parcel);
        }
        wake(state);
    }

    /// Lets something be fetched for the reader, unless so many errands wait already.
    pub(crate) fn send_for(
        &self,
        errands_max: usize,
        errand: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let mut state = lock(&self.shared.0);
        let rest = state.rest.get_or_insert_default();
        if rest.errands.len() >= errands_max {
            return false;
        }
        if rest.closing.is_none() {
            rest.errands.push_back(Errand::new(errand));
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
        lock(&self.shared.0).bytes
    }

    /// Lets the reader take what waits, and then close.
    pub(crate) fn close(&self, closing: Closing) {
        let mut state = lock(&self.shared.0);
        state.close(closing);
        wake(state);
    }
}

impl State {
    /// Takes out what waits, all of it unless it is much, and gives the first; `taken` is empty.
    fn take(&mut self, taken: &mut Queue) -> Option<Parcel> {
        if self.bytes > TAKEN_BYTES_MAX {
            let first = self.waiting.pop();
            self.bytes -= first.as_ref().map_or(0, Parcel::bytes);
            return first;
        }
        self.bytes = 0;
        if let Some(first) = self.waiting.pop() {
            if !self.waiting.is_empty() {
                std::mem::swap(&mut self.waiting, taken);
            }
            return Some(first);
        }
        // One of the two keeps its memory for what comes next.
        if taken.has_memory() {
            self.waiting = std::mem::take(taken);
        }
        self.waiting.give_back();
        None
    }

    /// Whether nothing waits, and nothing is to be done.
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.rest.is_none()
    }

    fn next_errand(&mut self) -> Option<Errand> {
        let errand = self.rest.as_mut()?.errands.pop_front();
        self.rest.take_if(|rest| rest.errands.is_empty() && rest.closing.is_none());
        errand
    }

    fn closing(&self) -> Option<&Closing> {
        self.rest.as_ref()?.closing.as_ref()
    }

    fn close(&mut self, closing: Closing) {
        self.rest.get_or_insert_default().closing.get_or_insert(closing);
    }

    fn overrun(&mut self) {
        self.empty();
        let rest = self.rest.get_or_insert_default();
        (rest.closing, rest.overrun) = (Some(Closing::read_too_slowly()), true);
    }

    /// The reader is to be woken when something comes.
    fn wait(&mut self, context: &Context<'_>) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
    }

    /// Gives back the memory too.
    fn empty(&mut self) {
        self.waiting = Queue::default();
        if let Some(rest) = &mut self.rest {
            rest.errands = VecDeque::new();
        }
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
