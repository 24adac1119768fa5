//! Sends back every message over HTTP/1.1 and HTTP/2, and answers other requests with a greeting:
//! `cargo run -p wskit-hyper --features auto,tower --example tower_echo_server [ADDRESS]`.

use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::{server::conn::auto, service::TowerToHyperService};
use std::convert::Infallible;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use wskit::{Error, Server};
use wskit_hyper::tower::{WebSocketLayer, WebSocketService};
use wskit_hyper::{Body, WebSocket};

async fn echo(mut socket: WebSocket) -> Result<(), Error> {
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}

async fn greet(_: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::from("There is a WebSocket here.\n")))
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
    let sockets = WebSocketService::new(Server::new(), |socket, _| echo(socket));
    let layered = ServiceBuilder::new().layer(WebSocketLayer::new(sockets)).service_fn(greet);
    let service = TowerToHyperService::new(layered);
    let mut http = auto::Builder::new(TokioExecutor::new());
    // Smaller than the window of the connection, so that a WebSocket that is not read does not hold up
    // the others.
    http.http2().enable_connect_protocol().initial_stream_window_size(64 << 10);
    loop {
        let (stream, _) = listener.accept().await?;
        let (http, service) = (http.clone(), service.clone());
        tokio::spawn(async move {
            let _the_client_may_have_gone =
                http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
}
