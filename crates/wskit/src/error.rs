//! What can go wrong, and whose fault it is.

use crate::ProxyError;
use std::{fmt, io, time::Duration};
use wskit_proto::frame::InvalidCloseFrame;
use wskit_proto::handshake::{
    InvalidField, InvalidRequest, InvalidSubprotocol, RequestError, ResponseError,
};
use wskit_proto::{Missed, ProtocolError, SendError};

/// What can go wrong with a WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be connected to; the text says why.
    Url(String),
    /// A header, subprotocol, close frame, certificate or private key that the application gave was refused.
    Argument(Box<dyn std::error::Error + Send + Sync>),
    /// No connection to the server could be made.
    Connect(io::Error),
    /// There is no way through the proxy. It has the status that the proxy answered with.
    Proxy(Box<ProxyError>),
    /// The TLS handshake failed.
    #[cfg(feature = "rustls")]
    Tls(Box<crate::tls::TlsError>),
    /// The opening handshake did not end within this time.
    OpeningTimeout(Duration),
    /// The connection broke during the opening handshake.
    Opening(io::Error),
    /// Client: the response does not open a WebSocket connection. It has the status, the headers
    /// and the start of the body.
    Handshake(Box<ResponseError>),
    /// Client: the response is a redirect that is not followed; the text says why.
    Redirect {
        /// The response, with its status and its headers.
        response: Box<ResponseError>,
        /// Why it is not followed.
        why: String,
    },
    /// Client: the server does not speak HTTP/2, or takes no WebSockets over it; the text says why.
    #[cfg(feature = "http2")]
    Http2Unavailable(&'static str),
    /// Server: the request was refused, and has been answered. It has the status.
    Request(Box<RequestError>),
    /// The peer broke the protocol or a limit; it has been told so. It has the close code.
    Protocol(ProtocolError),
    /// The message cannot be sent; nothing was.
    Send(SendError),
    /// The connection ended without a closing handshake: close code 1006.
    Lost(Lost),
}

/// Why a connection ended without a closing handshake.
#[derive(Debug)]
pub enum Lost {
    /// The peer ended the connection without a Close frame.
    Ended,
    /// The connection broke. It is of the kind [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) where
    /// TLS was cut off, and not ended.
    Broken(io::Error),
    /// The peer missed a deadline.
    Missed(Missed),
}

impl Error {
    /// The close code that stands for this error, if it ended an open connection: what was sent
    /// to the peer, or 1006 for a connection that was lost (RFC 6455 §7.4.1).
    pub fn close_code(&self) -> Option<u16> {
        match self {
            Error::Protocol(error) => Some(error.close_code().number()),
            Error::Lost(_) => Some(1006),
            _ => None,
        }
    }

    /// The HTTP status of a failed opening handshake, or of what a proxy answered, as far as there
    /// was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Handshake(error) | Error::Redirect { response: error, .. } => error.status(),
            Error::Proxy(error) => error.status(),
            Error::Request(error) => Some(error.status()),
            Error::OpeningTimeout(_) => Some(408),
            _ => None,
        }
    }

    /// Client: whether the server takes no WebSockets over HTTP/2, or says that they need HTTP/1.1
    /// (HTTP_1_1_REQUIRED, RFC 9113 §7): the same may open over HTTP/1.1, as it does by
    /// [`HttpVersion::Auto`](crate::HttpVersion::Auto).
    #[cfg(feature = "http2")]
    pub fn needs_http_1_1(&self) -> bool {
        match self {
            Error::Http2Unavailable(_) => true,
            Error::Opening(error) => crate::http2::demands_http_1_1(error),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Url(why) => f.write_str(why),
            Error::Argument(error) => error.fmt(f),
            Error::Connect(error) => write!(f, "no connection: {error}"),
            Error::Proxy(error) => error.fmt(f),
            #[cfg(feature = "rustls")]
            Error::Tls(error) => error.fmt(f),
            Error::OpeningTimeout(time) => {
                write!(f, "the opening handshake took longer than {time:?}")
            }
            Error::Opening(error) => {
                write!(f, "the connection broke during the opening handshake: {error}")
            }
            Error::Handshake(error) => error.fmt(f),
            Error::Redirect { response, why } => {
                write!(f, "{response}; the redirect is not followed: {why}")
            }
            #[cfg(feature = "http2")]
            Error::Http2Unavailable(why) => f.write_str(why),
            Error::Request(error) => error.fmt(f),
            Error::Protocol(error) => write!(f, "the peer broke the protocol: {error}"),
            Error::Send(error) => error.fmt(f),
            Error::Lost(lost) => lost.fmt(f),
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Ended => f.write_str("the peer ended the connection without a Close frame"),
            // No transport but TLS tells this.
            Lost::Broken(error) if error.kind() == io::ErrorKind::UnexpectedEof => f.write_str(
                "the connection was cut off: it ended without a Close frame, and without the \
                 close_notify that ends TLS",
            ),
            Lost::Broken(error) => write!(f, "the connection broke: {error}"),
            Lost::Missed(Missed::Keepalive) => {
                f.write_str("the peer did not answer a Ping in time")
            }
            Lost::Missed(Missed::Message) => {
                f.write_str("the peer did not finish a message in time")
            }
            Lost::Missed(Missed::Close) => {
                f.write_str("the peer did not answer the Close frame in time")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Connect(error) | Error::Opening(error) | Error::Lost(Lost::Broken(error)) => {
                Some(error)
            }
            Error::Proxy(error) => Some(&**error),
            #[cfg(feature = "rustls")]
            Error::Tls(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Error {
        Error::Protocol(error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Error {
        Error::Send(error)
    }
}

impl From<ResponseError> for Error {
    fn from(error: ResponseError) -> Error {
        Error::Handshake(Box::new(error))
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Error {
        Error::Request(Box::new(error))
    }
}

macro_rules! argument_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::Argument(Box::new(error))
            }
        })*
    };
}

argument_errors!(InvalidField, InvalidSubprotocol, InvalidCloseFrame, InvalidRequest);
