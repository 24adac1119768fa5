//! Feeds what is to be in flight, and receives the replies.

use bench_exchange::Task;
use bytes::Bytes;
use tokio::net::TcpStream;
use wskit::{Client, Compression, Message};

fn main() -> std::io::Result<()> {
    bench_exchange::run(exchange)
}

async fn exchange(stream: TcpStream, task: Task) {
    let client = Client::new(&format!("ws://{}/", task.address)).expect("a URL");
    let client = client.compression(Compression::off());
    let mut socket = client.connect_on(stream).await.expect("a WebSocket");
    let payload = Bytes::from(task.payload);
    for _ in 0..task.rounds {
        for _ in 0..task.in_flight {
            socket.feed(Message::Binary(payload.clone())).await.expect("it is open");
        }
        for _ in 0..task.in_flight {
            let reply = socket.recv().await.expect("a reply").expect("it is open");
            assert!(matches!(reply, Message::Binary(bytes) if bytes.len() == payload.len()));
        }
    }
}
