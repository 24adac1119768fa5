//! The example program runs.

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

#[tokio::test]
async fn the_echo_server_echoes() {
    // Cargo puts examples beside the folder of the tests.
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let mut path: PathBuf = folder.join("hyper_echo_server");
    path.set_extension(std::env::consts::EXE_EXTENSION);
    let server = Command::new(path).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
    let mut server = Running(server.expect("build the examples first: cargo build --examples"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap();
    let mut socket = wskit::connect(url).await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().unwrap(), Message::Text("hello".into()));
    socket.close(CloseCode::NORMAL, "").await.unwrap();
}
