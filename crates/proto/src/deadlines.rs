//! Deadlines of an open connection. Time is told, never read.

use crate::closing::State;
use crate::frame::{CloseCode, CloseFrame};
use crate::message::{Message, Receiving, Sending};
use crate::{Config, Output};
use alloc::sync::Arc;
use bytes::Bytes;
use core::time::Duration;

/// A moment, as the time since any fixed moment that the caller chose.
pub type Timestamp = Duration;

/// How long a connection waits for its peer.
///
/// ```
/// # use wskit_proto::Timeouts;
/// # use core::time::Duration;
/// let patient = Timeouts { keepalive_timeout: Duration::from_secs(60), ..Timeouts::default() };
/// let without_pings = Timeouts { keepalive_interval: None, ..Timeouts::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A peer that was silent for this long is sent a Ping: 20 s. `None` sends no Pings.
    ///
    /// Silence is looked at once in each interval, so the Ping leaves after one to two of them.
    pub keepalive_interval: Option<Duration>,
    /// A peer from which nothing at all arrived for this long after a Ping is given up: 20 s.
    pub keepalive_timeout: Duration,
    /// A message has to arrive whole within this time: 5 min. `None` waits for ever. Only messages
    /// that do not arrive at once are timed.
    pub message_timeout: Option<Duration>,
    /// The closing handshake, and the end of the transport after it, have to happen within this
    /// time each: 5 s.
    pub close_timeout: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            keepalive_interval: Some(Duration::from_secs(20)),
            keepalive_timeout: Duration::from_secs(20),
            message_timeout: Some(Duration::from_secs(300)),
            close_timeout: Duration::from_secs(5),
        }
    }
}

/// A deadline that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// The peer answered no Ping.
    Keepalive,
    /// A message did not arrive whole in time.
    Message,
    /// The closing handshake or the end of the transport did not come in time.
    Close,
}

/// What has to be done at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Ping,
    Missed(Missed),
}

/// The deadlines of one connection.
///
/// While messages flow, nothing here costs more than setting a flag.
#[derive(Debug)]
pub struct Deadlines {
    config: Arc<Config>,
    /// Something arrived since the keepalive last looked.
    heard: bool,
    /// A Ping is out.
    asked: bool,
    /// At this time, see whether something arrived; until this time, if a Ping is out.
    keepalive: Option<Timestamp>,
    message: Option<Timestamp>,
    close: Option<Timestamp>,
}

impl Deadlines {
    /// The deadlines of a connection that has just been opened.
    pub fn new(config: impl Into<Arc<Config>>) -> Deadlines {
        Deadlines {
            config: config.into(),
            heard: false,
            asked: false,
            keepalive: None,
            message: None,
            close: None,
        }
    }

    /// Takes note that bytes arrived, which tells that the peer is alive.
    #[inline]
    pub fn hear(&mut self) {
        self.heard = true;
    }

    /// Whether [`next`](Deadlines::next) has to be asked anew. Costs next to nothing, so that the
    /// clock need not be read for every message.
    #[inline]
    pub fn is_stale(&self, state: State, message_begun: bool) -> bool {
        if state != State::Open {
            return self.close.is_none();
        }
        let Timeouts { keepalive_interval, message_timeout, .. } = &self.config.timeouts;
        (self.keepalive.is_none() && keepalive_interval.is_some())
            || (message_begun != self.message.is_some() && message_timeout.is_some())
    }

    /// Takes note that a message has ended: the next one, which may have begun already, has a
    /// timeout of its own.
    #[inline]
    pub fn restart_message(&mut self) {
        self.message = None;
    }

    /// Begins the close timeout anew: once for the closing handshake, once for the end of the
    /// transport.
    pub fn restart_close(&mut self) {
        self.close = None;
    }

