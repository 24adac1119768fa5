//! The program under test, as a child process.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Frame, PATIENCE, RawClient, Request, Response, frame};

/// A running server; killed when dropped. That it never panicked is part of every test.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    complaints: Option<JoinHandle<String>>,
}

/// The program, with stdin closed.
pub(crate) fn command(subcommand: &str, flags: &[&str]) -> Command {
    let program =
        std::env::var("WSKIT_BIN").ok().or(option_env!("CARGO_BIN_EXE_wskit").map(Into::into));
    let mut command = Command::new(program.expect("WSKIT_BIN names the program to test"));
    command.args([subcommand, "--listen", "127.0.0.1:0"]).args(flags).stdin(Stdio::null());
    command
}

impl Server {
    /// `wskit echo`: sends every message back, on any path.
    pub(crate) fn echo(flags: &[&str]) -> Self {
        Server::spawn(command("echo", flags))
    }

    /// `wskit serve`: chat rooms at `/chat/{room}`.
    pub(crate) fn serve(flags: &[&str]) -> Self {
        Server::spawn(command("serve", &[&["--ephemeral"], flags].concat()))
    }

    /// An echo server that may hold only so many file descriptors.
    pub(crate) fn echo_with_open_files_max(open_files_max: usize) -> Self {
        let echo = command("echo", &[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {open_files_max} && exec \"$0\" \"$@\"")]);
        shell.arg(echo.get_program()).args(echo.get_args()).stdin(Stdio::null());
        Server::spawn(shell)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        // Both pipes are read to their end, so that the program can never block on them.
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        let (sender, addresses) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("://") {
                    let authority = rest.split('/').next().unwrap();
                    sender.send(authority.parse().expect("an address")).ok();
                }
            }
        });
        let mut server =
            Server { child, address: ([0, 0, 0, 0], 0).into(), complaints: Some(complaints) };
        server.address = addresses.recv_timeout(PATIENCE).expect("a line that tells the address");
        server
    }

    /// A correct opening request for this server.
    pub(crate) fn request(&self) -> Request {
        Request::new(&self.address.to_string())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connect(&self) -> RawClient {
        RawClient::connect(self.address)
    }

    /// An open WebSocket connection.
    pub(crate) fn open(&self) -> RawClient {
        self.open_with(&self.request())
    }

    pub(crate) fn open_with(&self, request: &Request) -> RawClient {
        let mut client = self.connect();
        client.send(request.encode());
        client.accepted();
        client
    }

    /// The request is answered with 101.
    pub(crate) fn accepts(&self, request: &Request) -> Response {
        let mut client = self.connect();
        client.send(request.encode());
        client.accepted()
    }

    /// The request is answered with the status and a plain text that names the fault, and nothing follows.
    pub(crate) fn refuses(&self, request: &Request, status: u16, fault: &str) -> Response {
        let response = self.answers(request);
        let request = String::from_utf8_lossy(&request.encode()).into_owned();
        assert_eq!(response.status, status, "to {request}");
        response.assert_names(fault);
        response
    }

    /// The answer, whatever it is. A refusal is read to the end of the stream.
    pub(crate) fn answers(&self, request: &Request) -> Response {
        let mut client = self.connect();
        client.send(request.encode());
        client.response()
    }

    /// The server fails a fresh connection with this code when sent these bytes.
    pub(crate) fn fails(&self, code: u16, bytes: impl AsRef<[u8]>) {
        let mut client = self.open();
        client.send(bytes);
        client.expect_close(code);
    }

    /// The server still opens connections and echoes on them.
    pub(crate) fn assert_well(&self) {
        let mut client = self.open();
        client.send_frame(&Frame::text("well?"));
        client.expect(frame::TEXT, "well?");
    }

    /// Bytes, as a field of Linux's /proc/PID/status tells: VmRSS, VmHWM (the most VmRSS ever was), VmPeak.
    pub(crate) fn memory(&self, field: &str) -> usize {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Processor time used so far, in steps of 10 ms.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = self.proc("stat");
        // The name in parentheses may hold blanks; utime and stime are the 12th and 13th fields after it.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        Duration::from_millis(fields.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
    }

    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        let complaints = self.complaints.take().unwrap().join().unwrap();
        if thread::panicking() {
            eprintln!("the server's stderr:\n{complaints}");
        } else {
            assert!(!complaints.contains("panicked"), "the server panicked:\n{complaints}");
        }
    }
}

impl Response {
    /// A refusal: says that it closes, and says why in plain text.
    pub(crate) fn assert_names(&self, fault: &str) {
        assert!(self.lists("Connection", "close"), "{self:?}");
        assert!(
            self.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")),
            "{self:?}"
        );
        assert!(
            self.body.to_lowercase().contains(&fault.to_lowercase()),
            "the body does not name {fault}: {self:?}"
        );
        if let Some(length) = self.header("Content-Length") {
            assert_eq!(length.parse(), Ok(self.body.len()), "{self:?}");
        }
    }
}

/// Polls until it is so; a panic when it is not in time.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
