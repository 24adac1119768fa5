//! Who comes back misses nothing and sees nothing twice, whatever keeps the rooms.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wskit_hub::{
    Complaint, Connection, Had, Hub, Limits, Mailbox, Membership, Publication, Range, Refusal,
    Speaker, Timestamp, Visit,
};
use wskit_store::{Bounds, Disk, Memory, Store};

/// No event takes longer to come.
const WAIT_MAX: Duration = Duration::from_secs(30);

const NOW: Timestamp = Timestamp::from_unix_milliseconds(1_760_000_000_000);

struct Chat {
    hub: Hub,
    _folder: Option<TempDir>,
}

/// A hub on each store in turn.
fn chats(bounds: &Bounds, limits: &Limits) -> Vec<Chat> {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Store<Speaker>> =
        Arc::new(Disk::open(folder.path(), bounds.clone()).unwrap());
    let memory: Arc<dyn Store<Speaker>> = Arc::new(Memory::new(bounds.clone()));
    let chat = |store, folder| {
        let hub = Hub::with_store(limits.clone(), 0x5eed, store);
        let running = hub.clone();
        tokio::spawn(async move { running.run().await });
        Chat { hub, _folder: folder }
    };
    vec![chat(memory, None), chat(disk, Some(folder))]
}

struct Client {
    membership: Membership,
    mailbox: Mailbox,
    welcome: Value,
}

impl Client {
    async fn join(hub: &Hub, visit: Visit) -> Self {
        let visit = Visit { room: "room".into(), ..visit };
        let (membership, mut mailbox) =
            hub.join(&visit, &Connection::default(), NOW).await.unwrap();
        let welcome = event(&mut mailbox).await;
        assert_eq!(welcome["event"], "welcome");
        Self { membership, mailbox, welcome }
    }

    async fn come_back(hub: &Hub, epoch: &Value, offset: u64) -> Self {
        let epoch = epoch.as_str().unwrap().to_owned();
        Self::join(hub, Visit { had: Some(Had { epoch, offset }), ..Visit::default() }).await
    }

    async fn say(&mut self, text: &str) -> u64 {
        self.membership.receive_text(&json!({ "say": text, "id": "1" }).to_string(), NOW);
        self.expect("acknowledged").await["offset"].as_u64().unwrap()
    }

    /// The next event of this kind, passing over others.
    async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let event = event(&mut self.mailbox).await;
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// The offsets of messages and gaps up to a message with this offset.
    async fn read_up_to(&mut self, last: u64) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let event = event(&mut self.mailbox).await;
            match event["event"].as_str() {
                Some("message") => seen.push(event["offset"].clone()),
                Some("gap") => seen.push(json!({ "gap": event["from"] })),
                _ => {}
            }
            if event["offset"] == last {
                return seen;
            }
        }
    }
}

async fn event(mailbox: &mut Mailbox) -> Value {
    let delivery = tokio::time::timeout(WAIT_MAX, mailbox.next()).await.expect("no event");
    serde_json::from_str(delivery.unwrap().text()).unwrap()
}

/// Many at once are no hurry.
fn patient() -> Limits {
    let mut limits = Limits::default();
    (limits.messages_burst_max, limits.messages_per_second_max) = (1_000_000, 1_000_000);
    limits
}

fn offsets(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.map(Value::from).collect()
}

#[tokio::test]
async fn what_was_missed_comes_in_order_from_memory_and_from_the_store() {
    // The last 100 are in memory.
    for Chat { hub, _folder } in chats(&Bounds::default(), &patient()) {
        let mut ann = Client::join(&hub, Visit::default()).await;
        for _ in 0..350 {
            ann.say("hello").await;
        }
        let epoch = ann.welcome["epoch"].clone();
        for offset in [0, 1, 99, 100, 249, 250, 251, 349] {
            let mut back = Client::come_back(&hub, &epoch, offset).await;
            assert_eq!(
                (&back.welcome["history"], &back.welcome["offset"]),
                (&json!([]), &json!(350))
            );
            assert_eq!(back.read_up_to(350).await, offsets(offset + 1..=350));
        }
        let mut back = Client::come_back(&hub, &epoch, 350).await;
        ann.say("what comes next").await;
        assert_eq!(back.read_up_to(351).await, offsets(351..=351));
    }
}