    /// The time by which [`handle`](Deadlines::handle) has to be called, if there is one.
    pub fn next(&mut self, now: Timestamp, state: State, message_begun: bool) -> Option<Timestamp> {
        let timeouts = &self.config.timeouts;
        if state != State::Open {
            (self.keepalive, self.message) = (None, None);
            return Some(*self.close.get_or_insert(now.saturating_add(timeouts.close_timeout)));
        }
        if let (None, Some(interval)) = (self.keepalive, timeouts.keepalive_interval) {
            (self.heard, self.asked) = (false, false);
            self.keepalive = Some(now.saturating_add(interval));
        }
        self.message = match timeouts.message_timeout {
            Some(timeout) if message_begun => {
                Some(self.message.unwrap_or(now.saturating_add(timeout)))
            }
            _ => None,
        };
        let keepalive = match self.keepalive {
            Some(until) if self.asked => Some(self.next_look(now, until)),
            listening => listening,
        };
        keepalive.into_iter().chain(self.message).min()
    }

    /// When to look for the answer to a Ping. A peer that has long to answer is still asked again soon if it did, for
    /// whatever stands between may cut what is silent for longer than the interval.
    fn next_look(&self, now: Timestamp, until: Timestamp) -> Timestamp {
        let Timeouts { keepalive_interval, keepalive_timeout, .. } = self.config.timeouts;
        let asked = until.saturating_sub(keepalive_timeout);
        let look = asked.saturating_add(keepalive_interval.unwrap_or(keepalive_timeout));
        if now < look { look.min(until) } else { until }
    }

    /// Does what is due: sends a Ping, or fails the connection and says which deadline was missed.
    ///
    /// Call it when the next deadline has come; calling it early does no harm.
    pub fn handle(
        &mut self,
        now: Timestamp,
        receiving: &mut Receiving,
        sending: &mut Sending,
        output: &mut Output,
    ) -> Option<Missed> {
        match self.due(now)? {
            Due::Ping => {
                // An output that stays full is a sign of its own that the peer is silent.
                if !sending.is_output_full(output) {
                    let _refused_once_closed = sending.send(Message::Ping(Bytes::new()), output);
                }
                None
            }
            Due::Missed(missed) => {
                receiving.end();
                sending.fail(&missed.close_frame(), output);
                Some(missed)
            }
        }
    }

    /// What is due at this time, one thing for each call.
    fn due(&mut self, now: Timestamp) -> Option<Due> {
        let has_come = |at: &Timestamp| *at <= now;
        if self.close.as_ref().is_some_and(has_come) {
            return Some(Due::Missed(Missed::Close));
        }
        if self.message.as_ref().is_some_and(has_come) {
            return Some(Due::Missed(Missed::Message));
        }
        let Timeouts { keepalive_interval, keepalive_timeout, .. } = self.config.timeouts;
        let (interval, until) = (keepalive_interval?, self.keepalive?);
        let is_answered = self.asked && self.heard;
        if !has_come(&until) && !is_answered {
            return None;
        }
        if core::mem::take(&mut self.heard) {
            self.asked = false;
            self.keepalive = Some(now.saturating_add(interval));
            return None;
        }
        if self.asked {
            return Some(Due::Missed(Missed::Keepalive));
        }
        self.asked = true;
        self.keepalive = Some(now.saturating_add(keepalive_timeout));
        Some(Due::Ping)
    }
}

