//! The stream of bytes beneath a client's WebSocket.

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
pub struct ClientStream(Transport);

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
        ClientStream(transport)
    }

    /// Without TLS between the client and the server.
    pub(super) fn reached(link: Link) -> ClientStream {
        #[cfg(feature = "rustls")]
        return ClientStream(Either::First(link));
        #[cfg(not(feature = "rustls"))]
        ClientStream(link)
    }

    fn link(&self) -> &Link {
        #[cfg(feature = "rustls")]
        return self.0.transport();
        #[cfg(not(feature = "rustls"))]
        &self.0
    }

    /// The TCP connection beneath: to the server, or to the proxy if there is one. There is none if
    /// the client goes [through a Unix-domain socket](crate::Client::unix_socket).
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self.link() {
            Either::First(stream) => Some(stream),
            Either::Second(_) => None,
        }
    }

    /// The Unix-domain socket beneath, if there is one.
    #[cfg(unix)]
    pub fn unix(&self) -> Option<&UnixStream> {
        match self.link() {
            Either::First(_) => None,
            Either::Second(stream) => Some(stream),
        }
    }

    /// What TLS agreed on with the server, if there is TLS.
    #[cfg(feature = "rustls")]
    pub fn tls(&self) -> Option<&crate::tls::rustls::CommonState> {
        self.0.tls()
    }
}

impl From<TcpStream> for ClientStream {
    fn from(stream: TcpStream) -> ClientStream {
        ClientStream::reached(Link::First(stream))
    }
}

impl Split for ClientStream {
    type Reader = <Transport as Split>::Reader;
    type Writer = <Transport as Split>::Writer;

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
