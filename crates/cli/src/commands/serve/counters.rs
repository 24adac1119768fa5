//! What is counted while the server runs.

use super::traffic::Traffic;
use crate::refusals::Refusals;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

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
