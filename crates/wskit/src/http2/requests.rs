//! The requests of one connection, whichever version of HTTP it speaks.

use super::live::Live;
use super::rewound::{Rewound, is_http2};
use super::{Http2Limits, Http2Stream, broken};
use crate::alarm::Alarm;
use crate::server::{Answering, PendingRequest, Received, Server, refuse_unread};
use crate::socket::Input;
use crate::{Either, Error};
use bytes::{Bytes, BytesMut};
use h2::ext::Protocol;
use h2::server::{Connection, Handshake, SendResponse};
use h2::{Reason, RecvStream};
use std::{
    fmt,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};
use wskit_proto::handshake::{PseudoHeaders, Rejection, Request, RequestError, ServerOpening};

/// What a WebSocket runs on whose client spoke either version: the whole connection, or a stream of
/// one. The latter is boxed, so that the former costs no more than it would alone.
pub type ServerStream<S> = Either<S, Box<Http2Stream>>;

/// The requests of one connection: one over HTTP/1.1, any number over HTTP/2. Made by
/// [`Server::requests`].
#[derive(Debug)]
pub struct Requests<S> {
    server: Server,
    stage: Stage<S>,
}

enum Stage<S> {
    /// The version is not known yet, or the request of HTTP/1.1 is not whole.
    First {
        stream: S,
        input: Input,
        /// Was first looked at when the first wait for it began.
        alarm: Alarm,
    },
    /// The request of HTTP/1.1 is being refused, for this.
    Refusing(Error),
    Http2(Box<Multiplexed<S>>),
    Ended,
}

/// What the first bytes of a connection turned out to be.
enum First {
    Http1(Request),
    Http2,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Requests<S> {
    pub(crate) fn new(server: Server, stream: S) -> Requests<S> {
        let (input, alarm) = (Input::default(), Alarm::new());
        Requests { server, stage: Stage::First { stream, input, alarm } }
    }

    /// The next request, or `None` when the connection has ended. An error is of one request, which
    /// has been answered, or of the connection; go on until `None`.
    ///
    /// Over HTTP/2 this drives the connection: what its WebSockets send and receive passes only while
    /// somebody waits here. So hand each request to a task of its own, and wait for the next at once.
    ///
    /// Cancel safe, also in that the [opening timeout](Server::opening_timeout) goes on. Only a refusal
    /// over HTTP/1.1 may be cut short; its error is given by the next call.
    pub async fn next(&mut self) -> Option<Result<PendingRequest<ServerStream<S>>, Error>> {
        if let Stage::First { stream, input, alarm } = &mut self.stage {
            let speaks_http2 = self.server.http2_limits().is_some();
            let mut opening = ServerOpening::new(self.server.head_limits());
            let take = |input: &mut BytesMut| match is_http2(input) {
                Some(true) if speaks_http2 => Ok(Some(First::Http2)),
                None if speaks_http2 => Ok(None),
                _ => Ok(opening.receive_head(input)?.map(First::Http1)),
            };
            let received = self.server.read_first(stream, input, alarm, take).await;
            let Stage::First { stream, mut input, alarm } =
                mem::replace(&mut self.stage, Stage::Ended)
            else {
                return None;
            };
            let input = input.take();
            match received {
                Ok(First::Http1(request)) => {
                    let stream = Either::First(stream);
                    let answering = Answering::Http1(input);
                    let server = self.server.clone();
                    let received = Received { stream, answering, request, server, alarm };
                    return Some(Ok(received.into()));
                }
                Ok(First::Http2) => {
                    let limits = self.server.http2_limits().unwrap_or_default();
                    let rewound = Rewound { input, stream };
                    let multiplexed = Multiplexed::new(rewound, limits, &self.server);
                    self.stage = Stage::Http2(Box::new(multiplexed));
                }
                Err(error) => {
                    let refused = refuse_unread(stream, &error);
                    self.stage = Stage::Refusing(error);
                    refused.await;
                }
            }
        }
        let Stage::Http2(multiplexed) = &mut self.stage else {
            let ended = mem::replace(&mut self.stage, Stage::Ended);
            let Stage::Refusing(error) = ended else { return None };
            return Some(Err(error));
        };
        match poll_fn(|cx| multiplexed.poll_request(cx)).await {
            Some(Ok((request, answer))) => {
                let (head, frames) = request.into_parts();
                let stream =
                    Http2Stream::requested(&head.method, frames, answer, &multiplexed.live);
                Some(self.check(&head, stream))
            }
            Some(Err(error)) => {
                self.stage = Stage::Ended;
                Some(Err(Error::Opening(broken(error))))
            }
            None => {
                self.stage = Stage::Ended;
                None
            }
        }
    }

    /// Whether the connection speaks HTTP/2, as far as is known.
    pub fn is_http2(&self) -> bool {
        matches!(self.stage, Stage::Http2(_))
    }

    /// Ends an HTTP/2 connection as it should be ended: the client is told to open no more streams
    /// (GOAWAY), those that are open go on, and [`next`](Requests::next) ends when they have. It has to
    /// be called on until then.
    pub fn shut_down(&mut self) {
        match &mut self.stage {
            Stage::First { .. } | Stage::Refusing(_) => self.stage = Stage::Ended,
            Stage::Http2(multiplexed) => multiplexed.shut_down(),
            Stage::Ended => {}
        }
    }

    /// Takes a request as one of HTTP/1.1 is taken, or answers it.
    fn check(
        &self,
        head: &http::request::Parts,
        mut stream: Http2Stream,
    ) -> Result<PendingRequest<ServerStream<S>>, Error> {
        let fields = PseudoHeaders {
            method: head.method.as_str(),
            protocol: head.extensions.get::<Protocol>().map(Protocol::as_str),
            scheme: head.uri.scheme_str(),
            authority: head.uri.authority().map(http::uri::Authority::as_str),
            path: head.uri.path_and_query().map(http::uri::PathAndQuery::as_str),
        };
        let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        match self.server.check_request(fields, headers) {
            Ok(request) => Ok(PendingRequest::from(Received {
                stream: Either::Second(Box::new(stream)),
                answering: Answering::Http2(http2_stream),
                request,
                server: self.server.clone(),
                alarm: Alarm::new(),
            })),
            Err(error) => {
                refuse(&mut stream, &error);
                Err(error.into())
            }
        }
    }
}

fn http2_stream<S>(stream: &mut ServerStream<S>) -> &mut Http2Stream {
    match stream {
        Either::First(_) => unreachable!("only requests of HTTP/2 are answered by this"),
        Either::Second(stream) => stream,
    }
}

fn refuse(stream: &mut Http2Stream, error: &RequestError) {
    if error.is_malformed() {
        // RFC 9113 §8.1.1
        stream.reset(Reason::PROTOCOL_ERROR);
    } else {
        let _the_client_may_have_gone = stream.reject(Rejection::from(error));
    }
}

/// An HTTP/2 connection, and how long it may be idle.
struct Multiplexed<S> {
    connection: Phase<S>,
    live: Live,
    /// Rings when it has been without a live stream for too long.
    alarm: Option<Pin<Box<Sleep>>>,
    /// How long it may be.
    patience: Option<Duration>,
    idle_timeout: Option<Duration>,
    close_timeout: Duration,
    is_ending: bool,
}

enum Phase<S> {
    Handshaking(Handshake<Rewound<S>, Bytes>),
    Open(Connection<Rewound<S>, Bytes>),
}

type Arrived = (http::Request<RecvStream>, SendResponse<Bytes>);

impl<S: AsyncRead + AsyncWrite + Unpin> Multiplexed<S> {
    fn new(first: Rewound<S>, limits: Http2Limits, server: &Server) -> Multiplexed<S> {
        Multiplexed {
            connection: Phase::Handshaking(limits.server().handshake(first)),
            live: Live::default(),
            alarm: None,
            patience: server.opening_time(),
            idle_timeout: limits.idle_timeout,
            close_timeout: server.close_time(),
            is_ending: false,
        }
    }

