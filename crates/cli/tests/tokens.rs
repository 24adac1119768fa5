//! Who may come in to `serve`, and how those learn of it who may not.

mod common;

use common::Server;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};
use wskit::{Client, ClientStream, Message, WebSocket};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server that knows its users, and the file with its secret.
fn start(arguments: &[&str]) -> (Server, tempfile::NamedTempFile) {
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "{SECRET}").unwrap();
    let path = secret.path().to_str().unwrap();
    let flags = ["serve", "--ephemeral", "--token-secret-file", path];
    (Server::start(&[&flags[..], arguments].concat()), secret)
}

/// A token that expires so many seconds from now.
fn token(seconds: i64, others: &Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let mut claims = json!({"sub": "ann", "exp": now + seconds});
    claims.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn client(server: &Server, room: &str, token: &str) -> Client {
    let client = Client::new(&format!("ws://{}/chat/{room}?name=bob", server.address)).unwrap();
    match token {
        "" => client,
        _ => client.header("Authorization", &format!("Bearer {token}")).unwrap(),
    }
}

async fn event(socket: &mut WebSocket<ClientStream>) -> Value {
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The code that the server closes with, after whatever it says before.
async fn close_code(socket: &mut WebSocket<ClientStream>) -> u16 {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code().number(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_token_opens_its_rooms_under_its_name() {
    let (server, _secret) = start(&["--anonymous", "read"]);
    let ann = token(600, &json!({"name": "Ann Lee", "rooms": ["lobby"]}));
    let mut ann = client(&server, "lobby", &ann).connect().await.unwrap();
    assert_eq!(event(&mut ann).await["name"], "Ann Lee");
    let mut stranger = client(&server, "lobby", "").connect().await.unwrap();
    assert_eq!(event(&mut stranger).await["name"], "~bob");
    stranger.send("may I?").await.unwrap();
    assert_eq!(event(&mut stranger).await["reason"], "not_allowed");
}

#[tokio::test]
async fn programs_are_refused_with_a_status_and_browsers_with_a_code() {
    let (server, _secret) = start(&[]);
    let elsewhere = token(600, &json!({"rooms": ["news"]}));
    for (token, status) in
        [("", 401), ("nonsense", 401), (&*token(-120, &json!({})), 401), (&elsewhere, 403)]
    {
        let refused = client(&server, "lobby", token).connect().await.unwrap_err();
        assert_eq!(refused.status(), Some(status), "{token}");
        let origin = format!("http://{}", server.address);
        let browser = client(&server, "lobby", token).header("Origin", &origin).unwrap();
        let mut browser = browser.connect().await.unwrap();
        assert_eq!(close_code(&mut browser).await, 4000 + status, "{token}");
    }
    let foreign = client(&server, "lobby", "").header("Origin", "http://evil.example").unwrap();
    assert_eq!(foreign.connect().await.unwrap_err().status(), Some(403));
}

#[tokio::test]
async fn pages_bring_a_token_among_the_subprotocols() {
    let (server, _secret) = start(&[]);
    let bearer = format!("bearer.{}", token(600, &json!({})));
    let offering = client(&server, "lobby", "").subprotocol("wskit.chat").unwrap();
    let mut socket = offering.subprotocol(bearer).unwrap().connect().await.unwrap();
    let welcome = event(&mut socket).await;
    assert_eq!(
        (&welcome["name"], &welcome["connection"]["subprotocol"]),
        (&json!("ann"), &json!("wskit.chat"))
    );
}

#[tokio::test]
async fn a_token_that_expires_ends_the_connection() {
    let (server, _secret) = start(&[]);
    // Clocks may differ by a minute, so this one is good for ten seconds more.
    let mut socket = client(&server, "lobby", &token(-50, &json!({}))).connect().await.unwrap();
    assert_eq!(event(&mut socket).await["event"], "welcome");
    assert_eq!(close_code(&mut socket).await, 4401);
}

#[tokio::test]
async fn a_user_has_no_more_connections_than_it_may_have() {
    let (server, _secret) = start(&["--max-connections-per-user", "1"]);
    let token = token(600, &json!({}));
    let mut first = client(&server, "lobby", &token).connect().await.unwrap();
    assert_eq!(event(&mut first).await["name"], "ann");
    let mut second = client(&server, "news", &token).connect().await.unwrap();
    assert_eq!(close_code(&mut second).await, 4429);
}

#[tokio::test]
async fn who_sends_much_more_than_it_may_has_to_go() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let mut socket = client(&server, "lobby", "").connect().await.unwrap();
    for _ in 0..300 {
        socket.feed("x").await.unwrap();
    }
    socket.flush().await.unwrap();
    assert_eq!(close_code(&mut socket).await, 4429);
}

#[tokio::test]
async fn rooms_members_and_sizes_have_their_limits() {
    let limits = ["--max-open-rooms", "1", "--max-members-per-room", "2", "--max-message", "10"];
    let server = Server::start(&[&["serve", "--ephemeral"][..], &limits].concat());
    let mut ann = client(&server, "lobby", "").connect().await.unwrap();
    assert_eq!(event(&mut ann).await["event"], "welcome");
    let mut elsewhere = client(&server, "news", "").connect().await.unwrap();
    assert_eq!(close_code(&mut elsewhere).await, 1013);
    let mut bob = client(&server, "lobby", "").connect().await.unwrap();
    assert_eq!(event(&mut bob).await["event"], "welcome");
    let mut third = client(&server, "lobby", "").connect().await.unwrap();
    assert_eq!(close_code(&mut third).await, 1013);
    bob.send("0123456789").await.unwrap();
    assert_eq!(event(&mut bob).await["event"], "message");
    bob.send("0123456789a").await.unwrap();
    assert_eq!(event(&mut bob).await["reason"], "message_too_large");
    bob.send("x".repeat(10 * 6 + 1024 + 1)).await.unwrap();
    assert_eq!(close_code(&mut bob).await, 1009);
}

#[tokio::test]
async fn bytes_are_counted_as_messages_are() {
    let arguments = ["--messages-per-second", "10", "--bytes-per-second", "100"];
    let server = Server::start(&[&["serve", "--ephemeral"][..], &arguments].concat());
    let mut socket = client(&server, "lobby", "").connect().await.unwrap();
    assert_eq!(event(&mut socket).await["event"], "welcome");
    // Forty at once, of ten bytes each; so one of 400 bytes, and no other for a while.
    socket.send("x".repeat(400)).await.unwrap();
    assert_eq!(event(&mut socket).await["event"], "message");
    socket.send("x".repeat(400)).await.unwrap();
    assert_eq!(event(&mut socket).await["reason"], "too_fast");
}

#[tokio::test]
async fn a_log_that_nobody_reads_any_more_costs_nobody_anything() {
    let (mut server, _secret) = start(&["--log", "text"]);
    drop(server.child.stderr.take());
    let refused = client(&server, "lobby", "nonsense").connect().await.unwrap_err();
    assert_eq!(refused.status(), Some(401));
    let mut ann = client(&server, "lobby", &token(600, &json!({}))).connect().await.unwrap();
    assert_eq!(event(&mut ann).await["event"], "welcome");
}

#[test]
fn no_token_is_written_to_the_log() {
    let token = token(600, &json!({}));
    let (mut server, _secret) = start(&["--log", "json"]);
    for request in [
        format!("GET /chat?token={token}&x=< HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /chat?token={token} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /chat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}x\r\n\r\n"),
    ] {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let log = server.stop();
    assert_eq!(log.lines().count(), 3, "{log}");
    let signature = token.rsplit('.').next().unwrap();
    assert!(!log.contains(signature), "{log}");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry["code"].is_u64() && entry["reason"].is_string(), "{entry}");
        assert_eq!(entry["address"], "127.0.0.1");
    }
}

#[tokio::test]
async fn keys_are_read_again_when_their_file_changes() {
    let (server, secret) = start(&["--log", "text"]);
    let claims = json!({"sub": "ann", "exp": 4_102_444_800_u64});
    let signed = |secret: &str| {
        encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    let is_let_in = async |token: &str| client(&server, "lobby", token).connect().await.is_ok();
    let (old, new) = (signed(SECRET), signed(&SECRET.to_uppercase()));
    assert!(is_let_in(&old).await && !is_let_in(&new).await);
    std::fs::write(secret.path(), SECRET.to_uppercase()).unwrap();
    let began = std::time::Instant::now();
    while !is_let_in(&new).await {
        assert!(began.elapsed().as_secs() < 30, "the new key is never known");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(!is_let_in(&old).await);
}
