//! The header `Forwarded` (RFC 7239).

use super::{HOPS_MAX, Unreadable, address};
use std::net::IpAddr;
use wskit::proto::handshake::Headers;

/// What one proxy tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Whose request it passed on; `None` if it does not say, or does not want to.
    pub(super) client: Option<IpAddr>,
    /// The host that it was asked for.
    pub(super) host: Option<String>,
}

/// All elements in their order, which is that of the proxies that the request has passed.
pub(super) fn elements(headers: &Headers) -> Result<Vec<Element>, Unreadable> {
    let mut elements = Vec::new();
    for line in headers.all("forwarded") {
        let mut rest = Rest(str::from_utf8(line).map_err(|_| Unreadable)?);
        while let Some(element) = rest.element()? {
            if elements.len() == HOPS_MAX {
                return Err(Unreadable);
            }
            elements.push(element);
        }
    }
    Ok(elements)
}

/// What is left to read of a header.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// §4: `forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )`, with commas between; empty elements
    /// of a list are passed over (RFC 9110 §5.6.1).
    fn element(&mut self) -> Result<Option<Element>, Unreadable> {
        self.skip(|c| is_blank(c) || c == ',');
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut pairs = Vec::new();
        loop {
            self.skip(|c| is_blank(c) || c == ';');
            if self.0.is_empty() || self.take(',') {
                break;
            }
            let name = self.token()?.to_ascii_lowercase();
            if !self.take('=') {
                return Err(Unreadable);
            }
            let value = self.value()?;
            // §4: no parameter occurs twice in an element.
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Unreadable);
            }
            pairs.push((name, value));
            self.skip(is_blank);
            if !self.0.is_empty() && !self.0.starts_with([';', ',']) {
                return Err(Unreadable);
            }
        }
        let mut element = Element::default();
        for (name, value) in pairs {
            match &*name {
                "for" => element.client = node(&value)?,
                "host" => element.host = Some(value),
                _ => {}
            }
        }
        Ok(Some(element))
    }

    fn token(&mut self) -> Result<String, Unreadable> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.0.find(|c| !is_token(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        if token.is_empty() { Err(Unreadable) } else { Ok(token.to_owned()) }
    }

    /// A token, or a string in quotes (RFC 9110 §5.6.4).
    fn value(&mut self) -> Result<String, Unreadable> {
        if !self.take('"') {
            return self.token();
        }
        let mut value = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next().ok_or(Unreadable)? {
                '"' => break,
                '\\' => value.push(chars.next().ok_or(Unreadable)?),
                c => value.push(c),
            }
        }
        self.0 = chars.as_str();
        Ok(value)
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(skipped);
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// §6: an address, perhaps with a port, `unknown`, or a name that begins with `_` and hides who it is.
fn node(text: &str) -> Result<Option<IpAddr>, Unreadable> {
    let hides = text.starts_with('_') || text.split(':').next() == Some("unknown");
    match address(text) {
        None if !hides => Err(Unreadable),
        address => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wskit::proto::handshake::HeadLimits;
    use wskit::{Request, RequestLine};

    fn read(lines: &[&str]) -> Result<Vec<Element>, Unreadable> {
        let line = RequestLine { method: "GET", target: "/", minor_version: 1 };
        let headers = lines.iter().map(|line| ("Forwarded", line.as_bytes()));
        let headers = std::iter::once(("Host", &b"a"[..])).chain(headers);
        elements(Request::new(line, headers, HeadLimits::default()).unwrap().headers())
    }

    fn element(client: &str, host: &str) -> Element {
        let host = (!host.is_empty()).then(|| host.to_owned());
        Element { client: client.parse().ok(), host }
    }

    #[test]
    fn the_examples_of_the_rfc() {
        for (value, expected) in [
            ("for=\"_gazonk\"", vec![element("", "")]),
            ("For=\"[2001:db8:cafe::17]:4711\"", vec![element("2001:db8:cafe::17", "")]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", vec![element("192.0.2.60", "")]),
            (
                "for=192.0.2.43, for=198.51.100.17",
                vec![element("192.0.2.43", ""), element("198.51.100.17", "")],
            ),
            ("for=_hidden, for=_SEVKISEK", vec![element("", ""), element("", "")]),
            ("for=unknown;host=\"a.example:8080\"", vec![element("", "a.example:8080")]),
        ] {
            assert_eq!(read(&[value]), Ok(expected), "{value}");
        }
    }

    #[test]
    fn what_may_be_there_is_read() {
        assert_eq!(read(&[]), Ok(vec![]));
        assert_eq!(read(&["", " , ,"]), Ok(vec![]));
        let expected = vec![element("192.0.2.1", ""), element("192.0.2.2", "")];
        assert_eq!(
            read(&["for=192.0.2.1 ,", ";for=192.0.2.2; proto=https;;secret=x"]),
            Ok(expected)
        );
        assert_eq!(read(&["host=\"a\\\"b, for=1\""]), Ok(vec![element("", "a\"b, for=1")]));
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        for wrong in [
            "for",
            "for=",
            "=192.0.2.1",
            "for=192.0.2.1 proto=http",
            "for=192.0.2.1;for=192.0.2.2",
            "for=[2001:db8::1]",
            "for=2001:db8::1",
            "for=example.com",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\\",
            "for=\"192.0.2.1\"x",
            "for=\"\"",
        ] {
            assert_eq!(read(&[wrong]), Err(Unreadable), "{wrong}");
        }
        let elements = |count: usize| read(&[&vec!["for=192.0.2.1"; count].join(",")]);
        assert_eq!(elements(HOPS_MAX).map(|all| all.len()), Ok(HOPS_MAX));
        assert_eq!(elements(HOPS_MAX + 1), Err(Unreadable));
    }
}