    fn shut_down(&mut self) {
        if let Phase::Open(connection) = &mut self.connection {
            connection.graceful_shutdown();
        }
        self.is_ending = true;
        self.patience = Some(self.close_timeout);
        self.alarm = None;
    }

    fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Arrived, h2::Error>>> {
        loop {
            match &mut self.connection {
                Phase::Handshaking(handshake) => match Pin::new(handshake).poll(cx) {
                    Poll::Ready(Ok(mut connection)) => {
                        if self.is_ending {
                            connection.graceful_shutdown();
                        }
                        self.connection = Phase::Open(connection);
                        continue;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => {}
                },
                Phase::Open(connection) => match connection.poll_accept(cx) {
                    Poll::Ready(arrived) => {
                        if !self.is_ending {
                            self.patience = self.idle_timeout;
                        }
                        self.alarm = None;
                        return Poll::Ready(arrived);
                    }
                    Poll::Pending => {}
                },
            }
            if self.live.poll_none(cx).is_pending() {
                self.alarm = None;
                return Poll::Pending;
            }
            let Some(patience) = self.patience else { return Poll::Pending };
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(patience)));
            ready!(alarm.as_mut().poll(cx));
            if self.is_ending || matches!(self.connection, Phase::Handshaking(_)) {
                return Poll::Ready(None);
            }
            self.shut_down();
        }
    }
}

impl<S> fmt::Debug for Stage<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::First { .. } => "First",
            Stage::Refusing(_) => "Refusing",
            Stage::Http2(_) => "Http2",
            Stage::Ended => "Ended",
        })
    }
}
