//! The example programs run.

mod common;

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use wskit::{CloseCode, Message};

/// Ends the program whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts an example, and gives the URL that it listens on.
fn start(name: &str) -> (Running, String) {
    // Cargo puts examples beside the folder of the tests.
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let mut path: PathBuf = folder.join(name);
    path.set_extension(std::env::consts::EXE_EXTENSION);
    let server = Command::new(path).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
    let mut server = Running(server.expect("build the examples first: cargo build --examples"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, line.trim().strip_prefix("listening on ").unwrap().to_owned())
}

async fn says_hello(url: &str) {
    let mut socket = wskit::connect(url).await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().unwrap(), Message::Text("hello".into()));
    socket.close(CloseCode::NORMAL, "").await.unwrap();
}

#[tokio::test]
async fn the_echo_server_echoes() {
    let (_server, url) = start("hyper_echo_server");
    says_hello(&url).await;
}

#[cfg(all(feature = "auto", feature = "tower"))]
#[tokio::test]
async fn the_tower_echo_server_echoes_over_both_versions_of_http() {
    use common::http2::{Client, connect};

    let (_server, url) = start("tower_echo_server");
    says_hello(&url).await;
    let mut stream = Client::new(url.strip_prefix("ws://").unwrap()).await.open(connect("/")).await;
    stream.send(b"\x81\x82\0\0\0\0hi", false);
    assert_eq!(stream.receive(4).await, b"\x81\x02hi");
}
