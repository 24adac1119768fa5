//! What is too old is told to nobody, also in a room that somebody is in.

mod common;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use wskit_hub::{Connection, Hub, Limits, Mailbox, Membership, Timestamp, Visit};
use wskit_store::{Bounds, Memory};

fn at(seconds: u64) -> Timestamp {
    common::at(1_000 * seconds)
}

fn join(hub: &Hub, now: Timestamp) -> (Membership, Mailbox) {
    let visit = Visit { room: "room".into(), ..Visit::default() };
    common::join(hub, &visit, &Connection::default(), now).unwrap()
}

/// The texts that a newcomer is told.
fn told(hub: &Hub, now: Timestamp) -> Vec<String> {
    let (_member, mut mailbox) = join(hub, now);
    let welcome = mailbox.try_next().unwrap().unwrap();
    let welcome: Value = serde_json::from_str(welcome.text()).unwrap();
    let history = welcome["history"].as_array().unwrap();
    history.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_store_let_go_of_is_not_in_a_welcome() {
    let bounds = Bounds { age_max: Duration::from_secs(60), ..Bounds::default() };
    let hub = Hub::with_store(Limits::default(), 0x5eed, Arc::new(Memory::new(bounds)));
    let (mut ann, _mailbox) = join(&hub, at(0));
    ann.say("one", at(0)).unwrap();
    ann.say("two", at(30)).unwrap();
    hub.expire(at(59));
    assert_eq!(told(&hub, at(59)), ["one", "two"]);
    hub.expire(at(61));
    assert_eq!(told(&hub, at(61)), ["two"]);
    // The store lets go of the first as it keeps the third.
    ann.say("three", at(91)).unwrap();
    assert_eq!(told(&hub, at(91)), ["three"]);
    hub.expire(at(3_600));
    assert_eq!(told(&hub, at(3_600)), [] as [&str; 0]);
}
