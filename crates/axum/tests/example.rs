//! The example programs run.

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

#[tokio::test]
async fn the_echo_server_echoes() {
    let (_server, url) = start("axum_echo_server");
    let mut socket = wskit::connect(&url).await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().unwrap(), Message::Text("hello".into()));
    socket.close(CloseCode::NORMAL, "").await.unwrap();
}

#[tokio::test]
async fn the_chat_server_passes_on_what_members_say() {
    let (_server, url) = start("axum_chat_server");
    let mut ann = wskit::connect(&url).await.unwrap();
    ann.send("anybody here?").await.unwrap();
    assert_eq!(ann.recv().await.unwrap().unwrap(), Message::Text("anybody here?".into()));
    let mut bob = wskit::connect(&url).await.unwrap();
    bob.send("I am").await.unwrap();
    for member in [&mut ann, &mut bob] {
        assert_eq!(member.recv().await.unwrap().unwrap(), Message::Text("I am".into()));
        member.close(CloseCode::NORMAL, "").await.unwrap();
    }
}
