//! As axum documents WebSockets, but sends when there is nothing more to read.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use bench_serve::{MESSAGE_BYTES_MAX, next_or_flush};
use futures_util::SinkExt;

fn main() -> std::io::Result<()> {
    bench_serve::run_listener(async |listener| {
        let upgrade = async |upgrade: WebSocketUpgrade| {
            upgrade
                .max_message_size(MESSAGE_BYTES_MAX)
                .max_frame_size(MESSAGE_BYTES_MAX)
                .on_upgrade(echo)
        };
        let listener = listener.tap_io(|stream| {
            let _the_client_may_have_gone = stream.set_nodelay(true);
        });
        axum::serve(listener, Router::new().route("/", any(upgrade))).await
    })
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = next_or_flush(&mut socket).await {
        if matches!(message, Message::Text(_) | Message::Binary(_))
            && socket.feed(message).await.is_err()
        {
            return;
        }
    }
}
