//! How many messages came and went.

use crate::apart::Apart;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use thread_local::ThreadLocal;

/// Messages and their bytes, before compression.
///
/// Each thread counts for itself, for a number that all of them write would go from one processor to the other with each
/// message. A thread that ends leaves what it has counted to the next that begins.
#[derive(Default)]
pub(super) struct Traffic(Apart<ThreadLocal<Apart<Count>>>);

#[derive(Default)]
struct Count {
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// Messages that are added to the traffic together, when this is dropped.
pub(super) struct Batch<'a> {
    traffic: &'a Traffic,
    messages: u64,
    bytes: u64,
}

impl Traffic {
    pub(super) fn count(&self, bytes: usize) {
        self.batch().count(1, bytes);
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { traffic: self, messages: 0, bytes: 0 }
    }

    /// The messages of all threads.
    pub(super) fn messages(&self) -> u64 {
        self.counts().map(|count| count.messages.load(Relaxed)).sum()
    }

    /// The bytes of all threads.
    pub(super) fn bytes(&self) -> u64 {
        self.counts().map(|count| count.bytes.load(Relaxed)).sum()
    }

    fn counts(&self) -> impl Iterator<Item = &Count> {
        self.0.0.iter().map(|Apart(count)| count)
    }
}

impl Batch<'_> {
    pub(super) fn count(&mut self, messages: usize, bytes: usize) {
        self.messages += messages as u64;
        self.bytes += bytes as u64;
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.messages > 0 {
            let Apart(count) = self.traffic.0.0.get_or_default();
            count.messages.fetch_add(self.messages, Relaxed);
            count.bytes.fetch_add(self.bytes, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn what_threads_count_is_summed_also_when_they_have_ended() {
        let traffic = Traffic::default();
        let all_count = Barrier::new(4);
        for round in 1..=2 {
            thread::scope(|scope| {
                for bytes in 0..4 {
                    let (traffic, all_count) = (&traffic, &all_count);
                    scope.spawn(move || {
                        traffic.count(bytes);
                        // So that no thread has ended before all have counted.
                        all_count.wait();
                        traffic.batch().count(2, 10);
                    });
                }
            });
            assert_eq!(traffic.messages(), round * 12);
            assert_eq!(traffic.bytes(), round * 46);
        }
        assert!(traffic.counts().count() >= 4, "each thread counts for itself");
    }
}
