//! What `serve` offers to programs: publishing and reading over plain HTTP, health, metrics; and how it stops.

mod common;

use common::{run, wait};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;
use wskit::{CloseCode, Message};

const TOKEN: &str = "a-token-of-this-test";

/// `wskit serve` with an address for programs.
struct Server {
    child: Child,
    chat: String,
    programs: String,
    lines: BufReader<std::process::ChildStdout>,
    _token: tempfile::NamedTempFile,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut token = tempfile::NamedTempFile::new().unwrap();
        writeln!(token, "{TOKEN}").unwrap();
        let token_file = token.path().to_str().unwrap().to_owned();
        let mut all = vec!["serve", "--ephemeral", "--listen", "127.0.0.1:0"];
        all.extend(["--api-listen", "127.0.0.1:0", "--api-token-file", &token_file]);
        all.extend(arguments);
        let mut child = common::start(&all);
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut address = || {
            let mut line = String::new();
            while !line.contains("://") {
                line.clear();
                assert!(lines.read_line(&mut line).unwrap() > 0, "it does not start");
            }
            line.trim_end().split_once("://").unwrap().1.trim_end_matches('/').to_owned()
        };
        let (chat, programs) = (address(), address());
        Server { child, chat, programs, lines, _token: token }
    }

    /// Sends one request and gives the status and the body.
    fn ask(
        &self,
        address: &str,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> (u16, String) {
        Self::send(address, method, path, token, body.len(), body)
    }

    /// Sends one request whose body is announced to be so long.
    fn send(
        address: &str,
        method: &str,
        path: &str,
        token: &str,
        announced: usize,
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {announced}\r\n\r\n{body}",
                    )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    fn post(&self, room: &str, body: &Value) -> (u16, Value) {
        let path = format!("/api/rooms/{room}/messages");
        let (status, answer) = self.ask(&self.programs, "POST", &path, TOKEN, &body.to_string());
        (status, serde_json::from_str(&answer).unwrap())
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask(&self.programs, "GET", path, TOKEN, "")
    }

    async fn join(&self) -> wskit::WebSocket<wskit::ClientStream> {
        let mut socket = wskit::connect(&format!("ws://{}/chat/news", self.chat)).await.unwrap();
        assert_eq!(event(&mut socket).await["event"], "welcome");
        socket
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn event(socket: &mut wskit::WebSocket<wskit::ClientStream>) -> Value {
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn programs_publish_to_members() {
    let server = Server::start(&[]);
    let mut ann = server.join().await;
    assert_eq!(server.post("news", &json!({"text": "one"})), (200, json!({"offset": 1})));
    let batch = json!({"messages": [
        {"text": "two", "from": "editor", "id": "2"}, {"text": ""}, {"text": "again", "id": "2"}
    ]});
    let (status, answer) = server.post("News", &batch);
    assert_eq!((status, &answer["results"][0]), (200, &json!({"offset": 2})));
    assert_eq!(answer["results"][1]["reason"], "message_empty");
    assert_eq!(answer["results"][2], json!({"offset": 2}));
    for (from, text) in [("server", "one"), ("editor", "two")] {
        let message = event(&mut ann).await;
        assert_eq!((&message["from"], &message["text"]), (&json!(from), &json!(text)));
    }
    assert_eq!(server.post("news", &json!({"messages": []})), (200, json!({"results": []})));
}

#[test]
fn programs_read_what_was_said() {
    let server = Server::start(&[]);
    for text in ["one", "two", "three"] {
        server.post("news", &json!({ "text": text }));
    }
    for (query, offsets) in [
        ("", vec![1, 2, 3]),
        ("?limit=2", vec![2, 3]),
        ("?before=3", vec![1, 2]),
        ("?after=1", vec![2, 3]),
        ("?after=0&limit=1", vec![1]),
        ("?after=3", vec![]),
    ] {
        let (status, history) = server.get(&format!("/api/rooms/news/messages{query}"));
        let history: Value = serde_json::from_str(&history).unwrap();
        let read: Vec<_> = history["messages"].as_array().unwrap().iter().collect();
        let read: Vec<_> = read.iter().map(|message| message["offset"].as_u64().unwrap()).collect();
        assert_eq!((status, read), (200, offsets), "{query}");
        assert_eq!((&history["first"], &history["offset"]), (&json!(1), &json!(3)));
    }
    let (status, nothing) = server.get("/api/rooms/elsewhere/messages");
    assert_eq!((status, nothing.contains(r#""epoch":null"#)), (200, true), "{nothing}");
}

#[test]
fn what_programs_do_wrong_is_told() {
    let server = Server::start(&[]);
    let path = "/api/rooms/news/messages";
    for token in ["", "a-token-of-this-tesT", "a-token-of-this-test-"] {
        let (status, body) = server.ask(&server.programs, "GET", path, token, "");
        assert_eq!((status, body.contains("token_wrong")), (401, true), "{token}: {body}");
    }
    let long = "x".repeat(16 * 1024 + 1);
    for (room, body, status, reason) in [
        ("news", json!({}), 400, "body_invalid"),
        ("news", json!({"text": 1}), 400, "body_invalid"),
        ("news", json!({"text": ""}), 400, "message_empty"),
        ("news", json!({"text": "x", "id": ""}), 400, "id_invalid"),
        ("news", json!({"text": "x", "from": "\u{202e}"}), 400, "name_characters"),
        ("news", json!({ "text": long }), 413, "message_too_large"),
        ("news", json!({"messages": vec![json!({"text": "x"}); 1_001]}), 413, "batch_too_large"),
        ("no%20room", json!({"text": "x"}), 404, "room_invalid"),
    ] {
        let (answered, answer) = server.post(room, &body);
        assert_eq!((answered, answer["reason"].as_str()), (status, Some(reason)));
    }
    let (status, body) = Server::send(&server.programs, "POST", path, TOKEN, (4 << 20) + 1, "");
    assert_eq!((status, body.contains("body_too_large")), (413, true), "{body}");
    assert_eq!(server.get(&format!("{path}?after=x")).0, 400);
    assert_eq!(server.ask(&server.programs, "PUT", path, TOKEN, "").0, 405);
    assert_eq!(server.get("/").0, 404);
    // What is for programs is not on the address for everybody.
    assert_eq!(server.ask(&server.chat, "GET", path, TOKEN, "").0, 404);
    assert_eq!(server.ask(&server.chat, "GET", "/metrics", TOKEN, "").0, 404);
}

#[test]
fn a_token_that_is_none_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let arguments =
        ["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"];
    for token in ["too short", "a token with spaces in it"] {
        std::fs::write(path, token).unwrap();
        let ran = run(&[&arguments[..], &["--api-token-file", path]].concat(), b"");
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("a token has 16 characters or more"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = Server::start(&[]);
    let mut ann = server.join().await;
    ann.send("hello").await.unwrap();
    event(&mut ann).await;
    assert_eq!(server.ask(&server.chat, "PUT", "/", "", "").0, 405);
    let nowhere = wskit::connect(&format!("ws://{}/chats/lobby", server.chat)).await;
    assert_eq!(nowhere.unwrap_err().status(), Some(404));
    // Others ask for files that are not there, which is nobody's business.
    assert_eq!(server.ask(&server.chat, "GET", "/favicon.ico", "", "").0, 404);
    let mut refused = wskit::connect(&format!("ws://{}/chat/_", server.chat)).await.unwrap();
    assert!(refused.recv().await.unwrap().unwrap().is_close());
    let (status, text) = server.get("/metrics");
    assert_eq!(status, 200);
    for line in [
        "wskit_refused_total{reason=\"not_found\"} 1",
        "wskit_refused_total{reason=\"room_invalid\"} 1",
        "wskit_closed_total{code=\"1008\"} 1",
        "wskit_log_lines_lost_total 0",
        "# TYPE wskit_commit_seconds histogram",
        "wskit_connections 1",
        "wskit_rooms 1",
        "wskit_members 1",
        "wskit_messages_received_total 1",
        "wskit_bytes_received_total 5",
        "wskit_messages_delivered_total 2",
        "wskit_messages_kept_total 1",
        "wskit_rooms_kept 1",
        "wskit_store_failed 0",
        "wskit_mailbox_waiting_bytes 0",
        "wskit_refused_total{reason=\"request_invalid\"} 1",
    ] {
        assert!(text.lines().any(|counted| counted == line), "{line} is missing in\n{text}");
    }
    // Every line is a comment or a name, perhaps labels, and a number.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("wskit_") && value.parse::<f64>().is_ok(), "{line}");
    }
    for address in [&server.programs, &server.chat] {
        for (path, words) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
            let answer = server.ask(address, "GET", path, "", "");
            assert_eq!(answer, (200, words.to_owned()));
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_told_to_stop_is_not_ready_first_and_reports_at_last() {
    let mut server = Server::start(&["--drain-delay", "5"]);
    let mut ann = server.join().await;
    let pid = server.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while server.get("/readyz").0 == 200 {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(server.get("/healthz").0, 200);
    // Whoever comes now is served still.
    let _late = server.join().await;
    assert_eq!(event(&mut ann).await["event"], "joined");
    ann.send("still here").await.unwrap();
    assert_eq!(event(&mut ann).await["text"], "still here");
    let frame = loop {
        match ann.recv().await {
            Some(Ok(Message::Close(Some(frame)))) => break frame,
            // The other may be closed first, and leaves.
            Some(Ok(Message::Text(_))) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
    drop((ann, _late));
    assert_eq!(wait(&mut server.child).code(), Some(0));
    let mut report = String::new();
    server.lines.read_to_string(&mut report).unwrap();
    assert_eq!(report, "wskit goes down: 2 of 2 connections said goodbye\n");
}
