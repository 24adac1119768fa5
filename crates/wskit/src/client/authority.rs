//! Who and where, as the authority of a URL says (RFC 3986 §3.2).

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use percent_encoding::percent_decode_str;
use std::fmt;

/// A host, maybe with a port, and maybe with credentials before it.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) credentials: Option<Credentials>,
    /// A name or an address, as it stands in the URL: an IPv6 address has brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Authority {
    pub(super) fn parse(authority: &http::uri::Authority) -> Result<Authority, &'static str> {
        let text = authority.as_str();
        let (userinfo, place) = match text.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, text),
        };
        let host = authority.host();
        let port = authority.port_u16();
        // A port that is out of range looks like none here.
        if port.is_none() && place.trim_end_matches(':') != host {
            return Err("its port is out of range");
        }
        let credentials = userinfo.filter(|userinfo| !userinfo.is_empty());
        let credentials = credentials.map(Credentials::parse).transpose()?;
        Ok(Authority { credentials, host: host.to_owned(), port })
    }

    /// The host without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> String {
        self.host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }
}

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) name: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl Credentials {
    /// Decodes the userinfo of a URL: `NAME` or `NAME:PASSWORD`.
    fn parse(userinfo: &str) -> Result<Credentials, &'static str> {
        let (name, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
        Credentials::new(decode(name), decode(password))
    }

    pub(super) fn new(name: Vec<u8>, password: Vec<u8>) -> Result<Credentials, &'static str> {
        // RFC 7617 §2: what comes before the first colon is the name.
        if name.contains(&b':') {
            return Err("its user name has a colon");
        }
        if name.iter().chain(&password).any(u8::is_ascii_control) {
            return Err("its user name or password has a control character");
        }
        Ok(Credentials { name, password })
    }

    /// The value of an `Authorization` or `Proxy-Authorization` header (RFC 7617).
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", BASE64.encode([&self.name[..], b":", &self.password].concat()))
    }
}

/// Without the password, for this may come into a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = String::from_utf8_lossy(&self.name);
        f.debug_struct("Credentials").field("name", &name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Authority, &'static str> {
        Authority::parse(&text.parse().unwrap())
    }

    #[test]
    fn credentials_are_decoded() {
        let basic = |text| parse(text).unwrap().credentials.map(|credentials| credentials.basic());
        // The example of RFC 7617 §2.
        let example = Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned());
        assert_eq!(basic("Aladdin:open%20sesame@example.com:80"), example);
        assert_eq!(basic("a:b:%40@[::1]"), Some(format!("Basic {}", BASE64.encode("a:b:@"))));
        assert_eq!(basic("a@b"), Some(format!("Basic {}", BASE64.encode("a:"))));
        assert_eq!(basic("a%FF:b@c"), Some(format!("Basic {}", BASE64.encode(b"a\xff:b"))));
        assert_eq!((basic("example.com"), basic("@example.com")), (None, None));
        assert_eq!(parse("a%3Ab:c@d").unwrap_err(), "its user name has a colon");
        assert!(parse("a:b%0D%0AX:%20y@c").unwrap_err().contains("control character"));
    }

    #[test]
    fn passwords_are_not_shown() {
        let shown = format!("{:?}", parse("ann:secret@example.com").unwrap());
        assert!(shown.contains("ann") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn hosts_and_ports() {
        let place = |text| parse(text).map(|found| (found.bare_host(), found.port));
        assert_eq!(place("ann@[::1]:8080"), Ok(("::1".into(), Some(8080))));
        assert_eq!(place("ann:b@example.com:"), Ok(("example.com".into(), None)));
        assert_eq!(place("ann:b@example.com:99999"), Err("its port is out of range"));
    }
}
