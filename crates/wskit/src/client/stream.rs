//! The stream of bytes beneath a client's WebSocket.

use crate::Split;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The stream of bytes that a [`Client`](crate::Client) connects.
#[derive(Debug)]
pub struct ClientStream(Transport);

#[cfg(feature = "rustls")]
type Transport = crate::tls::MaybeTls<TcpStream>;
#[cfg(not(feature = "rustls"))]
type Transport = TcpStream;

impl ClientStream {
    pub(super) fn new(transport: Transport) -> ClientStream {
        ClientStream(transport)
    }

    /// The TCP connection beneath: to the server, or to the proxy if there is one.
    pub fn tcp(&self) -> &TcpStream {
        #[cfg(feature = "rustls")]
        return self.0.transport();
        #[cfg(not(feature = "rustls"))]
        &self.0
    }

    /// What TLS agreed on, if there is TLS.
    #[cfg(feature = "rustls")]
    pub fn tls(&self) -> Option<&crate::tls::rustls::CommonState> {
        self.0.tls()
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
