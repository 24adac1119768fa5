//! How much of everything there may be, and what becomes of who goes beyond it.

mod common;

use common::{Client, at, hub_with, join};
use serde_json::json;
use wskit_hub::{Complaint, Connection, Hub, Refusal, Visit};

/// Why nobody comes into this room.
fn refusal(hub: &Hub, room: &str) -> Refusal {
    let visit = Visit { room: room.into(), ..Visit::default() };
    join(hub, &visit, &Connection::default(), at(0)).map(drop).unwrap_err()
}

#[test]
fn a_message_is_measured_in_bytes() {
    let hub = hub_with(|limits| limits.message_bytes_max = 4);
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    assert_eq!(ann.membership.say("éé", at(0)), Ok(()));
    assert_eq!(ann.membership.say("ééa", at(0)), Err(Complaint::MessageTooLarge { bytes_max: 4 }));
    assert_eq!(ann.membership.say(" \n", at(0)), Err(Complaint::MessageEmpty));
    assert_eq!(ann.events().len(), 1);
}

#[test]
fn whoever_sends_too_fast_is_told_and_not_heard() {
    let hub =
        hub_with(|limits| (limits.messages_burst_max, limits.messages_per_second_max) = (2, 10));
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    let mut bob = Client::quiet(&hub, "lobby", "bob");
    ann.events();
    ann.send("one");
    ann.membership.receive_binary(b"\0", at(0));
    ann.send("two");
    ann.membership.receive_binary(b"\0", at(99));
    ann.membership.receive_text("three", at(100));
    assert_eq!(ann.errors(), ["binary_refused", "too_fast", "too_fast"]);
    let heard: Vec<_> = bob.events().into_iter().map(|event| event["text"].clone()).collect();
    assert_eq!(heard, ["one", "three"]);
}

#[test]
fn whoever_sends_a_command_too_fast_is_told_which_it_was() {
    let hub = hub_with(|limits| limits.messages_burst_max = 1);
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    ann.send(r#"{"say":"one","id":"a"}"#);
    ann.send(r#"{"say":"two","id":"b"}"#);
    let error = ann.events().into_iter().find(|event| event["event"] == "error").unwrap();
    assert_eq!((&error["reason"], &error["id"]), (&"too_fast".into(), &"b".into()));
}

#[test]
fn a_slow_reader_is_dropped_and_the_others_are_not() {
    let hub = hub_with(|limits| limits.mailbox_bytes_max = 4000);
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    let mut slow = Client::join(&hub, "lobby", "slow");
    let mut said = 0;
    for _ in 0..100 {
        ann.membership.say(&"x".repeat(100), at(0)).unwrap();
        said += ann.events().iter().filter(|event| event["event"] == "message").count();
    }
    assert_eq!(said, 100);
    let closing = slow.mailbox.try_next().unwrap().unwrap_err();
    assert_eq!((closing.code, closing.reason.contains("too slowly")), (4013, true));
    assert_eq!(ann.closing(), None);
    drop(slow);
    assert_eq!(ann.events(), [json!({"event": "left", "name": "slow", "count": 1})]);
}

#[test]
fn a_full_room_and_a_bad_name_are_refused() {
    let hub = hub_with(|limits| limits.members_per_room_max = 2);
    let _ann = Client::join(&hub, "lobby", "ann");
    let bob = Client::join(&hub, "lobby", "bob");
    assert_eq!(
        (refusal(&hub, "lobby"), refusal(&hub, "lobby").closing().code),
        (Refusal::RoomFull, 1013)
    );
    assert_eq!(
        (refusal(&hub, "a/b"), refusal(&hub, "a/b").closing().code),
        (Refusal::RoomName, 1008)
    );
    drop(bob);
    Client::join(&hub, "lobby", "carol");
}

#[test]
fn a_room_that_nobody_is_in_takes_no_place() {
    let hub = hub_with(|limits| limits.rooms_max = 2);
    let mut ann = Client::join(&hub, "one", "ann");
    let bob = Client::join(&hub, "one", "bob");
    ann.send("hello");
    let _carol = Client::join(&hub, "two", "carol");
    assert_eq!(
        (refusal(&hub, "three"), refusal(&hub, "three").closing().code),
        (Refusal::TooManyRooms, 1013)
    );
    drop(ann);
    assert_eq!((hub.room_count(), hub.member_count()), (2, 2));
    drop(bob);
    assert_eq!((hub.room_count(), hub.member_count()), (1, 1));
    Client::join(&hub, "three", "dora");
}

#[test]
fn long_lists_of_members_are_cut_and_counted_in_full() {
    let hub = hub_with(|limits| limits.members_listed_max = 2);
    let _others = [Client::join(&hub, "lobby", "ann"), Client::join(&hub, "lobby", "bob")];
    let welcome = Client::join(&hub, "lobby", "carol").events().remove(0);
    assert_eq!((&welcome["members"], &welcome["count"]), (&json!(["ann", "bob"]), &json!(3)));
}
