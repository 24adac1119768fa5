//! Why a request is refused, and the answer to it.

use crate::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use std::fmt;
use wskit::{Rejection, RequestError};

/// Why a request that hyper has received cannot become a WebSocket connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The request breaks a rule, or its origin is not allowed here.
    Request(RequestError),
    /// hyper did not hand over the connection with the request: something else took it, or the
    /// request did not come from a connection.
    NotUpgradable,
}

impl UpgradeError {
    /// The status that the request is answered with.
    pub fn status(&self) -> StatusCode {
        let status = match self {
            UpgradeError::Request(error) => error.status(),
            UpgradeError::NotUpgradable => 500,
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The whole answer: status, headers and a body that names the fault.
    pub fn to_response(&self) -> Response<Body> {
        match self {
            UpgradeError::Request(error) => reject(&error.into()),
            UpgradeError::NotUpgradable => reject(&Rejection::new(500, self.to_string())),
        }
    }
}

/// The response that a rejection stands for.
pub fn reject(rejection: &Rejection) -> Response<Body> {
    let mut response = Response::new(Body::from(rejection.body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(rejection.final_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in rejection.final_headers() {
        add_header(&mut response, name, value);
    }
    if response.headers().contains_key(header::UPGRADE) {
        // RFC 9110 §7.6.1: `Upgrade` is named in `Connection` wherever it is sent.
        add_header(&mut response, "connection", b"close, Upgrade");
    } else {
        add_header(&mut response, "connection", b"close");
    }
    response
}

pub(crate) fn add_header(response: &mut Response<Body>, name: &str, value: &[u8]) {
    let (name, value) = (HeaderName::try_from(name), HeaderValue::from_bytes(value));
    // What can be a header for wskit can be one for hyper.
    if let (Ok(name), Ok(value)) = (name, value) {
        response.headers_mut().append(name, value);
    }
}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpgradeError::Request(error) => error.fmt(f),
            UpgradeError::NotUpgradable => {
                f.write_str("the connection of this request cannot be upgraded")
            }
        }
    }
}

impl std::error::Error for UpgradeError {}

impl From<RequestError> for UpgradeError {
    fn from(error: RequestError) -> UpgradeError {
        UpgradeError::Request(error)
    }
}
