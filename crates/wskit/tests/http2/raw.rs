//! A client of HTTP/2 that says whatever a test wants, and a server for it.

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream, ext::Protocol};
use http::{HeaderMap, Method, Request, Uri};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use wskit::http2::Http2Limits;
use wskit::{Error, Server};

/// A server of HTTP/2 with these limits.
pub(crate) fn server(limits: Http2Limits) -> Server {
    Server::new().http2(limits)
}

/// Serves a connection: what a client sends is sent back.
pub(crate) fn serve<S>(server: &Server, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut requests = server.requests(stream);
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            tokio::spawn(async {
                let mut socket = request?.into_offer().await?.accept().await?;
                while let Some(message) = socket.recv().await {
                    socket.feed(message?).await?;
                }
                Ok::<_, Error>(())
            });
        }
    });
}

/// The client's end of a served connection in memory.
pub(crate) fn served(server: &Server) -> DuplexStream {
    let (near, far) = duplex(1 << 16);
    serve(server, far);
    near
}

/// A client by the crate h2 alone.
pub(crate) struct RawClient {
    pub(crate) requests: SendRequest<Bytes>,
}

impl RawClient {
    /// Connects, and waits for the server's settings.
    pub(crate) async fn connect(stream: DuplexStream) -> RawClient {
        let (requests, mut connection) = h2::client::handshake(stream).await.unwrap();
        let mut pings = connection.ping_pong().unwrap();
        tokio::spawn(connection);
        pings.ping(h2::Ping::opaque()).await.unwrap();
        RawClient { requests }
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<()>,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        self.requests.clone().ready().await.unwrap().send_request(request, false).unwrap()
    }

    /// Opens a WebSocket that takes and gives bytes.
    pub(crate) async fn open(&mut self) -> (SendStream<Bytes>, RecvStream) {
        let (response, data) = self.send(good()).await;
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200);
        (data, response.into_body())
    }

    /// The response, and its headers.
    pub(crate) async fn status(
        &mut self,
        request: Request<()>,
    ) -> Result<(u16, HeaderMap), h2::Error> {
        let (response, _data) = self.send(request).await;
        let response = response.await?;
        Ok((response.status().as_u16(), response.headers().clone()))
    }
}

/// A request that keeps all rules.
pub(crate) fn good() -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = Uri::from_static("http://test.example/chat");
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request.headers_mut().insert("sec-websocket-version", "13".parse().unwrap());
    request
}

/// The good request with one more header.
pub(crate) fn plus(name: &'static str, value: &'static str) -> Request<()> {
    let mut request = good();
    request.headers_mut().append(name, value.parse().unwrap());
    request
}
