//! Why a request is not for a WebSocket.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::fmt;
use wskit_hyper::UpgradeError;

/// Why [`WebSocketUpgrade`](crate::WebSocketUpgrade) was not extracted. As a response it has the
/// fitting status, the headers that belong to it and a line that names the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketUpgradeRejection(pub(crate) UpgradeError);

impl WebSocketUpgradeRejection {
    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// The line that the response has as its body.
    pub fn body_text(&self) -> String {
        self.0.to_string()
    }

    /// The fault.
    pub fn error(&self) -> &UpgradeError {
        &self.0
    }
}

impl IntoResponse for WebSocketUpgradeRejection {
    fn into_response(self) -> Response {
        self.0.to_response().map(Body::new)
    }
}

impl fmt::Display for WebSocketUpgradeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for WebSocketUpgradeRejection {}
