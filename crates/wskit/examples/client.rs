//! Says hello to an echo server: `cargo run --example client [URL]`.

use wskit::{CloseCode, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:8080".into());
    let mut socket = wskit::connect(&url).await?;
    socket.send("hello").await?;
    if let Some(message) = socket.recv().await {
        println!("{:?}", message?);
    }
    socket.close(CloseCode::NORMAL, "that was all").await?;
    Ok(())
}
