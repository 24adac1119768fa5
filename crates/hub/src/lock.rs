//! Taking a lock without a panic in one task becoming a panic in all.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, also after a panic of another holder: every change below a lock of this crate leaves the data
/// usable at each step, so going on serves the other members better than failing them all.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