impl Missed {
    fn close_frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Missed::Keepalive => (CloseCode::GOING_AWAY, "no answer to a Ping"),
            Missed::Message => (CloseCode::POLICY_VIOLATION, "a message took too long"),
            Missed::Close => (CloseCode::NORMAL, ""),
        };
        CloseFrame::with_cut_reason(code, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlines(timeouts: Timeouts) -> Deadlines {
        Deadlines::new(Config { timeouts, ..Config::default() })
    }

    fn seconds(seconds: u64) -> Timestamp {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_silent_peer_is_asked_and_then_given_up() {
        let mut deadlines = deadlines(Timeouts::default());
        assert!(deadlines.is_stale(State::Open, false));
        assert_eq!(deadlines.next(seconds(0), State::Open, false), Some(seconds(20)));
        assert!(!deadlines.is_stale(State::Open, false));
        assert_eq!(deadlines.due(seconds(19)), None);
        assert_eq!(deadlines.due(seconds(20)), Some(Due::Ping));
        assert_eq!(deadlines.next(seconds(20), State::Open, false), Some(seconds(40)));
        assert_eq!(deadlines.due(seconds(39)), None);
        assert_eq!(deadlines.due(seconds(40)), Some(Due::Missed(Missed::Keepalive)));
    }

    #[test]
    fn any_sign_of_life_counts() {
        let mut deadlines = deadlines(Timeouts::default());
        deadlines.next(seconds(0), State::Open, false);
        deadlines.hear();
        assert_eq!(deadlines.due(seconds(20)), None);
        assert_eq!(deadlines.next(seconds(20), State::Open, false), Some(seconds(40)));
        assert_eq!(deadlines.due(seconds(40)), Some(Due::Ping));
        deadlines.hear();
        assert_eq!(deadlines.due(seconds(60)), None);
        assert_eq!(deadlines.next(seconds(60), State::Open, false), Some(seconds(80)));
    }

    #[test]
    fn a_peer_that_has_long_to_answer_is_asked_again_soon_if_it_did() {
        let interval = Some(seconds(5));
        let mut deadlines =
            deadlines(Timeouts { keepalive_interval: interval, ..Timeouts::default() });
        deadlines.next(seconds(0), State::Open, false);
        assert_eq!(deadlines.due(seconds(5)), Some(Due::Ping));
        deadlines.hear();
        assert_eq!(deadlines.next(seconds(5), State::Open, false), Some(seconds(10)));
        assert_eq!(deadlines.due(seconds(10)), None);
        assert_eq!(deadlines.next(seconds(10), State::Open, false), Some(seconds(15)));
        assert_eq!(deadlines.due(seconds(15)), Some(Due::Ping));
        // Who does not answer is looked at once more, and has all its time.
        assert_eq!(deadlines.next(seconds(15), State::Open, false), Some(seconds(20)));
        assert_eq!(deadlines.due(seconds(20)), None);
        assert_eq!(deadlines.next(seconds(20), State::Open, false), Some(seconds(35)));
        assert_eq!(deadlines.due(seconds(34)), None);
        assert_eq!(deadlines.due(seconds(35)), Some(Due::Missed(Missed::Keepalive)));
    }

    #[test]
    fn a_message_has_its_time_from_its_beginning() {
        let mut deadlines = deadlines(Timeouts::default());
        deadlines.next(seconds(0), State::Open, false);
        assert!(deadlines.is_stale(State::Open, true));
        deadlines.next(seconds(5), State::Open, true);
        for second in (10..305).step_by(10) {
            deadlines.hear();
            assert_eq!(deadlines.due(seconds(second)), None);
            deadlines.next(seconds(second), State::Open, true);
        }
        assert_eq!(deadlines.due(seconds(305)), Some(Due::Missed(Missed::Message)));
    }

    #[test]
    fn closing_has_a_time_of_its_own() {
        let mut deadlines = deadlines(Timeouts::default());
        deadlines.next(seconds(0), State::Open, true);
        assert!(deadlines.is_stale(State::CloseSent, false));
        assert_eq!(deadlines.next(seconds(3), State::CloseSent, false), Some(seconds(8)));
        deadlines.hear();
        assert_eq!(deadlines.due(seconds(8)), Some(Due::Missed(Missed::Close)));
    }

    #[test]
    fn nothing_is_due_when_nothing_is_asked_for() {
        let off =
            Timeouts { keepalive_interval: None, message_timeout: None, ..Timeouts::default() };
        let mut deadlines = deadlines(off);
        assert!(!deadlines.is_stale(State::Open, false) && !deadlines.is_stale(State::Open, true));
        assert_eq!(deadlines.next(seconds(0), State::Open, true), None);
        assert_eq!(deadlines.due(seconds(1_000_000)), None);
    }
}
