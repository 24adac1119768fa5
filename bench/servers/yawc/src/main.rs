//! As the echo server of yawc's own examples, with the buffers of its own benchmarks, or those that it documents for many
//! idle connections, and with its pool where no contexts are kept; sends when there is nothing more to read.

use bench_serve::{MESSAGE_BYTES_MAX, next_or_flush};
use futures_util::SinkExt;
use hyper::service::service_fn;
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use yawc::{DeflatePool, OpCode, Options, UpgradeFut, WebSocket, WebSocketError};

fn main() -> std::io::Result<()> {
    let options = options();
    bench_serve::run(|stream| serve(stream, options.clone()))
}

/// As many as its documentation has.
const IDLE_COMPRESSORS_MAX: usize = 64;

fn options() -> Options {
    let options =
        Options::default().with_limits(MESSAGE_BYTES_MAX, 2 * MESSAGE_BYTES_MAX).with_utf8();
    let options = if bench_serve::is_lean() {
        options.with_read_buffer_capacity(1 << 10).with_write_buffer_capacity(1 << 10)
    } else {
        options.with_backpressure_boundary(64 << 10).with_read_buffer_capacity(128 << 10)
    };
    let compressing = if bench_serve::is_quick() {
        options.clone().with_low_latency_compression()
    } else {
        options.clone().with_balanced_compression()
    };
    match bench_serve::compression().as_deref() {
        Some("stateless") => compressing
            .server_no_context_takeover()
            .client_no_context_takeover()
            .with_deflate_pool(DeflatePool::new(IDLE_COMPRESSORS_MAX)),
        Some("contexts") => compressing,
        _ => options.without_compression(),
    }
}

async fn serve(stream: TcpStream, options: Options) {
    let service = service_fn(async |mut request: Request<Incoming>| {
        let (response, upgraded) = WebSocket::upgrade_with_options(&mut request, options.clone())?;
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
