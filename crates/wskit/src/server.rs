//! Accepting connections as a server.

mod parsed;
mod pending;

pub(crate) use pending::{Answering, Received, refuse_unread};
pub use pending::{PendingOffer, PendingRequest};

use crate::alarm::Alarm;
#[cfg(feature = "http2")]
use crate::http2::{Http2Limits, Requests};
use crate::socket::{Input, Options, WebSocket};
#[cfg(feature = "rustls")]
use crate::tls::{self, Accepted, MaybeTls, TlsError, rustls::ServerConfig};
use crate::{Compression, Error, Limits, Timeouts};
use bytes::BytesMut;
#[cfg(feature = "rustls")]
use pending::refuse;
use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use wskit_proto::Timestamp;
#[cfg(feature = "rustls")]
use wskit_proto::handshake::Rejection;
use wskit_proto::handshake::{HeadLimits, OriginPolicy, ServerOpening, Subprotocol};

/// Accepts a WebSocket connection on a stream of bytes with the defaults of [`Server`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     tokio::spawn(async {
///         let mut socket = wskit::accept(stream).await?;
///         socket.send("welcome").await
///     });
/// }
/// # }
/// ```
pub async fn accept<S>(stream: S) -> Result<WebSocket<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    Server::new().accept(stream).await
}

/// How to accept connections. Cheap to clone.
///
/// A request that breaks a rule of RFC 6455 §4.2.1, or comes from a page of another host, is
/// answered with the fitting status and a line that names the fault.
///
/// ```no_run
/// # use wskit::{Rejection, Server};
/// # async fn example(stream: tokio::net::TcpStream) -> Result<(), wskit::Error> {
/// let server = Server::new().subprotocol("chat.v1")?;
/// let pending = server.receive_offer(stream).await?;
/// if pending.offer().path() != "/chat" {
///     return pending.reject(Rejection::new(404, "there is only /chat here")).await;
/// }
/// let mut socket = pending.accept().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Server {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    subprotocols: Vec<Subprotocol>,
    origins: OriginPolicy,
    head_limits: HeadLimits,
    opening_timeout: Option<Duration>,
    options: Options,
    #[cfg(feature = "http2")]
    http2: Option<Http2Limits>,
    #[cfg(feature = "rustls")]
    tls: Option<Tls>,
}

/// How TLS is done.
#[cfg(feature = "rustls")]
#[derive(Clone, Debug)]
struct Tls {
    /// With the names of what is spoken inside.
    config: Arc<ServerConfig>,
    /// As the application said, should there come more to name.
    #[cfg(feature = "http2")]
    given: Arc<ServerConfig>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            subprotocols: Vec::new(),
            origins: OriginPolicy::default(),
            head_limits: HeadLimits::default(),
            opening_timeout: Some(Duration::from_secs(10)),
            options: Options::default(),
            #[cfg(feature = "http2")]
            http2: None,
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }
}

#[cfg(feature = "rustls")]
impl Settings {
    fn set_tls(&mut self, given: &Arc<ServerConfig>) {
        #[cfg(feature = "http2")]
        let speaks_http2 = self.http2.is_some();
        #[cfg(not(feature = "http2"))]
        let speaks_http2 = false;
        self.tls = Some(Tls {
            config: tls::with_protocols(given.clone(), speaks_http2),
            #[cfg(feature = "http2")]
            given: given.clone(),
        });
    }
}

impl Server {
    /// A server with the default settings.
    pub fn new() -> Server {
        Server::default()
    }

    /// Speaks this subprotocol with clients that offer it, less gladly than the ones before it.
    pub fn subprotocol(self, name: &str) -> Result<Server, Error> {
        let name = Subprotocol::new(name)?;
        Ok(self.with(|settings| settings.subprotocols.push(name)))
    }

    /// Which web pages may connect: those of the same host.
    #[must_use]
    pub fn origins(self, policy: OriginPolicy) -> Server {
        self.with(|settings| settings.origins = policy)
    }

