//! Rooms that other nodes write to as well: a store that is told by the test what was kept elsewhere.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use serde_json::{Value, json};
use wskit_hub::{
    Connection, Had, Hub, Limits, Mailbox, Membership, Refusal, Speaker, Timestamp, Visit,
};
use wskit_store::{
    Append, Bounds, Commit, Commits, Error, Follow, Following, Looking, Memory, Message, Outcome,
    Position, Reading, Span, Statistics, Store,
};

const NOW: Timestamp = Timestamp::from_unix_milliseconds(1_760_000_000_000);

/// Keeps what is said here in memory. What is said elsewhere is only told, by the test.
struct Shared {
    here: Memory<Speaker>,
    elsewhere: Commits<Speaker>,
    is_away: AtomicBool,
    /// How many messages more there are than were told, as far as is known here.
    untold: AtomicU64,
    /// How many are found when it is looked for them.
    to_be_found: AtomicU64,
}

impl Shared {
    fn says_elsewhere(&self, epoch: &str, offset: u64, text: &str) {
        let payload = json!({ "from": "eve", "text": text, "time": "" }).to_string().into();
        self.elsewhere.put([Commit {
            stream: "room".into(),
            epoch: epoch.into(),
            outcome: Outcome::Kept(Message { offset, time: 0, payload }),
            tag: None,
        }]);
    }

    fn failure(&self) -> Option<Error> {
        self.is_away.load(Ordering::Relaxed).then(|| Error::Failed("it is away".into()))
    }
}

impl Store<Speaker> for Shared {
    fn follow(&self, _stream: &str) -> Follow {
        Box::pin(ready(self.failure().map_or(Ok(Following::default()), Err)))
    }

    fn look(&self, _stream: &str) -> Looking {
        self.untold.store(self.to_be_found.load(Ordering::Relaxed), Ordering::Relaxed);
        Box::pin(ready(self.failure().map_or(Ok(()), Err)))
    }

    fn position(&self, stream: &str) -> Option<Position> {
        let mut position = self.here.position(stream)?;
        position.last += self.untold.load(Ordering::Relaxed);
        Some(position)
    }

    fn append_all(&self, appends: &mut Vec<Append<Speaker>>) {
        self.here.append_all(appends);
    }

    fn poll_committed(&self, context: &mut Context<'_>) -> Poll<Commit<Speaker>> {
        match self.elsewhere.next() {
            Some(commit) => Poll::Ready(commit),
            None => self.here.poll_committed(context),
        }
    }

    fn try_committed(&self) -> Option<Commit<Speaker>> {
        self.elsewhere.next().or_else(|| self.here.try_committed())
    }

    fn read(&self, stream: &str, span: Span) -> Reading {
        match self.failure() {
            Some(error) => Box::pin(ready(Err(error))),
            None => self.here.read(stream, span),
        }
    }

    fn expire(&self, now: u64) {
        self.here.expire(now);
    }

    fn statistics(&self) -> Statistics {
        self.here.statistics()
    }
}

fn chat() -> (Hub, Arc<Shared>) {
    let here = Memory::new(Bounds::default());
    let store = Arc::new(Shared {
        here,
        elsewhere: Commits::default(),
        is_away: AtomicBool::new(false),
        untold: AtomicU64::new(0),
        to_be_found: AtomicU64::new(0),
    });
    let mut limits = Limits::default();
    limits.history_messages_max = 2;
    (Hub::with_store(limits, 0x5eed, store.clone()), store)
}

async fn join(hub: &Hub, had: Option<Had>) -> (Membership, Mailbox) {
    let visit = Visit { room: "room".into(), had, ..Visit::default() };
    hub.join(&visit, &Connection::default(), NOW).await.unwrap()
}

/// What is in the mailbox once all that was committed is delivered: messages and gaps, shortened, and the close code.
async fn seen(hub: &Hub, mailbox: &mut Mailbox) -> Vec<Value> {
    tokio::select! {
        biased;
        () = hub.run() => {}
        () = ready(()) => {}
    }
    let mut seen = Vec::new();
    while let Some(next) = mailbox.try_next() {
        let Ok(delivery) = next else {
            seen.push(json!({ "closed": next.unwrap_err().code }));
            break;
        };
        let event: Value = serde_json::from_str(delivery.text()).unwrap();
        match event["event"].as_str() {
            Some("message") => seen.push(event["text"].clone()),
            Some("gap") => seen.push(json!({ "gap": event["from"], "epoch": event["epoch"] })),
            _ => {}
        }
    }
    seen
}

