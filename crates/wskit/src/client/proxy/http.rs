//! A tunnel through an HTTP proxy: the method CONNECT (RFC 9110 §9.3.6).

use super::ProxyFault;
use crate::client::authority::Credentials;
use crate::client::url::Endpoint;
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wskit_proto::handshake::IncomingResponse;

/// How much of the body of a refusal is kept.
const BODY_BYTES_MAX: usize = 4 << 10;

/// Has the proxy open a tunnel to the endpoint.
pub(super) async fn open<S>(
    stream: &mut S,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream
        .write_all(request(endpoint, credentials).as_bytes())
        .await
        .map_err(ProxyFault::Broken)?;
    stream.flush().await.map_err(ProxyFault::Broken)?;
    let mut response = IncomingResponse::new(200..=299, BODY_BYTES_MAX);
    let mut input = BytesMut::new();
    loop {
        match response.receive(&mut input) {
            // The server does not speak before it has been spoken to, so this would be the proxy's.
            Ok(Some(_)) if !input.is_empty() => return Err(ProxyFault::TooMuch),
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err(error) => return Err(ProxyFault::Response(error)),
        }
        input.reserve(1024);
        let received = stream.read_buf(&mut input).await.map_err(ProxyFault::Broken)?;
        if received == 0 {
            return Err(ProxyFault::Response(response.end(&mut input)));
        }
    }
}

fn request(endpoint: &Endpoint, credentials: Option<&Credentials>) -> String {
    let (host, port) = (&endpoint.host, endpoint.port);
    // RFC 9110 §9.3.6: the port is always named.
    let place =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
    if let Some(credentials) = credentials {
        request += &format!("Proxy-Authorization: {}\r\n", credentials.basic());
    }
    request + "\r\n"
}
