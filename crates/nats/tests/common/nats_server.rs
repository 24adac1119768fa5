//! A `nats-server` of the test's own.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tempfile::TempDir;

/// A server with JetStream on a port of the loopback, and a folder that goes with it.
pub(crate) struct NatsServer {
    child: Child,
    port: u16,
    folder: TempDir,
    /// A file of settings and what it names, if there is one.
    config: Option<TempDir>,
}

/// What a file of settings is called in its folder.
pub(crate) const CONFIG: &str = "nats.conf";

impl NatsServer {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// As the file of settings in this folder has it.
    pub(crate) fn start_as(config: TempDir) -> Self {
        Self::start_with(Some(config))
    }

    fn start_with(config: Option<TempDir>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = start(port, &folder, config.as_ref());
        Self { child, port, folder, config }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder with its settings.
    pub(crate) fn config(&self) -> &Path {
        self.config.as_ref().unwrap().path()
    }

    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it and starts it again on the same port, with what it has in its folder.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = start(self.port, &self.folder, self.config.as_ref());
    }

    /// A copy of what it has in its folder; to be made while it does not run.
    pub(crate) fn saved(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.folder.path(), copy.path());
        copy
    }

    /// Puts back what it had; to be done while it does not run.
    pub(crate) fn put_back(&mut self, copy: &TempDir) {
        self.folder = tempfile::tempdir().unwrap();
        copy_all(copy.path(), self.folder.path());
    }

    /// Sends it a signal, `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let arguments = [format!("-{signal}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _it_may_have_ended = self.child.wait();
    }
}

fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

/// A port that is free, and not among those that the system gives by itself: nobody has it while a server is down. No
/// test of this program gets it a second time, and programs that run beside each other choose from different thousands.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    // A test that failed has left it as good as any other.
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    let first = 10_000 + (process::id() % 20) as u16 * 1_000;
    loop {
        let port = first + (RandomState::new().hash_one(()) % 1_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}

fn start(port: u16, folder: &TempDir, config: Option<&TempDir>) -> Child {
    let mut command = Command::new("nats-server");
    command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string()]);
    command.arg("--store_dir").arg(folder.path());
    if let Some(config) = config {
        command.arg("--config").arg(config.path().join(CONFIG));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tests need nats-server (apt install nats-server)");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let is_ready = lines.any(|line| line.unwrap().ends_with("Server is ready"));
    assert!(is_ready, "nats-server does not start");
    // Or it would stop when nobody reads what it says.
    thread::spawn(move || lines.for_each(drop));
    child
}
