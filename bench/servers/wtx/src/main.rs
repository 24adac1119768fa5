//! As wtx documents an echo. Its interface writes each frame by itself.

use tokio::net::TcpStream;
use wtx::collections::Vector;
use wtx::rng::{ChaCha20, CryptoSeedableRng};
use wtx::tls::{TlsAcceptor, TlsConfig};
use wtx::web_socket::web_socket_compression::{WindowBits, ZlibRs};
use wtx::web_socket::{
    DeflateConfig, OpCode, WebSocketAcceptor, WebSocketPayloadOrigin, WsCompression,
};

fn main() -> std::io::Result<()> {
    bench_serve::run(async |stream| match bench_serve::compression() {
        Some(_) => echo(stream, ZlibRs::from(window_like_others())).await,
        None => echo(stream, ()).await,
    })
}

/// 32 KiB; its own default is 4 KiB.
fn window_like_others() -> DeflateConfig {
    let window = WindowBits::Fifteen;
    DeflateConfig {
        client_max_window_bits: window,
        server_max_window_bits: window,
        ..DeflateConfig::default()
    }
}

async fn echo<C: WsCompression<false>>(stream: TcpStream, compression: C) -> wtx::Result<()> {
    let acceptor = TlsAcceptor::new(TlsConfig::plaintext(), ChaCha20::from_getrandom()?, stream);
    let mut socket = WebSocketAcceptor::default()
        .set_compression(compression)
        .set_no_masking(false)
        .accept(acceptor)
        .await?;
    let (mut common, mut reader, mut writer) = socket.split_mut();
    let mut buffer = Vector::new();
    loop {
        let mut frame =
            reader.read_frame(&mut buffer, &mut common, WebSocketPayloadOrigin::Adaptive).await?;
        match frame.op_code() {
            OpCode::Text | OpCode::Binary => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}
