//! Places for connections, of which there are only so many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A fixed number of places, and how many of them are free.
pub(crate) struct Places {
    count: usize,
    free: AtomicUsize,
}

/// One of the places, for as long as this is held.
pub(crate) struct Taken(Arc<Places>);

impl Places {
    pub(crate) fn new(count: usize) -> Arc<Places> {
        Arc::new(Places { count, free: AtomicUsize::new(count) })
    }

    /// Takes a place, if one is free.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Taken> {
        self.free.fetch_update(Relaxed, Relaxed, |free| free.checked_sub(1)).ok()?;
        Some(Taken(self.clone()))
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.count - self.free.load(Relaxed)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_and_they_are_given_back() {
        let places = Places::new(2);
        let (one, _two) = (places.take().unwrap(), places.take().unwrap());
        assert!(places.take().is_none());
        assert_eq!(places.taken(), 2);
        drop(one);
        assert_eq!(places.taken(), 1);
        assert!(places.take().is_some());
    }
}
