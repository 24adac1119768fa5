//! Sends back every message inside of TLS: `cargo run -p wskit --example tls_echo_server CHAIN.pem KEY.pem [ADDRESS]`.

use tokio::net::{TcpListener, TcpStream};
use wskit::{Error, Server, tls};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let served = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [chain, key] => serve(chain, key, "127.0.0.1:8443").await,
        [chain, key, address] => serve(chain, key, address).await,
        _ => Err("usage: tls_echo_server CHAIN.pem KEY.pem [ADDRESS]".into()),
    };
    if let Err(error) = served {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn serve(chain: &str, key: &str, address: &str) -> Result<(), Box<dyn std::error::Error>> {
    let tls = tls::server_config(&read(chain)?, &read(key)?)?;
    let server = Server::new().tls(tls);
    let listener = TcpListener::bind(address).await?;
    println!("listening on wss://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let server = server.clone();
        // In the task of the connection, so that a slow handshake keeps nobody else waiting.
        tokio::spawn(async move {
            if let Err(error) = echo(&server, stream).await {
                eprintln!("{error}");
            }
        });
    }
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{file}: {error}"))
}

async fn echo(server: &Server, stream: TcpStream) -> Result<(), Error> {
    let stream = server.secure(stream).await?;
    let mut socket = server.accept(stream).await?;
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}
