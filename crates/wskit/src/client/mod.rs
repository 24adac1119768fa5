//! Opening a connection as a client.

mod authority;
mod patience;
mod proxy;
mod redirect;
mod stream;
mod url;

pub use proxy::{Proxy, ProxyError, ProxyFault};
pub use stream::ClientStream;

use crate::socket::{Opened, Options, WebSocket};
#[cfg(feature = "rustls")]
use crate::tls::{self, MaybeTls, rustls::ClientConfig};
use crate::{Compression, Error, Limits, Timeouts, dial, entropy};
use bytes::BytesMut;
use patience::Patience;
#[cfg(feature = "rustls")]
use std::sync::Arc;
use std::{io, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Endpoint, cannot_be_connected_to};
use wskit_proto::handshake::{
    ClientOpening, ClientRequest, Field, Key, ResponseError, Subprotocol,
};
use wskit_proto::{Output, Text};

/// Opens a connection to a `ws://` or `wss://` URL with the defaults of [`Client`].
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
    endpoint: Endpoint,
    request: ClientRequest,
    #[cfg(feature = "rustls")]
    tls: Option<Arc<ClientConfig>>,
    proxy: proxy::Choice,
    opening_timeout: Option<Duration>,
    redirects_max: u32,
    options: Options,
}

impl Client {
    /// A client for this URL.
    ///
    /// It has the scheme `ws`, or `wss` for TLS, and no fragment (RFC 6455 §3). A name and a password
    /// before the host, percent-encoded, are sent as Basic credentials (RFC 7617), unless the header
    /// `Authorization` is [added](Client::header).
    pub fn new(url: &str) -> Result<Client, Error> {
        let endpoint = Endpoint::parse(url)?;
        let mut request = ClientRequest::new(endpoint.authority.clone(), endpoint.target.clone())
            .map_err(|error| cannot_be_connected_to(url, error))?;
        if let Some(credentials) = &endpoint.credentials {
            request.add_header(Field::new("Authorization", credentials.basic())?);
        }
        let opening_timeout = Some(Duration::from_secs(10));
        let options = Options::default();
        let client = Client {
            endpoint,
            request,
            #[cfg(feature = "rustls")]
            tls: None,
            proxy: proxy::Choice::default(),
            opening_timeout,
            redirects_max: 10,
            options,
        };
        Ok(client.compression(Compression::default()))
    }

    /// Adds a header to the request.
    pub fn header(mut self, name: &str, value: &str) -> Result<Client, Error> {
        let field = Field::new(name, value)?;
        if name.eq_ignore_ascii_case("Authorization") && self.endpoint.credentials.take().is_some()
        {
            self.request.remove_headers(name);
        }
        self.request.add_header(field);
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

    /// Does TLS as this configuration says, if the URL begins with `wss`. See [`tls`](crate::tls) for
    /// how to make one, and for what holds without.
    ///
    /// Servers are told that HTTP/1.1 is spoken inside, unless the configuration names protocols.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, config: impl Into<Arc<ClientConfig>>) -> Client {
        self.tls = Some(config.into());
        self
    }

