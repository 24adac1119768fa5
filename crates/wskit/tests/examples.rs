//! The example programs run and talk with one another.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

fn example(name: &str) -> Command {
    // Cargo puts examples beside the folder of the tests.
    let tests = std::env::current_exe().unwrap();
    let mut path: PathBuf = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    path.set_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "build the examples first: cargo build --examples");
    Command::new(path)
}

/// A server, and where it listens.
struct Server(Child, String);

impl Server {
    fn start() -> Server {
        Server::run(example("echo_server").arg("127.0.0.1:0"))
    }

    fn run(server: &mut Command) -> Server {
        let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Server(server, url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_client_gets_its_hello_back() {
    let server = Server::start();
    let client = example("client").arg(&server.1).output().unwrap();
    assert!(client.status.success(), "{client:?}");
    assert_eq!(String::from_utf8(client.stdout).unwrap().trim(), "hello");
}

#[test]
fn an_error_is_one_plain_line() {
    let server = Server::start();
    let taken = server.1.strip_prefix("ws://").unwrap();
    for (name, argument, words) in [
        ("client", "http://127.0.0.1", "ws or wss"),
        ("chat_client", "ws://127.0.0.1:0", "no connection: "),
        ("echo_server", taken, taken),
    ] {
        let ran = example(name).arg(argument).output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!((ran.status.code(), told.lines().count()), (Some(1), 1), "{name}: {told}");
        assert!(told.contains(words) && !told.starts_with("Error"), "{name}: {told}");
    }
}

#[test]
fn the_chat_client_shows_what_comes_and_closes_at_the_end_of_its_input() {
    let server = Server::start();
    let mut client = example("chat_client");
    let client = client.arg(&server.1).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = client.spawn().unwrap();
    client.stdin.take().unwrap().write_all("eins\nzwei\n".as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "eins\nzwei\n");
}

#[cfg(all(feature = "tls", target_os = "linux"))]
#[test]
fn the_client_gets_its_hello_back_through_tls() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (chain, key) = (folder.join("example.pem"), folder.join("example.key"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = Server::run(example("tls_echo_server").args([&chain, &key]).arg("127.0.0.1:0"));
    // The client trusts what the system trusts, and this is how one tells the system on Unix.
    let client = example("client").arg(&server.1).env("SSL_CERT_FILE", &chain).output().unwrap();
    assert!(client.status.success(), "{client:?}");
    assert_eq!(String::from_utf8(client.stdout).unwrap().trim(), "hello");
}
