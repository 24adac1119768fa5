//! Feeds what is to be in flight, flushes once, and receives the replies.

use bench_exchange::Task;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message};

fn main() -> std::io::Result<()> {
    bench_exchange::run(exchange)
}

async fn exchange(stream: TcpStream, task: Task) {
    let url = format!("ws://{}/", task.address);
    let client = ClientBuilder::new().uri(&url).expect("a URL");
    let (mut socket, _) = client.connect_on(stream).await.expect("a WebSocket");
    let payload = Bytes::from(task.payload);
    for _ in 0..task.rounds {
        for _ in 0..task.in_flight {
            socket.feed(Message::binary(payload.clone())).await.expect("it is open");
        }
        socket.flush().await.expect("it is open");
        for _ in 0..task.in_flight {
            let reply = socket.next().await.expect("a reply").expect("it is open");
            assert_eq!(reply.as_payload().len(), payload.len());
        }
    }
}
