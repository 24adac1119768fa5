//! Many nodes on one NATS server: nodes are killed, the server is killed and stopped, the network is cut, and what was
//! acknowledged is there, once and in order, for every reader.
//!
//! `WSKIT_ROUNDS` says how often something bad happens. The tests need `nats-server`.

#![cfg(all(unix, feature = "nats"))]

#[path = "../common/mod.rs"]
mod common;
mod crowd;
#[path = "../../../nats/tests/common/nats_cluster.rs"]
mod nats_cluster;
#[path = "../../../nats/tests/common/nats_server.rs"]
mod nats_server;
mod nodes;
mod people;
mod relay;

use common::get;
use crowd::Crowd;
use nats_cluster::NatsCluster;
use nats_server::NatsServer;
use nodes::{Nodes, random};
use people::{WAIT_MAX, event};
use std::time::{Duration, Instant};
use wskit::{ClientStream, WebSocket};

const NODES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_whatever_breaks() {
    let rounds = std::env::var("WSKIT_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    let mut server = NatsServer::start();
    let mut nodes = Nodes::start(NODES, &server.address());
    let crowd = Crowd::come(nodes.addresses.clone());
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
    println!("{rounds} rounds");
    crowd.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_loses_nothing_when_the_server_that_leads_dies() {
    let mut cluster = NatsCluster::start();
    let all = cluster.addresses();
    // Some know all servers, and some find out about the others from the one they know.
    let known = [all.join(","), all[1].clone(), all[2].clone()];
    let nodes = Nodes::start_with(&known, &["--nats-replicas", "3"]);
    let crowd = Crowd::come(nodes.addresses.clone());
    let mut killed = Vec::new();
    for _ in 0..3 {
        pause(1_500 + random(500)).await;
        let leader = until_some(|| cluster.leader("wskit_room_")).await;
        cluster.kill(leader);
        killed.push(leader);
        // The others go on without it.
        let (server, nodes) = (&cluster, &nodes);
        until_some(|| server.leader("wskit_room_").filter(|now| *now != leader)).await;
        until(|| (0..3).all(|node| is_ready(&nodes.address(node)))).await;
        pause(random(1_000)).await;
        cluster.start_again(leader);
        until(|| cluster.is_whole("wskit_room_")).await;
    }
    println!("{killed:?} were killed");
    crowd.leave().await;
}

#[tokio::test]
async fn without_the_server_nothing_is_kept_and_what_is_here_is_read() {
    let mut server = NatsServer::start();
    let nodes = Nodes::start(1, &server.address());
    let mut ann = wskit::connect(&nodes.addresses.url("name=ann")).await.unwrap();
    assert_eq!(event(&mut ann).await.unwrap()["event"], "welcome");
    ann.send(r#"{"say":"before","id":"1"}"#).await.unwrap();
    while event(&mut ann).await.unwrap()["event"] != "acknowledged" {}
    let is_ready = || is_ready(&nodes.address(0));
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

#[test]
fn who_is_not_let_in_is_told_so_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let settings = r#"authorization { user = "ann", password = "right" }"#;
    std::fs::write(folder.path().join(nats_server::CONFIG), settings).unwrap();
    let server = NatsServer::start_as(folder);
    let url = format!("nats://ann:hush@127.0.0.1:{}", server.port());
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "text", "--nats", &url];
    let ended = common::run(&arguments, b"");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("the password"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
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
        assert!(began.elapsed() < WAIT_MAX, "{event}");
        pause(50).await;
    }
}

async fn pause(milliseconds: usize) {
    tokio::time::sleep(Duration::from_millis(milliseconds as u64)).await;
}

fn is_ready(address: &str) -> bool {
    get(address, "/readyz").0.starts_with("HTTP/1.1 200")
}

async fn until(what: impl Fn() -> bool) {
    until_some(|| what().then_some(())).await;
}

async fn until_some<T>(what: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(began.elapsed() < WAIT_MAX, "it does not come to be");
        pause(20).await;
    }
}
