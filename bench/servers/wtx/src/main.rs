//! As wtx documents an echo. Its interface writes each frame by itself.

use tokio::net::TcpStream;
use wtx::collections::Vector;
use wtx::rng::{ChaCha20, CryptoSeedableRng};
use wtx::tls::{TlsAcceptor, TlsConfig};
use wtx::web_socket::web_socket_compression::ZlibRs;
use wtx::web_socket::{OpCode, WebSocketAcceptor, WebSocketPayloadOrigin, WsCompression};

fn main() -> std::io::Result<()> {
    bench_serve::run(async |stream| match bench_serve::compression() {
        Some(_) => echo(stream, ZlibRs::default()).await,
        None => echo(stream, ()).await,
    })
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
