//! Echoes every message over HTTP/1.1 and HTTP/2, on one port:
//! `cargo run -p wskit --features http2 --example http2_echo_server [ADDRESS]`.

use tokio::net::TcpListener;
use wskit::http2::{Http2Limits, ServerStream};
use wskit::{Error, PendingRequest, Server};

type Stream = ServerStream<tokio::net::TcpStream>;

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    if let Err(error) = serve(&address).await {
        eprintln!("{address}: {error}");
        std::process::exit(1);
    }
}

async fn serve(address: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let server = Server::new().http2(Http2Limits::default());
    loop {
        let mut requests = server.requests(listener.accept().await?.0);
        tokio::spawn(async move {
            // One over HTTP/1.1, any number over HTTP/2.
            while let Some(request) = requests.next().await {
                tokio::spawn(async {
                    if let Err(error) = echo(request).await {
                        eprintln!("{error}");
                    }
                });
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
