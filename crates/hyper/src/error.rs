//! Why a request is refused, and the answer to it.

use crate::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, Version, header};
use std::fmt;
use wskit::proto::handshake::is_secret;
use wskit::{Rejection, RequestError};

/// Why a request that hyper has received cannot become a WebSocket connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeError {
    fault: Fault,
    /// Of the request, for the answer depends on it.
    version: Version,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    Request(RequestError),
    NotUpgradable,
}

impl UpgradeError {
    /// The request breaks a rule, or its origin is not allowed here.
    pub(crate) fn request(error: RequestError, version: Version) -> UpgradeError {
        UpgradeError { fault: Fault::Request(error), version }
    }

    /// hyper did not hand over the connection with the request.
    pub(crate) fn not_upgradable(version: Version) -> UpgradeError {
        UpgradeError { fault: Fault::NotUpgradable, version }
    }

    /// The rule that the request breaks. There is none if hyper did not hand over the connection with
    /// the request: something else took it, or the request did not come from a connection.
    pub fn request_error(&self) -> Option<&RequestError> {
        match &self.fault {
            Fault::Request(error) => Some(error),
            Fault::NotUpgradable => None,
        }
    }

    /// The status that the request is answered with.
    pub fn status(&self) -> StatusCode {
        status(&self.rejection())
    }

    /// The whole answer: status, headers and a body that names the fault.
    pub fn to_response(&self) -> Response<Body> {
        response(&self.rejection(), self.version)
    }

    fn rejection(&self) -> Rejection {
        let rejection = match &self.fault {
            Fault::Request(error) => error.into(),
            Fault::NotUpgradable => Rejection::new(500, self.to_string()),
        };
        as_sent_over(self.version, rejection)
    }
}

/// The response that a rejection stands for.
pub(crate) fn reject(rejection: Rejection, version: Version) -> Response<Body> {
    response(&as_sent_over(version, rejection), version)
}

fn as_sent_over(version: Version, rejection: Rejection) -> Rejection {
    if version > Version::HTTP_11 { rejection.without_upgrade() } else { rejection }
}

fn response(rejection: &Rejection, version: Version) -> Response<Body> {
    let mut response = Response::new(Body::from(rejection.body.clone()));
    *response.status_mut() = status(rejection);
    for (name, value) in rejection.final_headers() {
        add_header(&mut response, name, value);
    }
    if response.headers().contains_key(header::UPGRADE) {
        // RFC 9110 §7.6.1: `Upgrade` is named in `Connection` wherever it is sent.
        add_header(&mut response, "connection", b"close, Upgrade");
    } else if version <= Version::HTTP_11 {
        add_header(&mut response, "connection", b"close");
    }
    response
}

fn status(rejection: &Rejection) -> StatusCode {
    StatusCode::from_u16(rejection.final_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn add_header(response: &mut Response<Body>, name: &str, value: &[u8]) {
    let is_secret = is_secret(name);
    let (name, value) = (HeaderName::try_from(name), HeaderValue::from_bytes(value));
    // What can be a header for wskit can be one for hyper.
    if let (Ok(name), Ok(mut value)) = (name, value) {
        // RFC 7541 §7.1.3: a secret is kept out of the table of what was sent before.
        value.set_sensitive(is_secret);
        response.headers_mut().append(name, value);
    }
}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Request(error) => error.fmt(f),
            Fault::NotUpgradable => {
                f.write_str("the connection of this request cannot be upgraded")
            }
        }
    }
}

impl std::error::Error for UpgradeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use wskit::Field;

    #[test]
    fn secrets_are_kept_out_of_the_table_of_headers() {
        let mut rejection = Rejection::new(403, "not you");
        for (name, value) in [("Set-Cookie", "id=open-sesame"), ("X-Note", "hello")] {
            rejection = rejection.with_header(Field::new(name, value).unwrap());
        }
        let response = reject(rejection, Version::HTTP_2);
        let is_sensitive = |name| response.headers()[name].is_sensitive();
        assert_eq!((is_sensitive("set-cookie"), is_sensitive("x-note")), (true, false));
    }
}