#[tokio::test]
async fn a_gap_says_from_where_it_goes_on() {
    for Chat { hub, _folder } in
        chats(&Bounds { messages_max: 50, ..Bounds::default() }, &patient())
    {
        let mut ann = Client::join(&hub, Visit::default()).await;
        for _ in 0..120 {
            ann.say("hello").await;
        }
        let epoch = ann.welcome["epoch"].clone();
        let gap = [vec![json!({ "gap": 71 })], offsets(71..=120)].concat();
        for (epoch, offset, seen) in [
            (&epoch, 70, offsets(71..=120)),
            (&epoch, 69, gap.clone()),
            (&json!("another"), 100, gap.clone()),
            (&epoch, 121, gap.clone()),
            (&epoch, u64::MAX, gap),
        ] {
            let mut back = Client::come_back(&hub, epoch, offset).await;
            assert_eq!(back.welcome["first"], 71);
            assert_eq!(back.read_up_to(120).await, seen, "{epoch} {offset}");
        }
    }
}

#[tokio::test]
async fn there_is_no_gap_and_no_doubling_under_load() {
    const MESSAGES: u64 = 3_000;
    for Chat { hub, _folder } in chats(&Bounds::default(), &patient()) {
        let mut ann = Client::join(&hub, Visit::default()).await;
        let epoch = ann.welcome["epoch"].clone();
        let readers: Vec<_> = (1..6)
            .map(|stay| {
                let (hub, epoch) = (hub.clone(), epoch.clone());
                tokio::spawn(async move {
                    let mut offset = 0;
                    let mut visits = 0;
                    while offset < MESSAGES {
                        let mut reader = Client::come_back(&hub, &epoch, offset).await;
                        visits += 1;
                        for _ in 0..stay * 37 {
                            offset += 1;
                            assert_eq!(reader.expect("message").await["offset"], offset);
                            if offset == MESSAGES {
                                break;
                            }
                        }
                    }
                    visits
                })
            })
            .collect();
        for number in 0..MESSAGES {
            ann.membership.say(&format!("number {number}"), NOW).unwrap();
            if number % 10 == 0 {
                tokio::task::yield_now().await;
            }
            while let Some(delivery) = ann.mailbox.try_next() {
                delivery.unwrap();
            }
        }
        for reader in readers {
            assert!(reader.await.unwrap() > 10);
        }
    }
}

#[tokio::test]
async fn a_message_sent_again_is_not_said_again() {
    for Chat { hub, _folder } in chats(&Bounds::default(), &patient()) {
        let visit = |client: &str| Visit { client: Some(client.into()), ..Visit::default() };
        let mut ann = Client::join(&hub, visit("0123456789abcdef")).await;
        assert_eq!((ann.say("hello").await, ann.say("hello").await), (1, 1));
        drop(ann);
        let mut ann = Client::join(&hub, visit("0123456789abcdef")).await;
        let mut other = Client::join(&hub, visit("fedcba9876543210")).await;
        let mut nameless = Client::join(&hub, Visit::default()).await;
        assert_eq!(ann.say("hello").await, 1);
        assert_eq!(other.say("hello").await, 2);
        assert_eq!((nameless.say("hello").await, nameless.say("hello").await), (3, 4));
        let mut short = Client::join(&hub, visit("short")).await;
        assert_eq!(short.expect("error").await["reason"], "client_invalid");
    }
}

