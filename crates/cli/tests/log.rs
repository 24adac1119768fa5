//! The log, whoever reads it.

#![cfg(unix)]

mod common;

use common::{Server, get};

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

/// How many lines were lost, as the metrics have it.
fn lost(programs: &str) -> u64 {
    let (_, metrics) = get(programs, "/metrics");
    let value = metrics.lines().find_map(|line| line.strip_prefix("wskit_log_lines_lost_total "));
    value.unwrap().parse().unwrap()
}
