//! Sends back every message: `cargo run -p wskit-hyper --example hyper_echo_server [ADDRESS]`.

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::net::TcpListener;
use wskit::{Error, Server};
use wskit_hyper::{Body, Opening};

async fn echo(opening: Opening) -> Result<(), Error> {
    let mut socket = opening.await?;
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(match wskit_hyper::upgrade(&mut request, &Server::new()) {
        Ok((response, opening)) => {
            tokio::spawn(async {
                if let Err(error) = echo(opening).await {
                    eprintln!("{error}");
                }
            });
            response
        }
        Err(refusal) => refusal,
    })
}

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
    loop {
        let (stream, _) = listener.accept().await?;
        let io = TokioIo::new(stream);
        let connection = http1::Builder::new().serve_connection(io, service_fn(answer));
        tokio::spawn(connection.with_upgrades());
    }
}
