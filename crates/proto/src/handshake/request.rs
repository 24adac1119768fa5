//! A request, whoever parsed it, and what RFC 6455 §4.2.1 asks of it.

use super::asked::Asked;
use super::connect::{self, Checked};
use super::head::{HeadLimits, Headers, Only};
use super::target::{Target, is_authority};
use super::{
    Bootstrap, ControlData, Extension, Key, Offer, RequestError, RequestLine, Subprotocol, VERSION,
};
use alloc::{borrow::Cow, string::String};
use core::fmt;

/// The head of a request.
#[derive(Clone)]
pub struct Request {
    form: Form,
    /// Missing where it is the second word of the head.
    path_and_query: Option<String>,
    /// Missing where it is what the header `Host` says.
    host: Option<String>,
    headers: Headers,
}

/// Tells what was asked for wherever it lies.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("form", &self.form)
            .field("path_and_query", &self.path_and_query())
            .field("host", &self.host())
            .field("headers", &self.headers)
            .finish()
    }
}

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A GET of HTTP/1.1, which may ask for an upgrade.
    GetOfHttp1,
    /// A GET of a later version, which cannot.
    Get,
    ExtendedConnect,
}

impl Request {
    /// A request that another parser of HTTP has taken, held to the same rules and limits as one
    /// that [`ServerOpening`](super::ServerOpening) takes. The headers are copied, within the
    /// limits.
    ///
    /// ```
    /// use wskit_proto::Compression;
    /// use wskit_proto::handshake::{Acceptance, HeadLimits, Request, RequestLine};
    ///
    /// let line = RequestLine { method: "GET", target: "/chat", minor_version: 1 };
    /// let headers: [(&str, &[u8]); 5] = [
    ///     ("host", b"example.com"),
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"Upgrade"),
    ///     ("sec-websocket-version", b"13"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    /// ];
    /// let offer = Request::new(line, headers, HeadLimits::default())?.into_offer()?;
    /// assert_eq!(offer.path(), "/chat");
    /// let mut names = Vec::new();
    /// offer.accept_with_headers(Acceptance::default(), &Compression::off(), |name, _| {
    ///     names.push(name.to_owned());
    /// });
    /// assert_eq!(names, ["Upgrade", "Connection", "Sec-WebSocket-Accept"]);
    /// # Ok::<(), wskit_proto::handshake::RequestError>(())
    /// ```
    ///
    /// Over HTTP/2 and HTTP/3 it is a GET or an extended CONNECT (RFC 8441):
    ///
    /// ```
    /// # use wskit_proto::handshake::{HeadLimits, PseudoHeaders, Request};
    /// let fields = PseudoHeaders {
    ///     method: "CONNECT",
    ///     protocol: Some("websocket"),
    ///     scheme: Some("https"),
    ///     authority: Some("example.com"),
    ///     path: Some("/chat"),
    /// };
    /// let headers: [(&str, &[u8]); 1] = [("sec-websocket-version", b"13")];
    /// let offer = Request::new(fields, headers, HeadLimits::default())?.into_offer()?;
    /// assert_eq!(offer.bootstrap().success_status(), 200);
    /// # Ok::<(), wskit_proto::handshake::RequestError>(())
    /// ```
    pub fn new<'a>(
        control_data: impl Into<ControlData<'a>>,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        limits: HeadLimits,
    ) -> Result<Request, RequestError> {
        let HeadLimits { head_bytes_max, target_bytes_max } = limits;
        let control_data = control_data.into();
        if control_data.target().len() > target_bytes_max {
            return Err(RequestError::TargetTooLong(target_bytes_max));
        }
        let headers = Headers::copy(control_data.encode(), headers, head_bytes_max)?;
        match control_data {
            ControlData::RequestLine(line) => Request::check(line, headers),
            ControlData::PseudoHeaders(fields) => {
                let Checked { is_connect, target, host } = connect::check(fields, &headers)?;
                let form = if is_connect { Form::ExtendedConnect } else { Form::Get };
                let path_and_query = Some(target.path_and_query.into());
                Ok(Request { form, path_and_query, host: Some(host), headers })
            }
        }
    }

    /// Checks what belongs to every request over HTTP/1.1.
    pub(super) fn check(line: RequestLine<'_>, headers: Headers) -> Result<Request, RequestError> {
        // RFC 6455 §4.2.1 (1): HTTP/1.1 or higher.
        if line.minor_version != 1 {
            return Err(RequestError::HttpVersion);
        }
        if line.method != "GET" {
            return Err(RequestError::Method);
        }
        let target = Target::parse(line.target).ok_or(RequestError::Target)?;
        // §4.2.1 (2): one `Host` is needed, though the authority of an absolute target goes first
        // (RFC 9112 §3.2.2).
        match headers.only("host") {
            Only::Value(host) if is_authority(host) => {}
            Only::Missing => return Err(RequestError::HostMissing),
            _ => return Err(RequestError::HostInvalid),
        }
        let path_and_query = match target.path_and_query {
            Cow::Borrowed(_) => None,
            Cow::Owned(of_absolute) => Some(of_absolute),
        };
        let host = target.authority.map(String::from);
        Ok(Request { form: Form::GetOfHttp1, path_and_query, host, headers })
    }

    /// The path that was asked for, without the query.
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or_default()
    }

    /// What stands behind the `?` of the target.
    pub fn query(&self) -> Option<&str> {
        self.path_and_query().split_once('?').map(|(_, query)| query)
    }

    /// Path and query.
    pub fn path_and_query(&self) -> &str {
        let second_word = || {
            let target = self.headers.raw().split(|byte| *byte == b' ').nth(1)?;
            core::str::from_utf8(target).ok()
        };
        self.path_and_query.as_deref().or_else(second_word).unwrap_or_default()
    }

    /// The host, and port if it was given, that the request is for.
    pub fn host(&self) -> &str {
        let header = || core::str::from_utf8(self.headers.get("host")?).ok();
        self.host.as_deref().or_else(header).unwrap_or_default()
    }

    /// Takes another host for the one that the request is for: the one that clients ask a proxy for which stands before
    /// this server, where the proxy can be trusted to tell it. The origins of pages are compared with it.
    ///
    /// ```
    /// # use wskit_proto::handshake::{HeadLimits, Request, RequestLine};
    /// # let line = RequestLine { method: "GET", target: "/chat", minor_version: 1 };
    /// # let headers: [(&str, &[u8]); 1] = [("host", b"inner:8080")];
    /// # let mut request = Request::new(line, headers, HeadLimits::default())?;
    /// request.replace_host("chat.example")?;
    /// assert_eq!(request.host(), "chat.example");
    /// assert!(request.replace_host("https://chat.example/").is_err());
    /// # Ok::<(), wskit_proto::handshake::RequestError>(())
    /// ```
    ///
    /// # Errors
    /// The text is no host with or without a port; the request stays as it is.
    pub fn replace_host(&mut self, host: &str) -> Result<(), RequestError> {
        if !is_authority(host) {
            return Err(RequestError::HostInvalid);
        }
        self.host = Some(host.into());
        Ok(())
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Whether the request asks for a WebSocket at all, rightly or wrongly.
    pub fn is_upgrade(&self) -> bool {
        match self.form {
            Form::GetOfHttp1 => self.headers.has_token("upgrade", b"websocket"),
            Form::Get => false,
            Form::ExtendedConnect => true,
        }
    }

    /// Checks everything else that RFC 6455 §4.2.1 asks of a request for a WebSocket.
    pub fn into_offer(self) -> Result<Offer, RequestError> {
        let headers = &self.headers;
        let asked = Asked::of(headers);
        // A body would stand where the first frame is expected.
        if asked.has_body {
            return Err(RequestError::Body);
        }
        match self.form {
            // §4.2.1 (3) and (4)
            Form::GetOfHttp1 if !asked.upgrade => return Err(RequestError::UpgradeMissing),
            Form::GetOfHttp1 if !asked.connection => return Err(RequestError::ConnectionMissing),
            Form::Get => return Err(RequestError::ConnectMissing),
            Form::GetOfHttp1 | Form::ExtendedConnect => {}
        }
        if !asked.is_ascii {
            return Err(RequestError::NotAscii);
        }
        // §4.2.1 (6)
        match asked.version {
            Only::Value(value) if value == VERSION.as_bytes() => {}
            Only::Missing => return Err(RequestError::VersionMissing),
            _ => return Err(RequestError::VersionUnsupported),
        }
        let bootstrap = match self.form {
            // §4.2.1 (5)
            Form::GetOfHttp1 => match asked.key {
                Only::Value(value) => Bootstrap::Upgrade(Key::parse(value)?),
                Only::Missing => return Err(RequestError::KeyMissing),
                Only::Repeated => return Err(RequestError::KeyRepeated),
            },
            // RFC 8441 §5: a key has no meaning here.
            Form::Get | Form::ExtendedConnect => Bootstrap::ExtendedConnect,
        };
        // §4.2.1 (8) and (9)
        let subprotocols = Subprotocol::parse_list(headers.all("sec-websocket-protocol"))?;
        let extensions = Extension::parse_list(headers.all("sec-websocket-extensions"))?;
        Ok(Offer { request: self, bootstrap, subprotocols, extensions })
    }
}
