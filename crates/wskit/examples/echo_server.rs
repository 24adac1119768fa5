//! Sends back every message: `cargo run --example echo_server [ADDRESS]`.

use tokio::net::TcpListener;
use wskit::Error;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async {
            let mut socket = wskit::accept(stream).await?;
            while let Some(message) = socket.recv().await {
                socket.feed(message?).await?;
            }
            Ok::<(), Error>(())
        });
    }
}
