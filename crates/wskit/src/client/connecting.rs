//! The way to an open connection: a proxy, TLS, the opening handshake, redirects.

use super::{Client, ClientStream, HttpVersion, patience::Patience};
use crate::Error;
use crate::alarm::Alarm;
use crate::socket::{Opened, WebSocket};
use crate::timings::{Timings, timed};
#[cfg(feature = "rustls")]
use crate::tls::{self, MaybeTls};
use bytes::BytesMut;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wskit_proto::Output;
use wskit_proto::handshake::{ClientOpening, ResponseError};

impl Client {
    /// Connects over TCP, to all addresses of the host happily in parallel or through the
    /// [proxy](Client::proxy), or through a [Unix-domain socket](Client::unix_socket); does the TLS
    /// handshake if the URL begins with `wss`, and opens the WebSocket.
    ///
    /// [Redirects](Client::redirects_max) are followed. The error of another response than 101 has its
    /// status, headers and the start of its body.
    ///
    /// Cancel safe in that nothing is left open when it is dropped.
    pub async fn connect(&self) -> Result<WebSocket<ClientStream>, Error> {
        self.connect_timed(&mut Timings::default()).await
    }

    /// As [`connect`](Client::connect), and notes how long each step took, also of those on the way to an
    /// error.
    pub async fn connect_timed(
        &self,
        timings: &mut Timings,
    ) -> Result<WebSocket<ClientStream>, Error> {
        *timings = Timings::default();
        let patience = self.patience();
        let mut redirected: Option<Client> = None;
        let mut left = self.redirects_max;
        loop {
            let client = redirected.as_ref().unwrap_or(self);
            let response = match client.connect_once(patience, timings).await {
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
            timings.redirects += 1;
        }
    }

    async fn connect_once(
        &self,
        patience: Patience,
        timings: &mut Timings,
    ) -> Result<WebSocket<ClientStream>, Error> {
        #[cfg(feature = "http2")]
        if self.http != HttpVersion::Http1 {
            return self.negotiate(patience, timings).await;
        }
        let stream = self.reach_securely(HttpVersion::Http1, patience, timings).await?;
        timed(&mut timings.handshake, self.open(&mut self.opening(), stream, patience)).await
    }

    /// A stream to the server, with TLS inside of which this version is spoken.
    pub(crate) async fn reach_securely(
        &self,
        version: HttpVersion,
        patience: Patience,
        timings: &mut Timings,
    ) -> Result<ClientStream, Error> {
        let stream = patience.wait(self.way.take(&self.endpoint, timings)).await??;
        #[cfg(feature = "rustls")]
        let stream = match self.endpoint.is_secure {
            false => MaybeTls::First(stream),
            true => timed(&mut timings.tls, self.secure_in_time(stream, version, patience)).await?,
        };
        #[cfg(not(feature = "rustls"))]
        let _prior_knowledge = version;
        Ok(ClientStream::new(stream))
    }

    /// Connects to the server, through the [proxy](Client::proxy) if there is one, and no further: TLS
    /// and the opening handshake are up to [`secure`](Client::secure) and
    /// [`connect_on`](Client::connect_on). For those who want to look at each step.
    pub async fn reach(&self) -> Result<ClientStream, Error> {
        let mut timings = Timings::default();
        let link = self.patience().wait(self.way.take(&self.endpoint, &mut timings)).await??;
        Ok(ClientStream::reached(link))
    }

    /// Does the TLS handshake on a stream that is connected to the server, if the URL begins with
    /// `wss`; otherwise the stream passes as it is. For those who bring their own transport.
    ///
    /// Where [`http`](Client::http) lets it be HTTP/2, look at what the server chose, the stream's
    /// `tls().alpn_protocol()`: for `h2` goes on `Http2Connection::begin`, and otherwise
    /// [`connect_on`](Client::connect_on), which speaks HTTP/1.1.
    #[cfg(feature = "rustls")]
    pub async fn secure<S>(&self, stream: S) -> Result<MaybeTls<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.secure_in_time(stream, self.http, self.patience()).await
    }

    #[cfg(feature = "rustls")]
    async fn secure_in_time<S>(
        &self,
        stream: S,
        version: HttpVersion,
        patience: Patience,
    ) -> Result<MaybeTls<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.endpoint.is_secure {
            return Ok(MaybeTls::First(stream));
        }
        let (config, host) = (self.tls.as_ref(), &self.endpoint.host);
        patience.wait(tls::connect(config, host, version.protocols(), stream)).await?
    }

    /// Opens the WebSocket on a stream of bytes that is connected to the server already, over HTTP/1.1,
    /// whatever [`http`](Client::http) says. TLS is not added, whatever the URL says: see [`secure`](Client::secure). Redirects are not followed.
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

    /// The connection broke before the response, maybe because the server does not like our
    /// certificate, which TLS 1.3 tells after its handshake.
    fn broken(&self, error: io::Error) -> Error {
        #[cfg(feature = "rustls")]
        if tls::is_tls(&error) {
            return Error::Tls(Box::new(tls::TlsError::of_server(&self.endpoint.host, error)));
        }
        Error::Opening(error)
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.opening_timeout)
    }

    pub(super) async fn open<S>(
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
        let (output, alarm) = (Output::default(), Alarm::new());
        let opened = Opened { stream, input, output, agreed, alarm };
        Ok(WebSocket::client(opened, &self.options))
    }
}