    /// Connects through this proxy, or directly if it is `None`, as without this.
    ///
    /// TLS, if there is any, is done with the server, inside of the tunnel that the proxy opens.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Client {
        self.proxy = proxy.into().map_or(proxy::Choice::None, proxy::Choice::Always);
        self
    }

    /// Connects through the proxy that the environment variables name now, if they name one:
    ///
    /// - for `ws://` the first of `http_proxy`, `HTTP_PROXY`, `all_proxy` and `ALL_PROXY` that is
    ///   there and not empty, but `HTTP_PROXY` not under CGI, where strangers can set it;
    /// - for `wss://` that of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY`;
    /// - none for this machine (`localhost` and the addresses that stand for it), and none for the
    ///   hosts in `no_proxy`, or else `NO_PROXY`: a list with commas or blanks between names
    ///   (`example.com` and `.example.com` are that name and all below it), addresses, networks such
    ///   as `10.0.0.0/8`, or `*` for all; each may have a port behind it, as in `example.com:8080`.
    ///
    /// The values are as [`Proxy::new`] takes them. One that is wrong is an error when it is needed.
    /// It takes this call, for a library does not go another way because of a variable that its user
    /// may not know of.
    #[must_use]
    pub fn proxy_from_environment(mut self) -> Client {
        self.proxy = proxy::Choice::Environment(proxy::Environment::now());
        self
    }

    /// How many redirects [`connect`](Client::connect) follows, one after the other: 10, as many as
    /// clients of HTTP customarily do. With 0, the response is an error as any other refusal.
    ///
    /// Of the header `Location`, `http` means `ws` and `https` means `wss`. A redirect from `wss` to `ws`
    /// is never followed. Where the origin changes (scheme, host or port), the headers `Authorization`,
    /// `Cookie` and `Proxy-Authorization` are left out, and with them the credentials of the URL; all
    /// other headers go along.
    #[must_use]
    pub fn redirects_max(mut self, redirects_max: u32) -> Client {
        self.redirects_max = redirects_max;
        self
    }

    /// How long connecting, the TLS handshake and the opening handshake may take together: 10 s.
    /// `None` waits for ever.
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
        &self.endpoint.host
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.endpoint.port
    }

    /// Whether the URL begins with `wss`.
    pub fn is_secure(&self) -> bool {
        self.endpoint.is_secure
    }

    /// Connects over TCP, to all addresses of the host happily in parallel or through the
    /// [proxy](Client::proxy), does the TLS handshake if the URL begins with `wss`, and opens the
    /// WebSocket.
    ///
    /// [Redirects](Client::redirects_max) are followed. The error of another response than 101 has its
    /// status, headers and the start of its body.
    ///
    /// Cancel safe in that nothing is left open when it is dropped.
    pub async fn connect(&self) -> Result<WebSocket<ClientStream>, Error> {
        let patience = self.patience();
        let mut redirected: Option<Client> = None;
        let mut left = self.redirects_max;
        loop {
            let client = redirected.as_ref().unwrap_or(self);
            let response = match client.connect_once(patience).await {
                Err(Error::Handshake(response)) if self.redirects_max > 0 => response,
                outcome => return outcome,
            };
            match client.redirected(&response) {
                Ok(None) => return Err(Error::Handshake(response)),
                Ok(Some(_)) if left == 0 => {
                    let why = format!("{} have been followed already", self.redirects_max);
                    return Err(Error::Redirect { response, why });
                }
                Ok(next) => redirected = next,
                Err(why) => return Err(Error::Redirect { response, why }),
            }
            left -= 1;
        }
    }

    async fn connect_once(&self, patience: Patience) -> Result<WebSocket<ClientStream>, Error> {
        let stream = patience.wait(self.reach()).await??;
        // Messages are written whole, so waiting for more only delays them.
        stream.set_nodelay(true).map_err(Error::Connect)?;
        #[cfg(feature = "rustls")]
        let stream = self.secure_in_time(stream, patience).await?;
        self.open(&mut self.opening(), ClientStream::new(stream), patience).await
    }

    /// A TCP connection to the server, or through a proxy to it.
    async fn reach(&self) -> Result<TcpStream, Error> {
        match self.proxy.proxy(&self.endpoint)? {
            Some(proxy) => proxy.connect(&self.endpoint).await,
            None => {
                let dialled = dial::dial(&self.endpoint.host, self.endpoint.port).await;
                dialled.map_err(Error::Connect)
            }
        }
    }

    /// Does the TLS handshake on a stream that is connected to the server, if the URL begins with
    /// `wss`; otherwise the stream passes as it is. For those who bring their own transport.
    #[cfg(feature = "rustls")]
    pub async fn secure<S>(&self, stream: S) -> Result<MaybeTls<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.secure_in_time(stream, self.patience()).await
    }

    #[cfg(feature = "rustls")]
    async fn secure_in_time<S>(&self, stream: S, patience: Patience) -> Result<MaybeTls<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.endpoint.is_secure {
            return Ok(MaybeTls::First(stream));
        }
        patience.wait(tls::connect(self.tls.as_ref(), &self.endpoint.host, stream)).await?
    }

    /// Opens the WebSocket on a stream of bytes that is connected to the server already. TLS is not
    /// added, whatever the URL says: see [`secure`](Client::secure). Redirects are not followed.
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

    /// The connection broke before the response, maybe because the server does not like our
    /// certificate, which TLS 1.3 tells after its handshake.
    fn broken(&self, error: io::Error) -> Error {
        #[cfg(feature = "rustls")]
        if tls::is_tls(&error) {
            return Error::Tls(Box::new(tls::TlsError::of_server(&self.endpoint.host, error)));
        }
        Error::Opening(error)
    }

    fn patience(&self) -> Patience {
        Patience::new(self.opening_timeout)
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
        patience.wait(request).await?.map_err(|error| self.broken(error))?;
        let mut input = BytesMut::new();
        let agreed = loop {
            if let Some(agreed) = opening.receive(&mut input)? {
                break agreed;
            }
            input.reserve(1024);
            match patience.wait(stream.read_buf(&mut input)).await {
                Ok(Ok(0)) => return Err(opening.end(&mut input).into()),
                Ok(Ok(_)) => {}
                // The response tells by itself whether it is whole, if TLS does not.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(opening.end(&mut input).into());
                }
                Ok(Err(error)) => return Err(self.broken(error)),
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
