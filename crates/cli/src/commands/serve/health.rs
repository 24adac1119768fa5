//! Whether the server lives, and whether it wants new connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wskit_hub::Hub;

/// Answers `/healthz` and `/readyz`.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) hub: Hub,
    /// Whether the server is about to stop.
    pub(super) draining: Arc<AtomicBool>,
}

impl Health {
    /// The status and the words for this path, if it asks for either.
    pub(super) fn answer(&self, path: &str) -> Option<(u16, &'static str)> {
        match path {
            "/healthz" => Some((200, "alive")),
            "/readyz" => Some(match self.obstacle() {
                None => (200, "ready"),
                Some(obstacle) => (503, obstacle),
            }),
            _ => None,
        }
    }

    fn obstacle(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("the server is about to stop");
        }
        self.hub.statistics().failure.is_some().then_some("the store does not keep messages")
    }
}
