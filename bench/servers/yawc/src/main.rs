//! As the echo server of yawc's own examples, with the buffers of its own benchmarks; sends when there is nothing more
//! to read.

use bench_serve::{MESSAGE_BYTES_MAX, next_or_flush};
use futures_util::SinkExt;
use hyper::service::service_fn;
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use yawc::{OpCode, Options, UpgradeFut, WebSocket, WebSocketError};

fn main() -> std::io::Result<()> {
    bench_serve::run(serve)
}

fn options() -> Options {
    let mut options =
        Options::default().with_limits(MESSAGE_BYTES_MAX, 2 * MESSAGE_BYTES_MAX).with_utf8();
    if !bench_serve::is_lean() {
        options = options.with_backpressure_boundary(64 << 10).with_read_buffer_capacity(128 << 10);
    }
    match bench_serve::compression().as_deref() {
        Some("stateless") => options
            .with_balanced_compression()
            .server_no_context_takeover()
            .client_no_context_takeover(),
        Some("contexts") => options.with_balanced_compression(),
        _ => options.without_compression(),
    }
}

async fn serve(stream: TcpStream) {
    let service = service_fn(async |mut request: Request<Incoming>| {
        let (response, upgraded) = WebSocket::upgrade_with_options(&mut request, options())?;
        spawn_local(echo(upgraded));
        Ok::<_, WebSocketError>(response)
    });
    let _ends_with_the_client =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn echo(upgraded: UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = upgraded.await?;
    while let Some(frame) = next_or_flush(&mut socket).await {
        if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
            socket.feed(frame).await?;
        }
    }
    Ok(())
}
