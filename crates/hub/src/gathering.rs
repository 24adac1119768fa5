//! Who comes and goes in a large room: told gathered, for with each told to each by itself, the work of those who come
//! would grow with the square of their number.

use crate::delivery::Delivery;
use crate::event::Event;

/// How many came and went since everybody was last told.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    joined: usize,
    left: usize,
}

impl Gathered {
    pub(crate) fn joined(&mut self, more: usize) {
        self.joined += more;
    }

    pub(crate) fn left(&mut self, more: usize) {
        self.left += more;
    }

    /// What is to be told now, if anything; so many are here by now.
    pub(crate) fn tell(&mut self, count: usize) -> Option<Delivery> {
        let Self { joined, left } = std::mem::take(self);
        (joined + left > 0).then(|| Delivery::of(&Event::Presence { joined, left, count }))
    }
}
