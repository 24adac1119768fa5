//! A client's HTTP/2 connection, on which it opens WebSockets.

use super::{Beneath, Http2Limits, Http2Stream, add_header, broken};
use crate::Error;
use crate::alarm::Alarm;
use crate::client::{Client, ClientStream, Patience};
use crate::socket::{Opened, WebSocket};
use bytes::{Bytes, BytesMut};
use h2::client::{Connection, SendRequest};
use h2::ext::Protocol;
use h2::{Ping, PingPong, RecvStream};
use http::{Method, Request, Uri, Version};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite};
use wskit_proto::Output;
use wskit_proto::handshake::{ConnectOpening, ResponseError};

/// An HTTP/2 connection to a server, on which many WebSockets can be opened, each of them a stream.
/// Cheap to clone.
///
/// It ends when all clones and all WebSockets on it are dropped, or when the server ends it.
///
/// ```no_run
/// # async fn example() -> Result<(), wskit::Error> {
/// let client = wskit::Client::new("wss://example.com/chat/a")?;
/// let connection = client.connect_http2().await?;
/// let mut a = connection.open(&client).await?;
/// let mut b = connection.open(&wskit::Client::new("wss://example.com/chat/b")?).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Http2Connection {
    requests: SendRequest<Bytes>,
    /// Unknown where somebody brought the transport.
    beneath: Option<Arc<Beneath>>,
}

impl Http2Connection {
    /// Begins to speak HTTP/2 on a stream that is connected to the server already, and waits until
    /// the server has said that it takes WebSockets. TLS is not added: see
    /// [`Client::secure`](crate::Client::secure). For those who bring their own transport.
    ///
    /// A task of its own, which is begun here, drives the connection.
    pub async fn begin<S>(stream: S, limits: Http2Limits) -> Result<Http2Connection, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let begun = limits.client().handshake(stream).await;
        let (requests, mut connection) = begun.map_err(|error| Error::Opening(broken(error)))?;
        // RFC 8441 §3: the extended CONNECT is not sent before the server has said that it takes it.
        if !takes_websockets(&mut connection, &requests).await.map_err(Error::Opening)? {
            return Err(Error::Http2Unavailable("the server takes no WebSockets over HTTP/2"));
        }
        tokio::spawn(async {
            // Who has a stream on it is told too.
            let _error = connection.await;
        });
        Ok(Http2Connection { requests, beneath: None })
    }

    /// As [`begin`](Http2Connection::begin), on a stream that a client has connected.
    pub(crate) async fn begin_on(stream: ClientStream) -> Result<Http2Connection, Error> {
        let beneath = Some(Arc::new(Beneath::of(&stream)));
        let begun = Http2Connection::begin(stream, Http2Limits::default()).await?;
        Ok(Http2Connection { beneath, ..begun })
    }

    /// Opens the WebSocket that this client describes, whose URL is on the same server. Waits while
    /// the server allows no further stream, for no longer than the client's
    /// [opening timeout](Client::opening_timeout).
    ///
    /// The error of a response that opens no connection has its status, headers and the start of its
    /// body; redirects are not followed. Cancel safe in that no stream is left open when it is dropped.
    pub async fn open(&self, client: &Client) -> Result<WebSocket<ClientStream>, Error> {
        self.open_in_time(client, client.patience()).await
    }

    pub(crate) async fn open_in_time(
        &self,
        client: &Client,
        patience: Patience,
    ) -> Result<WebSocket<ClientStream>, Error> {
        let opening = client.extended_connect();
        let failed = |error| Error::Opening(broken(error));
        let request = request(&opening, client.is_secure())?;
        let mut requests = patience.wait(self.requests.clone().ready()).await?.map_err(failed)?;
        let (response, data) = requests.send_request(request, false).map_err(failed)?;
        let response = patience.wait(response).await?.map_err(failed)?;
        let (head, mut frames) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let agreed = match opening.receive(head.status.as_u16(), headers) {
            Ok(agreed) => agreed,
            Err(ResponseError::Refused(mut refusal)) => {
                let mut body = BytesMut::new();
                let read = read_body(&mut frames, &mut body, opening.body_bytes_max());
                // A refusal whose body does not come to an end is a refusal all the same.
                let _late = patience.wait(read).await;
                refusal.body = body.freeze();
                return Err(ResponseError::Refused(refusal).into());
            }
            Err(error) => return Err(error.into()),
        };
        let stream = Http2Stream::answered(frames, data, self.beneath.clone());
        let stream = ClientStream::of_http2(stream);
        let (input, output, alarm) = (BytesMut::new(), Output::default(), Alarm::new());
        let opened = Opened { stream, input, output, agreed, alarm };
        Ok(WebSocket::client(opened, client.options()))
    }
}

fn request(opening: &ConnectOpening, is_secure: bool) -> Result<Request<()>, Error> {
    let fields = opening.pseudo_headers(is_secure);
    let uri = Uri::builder()
        .scheme(fields.scheme.unwrap_or_default())
        .authority(fields.authority.unwrap_or_default())
        .path_and_query(fields.path.unwrap_or_default())
        .build()
        .map_err(|error| Error::Url(format!("the URL cannot be asked for: {error}")))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    opening.for_each_header(|name, value| add_header(request.headers_mut(), name, value));
    Ok(request)
}

async fn read_body(frames: &mut RecvStream, body: &mut BytesMut, body_bytes_max: usize) {
    while body.len() < body_bytes_max
        && let Some(Ok(data)) = frames.data().await
    {
        let _the_stream_may_have_ended = frames.flow_control().release_capacity(data.len());
        body.extend_from_slice(&data[..data.len().min(body_bytes_max - body.len())]);
    }
}

/// Waits for the server's settings. They come before the answer to a PING, which tells that they have
/// come without what is waited for.
async fn takes_websockets<S>(
    connection: &mut Connection<S, Bytes>,
    requests: &SendRequest<Bytes>,
) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(mut pings) = connection.ping_pong() else { return Ok(false) };
    pings.send_ping(Ping::opaque()).map_err(broken)?;
    poll_fn(|cx| {
        let ended = poll_connection(connection, cx);
        if requests.is_extended_connect_protocol_enabled() {
            return Poll::Ready(Ok(true));
        }
        match (ended, poll_pong(&mut pings, cx)) {
            (Poll::Ready(error), _) => Poll::Ready(Err(error)),
            (_, Poll::Ready(answered)) => Poll::Ready(answered.map(|()| false)),
            (Poll::Pending, Poll::Pending) => Poll::Pending,
        }
    })
    .await
}

fn poll_connection<S>(
    connection: &mut Connection<S, Bytes>,
    cx: &mut Context<'_>,
) -> Poll<io::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    Pin::new(connection).poll(cx).map(|ended| match ended {
        Ok(()) => io::ErrorKind::UnexpectedEof.into(),
        Err(error) => broken(error),
    })
}

fn poll_pong(pings: &mut PingPong, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    pings.poll_pong(cx).map(|pong| pong.map(drop).map_err(broken))
}
