//! What waits, in which order it is handed out, and what is too much.

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
    slot.post_all((0..3).map(|_| Parcel::One(delivery())));
    assert_eq!(small.try_next(), Some(Err(Closing::read_too_slowly())));
    assert_eq!(lock(&small.shared.0).bytes, 0);
}

fn joined(count: usize) -> Parcel {
    Parcel::join(&vec![delivery(); count]).unwrap()
}

#[test]
fn the_bound_counts_each_of_those_that_are_joined() {
    let size = delivery().len();
    for (bytes_max, is_overrun) in [(3 * size, false), (3 * size - 1, true)] {
        let (slot, mut mailbox) = mailbox(bytes_max);
        slot.post_all([joined(3)]);
        assert_eq!(lock(&mailbox.shared.0).bytes, if is_overrun { 0 } else { 3 * size });
        assert_eq!(mailbox.try_next().unwrap().is_err(), is_overrun);
    }
}

#[test]
fn what_is_joined_is_handed_out_together_or_one_by_one() {
    let (slot, mut mailbox) = mailbox(1000);
    let mut context = Context::from_waker(Waker::noop());
    let mut hand_out = || {
        slot.post(delivery());
        slot.post_all([joined(2), joined(3)]);
        let first = mailbox.poll_parcel(&mut context).map_ok(|handed| handed.parcel);
        assert_eq!(first, Poll::Ready(Ok(Parcel::One(delivery()))));
        mailbox.poll_parcel(&mut context).map_ok(|handed| handed.parcel)
    };
    assert_eq!(hand_out(), Poll::Ready(Ok(joined(2))));
    assert!((0..3).all(|_| mailbox.try_next() == Some(Ok(delivery()))));
    assert_eq!(mailbox.try_next(), None);
}

#[test]
fn who_was_handed_the_last_is_woken_for_the_next() {
    let (slot, mut mailbox) = mailbox(1000);
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut context = Context::from_waker(&waker);
    let mut is_last = || match mailbox.poll_parcel(&mut context) {
        Poll::Ready(Ok(Handed { is_last, .. })) => is_last,
        other => panic!("{other:?}"),
    };
    slot.post(delivery());
    assert!(is_last());
    slot.post(delivery());
    slot.post(delivery());
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!([is_last(), is_last()], [false, false]);
    slot.post(delivery());
    assert!(slot.send_for(1, async {}));
    assert!(!is_last(), "there is an errand");
    assert!(mailbox.poll_parcel(&mut context).is_pending());
    slot.post(delivery());
    slot.close(Closing::left());
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    let mut next = || mailbox.poll_parcel(&mut context);
    assert!(matches!(next(), Poll::Ready(Ok(Handed { is_last: false, .. }))), "it closes");
    assert_eq!(next().map_ok(|_| ()), Poll::Ready(Err(Closing::left())));
}

#[test]
fn who_reads_a_portion_is_not_handed_its_last_as_the_last() {
    let (slot, mut mailbox) = mailbox(1000);
    let posting = slot.clone();
    assert!(slot.send_for(1, async move {
        posting.post(delivery());
        when_read().await;
        posting.post(delivery());
    }));
    let mut context = Context::from_waker(Waker::noop());
    let mut is_last = || match mailbox.poll_parcel(&mut context) {
        Poll::Ready(Ok(Handed { is_last, .. })) => is_last,
        other => panic!("{other:?}"),
    };
    assert_eq!([is_last(), is_last()], [false, true]);
    assert!(mailbox.poll_parcel(&mut context).is_pending());
}

#[test]
fn who_drops_the_mailbox_is_not_kept_by_it() {
    let (slot, mut mailbox) = mailbox(1000);
    let count = Arc::new(Count::default());
    slot.post(delivery());
    let waker = Waker::from(count.clone());
    assert!(mailbox.poll_next(&mut Context::from_waker(&waker)).is_ready());
    drop((mailbox, waker));
    assert_eq!(Arc::strong_count(&count), 1);
    drop(slot);
}

#[cfg(target_os = "linux")]
#[test]
fn what_both_ends_share_is_one_line_of_the_cache() {
    assert_eq!(size_of::<Shared>(), 64);
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
        assert_eq!(lock(&slot.shared.0).waiting.has_memory(), kept);
        assert!(!mailbox.taken.has_memory());
    }
    // Who is handed the last need not ask once more.
    (0..1000).for_each(|_| slot.post(delivery()));
    let mut context = Context::from_waker(Waker::noop());
    while matches!(
        mailbox.poll_parcel(&mut context),
        Poll::Ready(Ok(Handed { is_last: false, .. }))
    ) {}
    slot.post(delivery());
    assert!(matches!(
        mailbox.poll_parcel(&mut context),
        Poll::Ready(Ok(Handed { is_last: true, .. }))
    ));
    assert!(!lock(&slot.shared.0).waiting.has_memory() && !mailbox.taken.has_memory());
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
        waiting.push(lock(&mailbox.shared.0).waiting.len() + mailbox.taken.len());
    }
    assert_eq!(waiting, [0, 1, 0, 0, 1, 0, 0]);
}

#[test]
fn a_mailbox_without_reader_holds_nothing() {
    let (slot, mailbox) = mailbox(1000);
    drop(mailbox);
    slot.post(delivery());
    assert_eq!(lock(&slot.shared.0).bytes, 0);
}
