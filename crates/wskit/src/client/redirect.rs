//! Where a redirect leads (RFC 9110 §10.2.2 and §15.4).

use super::{Client, url::Endpoint};
use wskit_proto::handshake::{ResponseError, is_secret};

impl Client {
    /// The client of where a response points, if it is a redirect, or why it is not followed.
    pub(super) fn redirected(&self, response: &ResponseError) -> Result<Option<Client>, String> {
        let Some(301 | 302 | 303 | 307 | 308) = response.status() else { return Ok(None) };
        let location = response.headers().and_then(|headers| headers.get("location"));
        let Some(location) = location else { return Ok(None) };
        let location = str::from_utf8(location).map_err(|_| "it is not UTF-8")?;
        let url = resolve(&self.endpoint, location)?;
        let endpoint = Endpoint::parse(&url).map_err(|error| error.to_string())?;
        if self.endpoint.is_secure && !endpoint.is_secure {
            return Err("that would leave TLS".into());
        }
        let mut client = self.clone();
        let (authority, target) = (endpoint.authority.clone(), endpoint.target.clone());
        client.request.set_destination(authority, target).map_err(|error| error.to_string())?;
        if !self.endpoint.has_origin_of(&endpoint) {
            if self.way.is_fixed() {
                return Err("that would lead to another server than that of the socket".into());
            }
            // They are for one origin, and told to no other.
            client.request.remove_headers(is_secret);
        }
        client.endpoint = endpoint;
        Ok(Some(client))
    }
}

impl Endpoint {
    /// RFC 6454 §5, where `ws` and `wss` differ by their scheme.
    fn has_origin_of(&self, other: &Endpoint) -> bool {
        self.is_secure == other.is_secure
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
    }
}

/// The URL that a reference means (RFC 3986 §5.2.2). Credentials in it are left out, for a server does
/// not choose who its client is; and so is a fragment, for a WebSocket URL has none.
fn resolve(base: &Endpoint, reference: &str) -> Result<String, String> {
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    let (named, rest) = split_scheme(reference);
    let scheme = match named.map(str::to_ascii_lowercase).as_deref() {
        None if base.is_secure => "wss",
        None | Some("http" | "ws") => "ws",
        Some("https" | "wss") => "wss",
        Some(other) => return Err(format!("its scheme is {other:?}")),
    };
    let (authority, target, base_target) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
            (place, target, "/")
        }
        None if named.is_some() => return Err("it names no host".into()),
        None => (&*base.authority, rest, &*base.target),
    };
    let (base_path, base_query) = split_query(base_target);
    let (path, query) = split_query(target);
    let (path, query) = match path {
        "" => (base_path.to_owned(), query.or(base_query)),
        path if path.starts_with('/') => (path.to_owned(), query),
        path => {
            let folder = base_path.rfind('/').map_or("/", |end| &base_path[..=end]);
            (format!("{folder}{path}"), query)
        }
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{authority}{}{query}", without_dots(&path)))
}

/// The scheme before the colon, if there is one, and what follows (RFC 3986 §3.1).
fn split_scheme(reference: &str) -> (Option<&str>, &str) {
    let is_scheme = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    match reference.split_once(':') {
        Some((name, rest)) if is_scheme(name) => (Some(name), rest),
        _ => (None, reference),
    }
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

/// A path without `.` and `..` (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if !matches!(segment, "." | "..") {
            kept.push(segment);
            continue;
        }
        if segment == ".." {
            kept.pop();
        }
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(base: &str, reference: &str) -> Result<String, String> {
        resolve(&Endpoint::parse(base).unwrap(), reference)
    }

    #[test]
    fn references_mean_what_the_examples_of_the_specification_say() {
        // RFC 3986 §5.4, but for the fragments, and for schemes that are not ours.
        for (reference, expected) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            (";x", "/b/c/;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            ("..g", "/b/c/..g"),
            ("./g/.", "/b/c/g/"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/../x", "/b/c/g?y/../x"),
        ] {
            let url = from("ws://a/b/c/d;p?q", reference).unwrap();
            assert_eq!(url, format!("ws://a{expected}"), "{reference}");
        }
    }

    #[test]
    fn schemes_and_hosts() {
        for (reference, expected) in [
            ("https://b/x", Ok("wss://b/x")),
            ("HTTP://b:81?x", Ok("ws://b:81/?x")),
            ("wss://b", Ok("wss://b/")),
            ("//b/x", Ok("ws://b/x")),
            ("//ann:secret@b/@", Ok("ws://b/@")),
            ("ftp://b/", Err("its scheme is \"ftp\"")),
            ("javascript:x", Err("its scheme is \"javascript\"")),
            ("http:b", Err("it names no host")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(from("ws://a:8080/b", reference), expected, "{reference}");
        }
        assert_eq!(from("wss://a:8443/b", "/c").unwrap(), "wss://a:8443/c");
    }

    #[cfg(feature = "rustls")]
    #[test]
    fn tls_is_entered_and_never_left() {
        use wskit_proto::handshake::IncomingResponse;
        let to = |from: &str, location: &str| {
            let response = format!("HTTP/1.1 302 \r\nLocation: {location}\r\n\r\n");
            let mut input = bytes::BytesMut::from(&*response);
            let response = IncomingResponse::new(101..=101, 0).receive(&mut input).unwrap_err();
            let client = Client::new(from).unwrap().header("Cookie", "a=1").unwrap();
            let redirected = client.redirected(&response)?.unwrap();
            let has_cookie = !redirected.request.headers().is_empty();
            Ok::<_, String>((redirected.is_secure(), has_cookie))
        };
        assert_eq!(to("wss://a/", "http://a/"), Err("that would leave TLS".to_owned()));
        assert_eq!(to("wss://a/", "ws://b/"), Err("that would leave TLS".to_owned()));
        // The same host with TLS is another origin.
        assert_eq!(to("ws://a/", "https://a/"), Ok((true, false)));
        assert_eq!(to("wss://a/", "https://A:443/b"), Ok((true, true)));
        assert_eq!(to("wss://a/", "https://a:444/b"), Ok((true, false)));
    }
}
