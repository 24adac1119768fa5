//! The stream of bytes beneath a client's WebSocket.

#[cfg(feature = "http2")]
use crate::http2::Http2Stream;
use crate::{Either, Split};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// The stream of bytes that a [`Client`](crate::Client) connects.
///
/// It is as large as a [`TcpStream`]; what only some connections have is boxed.
#[derive(Debug)]
pub struct ClientStream(Carrier);

/// A connection of its own, or a stream of an HTTP/2 connection.
#[cfg(feature = "http2")]
type Carrier = Either<Transport, Box<Http2Stream>>;
#[cfg(not(feature = "http2"))]
type Carrier = Transport;

/// The link, with or without TLS between the client and the server.
#[cfg(feature = "rustls")]
type Transport = crate::tls::MaybeTls<Link>;
#[cfg(not(feature = "rustls"))]
type Transport = Link;

/// What leads to the server.
#[cfg(unix)]
pub(super) type Link = Either<TcpStream, Box<UnixStream>>;
/// Nothing makes the second kind here.
#[cfg(not(unix))]
pub(super) type Link = Either<TcpStream, Box<TcpStream>>;

impl ClientStream {
    pub(super) fn new(transport: Transport) -> ClientStream {
        #[cfg(feature = "http2")]
        return ClientStream(Either::First(transport));
        #[cfg(not(feature = "http2"))]
        ClientStream(transport)
    }

    /// Without TLS between the client and the server.
    pub(super) fn reached(link: Link) -> ClientStream {
        #[cfg(feature = "rustls")]
        return ClientStream::new(Either::First(link));
        #[cfg(not(feature = "rustls"))]
        ClientStream::new(link)
    }

    #[cfg(feature = "http2")]
    pub(crate) fn of_http2(stream: Http2Stream) -> ClientStream {
        ClientStream(Either::Second(Box::new(stream)))
    }

    /// The stream of an HTTP/2 connection that this is, if it is one. What is beneath belongs to the
    /// connection then.
    #[cfg(feature = "http2")]
    pub fn http2(&self) -> Option<&Http2Stream> {
        match &self.0 {
            Either::First(_) => None,
            Either::Second(stream) => Some(stream),
        }
    }

    fn transport(&self) -> Option<&Transport> {
        #[cfg(feature = "http2")]
        return match &self.0 {
            Either::First(transport) => Some(transport),
            Either::Second(_) => None,
        };
        #[cfg(not(feature = "http2"))]
        Some(&self.0)
    }

    fn link(&self) -> Option<&Link> {
        #[cfg(feature = "rustls")]
        return Some(self.transport()?.transport());
        #[cfg(not(feature = "rustls"))]
        self.transport()
    }

    /// The TCP connection beneath: to the server, or to the proxy if there is one. There is none if
    /// the client goes [through a Unix-domain socket](crate::Client::unix_socket), or shares an HTTP/2
    /// connection.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self.link()? {
            Either::First(stream) => Some(stream),
            Either::Second(_) => None,
        }
    }

    /// The Unix-domain socket beneath, if there is one.
    #[cfg(unix)]
    pub fn unix(&self) -> Option<&UnixStream> {
        match self.link()? {
            Either::First(_) => None,
            Either::Second(stream) => Some(stream),
        }
    }

    /// What TLS agreed on with the server, if there is TLS.
    #[cfg(feature = "rustls")]
    pub fn tls(&self) -> Option<&crate::tls::rustls::CommonState> {
        self.transport()?.tls()
    }
}

impl From<TcpStream> for ClientStream {
    fn from(stream: TcpStream) -> ClientStream {
        ClientStream::reached(Link::First(stream))
    }
}

impl Split for ClientStream {
    type Reader = <Carrier as Split>::Reader;
    type Writer = <Carrier as Split>::Writer;

    fn split(self) -> (Self::Reader, Self::Writer) {
        self.0.split()
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
