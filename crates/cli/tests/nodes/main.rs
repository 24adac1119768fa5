//! Many nodes on one NATS server: nodes are killed, the server is killed and stopped, the network is cut, and what was
//! acknowledged is there, once and in order, for every reader.
//!
//! `WSKIT_ROUNDS` says how often something bad happens. The tests need `nats-server`.

#![cfg(all(unix, feature = "nats"))]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../nats/tests/common/nats_server.rs"]
mod nats_server;
mod nodes;
mod people;
mod relay;

use common::get;
use nats_server::NatsServer;
use nodes::{Nodes, random};
use people::{Reader, Talker, WAIT_MAX, event};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wskit::{ClientStream, WebSocket};

const NODES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_whatever_breaks() {
    let rounds = std::env::var("WSKIT_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    let mut server = NatsServer::start();
    let mut nodes = Nodes::start(NODES, &server.address());
    let stop = Arc::new(AtomicBool::new(false));
    let last = Arc::new(Mutex::new(None));
    let addresses = nodes.addresses.clone();
    let talking: Vec<_> = (0..6)
        .map(|number| Talker::new(number, if number < 3 { 1 } else { 8 }))
        .map(|talker| tokio::spawn(talker.talk(addresses.clone(), stop.clone())))
        .collect();
    let reading: Vec<_> = (0..4)
        .map(|_| tokio::spawn(Reader::default().read(addresses.clone(), last.clone())))
        .collect();
    for round in 0..rounds {
        pause(300 + random(700)).await;
        let node = random(NODES);
        match round % 4 {
            0 => {
                nodes.kill(node);
                pause(random(300)).await;
                nodes.start_node(node);
            }
            1 => {
                server.kill();
                pause(random(1_000)).await;
                server.start_again();
            }
            2 => {
                nodes.relay(node).cut();
                // Sometimes until the node gives the connection up.
                pause([500, 8_000][random(2)]).await;
                nodes.relay(node).heal();
            }
            _ => {
                server.signal("STOP");
                pause([500, 8_000][random(2)]).await;
                server.signal("CONT");
            }
        }
    }
    pause(1_000).await;
    stop.store(true, Ordering::Relaxed);
    let mut talkers = Vec::new();
    for talker in talking {
        talkers.push(talker.await.unwrap());
    }
    // All that was ever sent is acknowledged by now, so if anything is doubled, something else is missing.
    let acknowledged: usize = talkers.iter().map(|talker| talker.acknowledged.len()).sum();
    *last.lock().unwrap() = Some(acknowledged);
    let mut readers = Vec::new();
    for reader in reading {
        readers.push(reader.await.unwrap());
    }

    let fresh = Reader::default().read(addresses, last).await;
    for reader in &readers {
        assert_eq!(reader.epoch, fresh.epoch);
        assert!(reader.texts == fresh.texts, "not everybody has read the same");
    }
    let mut offsets = HashMap::new();
    for (index, text) in fresh.texts.iter().enumerate() {
        assert_eq!(offsets.insert(text.clone(), index as u64 + 1), None, "{text} is doubled");
    }
    for talker in &talkers {
        assert_eq!(talker.acknowledged.len() as u64, talker.sent);
        for (message, offset) in &talker.acknowledged {
            assert_eq!(offsets.get(&talker.text(*message)), Some(offset), "lost or moved");
        }
        let sent = (1..=talker.sent).filter_map(|message| offsets.get(&talker.text(message)));
        assert!(talker.unacknowledged_max > 1 || sent.is_sorted(), "out of order");
    }
    let refused: u64 = talkers.iter().map(|talker| talker.refused).sum();
    let connections: Vec<_> = readers.iter().map(|reader| reader.connections).collect();
    println!(
        "{rounds} rounds, {acknowledged} kept, {refused} refused, readers came {connections:?} times"
    );
    assert!(acknowledged > 100);
}

#[tokio::test]
async fn without_the_server_nothing_is_kept_and_what_is_here_is_read() {
    let mut server = NatsServer::start();
    let nodes = Nodes::start(1, &server.address());
    let mut ann = wskit::connect(&nodes.addresses.url("name=ann")).await.unwrap();
    assert_eq!(event(&mut ann).await.unwrap()["event"], "welcome");
    ann.send(r#"{"say":"before","id":"1"}"#).await.unwrap();
    while event(&mut ann).await.unwrap()["event"] != "acknowledged" {}
    let is_ready = || get(&nodes.address(0), "/readyz").0.starts_with("HTTP/1.1 200");
    until(is_ready).await;

    server.kill();
    until(|| !is_ready()).await;
    ann.send(r#"{"say":"meanwhile","id":"2"}"#).await.unwrap();
    let refused = event(&mut ann).await.unwrap();
    assert_eq!((&refused["reason"], &refused["id"]), (&"not_kept".into(), &"2".into()));
    let mut bob = wskit::connect(&nodes.addresses.url("name=bob")).await.unwrap();
    let welcome = event(&mut bob).await.unwrap();
    assert_eq!(welcome["history"][0]["text"], "before");

    server.start_again();
    until(is_ready).await;
    ann.send(r#"{"say":"after","id":"2"}"#).await.unwrap();
    while event(&mut bob).await.unwrap()["text"] != "after" {}
}

#[tokio::test]
async fn everybody_is_here_on_whichever_node_and_the_dead_are_forgotten() {
    let server = NatsServer::start();
    let mut nodes = Nodes::start(NODES, &server.address());
    let join = async |node: usize, name| {
        let url = format!("ws://{}/chat/room?name={name}", nodes.address(node));
        let mut socket = wskit::connect(&url).await.unwrap();
        assert_eq!(event(&mut socket).await.unwrap()["event"], "welcome");
        socket
    };
    let (mut ann, mut bob, mut eve) =
        (join(0, "ann").await, join(1, "bob").await, join(2, "eve").await);
    for socket in [&mut ann, &mut bob, &mut eve] {
        until_here(socket, &["ann", "bob", "eve"]).await;
    }
    bob.close(wskit::CloseCode::NORMAL, "").await.unwrap();
    for socket in [&mut ann, &mut eve] {
        until_here(socket, &["ann", "eve"]).await;
    }
    nodes.kill(2);
    until_here(&mut ann, &["ann"]).await;
}

/// Asks who is here until it is these.
async fn until_here(socket: &mut WebSocket<ClientStream>, names: &[&str]) {
    let began = Instant::now();
    loop {
        socket.send(r#"{"who":true}"#).await.unwrap();
        let mut event = serde_json::Value::Null;
        while event["event"] != "members" {
            event = people::event(socket).await.unwrap();
        }
        let mut members: Vec<_> = event["members"].as_array().unwrap().iter().collect();
        members.sort_by_key(|name| name.as_str());
        if members == names && event["count"] == names.len() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{event}");
        pause(50).await;
    }
}

async fn pause(milliseconds: usize) {
    tokio::time::sleep(Duration::from_millis(milliseconds as u64)).await;
}

async fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < WAIT_MAX, "it does not come to be");
        pause(20).await;
    }
}
