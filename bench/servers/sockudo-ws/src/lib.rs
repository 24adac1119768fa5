//! As the echo server of sockudo-ws' own examples, but sends when there is nothing more to read.

use bench_serve::{MESSAGE_BYTES_MAX, next_or_flush};
use bytes::{Buf, BytesMut};
use futures_util::{Sink, SinkExt, Stream};
use sockudo_ws::deflate::negotiate_server_deflate;
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::{
    CompressedWebSocketStream, Compression, Config, DeflateConfig, Error, Message, WebSocketStream,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Serves with the allocator of the program that calls it.
pub fn run() -> std::io::Result<()> {
    bench_serve::run(serve)
}

async fn serve(mut stream: TcpStream) -> Result<(), Error> {
    let config =
        Config::builder().max_payload_length(MESSAGE_BYTES_MAX).validate_text_utf8(true).build();
    let compression = match bench_serve::compression().as_deref() {
        Some("stateless") => Compression::Shared,
        Some("contexts") => Compression::Dedicated,
        _ => Compression::Disabled,
    };
    let mut policy = compression.to_deflate_config();
    if let Some(policy) = policy.as_mut().filter(|_| bench_serve::is_quick()) {
        policy.compression_level = DeflateConfig::low_memory().compression_level;
    }
    let (deflate, rest) = handshake(&mut stream, policy).await?;
    let rest = Some(rest.freeze());
    match deflate {
        Some(deflate) => {
            echo(CompressedWebSocketStream::server_with_leftover(stream, config, deflate, rest))
                .await
        }
        None => {
            echo(WebSocketStream::from_raw_with_leftover(
                stream,
                sockudo_ws::Role::Server,
                config,
                rest,
            ))
            .await
        }
    }
}

async fn handshake(
    stream: &mut TcpStream,
    policy: Option<DeflateConfig>,
) -> Result<(Option<DeflateConfig>, BytesMut), Error> {
    let mut bytes = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(Error::ConnectionClosed);
        }
        let Some((request, length)) = parse_request(&bytes)? else { continue };
        let agreed = policy
            .as_ref()
            .zip(request.extensions)
            .and_then(|(policy, offers)| negotiate_server_deflate(offers, policy));
        let extensions = agreed.as_ref().map(|agreed| agreed.to_response_header());
        let response =
            build_response(&generate_accept_key(request.key), None, extensions.as_deref());
        stream.write_all(&response).await?;
        bytes.advance(length);
        return Ok((agreed.map(|agreed| agreed.config), bytes));
    }
}

async fn echo<S>(mut socket: S) -> Result<(), Error>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    while let Some(message) = next_or_flush(&mut socket).await {
        let message = message?;
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            socket.feed(message).await?;
        }
    }
    Ok(())
}
