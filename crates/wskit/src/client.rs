//! Opening a connection as a client.

use crate::socket::{Opened, Options, WebSocket};
use crate::{Compression, Error, Limits, Timeouts, dial, entropy};
use bytes::BytesMut;
use http::Uri;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wskit_proto::handshake::{
    ClientOpening, ClientRequest, Field, Key, ResponseError, Subprotocol,
};
use wskit_proto::{Output, Text};

/// Opens a connection to a `ws://` URL with the defaults of [`Client`].
///
/// ```no_run
/// # async fn example() -> Result<(), wskit::Error> {
/// let mut socket = wskit::connect("ws://[::1]:8080/chat?room=lobby").await?;
/// # Ok(())
/// # }
/// ```
pub async fn connect(url: &str) -> Result<WebSocket<ClientStream>, Error> {
    Client::new(url)?.connect().await
}

/// How to open a connection.
///
/// ```no_run
/// # use wskit::Client;
/// # async fn example() -> Result<(), wskit::Error> {
/// let client = Client::new("ws://127.0.0.1:8080/chat")?
///     .header("Authorization", "Bearer secret")?
///     .subprotocol("chat.v1")?;
/// let mut socket = client.connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    host: String,
    port: u16,
    request: ClientRequest,
    opening_timeout: Option<Duration>,
    options: Options,
}

impl Client {
    /// A client for this URL.
    ///
    /// It has the scheme `ws` and no fragment (RFC 6455 §3).
    pub fn new(url: &str) -> Result<Client, Error> {
        let wrong = |why: &str| Error::Url(format!("{url:?} cannot be connected to: {why}"));
        if !url.contains("://") {
            return Err(wrong("it has to begin with ws://"));
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
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("{error}")))?;
        match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => {}
            Some(scheme) if scheme.eq_ignore_ascii_case("wss") => {
                return Err(wrong("wss is not supported yet; go through a proxy that adds TLS"));
            }
            _ => return Err(wrong("its scheme has to be ws, as in ws://example.com/chat")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it has a user name; send an Authorization header instead"));
        }
        let host = authority.host();
        let port = match authority.port_u16() {
            Some(port) => port,
            // A port that is out of range looks like none here.
            None if authority.as_str().trim_end_matches(':') != host => {
                return Err(wrong("its port is out of range"));
            }
            None => 80,
        };
        // RFC 6455 §4.1 (4): the port is named unless it is the usual one.
        let header = if port == 80 { host.to_owned() } else { format!("{host}:{port}") };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let request =
            ClientRequest::new(header, target).map_err(|error| wrong(&error.to_string()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let opening_timeout = Some(Duration::from_secs(10));
        let options = Options::default();
        let client = Client { host, port, request, opening_timeout, options };
        Ok(client.compression(Compression::default()))
    }

    /// Adds a header to the request.
    pub fn header(mut self, name: &str, value: &str) -> Result<Client, Error> {
        self.request.add_header(Field::new(name, value)?);
        Ok(self)
    }

    /// Offers a subprotocol, less preferred than the ones before it.
    pub fn subprotocol(mut self, name: impl Into<Text>) -> Result<Client, Error> {
        self.request.add_subprotocol(Subprotocol::new(name)?)?;
        Ok(self)
    }

    /// Whether and how messages are compressed if the server agrees: see [`Compression`] for the
    /// default.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Client {
        self.options.config.compression = compression;
        self.request.set_compression(compression);
        self
    }

