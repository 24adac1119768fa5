//! Echoes every message over HTTP/1.1 and HTTP/2, on one port: `http2_echo_server 127.0.0.1:8080`.

use tokio::net::TcpListener;
use wskit::http2::{Http2Limits, ServerStream};
use wskit::{Error, PendingRequest, Server};

type Stream = ServerStream<tokio::net::TcpStream>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}/", listener.local_addr()?);
    let server = Server::new().http2(Http2Limits::default());
    loop {
        let mut requests = server.requests(listener.accept().await?.0);
        tokio::spawn(async move {
            // One over HTTP/1.1, any number over HTTP/2.
            while let Some(request) = requests.next().await {
                tokio::spawn(echo(request));
            }
        });
    }
}

async fn echo(request: Result<PendingRequest<Stream>, Error>) -> Result<(), Error> {
    let mut socket = request?.accept().await?;
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}
