//! What was received and waits for an answer.

use super::Server;
use crate::alarm::Alarm;
use crate::http2::Http2Stream;
use crate::socket::{Opened, WebSocket};
use crate::{Error, buffers};
use bytes::BytesMut;
use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::Poll,
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use wskit_proto::Output;
use wskit_proto::handshake::{Acceptance, Offer, Rejection, Request, RequestError};

/// How long the peer of a refused request may take to read the answer.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// A request that was received and waits for an answer.
///
/// Its timer belongs to the Tokio runtime that received it, as a `TcpStream` does, and so does that of its connection. It
/// may be answered on another runtime, as long as the first one lives.
// Boxed, so that it moves from future to future at the price of a pointer.
#[derive(Debug)]
pub struct PendingRequest<S>(Box<Received<S>>);

#[derive(Debug)]
pub(crate) struct Received<S> {
    pub(crate) stream: S,
    pub(crate) answering: Answering<S>,
    pub(crate) request: Request,
    pub(crate) server: Server,
    pub(crate) alarm: Alarm,
}

/// A request for a WebSocket that keeps all rules and waits to be accepted or rejected.
#[derive(Debug)]
pub struct PendingOffer<S> {
    stream: S,
    answering: Answering<S>,
    offer: Offer,
    server: Server,
    alarm: Alarm,
}

/// How a request is answered, which depends on the version of HTTP.
pub(crate) enum Answering<S> {
    /// With bytes on the stream. What was read behind the head is here.
    Http1(BytesMut),
    /// By the HTTP/2 stream that the stream is.
    #[cfg_attr(not(feature = "http2"), expect(dead_code, reason = "there is no such stream"))]
    Http2(fn(&mut S) -> &mut Http2Stream),
}

impl<S> From<Received<S>> for PendingRequest<S> {
    fn from(received: Received<S>) -> PendingRequest<S> {
        PendingRequest(Box::new(received))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PendingRequest<S> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.0.request
    }

    /// Whether it asks for a WebSocket, rightly or wrongly.
    pub fn is_upgrade(&self) -> bool {
        self.0.request.is_upgrade()
    }

    /// Takes another host for the one that the request is for: the one that clients ask a proxy for
    /// which stands before this server, where the proxy can be trusted to tell it. The origins of pages
    /// are compared with it.
    ///
    /// # Errors
    /// The text is no host with or without a port; the request stays as it is.
    pub fn replace_host(&mut self, host: &str) -> Result<(), RequestError> {
        self.0.request.replace_host(host)
    }

    /// Checks that it is a request for a WebSocket that keeps all rules, and refuses it otherwise.
    pub fn into_offer(self) -> impl Future<Output = Result<PendingOffer<S>, Error>> {
        // What can be done at once is, so that the future holds no more than it needs.
        let checked = self.check();
        async {
            match checked {
                Ok(offer) => Ok(offer),
                Err(refused) => Err(refused.await),
            }
        }
    }

    /// Accepts it if it is a request for a WebSocket that keeps all rules, with the first of the server's
    /// subprotocols that was offered, and refuses it otherwise.
    pub fn accept(self) -> impl Future<Output = Result<WebSocket<S>, Error>> {
        let accepted = self.check().map(PendingOffer::accept);
        async {
            match accepted {
                Ok(accepted) => accepted.await,
                Err(refused) => Err(refused.await),
            }
        }
    }

    /// The offer, or the future of its refusal, which gives the reason.
    fn check(self) -> Result<PendingOffer<S>, Pin<Box<impl Future<Output = Error>>>> {
        let Received { stream, answering, request, server, alarm } = *self.0;
        let offer = request.into_offer().and_then(|offer| {
            offer.check_origin(&server.settings.origins)?;
            Ok(offer)
        });
        match offer {
            Ok(offer) => Ok(PendingOffer { stream, answering, offer, server, alarm }),
            Err(error) => {
                let refused = answering.reject(stream, (&error).into());
                Err(Box::pin(async {
                    refused.await;
                    error.into()
                }))
            }
        }
    }

