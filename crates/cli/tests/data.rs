//! What `serve` keeps on disk: it lasts, and what cannot be used is refused.

mod common;

use common::{Server, run, wait};
use std::fs;
use std::path::Path;
use wskit::Message;

/// The next event.
async fn event(socket: &mut wskit::WebSocket<wskit::ClientStream>) -> serde_json::Value {
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Enters the room `kept` and says this; gives the welcome.
async fn say(server: &Server, text: &str) -> serde_json::Value {
    let url = format!("ws://{}/chat/kept?name=ann", server.address);
    let mut socket = wskit::connect(&url).await.unwrap();
    let welcome = event(&mut socket).await;
    socket.send(text).await.unwrap();
    assert_eq!(event(&mut socket).await["text"], text);
    welcome
}

fn serve(data: &Path) -> Server {
    Server::start(&["serve", "--data", data.to_str().unwrap()])
}

#[tokio::test]
async fn a_conversation_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("made").join("by the server");
    let mut server = serve(&data);
    let first = say(&server, "one").await;
    server.child.kill().unwrap();
    wait(&mut server.child);
    let server = serve(&data);
    let second = say(&server, "two").await;
    assert_eq!((&second["epoch"], &second["offset"]), (&first["epoch"], &1.into()));
    assert_eq!(second["history"][0]["text"], "one");
}

#[tokio::test]
async fn without_a_folder_nothing_outlives_the_server() {
    let first = say(&Server::start(&["serve", "--ephemeral"]), "one").await;
    let second = say(&Server::start(&["serve", "--ephemeral"]), "two").await;
    assert_ne!(second["epoch"], first["epoch"]);
    assert_eq!(second["offset"], 0);
}

#[test]
fn a_folder_that_cannot_be_used_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |data: &Path, words: &str| {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        let ran = run(&arguments, b"");
        assert_eq!(ran.code, Some(7), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert_eq!((ran.stderr.lines().count(), ran.text()), (1, ""), "{}", ran.stderr);
    };
    let in_use = folder.path().join("in use");
    let _server = serve(&in_use);
    refused(&in_use, "another server has");
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    fs::write(damaged.join("rooms.redb"), "this is no store").unwrap();
    refused(&damaged, "is damaged and was left as it is");
    assert_eq!(fs::read(damaged.join("rooms.redb")).unwrap(), b"this is no store");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    refused(&file, "choose another folder with --data");
}