#[tokio::test]
async fn the_history_is_read_backwards() {
    for Chat { hub, _folder } in
        chats(&Bounds { messages_max: 150, ..Bounds::default() }, &patient())
    {
        let mut ann = Client::join(&hub, Visit::default()).await;
        for _ in 0..200 {
            ann.say("hello").await;
        }
        let read = async |ann: &mut Client, question: Value| {
            ann.membership.receive_text(&json!({"history": question, "id": "h"}).to_string(), NOW);
            let history = ann.expect("history").await;
            assert_eq!(ann.expect("acknowledged").await["id"], "h");
            assert_eq!(history["first"], 51);
            let messages = history["messages"].as_array().unwrap();
            messages.iter().map(|message| message["offset"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(read(&mut ann, json!({"before": 201})).await, offsets(101..=200));
        assert_eq!(read(&mut ann, json!({"before": 101})).await, offsets(51..=100));
        assert_eq!(read(&mut ann, json!({"before": 101, "limit": 2})).await, offsets(99..=100));
        assert!(read(&mut ann, json!({"before": 51})).await.is_empty());
        assert!(read(&mut ann, json!({"before": 0})).await.is_empty());
        assert_eq!(
            read(&mut ann, json!({"before": u64::MAX, "limit": 1})).await,
            offsets(200..=200)
        );
        for _ in 0..8 {
            ann.membership.receive_text(r#"{"history":{"before":9}}"#, NOW);
        }
        assert_eq!(ann.expect("error").await["reason"], "too_fast");
    }
}

#[tokio::test]
async fn a_newcomer_is_told_the_last_messages_of_a_room_that_was_empty() {
    for Chat { hub, _folder } in chats(&Bounds::default(), &patient()) {
        let mut ann = Client::join(&hub, Visit::default()).await;
        for _ in 0..150 {
            ann.say("hello").await;
        }
        let epoch = ann.welcome["epoch"].clone();
        drop(ann);
        assert_eq!(hub.room_count(), 0);
        let bob = Client::join(&hub, Visit::default()).await;
        let history = bob.welcome["history"].as_array().unwrap().iter();
        let told: Vec<_> = history.map(|message| message["offset"].clone()).collect();
        assert_eq!((told, &bob.welcome["epoch"]), (offsets(51..=150), &epoch));
    }
}

#[tokio::test]
async fn a_room_that_was_forgotten_sends_its_silent_members_away() {
    let bounds = Bounds { age_max: Duration::from_secs(1), ..Bounds::default() };
    for Chat { hub, _folder } in chats(&bounds, &patient()) {
        let mut ann = Client::join(&hub, Visit::default()).await;
        ann.say("hello").await;
        hub.expire(Timestamp::from_unix_milliseconds(NOW.unix_milliseconds() + 2_000));
        let epoch = ann.welcome["epoch"].clone();
        // What is acknowledged after it was asked for comes after it.
        let visit = Visit { room: "elsewhere".into(), ..Visit::default() };
        let (mut bob, mailbox) = hub.join(&visit, &Connection::default(), NOW).await.unwrap();
        bob.say("hello", NOW).unwrap();
        let mut bob = Client { membership: bob, mailbox, welcome: Value::Null };
        bob.expect("message").await;
        // The next word begins another life of the stream, and the room says so.
        ann.membership.say("is anybody here?", NOW).unwrap();
        let closing = tokio::time::timeout(WAIT_MAX, async {
            loop {
                if let Err(closing) = ann.mailbox.next().await {
                    break closing;
                }
            }
        });
        let closing = closing.await.expect("no closing");
        assert_eq!(closing.code, 1012);
        let mut back = Client::come_back(&hub, &epoch, 1).await;
        assert_ne!(back.welcome["epoch"], epoch);
        assert_eq!(back.read_up_to(1).await, [json!({ "gap": 1 }), json!(1)]);
    }
}

#[tokio::test]
async fn who_read_too_slowly_comes_back_and_reads_on() {
    let mut limits = patient();
    limits.mailbox_bytes_max = 20_000;
    for Chat { hub, _folder } in chats(&Bounds::default(), &limits) {
        let mut ann = Client::join(&hub, Visit::default()).await;
        let mut slow = Client::join(&hub, Visit::default()).await;
        let epoch = ann.welcome["epoch"].clone();
        for _ in 0..500 {
            ann.say(&"x".repeat(100)).await;
        }
        let closing = slow.mailbox.next().await.unwrap_err();
        assert_eq!(closing.code, 4013);
        let mut back = Client::come_back(&hub, &epoch, 0).await;
        assert_eq!(back.read_up_to(500).await, offsets(1..=500));
    }
}

#[tokio::test]
async fn programs_publish_and_read_without_being_members() {
    for Chat { hub, _folder } in chats(&Bounds::default(), &patient()) {
        let mut ann = Client::join(&hub, Visit::default()).await;
        let publication = |text: &str, id: Option<&str>| Publication {
            from: "server".into(),
            text: text.into(),
            id: id.map(Into::into),
        };
        let batch = vec![
            publication("one", Some("1")),
            publication(" ", None),
            publication("two", None),
            publication("one again", Some("1")),
        ];
        let outcomes = hub.publish("Room", batch, NOW).await.unwrap();
        assert_eq!(outcomes, [Ok(1), Err(Complaint::MessageEmpty), Ok(2), Ok(1)]);
        for text in ["one", "two"] {
            let message = ann.expect("message").await;
            assert_eq!((&message["from"], &message["text"]), (&json!("server"), &json!(text)));
        }
        for (range, limit, found) in [
            (Range::After(0), None, offsets(1..=2)),
            (Range::After(0), Some(1), offsets(1..=1)),
            (Range::After(u64::MAX), None, vec![]),
            (Range::Before(u64::MAX), Some(1), offsets(2..=2)),
        ] {
            let history = hub.read("room", range, limit).await.unwrap();
            let history: Value = serde_json::from_str(history.text()).unwrap();
            let messages = history["messages"].as_array().unwrap().iter();
            assert_eq!(
                messages.map(|message| message["offset"].clone()).collect::<Vec<_>>(),
                found
            );
            assert_eq!((&history["epoch"], &history["offset"]), (&ann.welcome["epoch"], &json!(2)));
        }
        assert_eq!(hub.publish("no room", vec![], NOW).await, Err(Refusal::RoomName));
        assert_eq!(hub.room_count(), 1);
    }
}
