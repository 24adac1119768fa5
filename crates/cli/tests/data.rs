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

// A limit on the size of a file stands for a disk that is full.
#[cfg(unix)]
#[tokio::test]
async fn on_a_full_disk_messages_are_refused_and_what_was_acknowledged_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", r#"trap "" XFSZ; ulimit -f 4096; exec "$0" "$@""#]);
    shell.args([env!("CARGO_BIN_EXE_wskit"), "serve", "--listen", "127.0.0.1:0", "--data", data]);
    shell.args(["--messages-per-second", "1000000"]);
    let mut child = shell.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let address = common::address(&mut child);
    let mut server = Server { child, address };
    let url = format!("ws://{}/chat/kept?client=0123456789abcdef", server.address);
    let mut socket = wskit::connect(&url).await.unwrap();
    event(&mut socket).await;
    let text = "x".repeat(10_000);
    let (mut acknowledged, mut refused) = (Vec::new(), None);
    for id in 1..2_000 {
        let say = serde_json::json!({"say": text, "id": id.to_string()});
        socket.send(say.to_string()).await.unwrap();
        let outcome = loop {
            let event = event(&mut socket).await;
            if event["event"] != "message" {
                break event;
            }
        };
        if outcome["event"] == "error" {
            assert_eq!(outcome["reason"], "not_kept");
            refused = Some(id);
            break;
        }
        acknowledged.push(outcome["offset"].as_u64().unwrap());
    }
    let refused = refused.expect("the disk is never full");
    assert_eq!(acknowledged, (1..refused).collect::<Vec<_>>());
    // Reading goes on, and the server says that it is not ready.
    socket.send(r#"{"history":{"before":3}}"#).await.unwrap();
    assert_eq!(event(&mut socket).await["messages"].as_array().unwrap().len(), 2);
    assert!(common::get(&server.address, "/readyz").0.starts_with("HTTP/1.1 503 "));
    server.child.kill().unwrap();
    wait(&mut server.child);

    let server = serve(folder.path());
    let url = format!("ws://{}/chat/kept?client=0123456789abcdef", server.address);
    let mut socket = wskit::connect(&url).await.unwrap();
    let last = event(&mut socket).await["offset"].as_u64().unwrap();
    // The refused one may be kept or not; sent again, it is there once.
    assert!(last == refused - 1 || last == refused, "{last} after {refused}");
    let say = serde_json::json!({"say": text, "id": refused.to_string()});
    socket.send(say.to_string()).await.unwrap();
    let acknowledged = loop {
        let event = event(&mut socket).await;
        if event["event"] == "acknowledged" {
            break event;
        }
    };
    assert_eq!(acknowledged["offset"], refused);
}
