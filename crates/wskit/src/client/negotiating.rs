//! The way to an open connection where it may be HTTP/2.

use super::{Client, ClientStream, HttpVersion, patience::Patience};
use crate::Error;
use crate::http2::Http2Connection;
use crate::socket::{Options, WebSocket};
use crate::timings::{Timings, timed};
use wskit_proto::handshake::ConnectOpening;

impl Client {
    /// Connects as [`connect`](Client::connect) does, with HTTP/2 whatever
    /// [version](Client::http) is set, but opens no WebSocket yet: any number of them can be
    /// [opened](Http2Connection::open) on the connection. Fails with
    /// [`Http2Unavailable`](Error::Http2Unavailable) if the server does not take them.
    ///
    /// Cancel safe in that nothing is left open when it is dropped.
    pub async fn connect_http2(&self) -> Result<Http2Connection, Error> {
        let patience = self.patience();
        let mut timings = Timings::default();
        let stream = self.reach_securely(HttpVersion::Http2, patience, &mut timings).await?;
        if !self.is_http2(HttpVersion::Http2, &stream) {
            return Err(not_chosen());
        }
        patience.wait(Http2Connection::begin_on(stream)).await?
    }

    /// Opens the WebSocket with the version that the server and the client agree on.
    pub(super) async fn negotiate(
        &self,
        patience: Patience,
        timings: &mut Timings,
    ) -> Result<WebSocket<ClientStream>, Error> {
        let mut version = self.http;
        loop {
            let stream = self.reach_securely(version, patience, timings).await?;
            if !self.is_http2(version, &stream) {
                return match version {
                    HttpVersion::Http2 => Err(not_chosen()),
                    _ => {
                        let mut opening = self.opening();
                        let opened = self.open(&mut opening, stream, patience);
                        timed(&mut timings.handshake, opened).await
                    }
                };
            }
            let begun = Http2Connection::begin_on(stream);
            let opened = match timed(&mut timings.handshake, patience.wait(begun)).await? {
                Ok(connection) => {
                    let opened = connection.open_in_time(self, patience);
                    timed(&mut timings.handshake, opened).await
                }
                Err(error) => Err(error),
            };
            match opened {
                Err(error) if version == HttpVersion::Auto && error.needs_http_1_1() => {
                    version = HttpVersion::Http1;
                }
                opened => return opened,
            }
        }
    }

    /// Whether HTTP/2 is spoken on a stream: by what was agreed on in TLS, or by prior knowledge.
    fn is_http2(&self, version: HttpVersion, stream: &ClientStream) -> bool {
        #[cfg(feature = "rustls")]
        if let Some(tls) = stream.tls() {
            return tls.alpn_protocol() == Some(crate::tls::HTTP_2);
        }
        #[cfg(not(feature = "rustls"))]
        let _has_no_tls = stream;
        !self.endpoint.is_secure && version == HttpVersion::Http2
    }

    /// The opening handshake over HTTP/2 as a pure machine, as
    /// [`Http2Connection::open`](crate::http2::Http2Connection::open) makes it, so that its request and
    /// each check of the response can be looked at.
    pub fn extended_connect(&self) -> ConnectOpening {
        ConnectOpening::new(self.request.clone())
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}

fn not_chosen() -> Error {
    Error::Http2Unavailable("the server does not speak HTTP/2 inside of TLS")
}
