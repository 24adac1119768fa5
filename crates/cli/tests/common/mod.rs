//! Running the command against servers that do as a test tells them.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use wskit::proto::handshake::Key;

/// No run of the command takes longer.
const RUN_TIME_MAX: Duration = Duration::from_secs(50);

/// What a run of the command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

/// Starts the command with all three streams as pipes.
pub(crate) fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wskit"));
    command.args(arguments).env_remove("NO_COLOR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Runs the command on this input.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = start(arguments);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    thread::spawn(move || {
        // The command may end without reading it all.
        let _ = stdin.write_all(&input);
    });
    finish(child)
}

/// Waits for the end of the command.
pub(crate) fn finish(mut child: Child) -> Ran {
    let stdout = child.stdout.take().map(read_all);
    let stderr = child.stderr.take().map(read_all);
    let status = wait(&mut child);
    let collect = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.map(|reader| reader.join().unwrap()).unwrap_or_default()
    };
    let stderr = String::from_utf8(collect(stderr)).unwrap();
    Ran { code: status.code(), stdout: collect(stdout), stderr }
}

/// Waits for the end of the command and no longer than it may run.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status,
            None if start.elapsed() > RUN_TIME_MAX => {
                child.kill().unwrap();
                panic!("the command does not end");
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn read_all(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// `wskit echo` or `wskit serve` on a port of its own.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts it with these arguments, of which the first is the subcommand.
    pub(crate) fn start(arguments: &[&str]) -> Server {
        let (subcommand, rest) = arguments.split_at(1);
        let mut child = start(&[subcommand, &["--listen", "127.0.0.1:0"], rest].concat());
        let address = address(&mut child);
        Server { child, address }
    }

    /// Tells it to stop, and gives all that is in its log.
    pub(crate) fn stop(&mut self) -> String {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        let log = self.child.stderr.take().map(read_all);
        assert!(wait(&mut self.child).success());
        String::from_utf8(log.map(|log| log.join().unwrap()).unwrap_or_default()).unwrap()
    }
}

/// The address that a server prints first.
pub(crate) fn address(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (_, address) = line.trim_end().split_once("://").unwrap();
    address.trim_end_matches('/').to_owned()
}

/// The head of the response to a plain request, and its body.
pub(crate) fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `wskit echo` on a port of its own.
pub(crate) struct Echo {
    _server: Server,
    pub(crate) url: String,
}

impl Echo {
    pub(crate) fn start(arguments: &[&str]) -> Echo {
        let server = Server::start(&[&["echo"], arguments].concat());
        let url = format!("ws://{}/", server.address);
        Echo { _server: server, url }
    }
}

/// A client at a scripted server.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// The head of its request.
    pub(crate) head: String,
}

/// A frame as the client sent it, unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// Starts a server that does this with each client in turn, and gives its URL.
pub(crate) fn serve(script: impl Fn(Client) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = Client { stream: stream.unwrap(), head: String::new() };
            client.stream.set_read_timeout(Some(RUN_TIME_MAX)).unwrap();
            client.read_head();
            script(client);
        }
    });
    url
}

/// Starts a server that answers with these bytes and ends the connection.
pub(crate) fn serve_bytes(response: impl Into<Vec<u8>>) -> String {
    let response = response.into();
    serve(move |mut client| client.write(&response))
}

/// A URL at which nothing listens.
pub(crate) fn nowhere() -> String {
    // A port that was free a moment ago may be another test's by now; this one is given to nobody.
    "ws://127.0.0.1:9/".into()
}

/// What the client still sends is read, or the end would be a reset, which destroys what was sent last.
impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }
}

impl Client {
    pub(crate) fn read_head(&mut self) {
        let mut byte = [0];
        while !self.head.ends_with("\r\n\r\n") && self.stream.read(&mut byte).unwrap() == 1 {
            self.head.push(byte[0].into());
        }
    }

    /// The accept value that answers the client's key.
    pub(crate) fn accept(&self) -> String {
        let line = self.head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        line.unwrap().parse::<Key>().unwrap().accept().to_string()
    }

    /// Opens the WebSocket as it should be.
    pub(crate) fn open(&mut self) {
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            self.accept()
        );
        self.write(response.as_bytes());
    }

    /// Writes bytes as they are. The client may have gone.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a frame of up to 125 bytes.
    pub(crate) fn send(&mut self, opcode: u8, payload: &[u8]) {
        self.write(&[&[0x80 | opcode, payload.len() as u8], payload].concat());
    }

    /// The next frame of up to 125 bytes, if the client sends one.
    pub(crate) fn receive(&mut self) -> Option<Frame> {
        let mut header = [0; 6];
        self.stream.read_exact(&mut header).ok()?;
        let [first, second, mask @ ..] = header;
        let mut payload = vec![0; usize::from(second & 0x7f)];
        self.stream.read_exact(&mut payload).ok()?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        Some(Frame { opcode: first & 0xf, payload })
    }

    /// Answers the client's Close frame, passing over what comes before, and gives its code.
    pub(crate) fn receive_close(&mut self) -> Option<u16> {
        loop {
            let frame = self.receive()?;
            match frame.opcode {
                CLOSE => {
                    self.send(CLOSE, &frame.payload);
                    return Some(u16::from_be_bytes([frame.payload[0], frame.payload[1]]));
                }
                PING => self.send(PONG, &frame.payload),
                _ => {}
            }
        }
    }
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;
