//! Its interface writes each frame by itself. The handshake is written by hand, for its own wants a client of hyper.

use bench_exchange::Task;
use fastwebsockets::{FragmentCollector, Frame, Payload, Role, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn main() -> std::io::Result<()> {
    bench_exchange::run(exchange)
}

async fn exchange(mut stream: TcpStream, task: Task) {
    open(&mut stream, &task.address).await.expect("a WebSocket");
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Client));
    for _ in 0..task.rounds {
        for _ in 0..task.in_flight {
            let frame = Frame::binary(Payload::Borrowed(&task.payload));
            socket.write_frame(frame).await.expect("it is open");
        }
        for _ in 0..task.in_flight {
            let reply = socket.read_frame().await.expect("a reply");
            assert_eq!(reply.payload.len(), task.payload.len());
        }
    }
}

async fn open(stream: &mut TcpStream, address: &str) -> std::io::Result<()> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    // Nothing comes behind it before a message was sent.
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
