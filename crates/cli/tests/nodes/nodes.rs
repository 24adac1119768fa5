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

/// Nodes that share their rooms.
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    /// What each is told beside where its server is.
    arguments: Vec<String>,
    pub(crate) addresses: Addresses,
}

struct Node {
    /// What it is told about where its server is.
    nats: String,
    /// Its way to the server, where that is one of its own.
    relay: Option<Relay>,
    server: Option<Server>,
}

impl Nodes {
    /// Each with its own way to the server.
    pub(crate) fn start(count: usize, nats: &str) -> Self {
        let node = |_| {
            let relay = Relay::start(nats);
            Node { nats: relay.address.clone(), relay: Some(relay), server: None }
        };
        Self::start_all((0..count).map(node).collect(), &[])
    }

    /// Each with these servers, and all with these arguments.
    pub(crate) fn start_with(nats: &[String], arguments: &[&str]) -> Self {
        let node = |nats: &String| Node { nats: nats.clone(), relay: None, server: None };
        Self::start_all(nats.iter().map(node).collect(), arguments)
    }

    fn start_all(nodes: Vec<Node>, arguments: &[&str]) -> Self {
        let unbounded = ["--history-messages", "100000000", "--history-bytes", "100000000000"];
        let fast = ["--messages-per-second", "100000"];
        let arguments = [&unbounded, &fast[..], arguments].concat();
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        let mut nodes = Self { nodes, arguments, addresses: Addresses::default() };
        (0..nodes.nodes.len()).for_each(|node| nodes.start_node(node));
        nodes
    }

    pub(crate) fn start_node(&mut self, node: usize) {
        let Node { nats, server, .. } = &mut self.nodes[node];
        let mut arguments = vec!["serve", "--nats", nats];
        arguments.extend(self.arguments.iter().map(|argument| &**argument));
        let started = Server::start(&arguments);
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
        self.nodes[node].server = None;
    }

    pub(crate) fn relay(&self, node: usize) -> &Relay {
        self.nodes[node].relay.as_ref().unwrap()
    }

    pub(crate) fn address(&self, node: usize) -> String {
        self.addresses.0.lock().unwrap()[node].clone().unwrap()
    }
}