    /// Whether and how messages are compressed if the client offers it: see [`Compression`] for the
    /// default.
    #[must_use]
    pub fn compression(self, compression: Compression) -> Server {
        self.with(|settings| settings.options.config_mut().compression = compression)
    }

    /// What a client may cost. See [`Limits`] for the defaults.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Server {
        self.with(|settings| settings.options.config_mut().limits = limits)
    }

    /// How long a client is waited for. See [`Timeouts`] for the defaults.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Server {
        self.with(|settings| settings.options.config_mut().timeouts = timeouts)
    }

    /// Does TLS as this configuration says, in [`secure`](Server::secure). See [`tls`](crate::tls) for
    /// how to make one.
    ///
    /// Clients are told what is spoken inside, unless the configuration names protocols: HTTP/1.1, and
    /// HTTP/2 if the server was told to.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(self, config: impl Into<Arc<ServerConfig>>) -> Server {
        self.with(|settings| settings.set_tls(&config.into()))
    }

    /// Serves HTTP/2 (RFC 8441) beside HTTP/1.1, or not if it is `None`, as without this. It takes
    /// [`requests`](Server::requests), for such a connection may bring many: what accepts one request
    /// of a connection speaks HTTP/1.1.
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn http2(self, limits: impl Into<Option<Http2Limits>>) -> Server {
        self.with(|settings| {
            settings.http2 = limits.into();
            #[cfg(feature = "rustls")]
            if let Some(tls) = settings.tls.take() {
                settings.set_tls(&tls.given);
            }
        })
    }

    /// The requests of a connection, whichever version of HTTP it speaks: one over HTTP/1.1, any number
    /// over [HTTP/2](Server::http2).
    ///
    /// ```no_run
    /// # use wskit::{Server, http2::Http2Limits};
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new().http2(Http2Limits::default());
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// loop {
    ///     let (stream, _) = listener.accept().await?;
    ///     let mut requests = server.requests(stream);
    ///     tokio::spawn(async move {
    ///         while let Some(request) = requests.next().await {
    ///             tokio::spawn(async {
    ///                 let mut socket = request?.accept().await?;
    ///                 socket.send("welcome").await
    ///             });
    ///         }
    ///     });
    /// }
    /// # }
    /// ```
    #[cfg(feature = "http2")]
    pub fn requests<S>(&self, stream: S) -> Requests<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Requests::new(self.clone(), stream)
    }

    /// How long the TLS handshake may take, the request to arrive, and the answer to leave: 10 s
    /// each. `None` waits for ever.
    #[must_use]
    pub fn opening_timeout(self, timeout: impl Into<Option<Duration>>) -> Server {
        self.with(|settings| settings.opening_timeout = timeout.into())
    }

    /// Whether Pings and Pongs are received like messages: no. They are answered in any case.
    #[must_use]
    pub fn shows_control_frames(self, shows: bool) -> Server {
        self.with(|settings| settings.options.shows_control = shows)
    }

    #[cfg(feature = "http2")]
    pub(crate) fn http2_limits(&self) -> Option<Http2Limits> {
        self.settings.http2
    }

    #[cfg(feature = "http2")]
    pub(crate) fn head_limits(&self) -> HeadLimits {
        self.settings.head_limits
    }

    #[cfg(feature = "http2")]
    pub(crate) fn opening_time(&self) -> Option<Duration> {
        self.settings.opening_timeout
    }

    #[cfg(feature = "http2")]
    pub(crate) fn close_time(&self) -> Duration {
        self.settings.options.config.timeouts.close_timeout
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Server {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Does the TLS handshake with a client, if the server was given [TLS](Server::tls); otherwise the
    /// stream passes as it is. Call it before what follows, in the task of the connection.
    ///
    /// Who sends HTTP without TLS is answered 400 and a line that says so.
    #[cfg(feature = "rustls")]
    pub async fn secure<S>(&self, stream: S) -> Result<MaybeTls<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(Tls { config, .. }) = self.settings.tls.clone() else {
            return Ok(MaybeTls::First(stream));
        };
        // Boxed, so that a connection without TLS does not move what it would need.
        match Box::pin(self.in_time(tls::accept(config, stream))).await? {
            Accepted::Tls(stream) => Ok(MaybeTls::Second(stream)),
            Accepted::PlainHttp(stream) => {
                refuse(stream, Some(Rejection::new(400, tls::PLAIN_HTTP))).await;
                Err(Error::Tls(Box::new(TlsError::plain_http())))
            }
        }
    }

    /// Receives a request for a WebSocket and accepts it, whatever its path.
    pub async fn accept<S>(&self, stream: S) -> Result<WebSocket<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Boxed, so that what only the opening needs is not part of the connection's task for ever.
        Box::pin(async { self.receive_request(stream).await?.accept().await }).await
    }

    /// Receives a request for a WebSocket, to be accepted or rejected.
    pub async fn receive_offer<S>(&self, stream: S) -> Result<PendingOffer<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.receive_request(stream).await?.into_offer().await
    }

    /// Receives any request, for servers that answer others than those for a WebSocket too.
    pub async fn receive_request<S>(&self, mut stream: S) -> Result<PendingRequest<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut input = Input::default();
        let mut opening = ServerOpening::new(self.settings.head_limits);
        let mut alarm = Alarm::new();
        let take = |input: &mut BytesMut| Ok(opening.receive_head(input)?);
        match self.read_first(&mut stream, &mut input, &mut alarm, take).await {
            Ok(request) => {
                let answering = Answering::Http1(input.take());
                let server = self.clone();
                Ok(Received { stream, answering, request, server, alarm }.into())
            }
            Err(error) => {
                refuse_unread(stream, &error).await;
                Err(error)
            }
        }
    }

    /// Reads until something can be taken, which is tried after each read, within the opening timeout
    /// since the alarm was first looked at.
    pub(crate) async fn read_first<S: AsyncRead + Unpin, T>(
        &self,
        stream: &mut S,
        input: &mut Input,
        alarm: &mut Alarm,
        mut take: impl FnMut(&mut BytesMut) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        // It may ring early, so it is set for the first of all deadlines that a connection can have, and
        // one that ends soon never sets it anew.
        let Timeouts { close_timeout, .. } = self.settings.options.config.timeouts;
        let first = self.settings.opening_timeout.unwrap_or(close_timeout).min(close_timeout);
        alarm.set_if_unset(first);
        poll_fn(|cx| match poll_until_taken(stream, input, &mut take, cx) {
            Poll::Ready(taken) => Poll::Ready(taken),
            Poll::Pending => self.poll_overdue(alarm, Timestamp::ZERO, cx).map(Err),
        })
        .await
    }

    /// Ready when a step of the opening handshake that began then has taken too long.
    ///
    /// The alarm is the connection's from its beginning to its end, so that one timer does for all.
    fn poll_overdue(
        &self,
        alarm: &mut Alarm,
        begun: Timestamp,
        cx: &mut Context<'_>,
    ) -> Poll<Error> {
        let Some(time) = self.settings.opening_timeout else { return Poll::Pending };
        ready!(alarm.poll_until(begun.saturating_add(time), cx));
        Poll::Ready(Error::OpeningTimeout(time))
    }
}

fn poll_until_taken<S: AsyncRead + Unpin, T>(
    stream: &mut S,
    input: &mut Input,
    take: &mut impl FnMut(&mut BytesMut) -> Result<Option<T>, Error>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Error>> {
    loop {
        let bytes = input.with_room(|_| 0);
        match pin!(stream.read_buf(bytes)).poll(cx) {
            Poll::Ready(Ok(0)) => {
                let ended = io::ErrorKind::UnexpectedEof.into();
                return Poll::Ready(Err(Error::Opening(ended)));
            }
            Poll::Ready(Ok(_)) => {
                if let Some(taken) = take(input.bytes().bytes_mut())? {
                    return Poll::Ready(Ok(taken));
                }
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::Opening(error))),
            Poll::Pending => {
                // Who connects and says nothing holds no memory to read into.
                input.give_back();
                return Poll::Pending;
            }
        }
    }
}
