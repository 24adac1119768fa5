//! What everybody writes first: what anyone says goes through a broadcast channel to the tasks of all readers. Each
//! sends when nothing more waits in the channel.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::{Sender, channel};
use tokio_tungstenite::tungstenite::{Error, Message};

fn main() -> std::io::Result<()> {
    let (said, _) = channel(1024);
    bench_serve::run(move |stream| serve(stream, said.clone()))
}

async fn serve(stream: TcpStream, said: Sender<Message>) -> Result<(), Error> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let mut heard = said.subscribe();
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                let message = message?;
                if message.is_text() {
                    let _ = said.send(message);
                }
            }
            Ok(message) = heard.recv() => {
                socket.feed(message).await?;
                while let Ok(message) = heard.try_recv() {
                    socket.feed(message).await?;
                }
                socket.flush().await?;
            }
        }
    }
}
