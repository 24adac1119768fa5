//! The Pings that were sent on request, until their Pongs come.

use bytes::Bytes;
use std::collections::VecDeque;
use tokio::time::Instant;

/// Pings whose Pongs are awaited, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pings {
    waiting: VecDeque<Ping>,
}

#[derive(Debug)]
struct Ping {
    payload: Bytes,
    sent: Instant,
}

/// How many are remembered; a peer that answers none is no reason to remember more.
const WAITING_MAX: usize = 64;

impl Pings {
    pub(super) fn remember(&mut self, payload: Bytes) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Ping { payload, sent: Instant::now() });
    }

    /// When the Ping was sent that a Pong with this payload answers, if one was.
    ///
    /// A Pong answers all Pings before it too, for a peer may answer only the latest (RFC 6455
    /// §5.5.3).
    pub(super) fn answered(&mut self, payload: &[u8]) -> Option<Instant> {
        let place = self.waiting.iter().position(|ping| ping.payload == payload)?;
        let sent = self.waiting[place].sent;
        self.waiting.drain(..=place);
        Some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_answers_the_pings_before_it_too() {
        let mut pings = Pings::default();
        for payload in ["1", "2", "3"] {
            pings.remember(payload.into());
        }
        assert!(pings.answered(b"other").is_none());
        assert!(pings.answered(b"2").is_some());
        assert!(pings.answered(b"1").is_none());
        assert!(pings.answered(b"3").is_some());
        (0..1000).for_each(|_| pings.remember("x".into()));
        assert_eq!(pings.waiting.len(), WAITING_MAX);
    }
}
