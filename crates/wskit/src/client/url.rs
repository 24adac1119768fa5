//! What a WebSocket URL says (RFC 6455 §3).

use super::authority::{Authority, Credentials};
use crate::Error;
use http::Uri;
use std::fmt;

/// Where a URL leads.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// Whether the scheme is `wss`: WebSocket inside of TLS.
    pub(super) is_secure: bool,
    /// A name or an address, without the brackets that an IPv6 address has in a URL.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the Host header says: the host, and the port unless it is the usual one.
    pub(super) authority: String,
    /// The name and the password before the host.
    pub(super) credentials: Option<Credentials>,
    /// The path and the query.
    pub(super) target: String,
}

impl Endpoint {
    pub(super) fn parse(url: &str) -> Result<Endpoint, Error> {
        let wrong = |why: &str| cannot_be_connected_to(url, why);
        if !url.contains("://") {
            return Err(wrong("it has to begin with ws:// or wss://"));
        }
        if url.contains('#') {
            return Err(wrong("a WebSocket URL has no fragment; write # as %23"));
        }
        if let Some(strange) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(wrong(&format!(
                "it has the character {strange:?}; write it as %20 and the like, or in the name of \
                 a host as xn--"
            )));
        }
        let uri: Uri = url.parse().map_err(|error| cannot_be_connected_to(url, error))?;
        let is_secure = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => false,
            Some(scheme) if scheme.eq_ignore_ascii_case("wss") => true,
            _ => return Err(wrong("its scheme has to be ws or wss, as in wss://example.com/chat")),
        };
        if is_secure && !cfg!(feature = "rustls") {
            return Err(wrong("wss needs the feature tls of wskit"));
        }
        let usual_port = if is_secure { 443 } else { 80 };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        let authority = Authority::parse(authority).map_err(wrong)?;
        let (host, port) = (&authority.host, authority.port.unwrap_or(usual_port));
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(Endpoint {
            is_secure,
            host: authority.bare_host(),
            port,
            // RFC 6455 §4.1 (4): the port is named unless it is the usual one.
            authority: if port == usual_port { host.clone() } else { format!("{host}:{port}") },
            credentials: authority.credentials,
            target: if target.starts_with('/') { target.into() } else { format!("/{target}") },
        })
    }
}

/// The error of a URL that cannot be connected to.
pub(super) fn cannot_be_connected_to(url: &str, why: impl fmt::Display) -> Error {
    Error::Url(format!("{:?} cannot be connected to: {why}", without_credentials(url)))
}

/// The URL without the name and the password before the host, which are not for the eyes of all.
pub(super) fn without_credentials(url: &str) -> String {
    let start = url.find("://").map_or(0, |place| place + 3);
    let (scheme, rest) = url.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let place = rest[..end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[place..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "rustls")]
    #[test]
    fn the_scheme_tells_of_tls_and_has_a_port_of_its_own() {
        for (url, is_secure, port, authority) in [
            ("ws://example.com/", false, 80, "example.com"),
            ("Wss://example.com/", true, 443, "example.com"),
            ("wss://example.com:80/", true, 80, "example.com:80"),
            ("ws://example.com:443/", false, 443, "example.com:443"),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.is_secure, endpoint.port), (is_secure, port));
            assert_eq!(endpoint.authority, authority);
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[test]
    fn without_tls_the_feature_that_has_it_is_named() {
        let error = Endpoint::parse("wss://example.com/").unwrap_err().to_string();
        assert!(error.contains("wss needs the feature tls of wskit"), "{error}");
    }

    #[test]
    fn a_url_is_understood_or_refused_with_a_reason() {
        let endpoint = Endpoint::parse("WS://[::1]:8080?x=1").unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("::1", 8080));
        assert_eq!(
            (endpoint.authority.as_str(), endpoint.target.as_str()),
            ("[::1]:8080", "/?x=1")
        );
        for (url, why) in [
            ("ws://example.com/a b", "the character ' '"),
            ("ws://ex\u{e4}mple.com/", "the character 'ä'"),
            ("127.0.0.1:8080/chat", "begin with ws://"),
            ("", "begin with ws://"),
            ("http://example.com/", "scheme has to be ws"),
            ("example.com", "begin with ws://"),
            ("ws://example.com/#top", "no fragment"),
            ("ws://a%3Ab@example.com/", "user name"),
            ("ws://example.com:99999/", "port"),
            ("ws:///chat", "cannot be connected to"),
        ] {
            let error = Endpoint::parse(url).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn credentials_are_no_part_of_the_host_and_never_shown() {
        let endpoint = Endpoint::parse("ws://ann:secret@example.com:81/@?@").unwrap();
        assert_eq!(endpoint.credentials.unwrap().basic(), "Basic YW5uOnNlY3JldA==");
        assert_eq!((&*endpoint.authority, &*endpoint.target), ("example.com:81", "/@?@"));
        for url in ["ws://ann:secret@example.com/#", "http://ann:secret@h", "ann:secret@h/"] {
            let error = Endpoint::parse(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
