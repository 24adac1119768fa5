//! Why a TLS handshake fails, in plain words.

use std::{borrow::Cow, error::Error, fmt, io};
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, InvalidMessage};

/// What a client is told that sends HTTP without TLS.
pub(crate) const PLAIN_HTTP: &str = "this port speaks TLS; the URL begins with https:// or wss://";

/// Why a TLS handshake failed. Its text is one line for people.
#[derive(Debug)]
pub struct TlsError {
    why: Cow<'static, str>,
    source: Option<io::Error>,
}

impl TlsError {
    /// What an error of rustls means that came from a handshake with the server of this name, for
    /// those who do the handshake by other means.
    pub fn explain(host: &str, error: rustls::Error) -> TlsError {
        TlsError::of_server(host, io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The reason alone: the text without its beginning.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The handshake with the server of this name failed.
    pub(crate) fn of_server(host: &str, error: io::Error) -> TlsError {
        let why = match rustls_error(&error) {
            Some(rustls::Error::InvalidCertificate(fault)) => wrong_certificate(host, fault).into(),
            Some(rustls::Error::AlertReceived(alert)) => refused(host, *alert).into(),
            Some(rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge
                | InvalidMessage::InvalidEmptyPayload,
            )) => {
                "the server does not speak TLS on this port; without it the URL begins with ws://"
                    .into()
            }
            Some(rustls::Error::PeerIncompatible(why)) => {
                format!("the server speaks no TLS that is safe: {why:?}").into()
            }
            Some(error) => format!("{error}").into(),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the server ended the connection during the TLS handshake".into()
            }
            None => format!("the connection broke during the TLS handshake: {error}").into(),
        };
        TlsError { why, source: Some(error) }
    }

    /// The handshake with a client failed.
    pub(crate) fn of_client(error: io::Error) -> TlsError {
        let why = match rustls_error(&error) {
            Some(rustls::Error::AlertReceived(
                AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateExpired,
            )) => "the client does not trust the certificate".into(),
            Some(error) => format!("{error}").into(),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the client ended the connection during the TLS handshake".into()
            }
            None => format!("the connection broke during the TLS handshake: {error}").into(),
        };
        TlsError { why, source: Some(error) }
    }

    /// The client sent HTTP without TLS, and has been told so.
    pub(crate) fn plain_http() -> TlsError {
        TlsError { why: PLAIN_HTTP.into(), source: None }
    }

    /// The configuration names protocols to speak inside of TLS, but none of these, which are needed.
    pub(crate) fn nothing_offered(needed: &[&[u8]]) -> TlsError {
        let needed: Vec<String> =
            needed.iter().map(|name| name.escape_ascii().to_string()).collect();
        let needed = needed.join(" or ");
        let why = format!("its configuration names protocols (ALPN), but not {needed}").into();
        TlsError { why, source: None }
    }

    /// Whether the connection broke, and TLS itself found no fault.
    pub(crate) fn is_broken(&self) -> bool {
        self.source.is_some() && self.rustls().is_none()
    }

    /// What rustls says, if it was rustls that found the fault or received the alert.
    pub fn rustls(&self) -> Option<&rustls::Error> {
        self.source.as_ref().and_then(rustls_error)
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no TLS connection: {}", self.why)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

/// Whether it was TLS that made a stream fail.
pub(crate) fn is_tls(error: &io::Error) -> bool {
    rustls_error(error).is_some()
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn wrong_certificate(host: &str, fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            format!("the certificate of {host} comes from an authority that is not trusted")
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            format!("the certificate is not for {host}; it has no name at all")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            // rustls shows names as they stand in its own types: DnsName("example.com").
            let name = |name: &String| match name.split_once('(') {
                Some((_, name)) => name.trim_end_matches(')').trim_matches('"').to_owned(),
                None => name.clone(),
            };
            let names: Vec<_> = presented.iter().map(name).collect();
            format!("the certificate is for {}, and not for {host}", names.join(", "))
        }
        CertificateError::NotValidForName => format!("the certificate is not for {host}"),
        CertificateError::ExpiredContext { time, not_after } => {
            format!("the certificate of {host} expired {} ago", span(*not_after, *time))
        }
        CertificateError::Expired => format!("the certificate of {host} has expired"),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the certificate of {host} is not valid for another {}; is the clock right?",
            span(*time, *not_before)
        ),
        CertificateError::NotValidYet => {
            format!("the certificate of {host} is not valid yet; is the clock right?")
        }
        CertificateError::Revoked => format!("the certificate of {host} was revoked"),
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            format!(
                "the certificate of {host} is that of an authority, and a server needs one of its \
                 own (openssl req: -addext basicConstraints=critical,CA:FALSE)"
            )
        }
        fault => format!("the certificate of {host} is wrong: {fault}"),
    }
}

/// The time from one moment to a later one, in the largest unit that fits.
fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let (count, unit) = match seconds {
        0..3600 => (seconds.div_ceil(60), "minute"),
        3600..86400 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn refused(host: &str, alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            format!("{host} wants a client certificate, and none was shown")
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            format!("{host} does not accept the client certificate, or its lack ({alert:?})")
        }
        AlertDescription::ProtocolVersion => {
            format!("{host} speaks only versions of TLS that are no longer safe")
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            format!("{host} speaks no TLS that is safe, or wants a client certificate ({alert:?})")
        }
        AlertDescription::UnrecognisedName => format!("the server says that it is not {host}"),
        AlertDescription::NoApplicationProtocol => {
            format!("{host} does not speak HTTP/1.1 inside of TLS")
        }
        alert => format!("{host} refused the TLS handshake ({alert:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn spans_are_told_in_units_for_people() {
        let span = |seconds: u64| {
            let end = UnixTime::since_unix_epoch(Duration::from_secs(1000 + seconds));
            span(UnixTime::since_unix_epoch(Duration::from_secs(1000)), end)
        };
        assert_eq!(
            [1, 3599, 3600, 86399, 86400, 200_000].map(span),
            ["1 minute", "60 minutes", "1 hour", "23 hours", "1 day", "2 days"]
        );
    }
}
