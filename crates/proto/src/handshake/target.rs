//! The target of a request (RFC 9112 §3.2) and the host it is for.

use super::list::ByteSet;
use alloc::borrow::Cow;

/// What a target may hold (RFC 3986 §2), without the fragment.
static URI: ByteSet = ByteSet::alphanumeric_and(b"!$%&'()*+,-./:;=?@[]_~");

/// What a host that is a name or an IPv4 address may hold (RFC 3986 §3.2.2).
static HOST: ByteSet = ByteSet::alphanumeric_and(b"-._~%!$&'()*+,;=");

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The authority of an absolute target, which goes before the `Host` header.
    pub(super) authority: Option<&'a str>,
    /// Path and query: the whole target if it is not absolute.
    pub(super) path_and_query: Cow<'a, str>,
}

impl<'a> Target<'a> {
    /// Reads a target in origin form (`/chat?x=1`) or absolute form (`http://host/chat`).
    pub(super) fn parse(target: &'a str) -> Option<Target<'a>> {
        if !URI.holds_all(target.as_bytes()) || !percent_signs_are_followed_by_hex(target) {
            return None;
        }
        if target.starts_with('/') {
            return Some(Target { authority: None, path_and_query: target.into() });
        }
        let (scheme, rest) = target.split_once("://")?;
        let known = ["http", "https", "ws", "wss"];
        if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path_and_query) = rest.split_at(end);
        if !is_authority(authority) {
            return None;
        }
        let slash = if path_and_query.starts_with('/') { "" } else { "/" };
        let path_and_query = [slash, path_and_query].concat().into();
        Some(Target { authority: Some(authority), path_and_query })
    }
}

fn percent_signs_are_followed_by_hex(target: &str) -> bool {
    target.split('%').skip(1).all(|after| {
        matches!(after.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
    })
}

/// Whether this is a host with or without a port, as `Host` has it: no userinfo.
pub(super) fn is_authority(authority: impl AsRef<[u8]>) -> bool {
    let (host, port) = split_port(authority.as_ref());
    let host_is_valid = match host {
        [b'[', address @ .., b']'] => {
            !address.is_empty()
                && address.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte))
        }
        host => !host.is_empty() && HOST.holds_all(host),
    };
    host_is_valid && port.is_none_or(|port| port.is_empty() || port_number(port).is_some())
}

/// Splits `host:port`; the colons of an IPv6 address in brackets belong to the host.
pub(super) fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    match authority.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !authority.ends_with(b"]") => {
            (&authority[..colon], Some(&authority[colon + 1..]))
        }
        _ => (authority, None),
    }
}

/// The number of a port, which is written with digits alone.
pub(super) fn port_number(port: &[u8]) -> Option<u16> {
    port.iter().try_fold(0_u16, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_in_both_forms() {
        let target = |text| Target::parse(text).unwrap();
        assert_eq!(target("/chat?x=%20").path_and_query, "/chat?x=%20");
        let absolute = target("HTTP://example.com:80?x");
        assert_eq!(absolute.authority, Some("example.com:80"));
        assert_eq!(absolute.path_and_query, "/?x");
        assert_eq!(target("ws://[::1]:9/").authority, Some("[::1]:9"));
    }

    #[test]
    fn what_is_no_target() {
        for text in [
            "",
            "*",
            "chat",
            "/<",
            "/a#b",
            "/%",
            "/%2",
            "/%zz",
            "http://",
            "http:///x",
            "http://user@host/",
            "http://host:99999/",
            "http://host:x/",
            "http://host:+1/",
            "ftp://host/",
            "http://[::1/",
            "http://[]/",
            "/\u{e9}",
        ] {
            assert_eq!(Target::parse(text), None, "{text}");
        }
    }
}
