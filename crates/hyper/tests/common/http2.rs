//! A client of HTTP/2 that knows nothing of wskit: the crate h2.

use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use std::future::poll_fn;
use tokio::net::TcpStream;

/// A connection, on which streams are opened.
pub(crate) struct Client {
    requests: SendRequest<Bytes>,
}

/// A stream that an extended CONNECT opened.
pub(crate) struct Stream {
    pub(crate) headers: HeaderMap,
    sender: SendStream<Bytes>,
    receiver: RecvStream,
}

/// An answer that opens nothing.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// An extended CONNECT that keeps all rules.
pub(crate) fn connect(path: &str) -> Request<()> {
    Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://example.com{path}"))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .body(())
        .unwrap()
}

impl Client {
    /// Speaks HTTP/2 with prior knowledge, and waits until the server has said that it takes the
    /// extended CONNECT.
    pub(crate) async fn new(address: &str) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        // A stream that is not read should not hold up the others.
        let mut http = h2::client::Builder::new();
        let http = http.initial_connection_window_size(1 << 20);
        let (mut requests, connection) = http.handshake(stream).await.unwrap();
        tokio::spawn(connection);
        // The settings come before any response.
        let request = Request::get("http://example.com/").body(()).unwrap();
        let (response, _) = requests.send_request(request, true).unwrap();
        response.await.unwrap();
        assert!(requests.is_extended_connect_protocol_enabled());
        Client { requests }
    }

    async fn send(
        &mut self,
        request: Request<()>,
    ) -> Result<(Response<RecvStream>, SendStream<Bytes>), h2::Error> {
        poll_fn(|cx| self.requests.poll_ready(cx)).await?;
        let (response, sender) = self.requests.send_request(request, false)?;
        Ok((response.await?, sender))
    }

    /// Opens a stream for a WebSocket.
    pub(crate) async fn open(&mut self, request: Request<()>) -> Stream {
        let (response, sender) = self.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let (parts, receiver) = response.into_parts();
        Stream { headers: parts.headers, sender, receiver }
    }

    /// Sends a request that is refused.
    pub(crate) async fn refused(&mut self, request: Request<()>) -> Refusal {
        let (response, _sender) = self.send(request).await.unwrap();
        let (parts, mut receiver) = response.into_parts();
        let mut body = Vec::new();
        while let Some(data) = receiver.data().await {
            body.extend_from_slice(&data.unwrap());
        }
        let body = String::from_utf8(body).unwrap();
        Refusal { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request that the server's HTTP/2 takes for malformed.
    pub(crate) async fn reset(&mut self, request: Request<()>) -> h2::Reason {
        self.send(request).await.unwrap_err().reason().unwrap()
    }
}

impl Stream {
    pub(crate) fn send(&mut self, bytes: &'static [u8], is_last: bool) {
        self.sender.send_data(Bytes::from_static(bytes), is_last).unwrap();
    }

    /// Waits until there is room for some of this much.
    pub(crate) async fn room(&mut self, count: usize) -> usize {
        self.sender.reserve_capacity(count);
        loop {
            let capacity = poll_fn(|cx| self.sender.poll_capacity(cx)).await.unwrap().unwrap();
            if capacity > 0 {
                return capacity;
            }
        }
    }

    /// Ends the stream as a TCP connection is reset (RFC 8441 §5).
    pub(crate) fn cancel(&mut self) {
        self.sender.send_reset(h2::Reason::CANCEL);
    }

    /// Receives exactly this much.
    pub(crate) async fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            bytes.extend_from_slice(&self.receiver.data().await.unwrap().unwrap());
        }
        assert_eq!(bytes.len(), count);
        self.receiver.flow_control().release_capacity(count).unwrap();
        bytes
    }

    /// How the server ends its side: in order, or by a reset.
    pub(crate) async fn end(&mut self) -> Result<(), h2::Reason> {
        while let Some(data) = self.receiver.data().await {
            // An empty frame may carry the end.
            assert_eq!(data.map_err(|error| error.reason().unwrap())?, "");
        }
        Ok(())
    }
}
