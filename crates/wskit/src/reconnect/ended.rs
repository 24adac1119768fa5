//! How a connection ended, and whether another may fare better.

use crate::{CloseCode, CloseFrame, Error};
use std::{fmt, time::Duration};

/// How a connection ended, or why none came about.
#[derive(Debug)]
pub enum Ended {
    /// With a closing handshake, in which the peer said this.
    Closed(Option<CloseFrame>),
    /// With an error.
    Failed(Error),
}

impl Ended {
    /// Whether another connection may fare better.
    ///
    /// - Closed: with 1001 (going away), 1011 (internal error), 1012 (restart), 1013 (try again later) and
    ///   1014 (bad gateway). Not with 1000 or no code, for then all is said; nor with a code that tells of
    ///   a fault of this client, or one of the application (3000 to 4999).
    /// - Failed: as [`Error::is_transient`] has it.
    pub fn is_transient(&self) -> bool {
        match self {
            Ended::Closed(None) => false,
            Ended::Closed(Some(frame)) => matches!(
                frame.code(),
                CloseCode::GOING_AWAY
                    | CloseCode::INTERNAL_ERROR
                    | CloseCode::SERVICE_RESTART
                    | CloseCode::TRY_AGAIN_LATER
                    | CloseCode::BAD_GATEWAY
            ),
            Ended::Failed(error) => error.is_transient(),
        }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Ended::Closed(_) => None,
            Ended::Failed(error) => error.retry_after(),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Closed(None) => f.write_str("the peer closed the connection with no code"),
            Ended::Closed(Some(frame)) => write!(f, "the peer closed the connection with {frame}"),
            Ended::Failed(error) => error.fmt(f),
        }
    }
}
