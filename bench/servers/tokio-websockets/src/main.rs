//! As the echo server of tokio-websockets' own examples, but sends when there is nothing more to read.

use bench_serve::next_or_flush;
use futures_util::SinkExt;
use tokio::net::TcpStream;
use tokio_websockets::{Config, Error, Limits, ServerBuilder};

const FLUSH_THRESHOLD_BYTES: usize = 64 << 10;

fn main() -> std::io::Result<()> {
    bench_serve::run(|stream| tokio::task::unconstrained(echo(stream)))
}

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let (_request, mut socket) = ServerBuilder::new()
        .config(Config::default().frame_size(usize::MAX).flush_threshold(FLUSH_THRESHOLD_BYTES))
        .limits(Limits::default().max_payload_len(Some(bench_serve::MESSAGE_BYTES_MAX)))
        .accept(stream)
        .await?;
    while let Some(message) = next_or_flush(&mut socket).await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.feed(message).await?;
        }
    }
    Ok(())
}
