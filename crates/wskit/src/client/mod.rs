//! Opening a connection as a client.

mod authority;
mod connecting;
#[cfg(feature = "http2")]
mod negotiating;
mod patience;
mod proxy;
mod redirect;
mod stream;
mod url;
mod version;
mod way;

#[cfg(feature = "http2")]
pub(crate) use patience::Patience;
pub use proxy::{Proxy, ProxyError, ProxyFault};
pub use stream::ClientStream;
#[cfg(feature = "http2")]
pub use version::HttpVersion;
#[cfg(not(feature = "http2"))]
use version::HttpVersion;

use crate::socket::{Options, WebSocket};
#[cfg(feature = "rustls")]
use crate::tls::rustls::ClientConfig;
use crate::{Compression, Error, Limits, Timeouts, entropy};
use authority::Credentials;
#[cfg(feature = "rustls")]
use std::sync::Arc;
use std::time::Duration;
use url::{Endpoint, cannot_be_connected_to};
use way::Way;
use wskit_proto::Text;
use wskit_proto::handshake::{ClientOpening, ClientRequest, Field, Key, Subprotocol};

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
    way: Way,
    #[cfg_attr(
        not(any(feature = "http2", feature = "rustls")),
        expect(dead_code, reason = "one is spoken")
    )]
    http: HttpVersion,
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
            way: Way::default(),
            http: HttpVersion::default(),
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
            self.request.remove_headers(|other| other.eq_ignore_ascii_case(name));
        }
        self.request.add_header(field);
        Ok(self)
    }

    /// Shows the server this name and password as Basic credentials (RFC 7617), instead of those in the
    /// URL.
    pub fn basic_auth(mut self, name: &str, password: &str) -> Result<Client, Error> {
        let credentials = Credentials::new(name.into(), password.into())
            .map_err(|why| Error::Argument(format!("of the credentials: {why}").into()))?;
        self.request.remove_headers(|name| name.eq_ignore_ascii_case("Authorization"));
        self.request.add_header(Field::new("Authorization", credentials.basic())?);
        self.endpoint.credentials = Some(credentials);
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
        self.options.config_mut().compression = compression;
        self.request.set_compression(compression);
        self
    }

    /// What the server may cost. See [`Limits`] for the defaults.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Client {
        self.options.config_mut().limits = limits;
        self
    }

    /// How long the server is waited for. See [`Timeouts`] for the defaults.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Client {
        self.options.config_mut().timeouts = timeouts;
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
        self.way = proxy.into().map_or(Way::Direct, Way::Proxy);
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
        self.way = Way::Environment(proxy::Environment::now());
        self
    }

    /// Connects to the server at this Unix-domain socket instead of the host and the port of the URL,
    /// and through no proxy. The URL still says what the request asks for, and what name the certificate
    /// of a `wss` server has to have.
    ///
    /// A redirect to another origin is not followed. Of this, [`proxy`](Client::proxy) and
    /// [`proxy_from_environment`](Client::proxy_from_environment), the last call counts.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), wskit::Error> {
    /// let client = wskit::Client::new("ws://localhost/chat")?.unix_socket("/run/chat.sock");
    /// let mut socket = client.connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(unix)]
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<std::path::PathBuf>) -> Client {
        self.way = Way::Unix(path.into());
        self
    }

    /// The Unix-domain socket that [`connect`](Client::connect) goes through.
    #[cfg(unix)]
    pub fn chosen_unix_socket(&self) -> Option<&std::path::Path> {
        match &self.way {
            Way::Unix(path) => Some(path),
            _ => None,
        }
    }

    /// The proxy that [`connect`](Client::connect) goes through, unless a redirect leads another way.
    pub fn chosen_proxy(&self) -> Result<Option<Proxy>, Error> {
        self.way.proxy(&self.endpoint)
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

    /// Which version of HTTP the WebSocket is opened with: HTTP/1.1.
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn http(mut self, version: HttpVersion) -> Client {
        self.http = version;
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

    /// A fresh opening handshake as a pure machine, for [`connect_with`](Client::connect_with) or for
    /// those who bring their own transport.
    pub fn opening(&self) -> ClientOpening {
        ClientOpening::new(self.request.clone(), entropy::key())
    }

    /// A key as every opening handshake has one: 16 fresh random bytes.
    pub fn fresh_key() -> Key {
        entropy::key()
    }
}
