//! Opening a connection as a client.

mod stream;
mod url;

pub use stream::ClientStream;

use crate::socket::{Opened, Options, WebSocket};
use crate::{Compression, Error, Limits, Timeouts, dial, entropy};
use bytes::BytesMut;
use std::{future::Future, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use url::{Endpoint, cannot_be_connected_to};
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
        let endpoint = Endpoint::parse(url)?;
        let request = ClientRequest::new(endpoint.authority, endpoint.target)
            .map_err(|error| cannot_be_connected_to(url, error))?;
        let opening_timeout = Some(Duration::from_secs(10));
        let options = Options::default();
        let (host, port) = (endpoint.host, endpoint.port);
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
