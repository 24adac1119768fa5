//! What lies between a room and one of its members.

use super::counters::Counters;
use super::postmen::{Postmen, Round};
use crate::accepting::{Goodbye, Stream};
use crate::listener::Connection;
use futures_util::task::{ArcWake, waker_ref};
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::Interest;
use wskit::tls::MaybeTls;
use wskit::{CloseCode, Error, Message, WebSocket};
use wskit_hub::{Closing, Handed, Mailbox, Parcel};

/// A member's mailbox and socket. Its task receives, waits for a socket that takes nothing, and ends the connection;
/// what waits in the mailbox is carried to the socket by [`Postmen`] too.
// In this order, so that what each delivery needs lies together.
#[repr(C)]
pub(super) struct Line {
    /// Whether the postmen were called already.
    is_called: AtomicBool,
    postmen: Arc<Postmen>,
    ends: Mutex<Ends>,
    counters: Arc<Counters>,
}

#[repr(C)]
struct Ends {
    socket: WebSocket<Stream>,
    /// Missing while the member is not in the room.
    mailbox: Option<Mailbox>,
    /// The member's task.
    task: Waker,
}

/// What a connection comes to next.
pub(super) enum Turn {
    Received(Message),
    /// The server is to close it.
    Closing(Closing),
    Ended,
}

/// A member's place in the room, given up when this is dropped.
pub(super) struct Seat<'a>(&'a Line);

impl Line {
    pub(super) fn new(
        socket: WebSocket<Stream>,
        postmen: Arc<Postmen>,
        counters: Arc<Counters>,
    ) -> Line {
        let ends = Ends { socket, mailbox: None, task: Waker::noop().clone() };
        Line { is_called: AtomicBool::new(false), postmen, ends: Mutex::new(ends), counters }
    }

    /// Does something with the socket.
    pub(super) fn socket<T>(&self, act: impl FnOnce(&mut WebSocket<Stream>) -> T) -> T {
        act(&mut self.lock().socket)
    }

    /// Begins to deliver what comes into the mailbox.
    pub(super) fn seat(&self, mailbox: Mailbox) -> Seat<'_> {
        self.lock().mailbox = Some(mailbox);
        Seat(self)
    }

    /// For the member's task: delivers what waits, and then receives. When all that came is received, `deliver` is to
    /// deliver what it says, which is carried then.
    pub(super) fn poll_turn(
        self: &Arc<Self>,
        context: &mut Context<'_>,
        deliver: impl FnOnce(),
    ) -> Poll<Result<Turn, Error>> {
        let turn = self.poll_ends(context);
        if turn.is_pending() {
            self.postmen.carry_for_speaker(deliver);
        }
        turn
    }

    fn poll_ends(self: &Arc<Self>, context: &mut Context<'_>) -> Poll<Result<Turn, Error>> {
        assert!(!self.ends.is_poisoned(), "a delivery has panicked");
        let mut ends = self.lock();
        ends.task.clone_from(context.waker());
        if let Some(closing) = ready!(ends.poll_deliver(self))? {
            return Poll::Ready(Ok(Turn::Closing(closing)));
        }
        // What was delivered is written when there is nothing to receive.
        let received = ready!(ends.socket.poll_recv(context)).transpose()?;
        Poll::Ready(Ok(received.map_or(Turn::Ended, Turn::Received)))
    }

    /// Asks for the memory that deliveries to these need. It comes for all of them at the same time, which is why they
    /// are locked together: a lock waits for all that was asked for before.
    pub(super) fn prefetch(round: &Round) {
        for line in round.iter().flatten() {
            black_box((Arc::strong_count(line), Arc::as_ptr(&line.counters)));
        }
        let locked = round.each_ref().map(|line| line.as_ref()?.ends.try_lock().ok());
        for ends in locked.iter().flatten() {
            if let Some(mailbox) = &ends.mailbox {
                mailbox.prefetch();
            }
            black_box((ends.socket.is_open(), is_writable(ends.socket.stream())));
        }
    }

    /// For a postman: writes what waits. What cannot be done at once is left to the member's task.
    pub(super) fn carry(self: &Arc<Self>) {
        // Before the mailbox is looked into: what comes later calls again.
        self.is_called.store(false, Ordering::Relaxed);
        // Whatever a delivery does, the others get theirs.
        let carried = catch_unwind(AssertUnwindSafe(|| self.lock().carry(self)));
        if !carried.unwrap_or(false) {
            let task = self.lock().task.clone();
            task.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ends {
    /// Takes what waits in the mailbox to the socket. Ready when nothing waits any more, or when the connection is to be
    /// closed; pending while the socket has no room. Who says goodbye is delivered nothing any more: what is left is to
    /// receive, until the closing handshake is complete.
    fn poll_deliver(&mut self, line: &Arc<Line>) -> Poll<Result<Option<Closing>, Error>> {
        let Ends { socket, mailbox: Some(mailbox), task } = self else {
            return Poll::Ready(Ok(None));
        };
        if !socket.is_open() {
            return Poll::Ready(Ok(None));
        }
        let mut delivered = line.counters.delivered.batch();
        let calling = waker_ref(line);
        loop {
            let context = &mut Context::from_waker(task);
            if socket.poll_ready(context)?.is_pending() {
                // A peer that reads nothing must not keep its place in the room.
                return mailbox.poll_overrun(context).map(|closing| Ok(Some(closing)));
            }
            let Handed { parcel, is_last, .. } =
                match mailbox.poll_parcel(&mut Context::from_waker(&calling)) {
                    Poll::Ready(Ok(handed)) => handed,
                    Poll::Ready(Err(closing)) => return Poll::Ready(Ok(Some(closing))),
                    Poll::Pending => return Poll::Ready(Ok(None)),
                };
            match &parcel {
                Parcel::One(delivery) => socket.start_send_prepared(delivery.message())?,
                Parcel::Joined(joined) => socket.start_send_joined(joined)?,
            }
            delivered.count(parcel.count(), parcel.bytes());
            if is_last {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Delivers and writes; whether there is nothing left to do.
    fn carry(&mut self, line: &Arc<Line>) -> bool {
        matches!(self.poll_deliver(line), Poll::Ready(Ok(None)))
            && matches!(
                self.socket.poll_flush(&mut Context::from_waker(&self.task)),
                Poll::Ready(Ok(()))
            )
    }
}

/// What the mailbox wakes when something comes. Not as std's `Wake`, whose wakers cannot be borrowed from a line: each
/// delivery would count one more owner.
impl ArcWake for Line {
    fn wake(self: Arc<Self>) {
        if !self.is_called.swap(true, Ordering::Relaxed) {
            self.postmen.clone().call(self);
        }
    }

    fn wake_by_ref(line: &Arc<Self>) {
        line.clone().wake();
    }
}

/// Whether the socket takes something, as far as is known.
fn is_writable(stream: &Stream) -> bool {
    match stream {
        Stream::First(MaybeTls::First(Connection::First(stream))) => {
            stream.try_io(Interest::WRITABLE, || Ok(())).is_ok()
        }
        _ => true,
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mailbox = self.0.lock().mailbox.take();
        // Not under the lock, for it may be what is being read from the store.
        drop(mailbox);
    }
}

impl Goodbye for Arc<Line> {
    async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        // Each time from the beginning: a closing handshake that was begun is gone on with.
        poll_fn(|context| {
            self.socket(|socket| pin!(socket.close(code, reason)).poll(context).map_ok(drop))
        })
        .await
    }
}
