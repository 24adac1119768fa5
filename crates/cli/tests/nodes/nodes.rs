//! Nodes that share their rooms, and where they are reached.

use crate::common::Server;
use crate::relay::Relay;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

/// Where the nodes are that live, for everybody to ask any of them.
#[derive(Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<Vec<Option<String>>>>);

impl Addresses {
    /// The room's URL on any of the nodes.
    pub(crate) fn url(&self, query: &str) -> String {
        let living: Vec<_> = self.0.lock().unwrap().iter().flatten().cloned().collect();
        let address =
            living.get(random(living.len().max(1))).cloned().unwrap_or("127.0.0.1:9".into());
        format!("ws://{address}/chat/room?{query}")
    }
}

/// A number below this one, by chance.
pub(crate) fn random(below: usize) -> usize {
    RandomState::new().hash_one(()) as usize % below
}

/// Nodes, each with its own way to the server.
pub(crate) struct Nodes {
    nodes: Vec<(Relay, Option<Server>)>,
    pub(crate) addresses: Addresses,
}

impl Nodes {
    pub(crate) fn start(count: usize, nats: &str) -> Self {
        let nodes = (0..count).map(|_| (Relay::start(nats), None)).collect();
        let mut nodes = Self { nodes, addresses: Addresses::default() };
        (0..count).for_each(|node| nodes.start_node(node));
        nodes
    }

    pub(crate) fn start_node(&mut self, node: usize) {
        let (relay, server) = &mut self.nodes[node];
        let unbounded = ["--history-messages", "100000000", "--history-bytes", "100000000000"];
        let arguments = ["serve", "--nats", &relay.address, "--messages-per-second", "100000"];
        let started = Server::start(&[&arguments[..], &unbounded].concat());
        let mut addresses = self.addresses.0.lock().unwrap();
        if addresses.len() <= node {
            addresses.resize(node + 1, None);
        }
        addresses[node] = Some(started.address.clone());
        *server = Some(started);
    }

    pub(crate) fn kill(&mut self, node: usize) {
        self.addresses.0.lock().unwrap()[node] = None;
        // Dropping it kills it.
        self.nodes[node].1 = None;
    }

    pub(crate) fn relay(&self, node: usize) -> &Relay {
        &self.nodes[node].0
    }

    pub(crate) fn address(&self, node: usize) -> String {
        self.addresses.0.lock().unwrap()[node].clone().unwrap()
    }
}
