//! Says hello to an echo server: `cargo run -p wskit --example client [URL]`.

use wskit::{CloseCode, Error, Message};

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:8080".into());
    if let Err(error) = say_hello(&url).await {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn say_hello(url: &str) -> Result<(), Error> {
    let mut socket = wskit::connect(url).await?;
    socket.send("hello").await?;
    if let Some(Message::Text(text)) = socket.recv().await.transpose()? {
        println!("{text}");
    }
    socket.close(CloseCode::NORMAL, "that was all").await?;
    Ok(())
}
