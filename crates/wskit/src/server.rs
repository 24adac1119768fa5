//! Accepting connections as a server.

mod parsed;

use crate::socket::{Input, Opened, Options, WebSocket};
#[cfg(feature = "rustls")]
use crate::tls::{self, Accepted, MaybeTls, TlsError, rustls::ServerConfig};
use crate::{Compression, Error, Limits, Timeouts, buffers};
use bytes::BytesMut;
use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use wskit_proto::Output;
use wskit_proto::handshake::{
    Acceptance, HeadLimits, Offer, OriginPolicy, Rejection, Request, RequestError, ServerOpening,
    Subprotocol,
};

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
    #[cfg(feature = "rustls")]
    tls: Option<Arc<ServerConfig>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            subprotocols: Vec::new(),
            origins: OriginPolicy::default(),
            head_limits: HeadLimits::default(),
            opening_timeout: Some(Duration::from_secs(10)),
            options: Options::default(),
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }
}

/// How long the peer of a refused request may take to read the answer.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

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
        self.with(|settings| settings.options.config.compression = compression)
    }

    /// What a client may cost. See [`Limits`] for the defaults.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Server {
        self.with(|settings| settings.options.config.limits = limits)
    }

    /// How long a client is waited for. See [`Timeouts`] for the defaults.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Server {
        self.with(|settings| settings.options.config.timeouts = timeouts)
    }

    /// Does TLS as this configuration says, in [`secure`](Server::secure). See [`tls`](crate::tls) for
    /// how to make one.
    ///
    /// Clients are told that HTTP/1.1 is spoken inside, unless the configuration names protocols.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(self, config: impl Into<Arc<ServerConfig>>) -> Server {
        let config = tls::with_protocols(config.into());
        self.with(|settings| settings.tls = Some(config))
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
        let Some(config) = self.settings.tls.clone() else { return Ok(MaybeTls::First(stream)) };
        match self.in_time(tls::accept(config, stream)).await? {
            Accepted::Tls(stream) => Ok(MaybeTls::Second(stream)),
            Accepted::PlainHttp(stream) => {
                let rejection = Rejection::new(400, tls::PLAIN_HTTP);
                refuse(stream, |output| rejection.write_response(output)).await;
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
        Box::pin(async { self.receive_offer(stream).await?.accept().await }).await
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
        let head = read_head(&mut stream, self.settings.head_limits);
        match self.in_time(head).await {
            Ok((request, input)) => {
                Ok(PendingRequest { stream, input, request, server: self.clone() })
            }
            Err(error) => {
                let answer = |output: &mut Output| match &error {
                    Error::Request(error) => error.write_response(output),
                    Error::OpeningTimeout(_) => {
                        Rejection::new(408, &*error.to_string()).write_response(output);
                    }
                    _ => {}
                };
                refuse(stream, answer).await;
                Err(error)
            }
        }
    }
}

