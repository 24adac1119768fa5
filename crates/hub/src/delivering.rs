//! What the store commits, on its way into the rooms.

use std::future::poll_fn;
use std::task::Poll;

use wskit_store::Commit;

use crate::hub::Hub;
use crate::lock::lock;
use crate::room::Room;
use crate::speaker::Speaker;

/// What is being delivered. Whoever takes a commit delivers it before another takes the next.
#[derive(Debug, Default)]
pub(crate) struct Delivering {
    /// Commits of one room that came one after the other, so that each mailbox is opened once for all of them.
    together: Vec<Commit<Speaker>>,
}

/// After so many deliveries, which is some two milliseconds, the others get a turn, so that what was delivered can go out.
/// With fewer, a reader in a large room would get by many writes what came by one commit.
///
/// A turn is longer by what cannot be cut: it makes one delivery less than this at most, then those of up to
/// [`TOGETHER_MAX`] commits of one room, and last those of the commit that came behind them.
const DELIVERIES_PER_TURN: usize = 16_000;

/// What a commit counts as, beside its deliveries.
const COMMIT_COUNTED_DELIVERIES: usize = 16;

/// So many commits are delivered together at most. Who appends delivers as many; it may append no more before, or some
/// would be left: nobody else is told of what was committed at once.
pub(crate) const TOGETHER_MAX: usize = 16;

impl Hub {
    /// Delivers what the store commits, for ever. To be awaited by one task.
    pub async fn run(&self) {
        let mut deliveries = 0;
        poll_fn(|context| {
            let mut delivering = lock(&self.shared.delivering);
            loop {
                let Poll::Ready(commit) = self.shared.store.poll_committed(context) else {
                    self.deliver(&mut delivering);
                    deliveries = 0;
                    return Poll::<()>::Pending;
                };
                deliveries += self.gather(&mut delivering, commit);
                if deliveries >= DELIVERIES_PER_TURN {
                    self.deliver(&mut delivering);
                    deliveries = 0;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        })
        .await;
    }

    /// Delivers what is committed already, which with a store in memory is what was just appended.
    pub(crate) fn deliver_committed(&self) {
        let mut delivering = lock(&self.shared.delivering);
        for _ in 0..TOGETHER_MAX {
            let Some(commit) = self.shared.store.try_committed() else { break };
            self.gather(&mut delivering, commit);
        }
        self.deliver(&mut delivering);
    }

    /// Gathers a commit with others of its room; those of another are delivered first. Returns how much work that was,
    /// counted in deliveries.
    fn gather(&self, delivering: &mut Delivering, commit: Commit<Speaker>) -> usize {
        let together = &delivering.together;
        let is_apart = together.first().is_some_and(|first| first.stream != commit.stream);
        let is_full = together.len() == TOGETHER_MAX;
        let work = if is_apart || is_full { self.deliver(delivering) } else { 0 };
        delivering.together.push(commit);
        work
    }

    /// Delivers what was gathered. Returns how much work that was, counted in deliveries.
    fn deliver(&self, Delivering { together }: &mut Delivering) -> usize {
        let Some(first) = together.first() else { return 0 };
        let deliver = |room: &Room| room.committed(together, self.limits());
        let deliveries = match &first.tag {
            Some(speaker) => deliver(&speaker.room),
            None => self.find(&first.stream).map_or(0, |room| deliver(&room)),
        };
        let work = deliveries + together.len() * COMMIT_COUNTED_DELIVERIES;
        for commit in together.drain(..) {
            if let Some(speaker) = commit.tag {
                speaker.tell(&commit.outcome);
            }
        }
        work
    }
}
