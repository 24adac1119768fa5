//! Keeping apart what threads would otherwise hand to and fro.

/// Lies on cache lines of its own, so that no thread waits for what another one writes beside it.
// Two lines, for processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);