#[tokio::test]
async fn what_is_said_elsewhere_is_delivered_here() {
    let (hub, store) = chat();
    let (mut ann, mut mailbox) = join(&hub, None).await;
    ann.say("one", NOW).unwrap();
    let epoch = store.position("room").unwrap().epoch;
    store.says_elsewhere(&epoch, 2, "two");
    store.says_elsewhere(&epoch, 2, "two again");
    assert_eq!(seen(&hub, &mut mailbox).await, [json!("one"), json!("two")]);
}

#[tokio::test]
async fn what_nobody_here_can_have_is_a_gap() {
    let (hub, store) = chat();
    let (mut ann, mut mailbox) = join(&hub, None).await;
    ann.say("one", NOW).unwrap();
    let epoch = store.position("room").unwrap().epoch;
    store.says_elsewhere(&epoch, 5, "five");
    let gap = json!({ "gap": 5, "epoch": &*epoch });
    assert_eq!(seen(&hub, &mut mailbox).await, [json!("one"), gap, json!("five")]);
}

#[tokio::test]
async fn a_room_that_begins_elsewhere_has_the_epoch_that_it_has_there() {
    let (hub, store) = chat();
    let (_ann, mut mailbox) = join(&hub, None).await;
    let had = Had { epoch: "another".into(), offset: 0 };
    let (_bob, mut others) = join(&hub, Some(had)).await;
    store.says_elsewhere("theirs", 1, "one");
    let gap = json!({ "gap": 1, "epoch": "theirs" });
    assert_eq!(seen(&hub, &mut mailbox).await, [gap.clone(), json!("one")]);
    // Who catches up is told too; its own epoch was gone before.
    let seen = seen(&hub, &mut others).await;
    assert_eq!(seen[1..], [gap, json!("one")]);
}

#[tokio::test]
async fn without_the_store_nobody_enters_but_where_somebody_is() {
    let (hub, store) = chat();
    let (mut ann, _mailbox) = join(&hub, None).await;
    for text in ["one", "two", "three"] {
        ann.say(text, NOW).unwrap();
    }
    store.is_away.store(true, Ordering::Relaxed);
    let visit = Visit { room: "elsewhere".into(), ..Visit::default() };
    let refused = hub.join(&visit, &Connection::default(), NOW).await.unwrap_err();
    assert_eq!((refused.clone(), refused.closing().code), (Refusal::NotReadable, 1013));
    // The last two are in memory.
    let (_bob, mut mailbox) = join(&hub, None).await;
    let welcome = mailbox.try_next().unwrap().unwrap();
    assert!(welcome.text().contains("two") && welcome.text().contains("three"));
    let epoch = store.position("room").unwrap().epoch.to_string();
    let (_eve, mut mailbox) = join(&hub, Some(Had { epoch: epoch.clone(), offset: 1 })).await;
    assert_eq!(seen(&hub, &mut mailbox).await, [json!("two"), json!("three")]);
    // What is not has to be asked for again, and nothing is passed over.
    let (_joe, mut mailbox) = join(&hub, Some(Had { epoch, offset: 0 })).await;
    assert_eq!(seen(&hub, &mut mailbox).await, [json!({ "closed": 1013 })]);
}

#[tokio::test]
async fn who_was_told_more_on_another_node_misses_nothing_and_sees_nothing_twice() {
    let (hub, store) = chat();
    let (mut ann, _mailbox) = join(&hub, None).await;
    ann.say("one", NOW).unwrap();
    let epoch = store.position("room").unwrap().epoch;
    let had = |offset| Some(Had { epoch: epoch.to_string(), offset });
    // Two more are kept: one is known here, the other is found out.
    store.untold.store(1, Ordering::Relaxed);
    store.to_be_found.store(2, Ordering::Relaxed);
    let (_bob, mut two) = join(&hub, had(2)).await;
    let (_eve, mut three) = join(&hub, had(3)).await;
    let (_joe, mut four) = join(&hub, had(4)).await;
    assert!(seen(&hub, &mut two).await.is_empty() && seen(&hub, &mut three).await.is_empty());
    for (offset, text) in [(2, "two"), (3, "three"), (4, "four")] {
        store.says_elsewhere(&epoch, offset, text);
    }
    assert_eq!(seen(&hub, &mut two).await, [json!("three"), json!("four")]);
    assert_eq!(seen(&hub, &mut three).await, [json!("four")]);
    // There is no fourth, so what this one had is not what is kept.
    assert_eq!(seen(&hub, &mut four).await[0]["gap"], 1);
}
