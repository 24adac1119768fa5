//! Which web pages may connect (RFC 6455 §4.2.2 and §10.2, RFC 6454).

use super::target::{is_authority, port_number, split_port};
use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

/// Which origins a server accepts.
///
/// Browsers name the origin of the page that connects. Without a check, any page that a user
/// visits could talk to the server in the user's name. Clients that are no browsers send no
/// origin and are accepted by every policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginPolicy {
    /// Pages of the host that the request is for, the default.
    #[default]
    SameHost,
    /// Pages of these origins.
    Only(Vec<Origin>),
    /// All pages. Only for servers that know their users by something that a browser does not
    /// send by itself.
    Any,
}

/// The origin of a page: scheme, host and port.
///
/// ```
/// # use wskit_proto::handshake::Origin;
/// let origin: Origin = "https://Example.com:443".parse().unwrap();
/// assert_eq!(origin.to_string(), "https://example.com");
/// assert!("https://example.com/path".parse::<Origin>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// The text is no origin such as `https://example.com`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOrigin;

impl OriginPolicy {
    /// Whether a request with this `Origin`, for this host, is accepted.
    pub(super) fn accepts(&self, origin: &[u8], host: &str) -> bool {
        if *self == OriginPolicy::Any {
            return true;
        }
        let Ok(Ok(origin)) = core::str::from_utf8(origin).map(str::parse::<Origin>) else {
            return false;
        };
        match self {
            OriginPolicy::SameHost => Origin::with_scheme(&origin.scheme, host) == Some(origin),
            OriginPolicy::Only(list) => list.contains(&origin),
            OriginPolicy::Any => true,
        }
    }
}

impl Origin {
    fn with_scheme(scheme: &str, authority: &str) -> Option<Origin> {
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match &*scheme {
            "http" | "ws" => 80,
            "https" | "wss" => 443,
            _ => return None,
        };
        if !is_authority(authority) {
            return None;
        }
        let (host, port) = split_port(authority.as_bytes());
        let port = match port {
            None | Some(b"") => default_port,
            Some(port) => port_number(port)?,
        };
        let host = authority[..host.len()].to_ascii_lowercase();
        Some(Origin { scheme, host, port })
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Origin, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        Origin::with_scheme(scheme, authority).ok_or(InvalidOrigin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (&*self.scheme, self.port) {
            ("http" | "ws", 80) | ("https" | "wss", 443) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an origin is written as https://example.com or http://localhost:8080")
    }
}

impl core::error::Error for InvalidOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_host_is_the_same_host_and_port() {
        let accepts = |origin: &str, host| OriginPolicy::SameHost.accepts(origin.as_bytes(), host);
        assert!(accepts("http://chat.example", "chat.example"));
        assert!(accepts("https://chat.example", "chat.example"));
        assert!(accepts("https://chat.example", "CHAT.example:443"));
        assert!(accepts("http://[::1]:8080", "[::1]:8080"));
        for foreign in [
            "null",
            "",
            "http://evil.example",
            "http://chat.example.evil.example",
            "http://evilchat.example",
            "http://chat.example:81",
            "http://chat.example/",
            "http://chat.example http://chat.example",
            "http://user@chat.example",
            "file://",
            "chat.example",
            "http://chat.example\0",
        ] {
            assert!(!accepts(foreign, "chat.example"), "{foreign}");
        }
    }

    #[test]
    fn a_list_is_compared_whole() {
        let list = OriginPolicy::Only(Vec::from(["https://a.example".parse().unwrap()]));
        assert!(list.accepts(b"https://A.example:443", "b.example"));
        assert!(!list.accepts(b"http://a.example", "a.example"));
        assert!(!list.accepts(b"null", "a.example"));
        assert!(OriginPolicy::Any.accepts(b"null", "a.example"));
    }
}
