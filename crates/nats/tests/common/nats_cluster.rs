//! Three `nats-server`s of the test's own that are one cluster.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::nats_server::{CONFIG, NatsServer, free_port};

const SERVERS: usize = 3;

/// The start of a server takes no longer.
const START_MAX: Duration = Duration::from_secs(120);

pub(crate) struct NatsCluster {
    servers: Vec<Member>,
}

struct Member {
    server: NatsServer,
    /// Where it tells how it is.
    monitor: u16,
    is_alive: bool,
}

impl NatsCluster {
    pub(crate) fn start() -> Self {
        let routes = [(); SERVERS].map(|()| free_port());
        let monitors = [(); SERVERS].map(|()| free_port());
        let all: Vec<_> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let member = |number: usize| {
            let folder = tempfile::tempdir().unwrap();
            let (route, monitor) = (routes[number], monitors[number]);
            let settings = format!(
                "server_name = s{number}\nhttp = \"127.0.0.1:{monitor}\"\n\
                 cluster {{ name = test, listen = \"127.0.0.1:{route}\", routes = [{}] }}\n",
                all.join(", "),
            );
            std::fs::write(folder.path().join(CONFIG), settings).unwrap();
            Member { server: NatsServer::start_as(folder), monitor, is_alive: true }
        };
        let cluster = Self { servers: (0..SERVERS).map(member).collect() };
        let began = Instant::now();
        while !cluster.servers.iter().all(|member| member.ask("/healthz").is_some()) {
            assert!(began.elapsed() < START_MAX, "the cluster does not come to be");
            std::thread::sleep(Duration::from_millis(20));
        }
        cluster
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(|member| member.server.address()).collect()
    }

    pub(crate) fn kill(&mut self, number: usize) {
        self.servers[number].server.kill();
        self.servers[number].is_alive = false;
    }

    pub(crate) fn start_again(&mut self, number: usize) {
        self.servers[number].server.start_again();
        self.servers[number].is_alive = true;
    }

    /// Which server leads the stream whose name begins so, as those that live have it.
    pub(crate) fn leader(&self, stream: &str) -> Option<usize> {
        let mut leaders = self.tell_of(stream).map(|told| {
            let name = told["cluster"]["leader"].as_str()?.to_owned();
            name.strip_prefix('s')?.parse().ok()
        });
        let first = leaders.next()??;
        leaders.all(|other| other == Some(first)).then_some(first)
    }

    /// Whether all servers live and have all of the stream.
    pub(crate) fn is_whole(&self, stream: &str) -> bool {
        let are_current = |told: Value| {
            let replicas = told["cluster"]["replicas"].as_array().cloned().unwrap_or_default();
            replicas.len() == SERVERS - 1
                && replicas.iter().all(|replica| replica["current"] == true)
        };
        let leader = self.leader(stream);
        let healthy = self.servers.iter().all(|member| member.ask("/healthz").is_some());
        healthy
            && leader
                .is_some_and(|leader| self.servers[leader].tell_of(stream).is_some_and(are_current))
    }

    fn tell_of(&self, stream: &str) -> impl Iterator<Item = Value> {
        let living = self.servers.iter().filter(|member| member.is_alive);
        living.map(move |member| member.tell_of(stream).unwrap_or_default())
    }
}

impl Member {
    fn tell_of(&self, stream: &str) -> Option<Value> {
        let told: Value =
            serde_json::from_str(&self.ask("/jsz?accounts=true&streams=true")?).ok()?;
        let streams = told["account_details"][0]["stream_detail"].as_array()?;
        let is_wanted =
            |told: &&Value| told["name"].as_str().is_some_and(|name| name.starts_with(stream));
        streams.iter().find(is_wanted).cloned()
    }

    /// What it tells of itself, if it is well.
    fn ask(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.monitor)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut response = String::new();
        stream.read_to_string(&mut response).ok()?;
        let (head, body) = response.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }
}
