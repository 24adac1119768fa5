//! As the echo server of tokio-websockets' own examples. Reading sends what was fed, so it reads what is there
//! before it feeds.

use bench_serve::next_batch;
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
    let mut batch = Vec::new();
    while next_batch(&mut socket, &mut batch).await {
        for message in batch.drain(..) {
            let message = message?;
            if message.is_text() || message.is_binary() {
                socket.feed(message).await?;
            }
        }
        socket.flush().await?;
    }
    Ok(())
}