    /// What the server may cost. See [`Limits`] for the defaults.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Client {
        self.options.config.limits = limits;
        self
    }

    /// How long the server is waited for. See [`Timeouts`] for the defaults.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Client {
        self.options.config.timeouts = timeouts;
        self
    }

    /// How long connecting and the opening handshake may take together: 10 s. `None` waits for
    /// ever.
    #[must_use]
    pub fn opening_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Client {
        self.opening_timeout = timeout.into();
        self
    }

    /// Whether Pings and Pongs are received like messages: no. They are answered in any case.
    #[must_use]
    pub fn shows_control_frames(mut self, shows: bool) -> Client {
        self.options.shows_control = shows;
        self
    }

    /// The host that is connected to: a name or an address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connects over TCP, to all addresses of the host happily in parallel, and opens the
    /// WebSocket.
    ///
    /// Redirects are not followed: the error of a response other than 101 has its status, headers
    /// and the start of its body.
    ///
    /// Cancel safe in that nothing is left open when it is dropped.
    pub async fn connect(&self) -> Result<WebSocket<ClientStream>, Error> {
        let patience = self.patience();
        let dialled = patience.wait(dial::dial(&self.host, self.port)).await?;
        let stream = dialled.map_err(Error::Connect)?;
        // Messages are written whole, so waiting for more only delays them.
        stream.set_nodelay(true).map_err(Error::Connect)?;
        self.open(&mut self.opening(), ClientStream(stream), patience).await
    }

    /// Opens the WebSocket on a stream of bytes that is connected to the server already.
    pub async fn connect_on<S>(&self, stream: S) -> Result<WebSocket<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.open(&mut self.opening(), stream, self.patience()).await
    }

    /// Opens the WebSocket on a stream with a handshake that [`opening`](Client::opening) made, so
    /// that its request, its key and each [`Check`] of the response can be looked at, whether it
    /// succeeds or fails.
    ///
    /// [`Check`]: wskit_proto::handshake::Check
    pub async fn connect_with<S>(
        &self,
        opening: &mut ClientOpening,
        stream: S,
    ) -> Result<WebSocket<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.open(opening, stream, self.patience()).await
    }

    /// A fresh opening handshake as a pure machine, for [`connect_with`](Client::connect_with) or for
    /// those who bring their own transport.
    pub fn opening(&self) -> ClientOpening {
        ClientOpening::new(self.request.clone(), entropy::key())
    }

    /// A key as every opening handshake has one: 16 fresh random bytes.
    pub fn fresh_key() -> Key {
        entropy::key()
    }

    fn patience(&self) -> Patience {
        Patience(self.opening_timeout.map(|time| (time, Instant::now() + time)))
    }

    async fn open<S>(
        &self,
        opening: &mut ClientOpening,
        mut stream: S,
        patience: Patience,
    ) -> Result<WebSocket<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let request = async {
            stream.write_all(opening.request_bytes()).await?;
            stream.flush().await
        };
        patience.wait(request).await?.map_err(Error::Opening)?;
        let mut input = BytesMut::new();
        let agreed = loop {
            if let Some(agreed) = opening.receive(&mut input)? {
                break agreed;
            }
            input.reserve(1024);
            match patience.wait(stream.read_buf(&mut input)).await {
                Ok(Ok(0)) => return Err(opening.end(&mut input).into()),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(Error::Opening(error)),
                // A refusal whose body does not come to an end is a refusal all the same.
                Err(late) => match opening.end(&mut input) {
                    ResponseError::Ended => return Err(late),
                    refused => return Err(refused.into()),
                },
            }
        };
        let opened = Opened { stream, input, output: Output::default(), agreed };
        Ok(WebSocket::client(opened, &self.options))
    }
}

/// How long the opening handshake may take, and when that is over.
#[derive(Clone, Copy)]
struct Patience(Option<(Duration, Instant)>);

impl Patience {
    async fn wait<T>(self, step: impl Future<Output = T>) -> Result<T, Error> {
        match self.0 {
            None => Ok(step.await),
            Some((time, deadline)) => {
                timeout_at(deadline, step).await.map_err(|_| Error::OpeningTimeout(time))
            }
        }
    }
}

/// The stream of bytes that a [`Client`] connects.
#[derive(Debug)]
pub struct ClientStream(TcpStream);

impl ClientStream {
    /// The TCP connection beneath.
    pub fn tcp(&self) -> &TcpStream {
        &self.0
    }

    pub(crate) fn into_tcp(self) -> TcpStream {
        self.0
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_understood_or_refused_with_a_reason() {
        let client = Client::new("WS://[::1]:8080?x=1").unwrap();
        assert_eq!((client.host(), client.port()), ("::1", 8080));
        let opening = client.opening();
        assert!(opening.request_bytes().starts_with(b"GET /?x=1 HTTP/1.1\r\nHost: [::1]:8080\r\n"));
        for (url, why) in [
            ("wss://example.com/", "wss is not supported yet"),
            ("ws://example.com/a b", "the character ' '"),
            ("ws://ex\u{e4}mple.com/", "the character 'ä'"),
            ("127.0.0.1:8080/chat", "begin with ws://"),
            ("", "begin with ws://"),
            ("http://example.com/", "scheme has to be ws"),
            ("example.com", "begin with ws://"),
            ("ws://example.com/#top", "no fragment"),
            ("ws://ann@example.com/", "user name"),
            ("ws://example.com:99999/", "port"),
            ("ws:///chat", "cannot be connected to"),
        ] {
            let error = Client::new(url).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
