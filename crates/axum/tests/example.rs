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
async fn the_chat_server_passes_on_what_members_say() {
    // Cargo puts examples beside the folder of the tests.
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let mut path: PathBuf = folder.join("axum_chat_server");
    path.set_extension(std::env::consts::EXE_EXTENSION);
    let server = Command::new(path).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
    let mut server = Running(server.expect("build the examples first: cargo build --examples"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap();
    let mut ann = wskit::connect(url).await.unwrap();
    ann.send("anybody here?").await.unwrap();
    assert_eq!(ann.recv().await.unwrap().unwrap(), Message::Text("anybody here?".into()));
    let mut bob = wskit::connect(url).await.unwrap();
    bob.send("I am").await.unwrap();
    for member in [&mut ann, &mut bob] {
        assert_eq!(member.recv().await.unwrap().unwrap(), Message::Text("I am".into()));
        member.close(CloseCode::NORMAL, "").await.unwrap();
    }
}
