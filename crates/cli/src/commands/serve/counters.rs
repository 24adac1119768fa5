//! What is counted while the server runs.

use crate::refusals::Refusals;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of what the connections of the chat did.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) opened: AtomicU64,
    pub(super) ended: AtomicU64,
    pub(super) received: Traffic,
    pub(super) delivered: Traffic,
    /// What compression has spared, of connections that have ended.
    pub(super) saved_received: AtomicU64,
    pub(super) saved_sent: AtomicU64,
    /// Who was not let in, be it by the handshake or by the chat.
    pub(super) refusals: Refusals,
    /// Connections that the server closed, by their close code.
    closed: Mutex<BTreeMap<u16, u64>>,
}

/// Messages and their bytes, before compression.
#[derive(Default)]
pub(super) struct Traffic {
    pub(super) messages: AtomicU64,
    pub(super) bytes: AtomicU64,
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
            self.traffic.messages.fetch_add(self.messages, Relaxed);
            self.traffic.bytes.fetch_add(self.bytes, Relaxed);
        }
    }
}

impl Counters {
    pub(super) fn with(refusals: Refusals) -> Counters {
        Counters { refusals, ..Counters::default() }
    }

    pub(super) fn count_closing(&self, code: u16) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    pub(super) fn closed(&self) -> BTreeMap<u16, u64> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
