//! Passes on what each member says to all: `cargo run -p wskit-axum --example axum_chat_server [ADDRESS]`.

use axum::{Router, extract::State, response::Response, routing::any};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpListener, sync::broadcast};
use wskit_axum::{Message, WebSocket, WebSocketUpgrade};

type Room = broadcast::Sender<String>;

async fn enter(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.max_message_size(4096).on_upgrade(|socket| chat(socket, room))
}

async fn chat(socket: WebSocket, room: Room) {
    let mut said_by_all = room.subscribe();
    let (mut sender, mut receiver) = socket.split();
    let hearing = tokio::spawn(async move {
        while let Ok(said) = said_by_all.recv().await {
            if sender.send(Message::Text(said.into())).await.is_err() {
                break;
            }
        }
    });
    while let Some(Ok(message)) = receiver.next().await {
        if let Message::Text(text) = message {
            let _members = room.send(text.to_string());
        }
    }
    hearing.abort();
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
    let room = broadcast::channel(100).0;
    axum::serve(listener, Router::new().route("/", any(enter)).with_state(room)).await
}
