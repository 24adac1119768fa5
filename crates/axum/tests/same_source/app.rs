// This file is compiled twice, with `ws` being `axum::extract::ws` and `wskit_axum`: the patterns of
// axum's documentation.

use axum::{Error, Router, extract::State, response::Response, routing::any};
use futures_util::{
    sink::SinkExt,
    stream::{SplitSink, SplitStream, StreamExt},
};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};

#[derive(Clone)]
struct AppState {
    said: broadcast::Sender<String>,
    failures: mpsc::Sender<Error>,
}

pub(crate) fn app() -> Router {
    let state = AppState { said: broadcast::channel(100).0, failures: mpsc::channel(1).0 };
    Router::new()
        .route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .route("/split", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(split) }))
        .route("/tell", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(tell) }))
        .route("/protocol", any(speak))
        .route("/limited", any(limited))
        .nest("/nested", Router::new().route("/chat", any(chat)))
        .with_state(state)
}

async fn echo(mut socket: WebSocket) {
    while let Some(msg) = socket.recv().await {
        let msg = if let Ok(msg) = msg {
            msg
        } else {
            // client disconnected
            return;
        };
        if matches!(msg, Message::Ping(_) | Message::Pong(_)) {
            continue;
        }
        if socket.send(msg).await.is_err() {
            // client disconnected
            return;
        }
    }
}

async fn split(socket: WebSocket) {
    let (sender, receiver) = socket.split();
    let (texts, waiting) = mpsc::channel(10);
    let write = tokio::spawn(write(sender, waiting));
    read(receiver, texts).await;
    write.await.unwrap();
}

async fn read(mut receiver: SplitStream<WebSocket>, texts: mpsc::Sender<Utf8Bytes>) {
    while let Some(Ok(message)) = receiver.next().await {
        match message {
            Message::Text(text) => texts.send(text).await.unwrap(),
            Message::Close(Some(CloseFrame { code, reason })) => {
                assert_eq!((code, reason.as_str()), (close_code::AWAY, "bye"));
            }
            _ => {}
        }
    }
}

async fn write(mut sender: SplitSink<WebSocket, Message>, mut texts: mpsc::Receiver<Utf8Bytes>) {
    while let Some(text) = texts.recv().await {
        sender.feed(Message::Text(text)).await.unwrap();
        sender.flush().await.unwrap();
    }
}

/// Tells what was received, and closes when asked to.
async fn tell(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let told: String = match &message {
            Message::Text(text) if *text == "close" => {
                let reason = Utf8Bytes::from_static("as you like");
                let frame = CloseFrame { code: close_code::NORMAL, reason };
                socket.send(Message::Close(Some(frame))).await.unwrap();
                continue;
            }
            Message::Text(text) => format!("text {text}"),
            Message::Binary(bytes) => format!("binary {}", bytes.len()),
            Message::Ping(bytes) => format!("ping {}", bytes.len()),
            Message::Pong(bytes) => format!("pong {}", bytes.len()),
            Message::Close(_) => return,
        };
        socket.send(told.into()).await.unwrap();
    }
}

async fn speak(upgrade: WebSocketUpgrade) -> Response {
    let requested: Vec<_> = upgrade.requested_protocols().cloned().collect();
    let upgrade = upgrade.protocols(["v2", "v1"]);
    let selected = upgrade.selected_protocol().cloned();
    upgrade.on_failed_upgrade(|error| panic!("{error}")).on_upgrade(move |mut socket| async move {
        assert_eq!(socket.protocol(), selected.as_ref());
        let told = format!("{} {:?}", requested.len(), socket.protocol());
        socket.send(Message::text(told)).await.unwrap();
        while let Some(Ok(_)) = socket.recv().await {}
    })
}

async fn limited(upgrade: WebSocketUpgrade, State(state): State<AppState>) -> Response {
    upgrade
        .max_message_size(1000)
        .max_frame_size(500)
        .write_buffer_size(0)
        .max_write_buffer_size(1 << 20)
        .on_failed_upgrade(move |error| drop(state.failures.try_send(error)))
        .on_upgrade(echo)
}

/// The chat of axum's examples: one task for what others say, one for what this member says.
async fn chat(upgrade: WebSocketUpgrade, State(state): State<AppState>) -> Response {
    upgrade.on_upgrade(|socket| async move {
        let (mut sender, mut receiver) = socket.split();
        let mut name = String::new();
        if let Some(Ok(Message::Text(text))) = receiver.next().await {
            name.push_str(&text);
        }
        let mut others = state.said.subscribe();
        state.said.send(format!("{name} joined")).unwrap();
        let mut hearing = tokio::spawn(async move {
            while let Ok(said) = others.recv().await {
                if sender.send(Message::text(said)).await.is_err() {
                    break;
                }
            }
        });
        let (said, own) = (state.said.clone(), name.clone());
        let mut saying = tokio::spawn(async move {
            while let Some(Ok(Message::Text(text))) = receiver.next().await {
                said.send(format!("{own}: {text}")).unwrap();
            }
        });
        tokio::select! {
            _ = &mut hearing => saying.abort(),
            _ = &mut saying => hearing.abort(),
        }
        let _others_may_have_gone = state.said.send(format!("{name} left"));
        tokio::time::sleep(Duration::ZERO).await;
    })
}

/// Everything that axum's messages can be made of and turned into.
#[test]
fn messages_convert() {
    let text = Message::from("hi");
    assert_eq!(text, Message::Text("hi".into()));
    assert_eq!(text, Message::text(String::from("hi")));
    assert_eq!(text.to_text().unwrap(), "hi");
    assert_eq!(text.clone().into_data(), "hi");
    assert_eq!(text.into_text().unwrap(), "hi");
    let bytes = Message::from(vec![0xff]);
    assert_eq!(bytes, Message::Binary(vec![0xff].into()));
    assert_eq!(bytes, Message::binary(&b"\xff"[..]));
    assert_eq!(bytes, Message::from(&b"\xff"[..]));
    assert!(bytes.to_text().is_err() && bytes.clone().into_text().is_err());
    assert_eq!(Vec::from(bytes), [0xff]);
    let frame = CloseFrame { code: close_code::AGAIN, reason: "later".into() };
    let close = Message::Close(Some(frame));
    assert_eq!(close.to_text().unwrap(), "later");
    assert_eq!(close.into_data(), "later");
    assert_eq!(Message::Close(None).into_text().unwrap(), "");

    let text = Utf8Bytes::from_static("hi");
    assert_eq!(text, "hi");
    assert_eq!(text, "hi".to_string());
    assert_eq!(text, &"hi".to_string());
    assert_eq!(text, std::borrow::Cow::from("hi"));
    assert_eq!((text.len(), text.as_str(), text.to_string()), (2, "hi", "hi".to_owned()));
    assert_eq!(Utf8Bytes::from(&"hi".to_string()), text);
    assert_eq!(Utf8Bytes::try_from(b"hi".to_vec()).unwrap(), text);
    assert_eq!(Utf8Bytes::try_from(axum::body::Bytes::from("hi")).unwrap(), text);
    let fault = Utf8Bytes::try_from(b"hi\xff".to_vec()).unwrap_err();
    assert_eq!(fault.valid_up_to(), 2);
    assert_eq!(axum::body::Bytes::from(text), "hi");
}
