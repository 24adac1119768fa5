//! The log, whoever reads it.

#![cfg(unix)]

mod common;

use common::{Server, get};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Comes in and is sent away; the log then holds the long name of the room twice.
async fn come_and_go(server: &Server) {
    let url = format!("ws://{}/chat/{}", server.address, "x".repeat(4_000));
    let mut socket = wskit::connect(&url).await.unwrap();
    while let Some(Ok(_)) = socket.recv().await {}
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nobody_up() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let programs = free.to_string();
    let arguments = ["serve", "--ephemeral", "--log", "json", "--api-listen", &programs];
    let mut server = Server::start(&arguments);
    // More than a pipe and the queue before it hold.
    for _ in 0..300 {
        come_and_go(&server).await;
    }
    let lost = lost(&programs);
    assert!(lost > 0);
    // Once somebody reads, the log says how much is missing, and goes on.
    let log = server.stop();
    let entries = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told: u64 = entries.filter_map(|entry| entry["lost"].as_u64()).sum();
    assert_eq!(told, lost);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_nobody_who_does_not_read_the_log() {
    let mut server = Server::start(&["serve", "--ephemeral", "--log", "text"]);
    for _ in 0..50 {
        come_and_go(&server).await;
    }
    // The pipe is held until then.
    let _pipe = server.child.stderr.take();
    server.stop();
}

#[tokio::test]
async fn what_was_written_is_there_at_the_end() {
    let mut server = Server::start(&["serve", "--ephemeral", "--log", "text"]);
    let url = format!("ws://{}/chat/lobby", server.address);
    let mut socket = wskit::connect(&url).await.unwrap();
    assert!(socket.recv().await.unwrap().is_ok());
    let stopping = tokio::task::spawn_blocking(move || server.stop());
    while let Some(Ok(_)) = socket.recv().await {}
    let log = stopping.await.unwrap();
    assert!(log.contains("opened") && log.contains("closed"), "{log}");
}

#[tokio::test]
async fn a_goodbye_among_messages_is_one() {
    let mut server = Server::start(&["serve", "--ephemeral", "--log", "json"]);
    let mut leaving = TcpStream::connect(&server.address).unwrap();
    let opening = "GET /chat?name=leaving HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    leaving.write_all(opening.as_bytes()).unwrap();
    leaving.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).unwrap();
    let mut received = Vec::new();
    leaving.read_to_end(&mut received).unwrap();
    assert!(received.ends_with(&[0x88, 0x02, 0x03, 0xe8]), "{received:?}");
    // The client has not ended its side of the connection yet.
    let url = format!("ws://{}/chat?name=talking", server.address);
    let mut talking = wskit::connect(&url).await.unwrap();
    // As many at once as make more than one of them wait.
    for number in 1..=8 {
        talking.feed(format!("still there? {number}")).await.unwrap();
    }
    talking.flush().await.unwrap();
    hear(&mut talking, "still there? 8").await;
    drop(leaving);
    hear(&mut talking, r#""event":"left""#).await;
    drop(talking);
    let log = server.stop();
    let entries = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let closed = entries.into_iter().find(|entry| entry["message"] == "closed").unwrap();
    assert_eq!((&closed["code"], &closed["by"]), (&1000.into(), &"client".into()), "{log}");
}

/// Waits for a message with these words.
async fn hear(socket: &mut wskit::WebSocket<wskit::ClientStream>, words: &str) {
    while !socket.recv().await.unwrap().unwrap().as_text().unwrap().contains(words) {}
}

/// How many lines were lost, as the metrics have it.
fn lost(programs: &str) -> u64 {
    let (_, metrics) = get(programs, "/metrics");
    let value = metrics.lines().find_map(|line| line.strip_prefix("wskit_log_lines_lost_total "));
    value.unwrap().parse().unwrap()
}
