//! Sends back every message inside of TLS: `cargo run --example tls_echo_server CHAIN.pem KEY.pem [ADDRESS]`.

use tokio::net::TcpListener;
use wskit::{Error, Server, tls};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(chain), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tls_echo_server CHAIN.pem KEY.pem [ADDRESS]".into());
    };
    let server =
        Server::new().tls(tls::server_config(&std::fs::read(chain)?, &std::fs::read(key)?)?);
    let address = arguments.next().unwrap_or("127.0.0.1:8443".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on wss://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let server = server.clone();
        // In the task of the connection, so that a slow handshake keeps nobody else waiting.
        tokio::spawn(async move {
            let stream = server.secure(stream).await?;
            let mut socket = server.accept(stream).await?;
            while let Some(message) = socket.recv().await {
                socket.feed(message?).await?;
            }
            Ok::<(), Error>(())
        });
    }
}