    /// Answers with an error and ends the connection, or the stream of it that the request came on.
    pub async fn reject(self, rejection: Rejection) -> Result<(), Error> {
        let Received { stream, answering, .. } = *self.0;
        answering.reject(stream, rejection).await;
        Ok(())
    }

    /// The stream, what was read from it behind the head, and the request, to answer it by other
    /// means.
    ///
    /// For HTTP/1.1 alone: nothing can be written to a stream of HTTP/2 before it is answered, and
    /// nobody can answer it then. When it is dropped, it is reset.
    pub fn into_parts(self) -> (S, BytesMut, Request) {
        let Received { stream, answering, request, .. } = *self.0;
        let input = match answering {
            Answering::Http1(input) => input,
            Answering::Http2(_) => BytesMut::new(),
        };
        (stream, input, request)
    }
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
        let PendingOffer { mut stream, answering, offer, server, alarm } = self;
        let compression = &server.settings.options.config.compression;
        let mut output = Output::default();
        let (agreed, input, answered) = match answering {
            Answering::Http1(input) => {
                output.lend(buffers::take_output());
                (offer.accept(acceptance, compression, &mut output), input, Ok(()))
            }
            Answering::Http2(http2) => {
                let mut response = http2(&mut stream).response(offer.bootstrap().success_status());
                let agreed = offer.accept_with_headers(acceptance, compression, |name, value| {
                    response.add_header(name, value);
                });
                (agreed, BytesMut::new(), response.accept())
            }
        };
        let opened = Opened { stream, input, output, agreed, alarm };
        let mut socket = WebSocket::server(opened, &server.settings.options);
        async move {
            answered.map_err(Error::Opening)?;
            let mut begun = None;
            poll_fn(|cx| match socket.poll_flush(cx) {
                Poll::Ready(written) => Poll::Ready(written),
                Poll::Pending => {
                    let alarm = socket.alarm();
                    let begun = *begun.get_or_insert_with(|| alarm.now());
                    server.poll_overdue(alarm, begun, cx).map(Err)
                }
            })
            .await?;
            Ok(socket)
        }
    }

    /// Rejects the offer and ends the connection, or the stream of it that the request came on.
    pub async fn reject(self, rejection: Rejection) -> Result<(), Error> {
        self.answering.reject(self.stream, rejection).await;
        Ok(())
    }
}

impl<S> fmt::Debug for Answering<S> {
    /// Without the bytes, which may be of messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answering::Http1(input) => write!(f, "Http1({} bytes)", input.len()),
            Answering::Http2(_) => f.write_str("Http2"),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Answering<S> {
    fn reject(self, mut stream: S, rejection: Rejection) -> Pin<Box<impl Future<Output = ()>>> {
        let rejection = match self {
            Answering::Http1(_) => Some(rejection),
            Answering::Http2(http2) => {
                let _the_client_may_have_gone = http2(&mut stream).reject(rejection);
                None
            }
        };
        // Over HTTP/2 nothing is left to do: the connection goes on.
        let refused = rejection.map(|rejection| refuse(stream, Some(rejection)));
        Box::pin(async {
            if let Some(refused) = refused {
                refused.await;
            }
        })
    }
}

/// Answers a request of HTTP/1.1 that was not received, if it is its fault.
pub(crate) fn refuse_unread<S>(
    stream: S,
    error: &Error,
) -> Pin<Box<impl Future<Output = ()> + use<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answer = match error {
        Error::Request(error) => Some((&**error).into()),
        Error::OpeningTimeout(_) => Some(Rejection::new(408, &*error.to_string())),
        _ => None,
    };
    refuse(stream, answer)
}

/// Sends the answer of a refused request and ends the connection so that the answer arrives: what
/// the client still sends is read for a short while, for a reset would destroy the answer.
///
/// Boxed, so that the memory for it is not part of every connection's task.
pub(super) fn refuse<S>(
    mut stream: S,
    answer: Option<Rejection>,
) -> Pin<Box<impl Future<Output = ()>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut output = Output::default();
    if let Some(rejection) = answer {
        rejection.write_response(&mut output);
    }
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
