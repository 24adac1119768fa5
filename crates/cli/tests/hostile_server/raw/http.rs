//! The opening handshake as bytes: requests that may break any rule, responses read as sent.

/// The example key of RFC 6455 §1.3 and the accept value that section gives for it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A request head: a correct opening handshake until told otherwise.
#[derive(Clone)]
pub(crate) struct Request {
    line: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    pub(crate) fn new(host: &str) -> Self {
        Request { line: b"GET / HTTP/1.1".to_vec(), headers: Vec::new() }
            .and("Host", host)
            .and("Upgrade", "websocket")
            .and("Connection", "Upgrade")
            .and("Sec-WebSocket-Key", KEY)
            .and("Sec-WebSocket-Version", "13")
    }

    /// Another request line.
    pub(crate) fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.line = line.as_ref().to_vec();
        self
    }

    /// One more header line.
    pub(crate) fn and(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self
    }

    /// This value in place of the one there.
    pub(crate) fn with(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).and(name, value)
    }

    pub(crate) fn header_count(&self) -> usize {
        self.headers.len()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = [&self.line[..], b"\r\n"].concat();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes
    }
}

/// A response: its head, and for a refusal all that came before the end of the stream.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    pub(crate) fn parse(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let status_line = lines.next().expect("a status line");
        assert!(
            status_line.starts_with("HTTP/1.1 "),
            "not a status line of HTTP/1.1: {status_line:?}"
        );
        let status = status_line[9..]
            .get(..3)
            .and_then(|code| code.parse().ok())
            .expect("a status of three digits");
        let headers = lines
            .map(|line| line.split_once(':').unwrap_or_else(|| panic!("not a header: {line:?}")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Response { status, headers, body: String::new() }
    }

    /// The value of a header that must not stand there twice.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values =
            self.headers.iter().filter(|(present, _)| present.eq_ignore_ascii_case(name));
        let first = values.next();
        assert!(values.next().is_none(), "{name} stands twice in {self:?}");
        first.map(|(_, value)| value.as_str())
    }

    /// Whether a comma-separated header holds the token, in any case.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.header(name)
            .is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
    }
}
