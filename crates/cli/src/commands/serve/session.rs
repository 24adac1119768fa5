//! What is counted and written down of one connection, from its opening to its end.

use super::counters::Counters;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tracing::{Level, enabled, info};
use wskit::{CloseFrame, Error, Savings};
use wskit_hub::{Closing, Refusal, Standing, Visit};

/// One connection. However it ends, its end is counted and written down when this is dropped.
pub(super) struct Session<'a> {
    pub(super) counters: &'a Counters,
    /// What the log is to know; nothing if there is none.
    written: Option<Box<Written>>,
}

struct Written {
    address: Option<IpAddr>,
    room: String,
    user: Option<String>,
    opened: Instant,
    end: End,
}

/// How a connection ended.
enum End {
    /// The server ended it, with its other connections.
    GoingDown,
    Closed {
        code: u16,
        reason: String,
        by: &'static str,
    },
}

impl<'a> Session<'a> {
    pub(super) fn open(
        counters: &'a Counters,
        address: Option<IpAddr>,
        visit: &Visit,
    ) -> Session<'a> {
        counters.opened.fetch_add(1, Relaxed);
        let written = enabled!(Level::INFO).then(|| {
            let room = &*visit.room;
            let user = match &visit.standing {
                Standing::Known { user, .. } => Some(&**user),
                _ => None,
            };
            info!(address = address.map(tracing::field::display), room, user, "opened");
            Box::new(Written {
                address,
                room: room.to_owned(),
                user: user.map(str::to_owned),
                opened: Instant::now(),
                end: End::GoingDown,
            })
        });
        Session { counters, written }
    }

    /// The chat does not let the client in, which is told by closing the connection.
    pub(super) fn refused(&mut self, refusal: &Refusal) -> Closing {
        let closing = refusal.closing();
        self.counters.refusals.count(refusal.reason());
        self.closed_by_server(closing.code, &closing.reason);
        closing
    }

    /// The server closes the connection.
    pub(super) fn closed_by_server(&mut self, code: u16, reason: &str) {
        self.counters.count_closing(code);
        self.ended(code, reason, "server");
    }

    /// The client closed the connection.
    pub(super) fn closed_by_client(&mut self, frame: Option<&CloseFrame>) {
        // RFC 6455 §7.1.5: a Close frame without a code counts as 1005.
        let (code, reason) =
            frame.map_or((1005, ""), |frame| (frame.code().number(), frame.reason()));
        self.ended(code, reason, "client");
    }

    /// The connection broke, or the client broke the protocol.
    pub(super) fn failed(&mut self, error: &Error) {
        let code = error.close_code().unwrap_or(1006);
        if code != 1006 {
            self.counters.count_closing(code);
        }
        self.ended(code, &error.to_string(), if code == 1006 { "network" } else { "server" });
    }

    /// What compression spared so far.
    pub(super) fn count_savings(&self, (received, sent): (Savings, Savings)) {
        let saved = |savings: Savings| savings.plain_bytes.saturating_sub(savings.compressed_bytes);
        self.counters.saved_received.fetch_add(saved(received), Relaxed);
        self.counters.saved_sent.fetch_add(saved(sent), Relaxed);
    }

    fn ended(&mut self, code: u16, reason: &str, by: &'static str) {
        if let Some(written) = &mut self.written {
            written.end = End::Closed { code, reason: reason.to_owned(), by };
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.counters.ended.fetch_add(1, Relaxed);
        let Some(written) = self.written.take() else { return };
        let Written { address, room, user, opened, end } = *written;
        let address = address.map(tracing::field::display);
        let seconds = opened.elapsed().as_secs_f64();
        match end {
            End::GoingDown => {
                info!(address, room, user, seconds, by = "shutdown", "closed");
            }
            End::Closed { code, reason, by } => {
                info!(address, room, user, seconds, code, reason, by, "closed");
            }
        }
    }
}
