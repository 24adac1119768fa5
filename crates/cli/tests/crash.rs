//! The server is killed again and again while clients talk: what it acknowledged is there, once and in order.
//!
//! `WSKIT_KILLS` says how often; a few times without it.

#![cfg(unix)]

mod common;

use common::Server;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use wskit::{ClientStream, Message, WebSocket};

const CLIENTS: usize = 8;

/// How many messages of one client wait to be acknowledged.
const UNACKNOWLEDGED_MAX: usize = 16;

/// No connection of this test lasts longer.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Somebody who sends 1, 2, 3, … and again what was not acknowledged.
#[derive(Default)]
struct Talker {
    number: usize,
    sent: u64,
    unacknowledged: VecDeque<u64>,
    /// The offset of each number.
    acknowledged: HashMap<u64, u64>,
}

impl Talker {
    fn text(&self, message: u64) -> String {
        format!("{} says {message}", self.number)
    }

    /// Talks until the connection breaks.
    async fn talk(mut self, address: String) -> Self {
        let url = format!("ws://{address}/chat/room?client=a-secret-of-client-{}", self.number);
        let Ok(mut socket) = wskit::connect(&url).await else { return self };
        // In their order, or the later ones would come before them.
        for message in self.unacknowledged.clone() {
            if self.send(&mut socket, message).await.is_err() {
                return self;
            }
        }
        loop {
            while self.unacknowledged.len() < UNACKNOWLEDGED_MAX {
                self.sent += 1;
                self.unacknowledged.push_back(self.sent);
                if self.send(&mut socket, self.sent).await.is_err() {
                    return self;
                }
            }
            let Some(event) = event(&mut socket).await else { return self };
            match event["event"].as_str() {
                Some("acknowledged") => {
                    let message = event["id"].as_str().unwrap().parse().unwrap();
                    self.unacknowledged.retain(|waiting| *waiting != message);
                    self.acknowledged.insert(message, event["offset"].as_u64().unwrap());
                }
                Some("error") => panic!("{event}"),
                _ => {}
            }
        }
    }

    async fn send(
        &self,
        socket: &mut WebSocket<ClientStream>,
        message: u64,
    ) -> Result<(), wskit::Error> {
        let text = self.text(message);
        socket.feed(format!(r#"{{"say":"{text}","id":"{message}"}}"#)).await
    }
}

/// Somebody who reads it all, from where it was.
#[derive(Default)]
struct Reader {
    epoch: String,
    /// What was said at the offsets 1, 2, 3, …
    texts: Vec<String>,
}

impl Reader {
    fn url(&self, address: &str) -> String {
        let (epoch, offset) = (&self.epoch, self.texts.len());
        format!("ws://{address}/chat/room?epoch={epoch}&offset={offset}")
    }

    /// Reads until the connection breaks, or up to this offset.
    async fn read(mut self, address: String, last: Option<usize>) -> Self {
        let Ok(mut socket) = wskit::connect(&self.url(&address)).await else { return self };
        while last.is_none_or(|last| self.texts.len() < last) {
            let Some(event) = event(&mut socket).await else { break };
            match event["event"].as_str() {
                Some("welcome") => self.epoch = event["epoch"].as_str().unwrap().into(),
                Some("gap") => assert!(self.texts.is_empty(), "{event}"),
                Some("message") => {
                    assert_eq!(event["offset"], self.texts.len() as u64 + 1, "missed or doubled");
                    self.texts.push(event["text"].as_str().unwrap().into());
                }
                _ => {}
            }
        }
        self
    }
}

/// The next event, if the connection lasts.
async fn event(socket: &mut WebSocket<ClientStream>) -> Option<serde_json::Value> {
    match tokio::time::timeout(WAIT_MAX, socket.recv()).await.expect("nothing comes") {
        Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).unwrap()),
        Some(Ok(Message::Close(frame))) => panic!("{frame:?}"),
        _ => None,
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_every_kill() {
    let kills = std::env::var("WSKIT_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = || {
        let unbounded = ["--history-messages", "100000000", "--history-bytes", "100000000000"];
        let arguments = ["serve", "--data", data, "--messages-per-second", "100000"];
        Server::start(&[&arguments[..], &unbounded].concat())
    };
    let mut talkers: Vec<_> =
        (0..CLIENTS).map(|number| Talker { number, ..Talker::default() }).collect();
    let mut reader = Reader::default();
    for kill in 0..kills {
        let mut server = start();
        let talking: Vec<_> = talkers
            .drain(..)
            .map(|talker| tokio::spawn(talker.talk(server.address.clone())))
            .collect();
        let reading = tokio::spawn(reader.read(server.address.clone(), None));
        let milliseconds = RandomState::new().hash_one(kill) % 250;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        server.child.kill().unwrap();
        for talker in talking {
            talkers.push(talker.await.unwrap());
        }
        reader = reading.await.unwrap();
    }

    let server = start();
    let url = reader.url(&server.address);
    let welcome = event(&mut wskit::connect(&url).await.unwrap()).await.unwrap();
    let last = welcome["offset"].as_u64().unwrap() as usize;
    let seen = reader.texts.len();
    assert!(seen <= last, "what was seen is not kept");
    let followed = reader.read(server.address.clone(), Some(last)).await.texts;
    let kept = Reader::default().read(server.address.clone(), Some(last)).await.texts;
    assert_eq!(followed, kept, "what was seen is what is kept");

    let mut offsets = HashMap::new();
    for (index, text) in kept.iter().enumerate() {
        assert_eq!(offsets.insert(text.clone(), index as u64 + 1), None, "{text} is doubled");
    }
    let mut acknowledged = 0;
    for talker in &talkers {
        for (message, offset) in &talker.acknowledged {
            assert_eq!(offsets.get(&talker.text(*message)), Some(offset), "lost or moved");
        }
        acknowledged += talker.acknowledged.len();
        let sent = (1..=talker.sent).filter_map(|message| offsets.get(&talker.text(message)));
        assert!(sent.is_sorted(), "out of order");
    }
    println!("{kills} kills, {acknowledged} acknowledged, {last} kept, {seen} seen before the end");
    assert!(acknowledged > 0);
}
