//! Those who talk and those who read, on whichever node answers.

use crate::nodes::Addresses;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wskit::{ClientStream, Message, WebSocket};

/// Nothing takes longer.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(120);

/// How long somebody waits for the next event before asking another node.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who sends 1, 2, 3, … and again what was not acknowledged.
pub(crate) struct Talker {
    pub(crate) number: usize,
    /// How many messages wait to be acknowledged. With one, nothing is sent before what was sent before is kept.
    pub(crate) unacknowledged_max: usize,
    pub(crate) sent: u64,
    unacknowledged: VecDeque<u64>,
    /// The offset of each number.
    pub(crate) acknowledged: HashMap<u64, u64>,
    pub(crate) refused: u64,
}

impl Talker {
    pub(crate) fn new(number: usize, unacknowledged_max: usize) -> Self {
        let (unacknowledged, acknowledged) = Default::default();
        Self { number, unacknowledged_max, sent: 0, unacknowledged, acknowledged, refused: 0 }
    }

    pub(crate) fn text(&self, message: u64) -> String {
        format!("{} says {message}", self.number)
    }

    /// Talks, and when it is time to stop, until all is acknowledged.
    pub(crate) async fn talk(mut self, addresses: Addresses, stop: Arc<AtomicBool>) -> Self {
        let mut stopped = None;
        while !stop.load(Relaxed) || !self.unacknowledged.is_empty() {
            if stop.load(Relaxed) {
                let stopped = stopped.get_or_insert_with(Instant::now);
                assert!(stopped.elapsed() < WAIT_MAX, "{} waits for ever", self.number);
            }
            let url = addresses.url(&format!("client=a-secret-of-client-{}", self.number));
            if let Ok(Ok(mut socket)) = within(PATIENCE, wskit::connect(&url)).await {
                self.talk_to(&mut socket, &stop).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self
    }

    /// Talks until the connection breaks or something is refused.
    async fn talk_to(&mut self, socket: &mut WebSocket<ClientStream>, stop: &AtomicBool) {
        for message in self.unacknowledged.clone() {
            if self.send(socket, message).await.is_err() {
                return;
            }
        }
        loop {
            while self.unacknowledged.len() < self.unacknowledged_max && !stop.load(Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.sent += 1;
                self.unacknowledged.push_back(self.sent);
                if self.send(socket, self.sent).await.is_err() {
                    return;
                }
            }
            if self.unacknowledged.is_empty() {
                return;
            }
            let Some(event) = event_within(PATIENCE, socket).await else { return };
            match event["event"].as_str() {
                Some("acknowledged") => {
                    let message = event["id"].as_str().unwrap().parse().unwrap();
                    self.unacknowledged.retain(|waiting| *waiting != message);
                    self.acknowledged.insert(message, event["offset"].as_u64().unwrap());
                }
                Some("error") => {
                    assert!(
                        ["not_kept", "busy"].contains(&event["reason"].as_str().unwrap()),
                        "{event}"
                    );
                    self.refused += 1;
                    // Later ones may be kept before this one is sent again, which is for the sender to know.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    return;
                }
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
        socket.send(format!(r#"{{"say":"{text}","id":"{message}"}}"#)).await
    }
}

/// Somebody who reads it all, from where it was.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) epoch: String,
    /// What was said at the offsets 1, 2, 3, …
    pub(crate) texts: Vec<String>,
    pub(crate) connections: u64,
}

impl Reader {
    /// Reads until there is a last offset and it is reached.
    pub(crate) async fn read(
        mut self,
        addresses: Addresses,
        last: Arc<Mutex<Option<usize>>>,
    ) -> Self {
        let mut ending = None;
        loop {
            let last = *last.lock().unwrap();
            if last.is_some_and(|last| self.texts.len() >= last) {
                return self;
            }
            if last.is_some() {
                let ending = ending.get_or_insert_with(Instant::now);
                assert!(ending.elapsed() < WAIT_MAX, "only {} came of {last:?}", self.texts.len());
            }
            let (epoch, offset) = (&self.epoch, self.texts.len());
            let url = addresses.url(&format!("epoch={epoch}&offset={offset}"));
            if let Ok(Ok(mut socket)) = within(PATIENCE, wskit::connect(&url)).await {
                self.connections += 1;
                self.read_from(&mut socket, last).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Reads until the connection breaks, nothing comes for long, or the last is there.
    async fn read_from(&mut self, socket: &mut WebSocket<ClientStream>, last: Option<usize>) {
        while last.is_none_or(|last| self.texts.len() < last) {
            let Some(event) = event_within(PATIENCE, socket).await else { return };
            match event["event"].as_str() {
                Some("welcome") if self.texts.is_empty() => {
                    self.epoch = event["epoch"].as_str().unwrap().into();
                }
                Some("welcome") => assert_eq!(event["epoch"], self.epoch),
                Some("gap") => {
                    assert!(self.texts.is_empty() && event["from"] == 1, "{event}");
                    self.epoch = event["epoch"].as_str().unwrap().into();
                }
                Some("message") => {
                    assert_eq!(event["offset"], self.texts.len() as u64 + 1, "missed or doubled");
                    self.texts.push(event["text"].as_str().unwrap().into());
                }
                _ => {}
            }
        }
    }
}

/// The next event, if the connection lasts.
pub(crate) async fn event(socket: &mut WebSocket<ClientStream>) -> Option<serde_json::Value> {
    event_within(WAIT_MAX, socket).await
}

/// The next event, if one comes in this time and the connection lasts.
async fn event_within(
    time: Duration,
    socket: &mut WebSocket<ClientStream>,
) -> Option<serde_json::Value> {
    match within(time, socket.recv()).await.ok()? {
        Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).unwrap()),
        Some(Ok(Message::Close(Some(frame)))) => {
            let code = frame.code().number();
            assert!([1012, 1013, 4013].contains(&code), "{frame}");
            None
        }
        _ => None,
    }
}

async fn within<F: Future>(
    time: Duration,
    future: F,
) -> Result<F::Output, tokio::time::error::Elapsed> {
    tokio::time::timeout(time, future).await
}
