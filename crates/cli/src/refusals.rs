//! Who was not let in, and why: counted, and written to the log.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::info;
use wskit::{Error, RequestError};

/// Counts refusals by their reason. Cheap to clone, and every clone counts into the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Refusals {
    /// Somebody was refused, with an HTTP status or a close code.
    pub(crate) fn record(
        &self,
        address: Option<IpAddr>,
        code: u16,
        reason: &'static str,
        words: &dyn Display,
    ) {
        self.count(reason);
        info!(address = address.map(tracing::field::display), code, reason, "refused: {words}");
    }

    /// A connection did not come as far as an open WebSocket.
    pub(crate) fn record_error(&self, address: Option<IpAddr>, error: &Error) {
        let reason = match error {
            Error::Request(error) => match **error {
                RequestError::OriginRefused => "origin",
                _ => "request_invalid",
            },
            Error::OpeningTimeout(_) => "timeout",
            Error::Tls(_) => "tls",
            // Whoever only looks whether the port is open is not worth a line.
            _ => return self.count("connection_lost"),
        };
        self.record(address, error.status().unwrap_or_default(), reason, error);
    }

    /// How many there were for each reason.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Only counted, where something else is written down.
    pub(crate) fn count(&self, reason: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }
}
