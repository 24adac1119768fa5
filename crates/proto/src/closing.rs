//! The life of a connection from its opening to its end, as one table (RFC 6455 §7).
//!
//! `docs/closing.md` holds the same table as a picture; a test compares the two.

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Messages flow both ways.
    Open,
    /// This end sent a Close frame and waits for the peer's. Messages may still arrive.
    CloseSent,
    /// Both ends sent a Close frame: what remains is to end the transport. The server ends it
    /// first, the client waits for that (RFC 6455 §7.1.1).
    CloseComplete,
    /// The peer broke the protocol or fell silent. Our Close frame says so if it still can; what
    /// arrives from now on is discarded (RFC 6455 §7.1.7).
    Failed,
    /// The transport has ended.
    Ended,
}

/// What moves a connection from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The application closes the connection.
    SendClose,
    /// The peer's Close frame arrived.
    ReceiveClose,
    /// The peer broke the protocol, broke a limit or missed a deadline.
    Fault,
    /// The transport ended: the peer closed it, or it broke.
    TransportEnd,
}

/// What has to be done on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Send a Close frame with the application's or the fault's code.
    SendClose,
    /// Send a Close frame with the code that the peer sent (RFC 6455 §5.5.1).
    AnswerClose,
}

use Action::{AnswerClose, Nothing, SendClose as Send};
use Cause::{Fault, ReceiveClose, SendClose, TransportEnd};
use State::{CloseComplete, CloseSent, Ended, Failed, Open};

/// Every transition there is: from, cause, to, and what to do.
pub const TRANSITIONS: [(State, Cause, State, Action); 20] = [
    (Open, SendClose, CloseSent, Send),
    (Open, ReceiveClose, CloseComplete, AnswerClose),
    (Open, Fault, Failed, Send),
    (Open, TransportEnd, Ended, Nothing),
    (CloseSent, SendClose, CloseSent, Nothing),
    (CloseSent, ReceiveClose, CloseComplete, Nothing),
    (CloseSent, Fault, Failed, Nothing),
    (CloseSent, TransportEnd, Ended, Nothing),
    (CloseComplete, SendClose, CloseComplete, Nothing),
    (CloseComplete, ReceiveClose, CloseComplete, Nothing),
    (CloseComplete, Fault, CloseComplete, Nothing),
    (CloseComplete, TransportEnd, Ended, Nothing),
    (Failed, SendClose, Failed, Nothing),
    (Failed, ReceiveClose, Failed, Nothing),
    (Failed, Fault, Failed, Nothing),
    (Failed, TransportEnd, Ended, Nothing),
    (Ended, SendClose, Ended, Nothing),
    (Ended, ReceiveClose, Ended, Nothing),
    (Ended, Fault, Ended, Nothing),
    (Ended, TransportEnd, Ended, Nothing),
];

impl State {
    /// Moves on, and says what has to be done.
    #[must_use]
    pub(crate) fn advance(&mut self, cause: Cause) -> Action {
        let row = TRANSITIONS.iter().find(|(from, by, ..)| (from, by) == (self, &cause));
        let Some((_, _, to, action)) = row else { return Nothing };
        *self = *to;
        *action
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use alloc::{format, string::String, vec::Vec};

    const STATES: [State; 5] = [Open, CloseSent, CloseComplete, Failed, Ended];
    const CAUSES: [Cause; 4] = [SendClose, ReceiveClose, Fault, TransportEnd];

    #[test]
    fn every_state_answers_every_cause_once() {
        for state in STATES {
            for cause in CAUSES {
                let rows = TRANSITIONS.iter().filter(|row| (row.0, row.1) == (state, cause));
                assert_eq!(rows.count(), 1, "{state:?} {cause:?}");
            }
        }
    }

    #[test]
    fn one_close_frame_is_sent_at_most() {
        for first in CAUSES {
            for second in CAUSES {
                for third in CAUSES {
                    let mut state = Open;
                    let actions = [first, second, third].map(|cause| state.advance(cause));
                    assert!(actions.iter().filter(|action| **action != Nothing).count() <= 1);
                }
            }
        }
    }

    #[test]
    fn the_picture_shows_the_table() {
        let picture = include_str!("../../../docs/closing.md");
        let drawn: Vec<&str> =
            picture.lines().map(str::trim).filter(|line| line.contains(" --> ")).collect();
        let mut expected: Vec<String> = TRANSITIONS
            .iter()
            .filter(|(from, _, to, _)| from != to)
            .map(|(from, cause, to, action)| match action {
                Nothing => format!("{from:?} --> {to:?}: {cause:?}"),
                action => format!("{from:?} --> {to:?}: {cause:?} / {action:?}"),
            })
            .collect();
        expected.insert(0, "[*] --> Open".into());
        expected.push("Ended --> [*]".into());
        assert_eq!(drawn, expected);
    }
}
