//! What hyper leaves of an HTTP connection.

use bytes::{Bytes, BytesMut};
use hyper_util::rt::TokioIo;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use wskit::{Either, Split};

/// The TCP stream itself where hyper served HTTP/1.1 on one, which spares every message the way
/// through hyper; otherwise whatever hyper served, such as TLS or a stream of HTTP/2.
pub type Stream = Either<TcpStream, Upgraded>;

/// A connection of any kind that hyper has handed over.
#[derive(Debug)]
pub struct Upgraded(TokioIo<hyper::upgrade::Upgraded>);

/// The stream, and what was read from it already.
pub(crate) fn take(upgraded: hyper::upgrade::Upgraded) -> (Stream, BytesMut) {
    let tcp =
        |io: TokioIo<TcpStream>, received: Bytes| (Either::First(io.into_inner()), received.into());
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return tcp(parts.io, parts.read_buf),
        Err(upgraded) => upgraded,
    };
    #[cfg(feature = "auto")]
    let upgraded = match hyper_util::server::conn::auto::upgrade::downcast(upgraded) {
        Ok(parts) => return tcp(parts.io, parts.read_buf),
        Err(upgraded) => upgraded,
    };
    (Either::Second(Upgraded(TokioIo::new(upgraded))), BytesMut::new())
}

impl AsyncRead for Upgraded {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Upgraded {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Split for Upgraded {
    type Reader = ReadHalf<Upgraded>;
    type Writer = WriteHalf<Upgraded>;

    fn split(self) -> (Self::Reader, Self::Writer) {
        tokio::io::split(self)
    }
}
