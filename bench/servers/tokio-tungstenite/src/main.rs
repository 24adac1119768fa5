//! Sends when there is nothing more to read. Its second argument is the length of its read buffer, if not its default.

use bench_serve::next_or_flush;
use futures_util::SinkExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, protocol::WebSocketConfig};

fn main() -> std::io::Result<()> {
    let mut config = WebSocketConfig::default();
    if let Some(bytes) = std::env::args().nth(2) {
        config.read_buffer_size = bytes.parse().expect("the second argument is a number of bytes");
    }
    bench_serve::run(move |stream| echo(stream, config))
}

async fn echo(stream: TcpStream, config: WebSocketConfig) -> Result<(), Error> {
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await?;
    while let Some(message) = next_or_flush(&mut socket).await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.feed(message).await?;
        }
    }
    Ok(())
}
