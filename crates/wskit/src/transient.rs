//! Which errors may pass by themselves, and when.

use crate::{Error, ResponseError};
use std::time::{Duration, SystemTime};

impl Error {
    /// Whether the same may go well another time, without anybody changing anything: no connection, one
    /// that broke or was lost, a deadline that was missed, and a response with the status 408, 425, 429 or
    /// 5xx (but not 501 or 505, which say that the server cannot).
    ///
    /// Not where the URL, the credentials, a certificate or one of the ends is wrong: 401, 403 and 404
    /// stay what they are.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Connect(_) | Error::OpeningTimeout(_) | Error::Opening(_) | Error::Lost(_) => {
                true
            }
            Error::Proxy(error) => error.fault().is_transient(),
            #[cfg(feature = "rustls")]
            Error::Tls(error) => error.is_broken(),
            Error::Handshake(error) => is_transient(error),
            _ => false,
        }
    }

    /// How long the server asks to be left alone, if it refused with the header `Retry-After`
    /// (RFC 9110 §10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        let Error::Handshake(response) = self else { return None };
        let header = |name| str::from_utf8(response.headers()?.get(name)?).ok();
        let value = header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        // The server's clock may differ from ours, but not from itself.
        let date = |text| httpdate::parse_http_date(text).ok();
        let now = header("date").and_then(date).unwrap_or_else(SystemTime::now);
        Some(date(value)?.duration_since(now).unwrap_or_default())
    }
}

/// Whether another response may come to the same request.
pub(crate) fn is_transient(response: &ResponseError) -> bool {
    match response {
        ResponseError::Ended => true,
        response => {
            matches!(response.status(), Some(408 | 425 | 429 | 500 | 502..=504 | 506..=599))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use wskit_proto::handshake::IncomingResponse;

    /// The error of a client that is answered like this.
    fn answered(head: &str) -> Error {
        let mut input = BytesMut::from(&*format!("HTTP/1.1 {head}\r\n\r\n"));
        IncomingResponse::new(101..=101, 0).receive(&mut input).unwrap_err().into()
    }

    #[test]
    fn statuses_that_may_pass() {
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(answered(&format!("{status} ")).is_transient(), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 407, 426, 501, 505] {
            assert!(!answered(&format!("{status} ")).is_transient(), "{status}");
        }
        assert!(!answered("x").is_transient(), "no HTTP");
        assert!(Error::from(ResponseError::Ended).is_transient());
        assert!(!crate::Client::new("http://x").unwrap_err().is_transient());
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let after = |headers: &str| {
            let time = answered(&format!("503 \r\n{headers}")).retry_after();
            time.map(|time| time.as_secs())
        };
        assert_eq!(after("Retry-After: 120"), Some(120));
        assert_eq!(after("Retry-After: 0"), Some(0));
        for wrong in ["X: y", "Retry-After: soon", "Retry-After: -1", "Retry-After: 1.5"] {
            assert_eq!(after(wrong), None, "{wrong}");
        }
        let date = "Date: Fri, 31 Dec 1999 23:59:00 GMT\r\nRetry-After: ";
        assert_eq!(after(&format!("{date}Fri, 31 Dec 1999 23:59:59 GMT")), Some(59));
        assert_eq!(after(&format!("{date}Fri, 31 Dec 1999 00:00:00 GMT")), Some(0));
        assert_eq!(after("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"), Some(0));
    }
}
