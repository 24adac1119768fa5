//! As the echo server of fastwebsockets' own examples. Its interface writes each frame by itself.

use fastwebsockets::{FragmentCollector, OpCode, WebSocketError, upgrade};
use hyper::service::service_fn;
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{spawn_local, unconstrained};

fn main() -> std::io::Result<()> {
    bench_serve::run(serve)
}

async fn serve(stream: TcpStream) {
    let service = service_fn(async |mut request: Request<Incoming>| {
        let (response, upgraded) = upgrade::upgrade(&mut request)?;
        spawn_local(unconstrained(echo(upgraded)));
        Ok::<_, WebSocketError>(response)
    });
    let _ends_with_the_client =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn echo(upgraded: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = upgraded.await?;
    socket.set_max_message_size(bench_serve::MESSAGE_BYTES_MAX);
    let mut socket = FragmentCollector::new(socket);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}