/// Reads a request, and what has come behind it already.
async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    limits: HeadLimits,
) -> Result<(Request, BytesMut), Error> {
    let mut opening = ServerOpening::new(limits);
    // Who connects and says nothing holds no memory to read into.
    let mut input = Input::new(BytesMut::new());
    poll_fn(|cx| {
        loop {
            let bytes = input.with_room(|_| 0);
            match pin!(stream.read_buf(bytes)).poll(cx) {
                Poll::Ready(Ok(0)) => {
                    let ended = io::ErrorKind::UnexpectedEof.into();
                    return Poll::Ready(Err(Error::Opening(ended)));
                }
                Poll::Ready(Ok(_)) => {
                    if let Some(request) = opening.receive_head(input.bytes())? {
                        return Poll::Ready(Ok((request, input.take())));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::Opening(error))),
                Poll::Pending => {
                    input.give_back();
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// Sends the answer of a refused request and ends the connection so that the answer arrives: what
/// the client still sends is read for a short while, for a reset would destroy the answer.
///
/// Boxed, so that the memory for it is not part of every connection's task.
fn refuse<S, W>(mut stream: S, write_answer: W) -> Pin<Box<impl Future<Output = ()>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: FnOnce(&mut Output),
{
    let mut output = Output::default();
    write_answer(&mut output);
    let deadline = Instant::now() + REFUSAL_TIMEOUT;
    let answer = async move {
        for chunk in output.chunks() {
            stream.write_all(chunk).await?;
        }
        stream.flush().await?;
        stream.shutdown().await?;
        let mut discarded = [0; 1024];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    Box::pin(async move {
        let _the_client_may_have_gone = timeout_at(deadline, answer).await;
    })
}

/// A request that was received and waits for an answer.
#[derive(Debug)]
pub struct PendingRequest<S> {
    stream: S,
    input: BytesMut,
    request: Request,
    server: Server,
}

impl<S: AsyncRead + AsyncWrite + Unpin> PendingRequest<S> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Whether it asks for a WebSocket, rightly or wrongly.
    pub fn is_upgrade(&self) -> bool {
        self.request.is_upgrade()
    }

    /// Takes another host for the one that the request is for: the one that clients ask a proxy for which stands before
    /// this server, where the proxy can be trusted to tell it. The origins of pages are compared with it.
    ///
    /// # Errors
    /// The text is no host with or without a port; the request stays as it is.
    pub fn replace_host(&mut self, host: &str) -> Result<(), RequestError> {
        self.request.replace_host(host)
    }

    /// Checks that it is a request for a WebSocket that keeps all rules, and refuses it otherwise.
    pub fn into_offer(self) -> impl Future<Output = Result<PendingOffer<S>, Error>> {
        // What can be done at once is, so that the future holds no more than it needs.
        let PendingRequest { stream, input, request, server } = self;
        let offer = request.into_offer().and_then(|offer| {
            offer.check_origin(&server.settings.origins)?;
            Ok(offer)
        });
        let outcome = match offer {
            Ok(offer) => Ok(PendingOffer { stream, input, offer, server }),
            Err(error) => {
                let answer = error.clone();
                Err((refuse(stream, move |output| answer.write_response(output)), error))
            }
        };
        async {
            match outcome {
                Ok(offer) => Ok(offer),
                Err((refused, error)) => {
                    refused.await;
                    Err(error.into())
                }
            }
        }
    }

    /// Answers with an error and ends the connection.
    pub async fn reject(self, rejection: Rejection) -> Result<(), Error> {
        refuse(self.stream, |output| rejection.write_response(output)).await;
        Ok(())
    }

    /// The stream, what was read from it behind the head, and the request, to answer it by other
    /// means.
    pub fn into_parts(self) -> (S, BytesMut, Request) {
        (self.stream, self.input, self.request)
    }
}

/// A request for a WebSocket that keeps all rules and waits to be accepted or rejected.
#[derive(Debug)]
pub struct PendingOffer<S> {
    stream: S,
    input: BytesMut,
    offer: Offer,
    server: Server,
}

impl<S: AsyncRead + AsyncWrite + Unpin> PendingOffer<S> {
    /// What the client asks for.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// The stream that the request came on.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Accepts the offer, with the first of the server's subprotocols that was offered.
    pub fn accept(self) -> impl Future<Output = Result<WebSocket<S>, Error>> {
        let acceptance = self.server.choose(&self.offer);
        self.accept_with(acceptance)
    }

    /// Accepts the offer with a subprotocol and headers of the application's choice.
    pub fn accept_with(
        self,
        acceptance: Acceptance,
    ) -> impl Future<Output = Result<WebSocket<S>, Error>> {
        let PendingOffer { stream, input, offer, server } = self;
        let mut output = Output::default();
        output.lend(buffers::take_output());
        let agreed =
            offer.accept(acceptance, &server.settings.options.config.compression, &mut output);
        let opened = Opened { stream, input, output, agreed };
        let mut socket = WebSocket::server(opened, &server.settings.options);
        async move {
            server.in_time(socket.flush()).await?;
            Ok(socket)
        }
    }

    /// Rejects the offer and ends the connection.
    pub async fn reject(self, rejection: Rejection) -> Result<(), Error> {
        refuse(self.stream, |output| rejection.write_response(output)).await;
        Ok(())
    }
}
