//! Sends the lines that are typed and shows what comes: `cargo run -p wskit --example chat_client [URL]`.

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use wskit::{CloseCode, Error, Message};

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:8080/chat".into());
    let chatted = chat(&url).await;
    if let Err(error) = &chatted {
        eprintln!("{error}");
    }
    // A line that is still being typed is not waited for.
    std::process::exit(chatted.is_err().into());
}

async fn chat(url: &str) -> Result<(), Error> {
    let (mut send_half, mut receive_half) = wskit::connect(url).await?.split();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            send_half.send(line).await?;
        }
        send_half.close(CloseCode::NORMAL, "").await
    });
    while let Some(message) = receive_half.recv().await {
        if let Message::Text(text) = message? {
            println!("{text}");
        }
    }
    Ok(())
}
