//! What the tests of the extractor have in common.

use axum::Router;
use tokio::net::TcpListener;
use wskit_axum::WebSocket;

/// Serves the routes on an address of this machine that is free.
pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Sends every message back.
pub(crate) async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        socket.send(message).await.unwrap();
    }
}
