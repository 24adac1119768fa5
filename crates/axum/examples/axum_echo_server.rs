//! Sends back every message, over HTTP/1.1 and HTTP/2: `cargo run -p wskit-axum --example axum_echo_server [ADDRESS]`.

use axum::{Router, response::Response, routing::any};
use tokio::net::TcpListener;
use wskit_axum::{Message, WebSocket, WebSocketUpgrade};

async fn enter(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_for_us = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_for_us && socket.send(message).await.is_err() {
            return; // The client has gone.
        }
    }
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
    // `any`, for a WebSocket is asked for by GET over HTTP/1.1 and by CONNECT over HTTP/2.
    axum::serve(listener, Router::new().route("/", any(enter))).await
}
