//! What members of a room see of one another, told the time and read event by event.

mod common;

use common::{Client, at, hub_with, join};
use serde_json::{Value, json};
use wskit_hub::{Closing, Connection, Hub, Visit};

fn hub() -> Hub {
    hub_with(|_| ())
}

#[test]
fn a_welcome_tells_everything_about_the_place() {
    let hub = hub();
    let connection = Connection {
        http_version: "1.1".into(),
        key: Some("dGhlIHNhbXBsZSBub25jZQ==".into()),
        accept: Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into()),
        ..Connection::default()
    };
    let mut ann = Client::quiet(&hub, "Lobby", "ann");
    ann.membership.receive_text("hello", at(5));
    let visit = Visit { room: "lobby".into(), name: Some("bob".into()), ..Visit::default() };
    let mut bob = Client::enter(&hub, &visit, &connection, at(6)).unwrap();
    assert_eq!((bob.membership.room(), bob.membership.name()), ("lobby", "bob"));
    assert_eq!(
        bob.events(),
        [json!({
            "event": "welcome",
            "room": "lobby",
            "name": "bob",
            "members": ["ann", "bob"],
            "count": 2,
            "epoch": "0000000000005eed-1",
            "offset": 1,
            "first": 1,
            "history": [{"event": "message", "offset": 1, "from": "ann", "text": "hello", "time": "2025-10-09T08:53:20.005Z"}],
            "connection": {
                "http_version": "1.1",
                "key": "dGhlIHNhbXBsZSBub25jZQ==",
                "accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                "subprotocol": null,
                "extensions": [],
            },
        })]
    );
}

#[test]
fn all_see_the_same_events_in_the_same_order() {
    let hub = hub();
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    let mut bob = Client::quiet(&hub, "lobby", "bob");
    ann.send("one");
    bob.send(r#"{"say":"<b>two</b>"}"#);
    bob.send(r#"{"name":"Robert"}"#);
    drop(bob.membership);

    let time = "2025-10-09T08:53:20.000Z";
    let together = [
        json!({"event": "message", "offset": 1, "from": "ann", "text": "one", "time": time}),
        json!({"event": "message", "offset": 2, "from": "bob", "text": "<b>two</b>", "time": time}),
        json!({"event": "renamed", "from": "bob", "to": "Robert"}),
    ];
    let seen_by_ann = ann.events();
    assert_eq!(seen_by_ann[0], json!({"event": "joined", "name": "bob", "count": 2}));
    assert_eq!(seen_by_ann[1..4], together);
    assert_eq!(seen_by_ann[4..], [json!({"event": "left", "name": "Robert", "count": 1})]);
    let seen_by_bob: Vec<_> = std::iter::from_fn(|| bob.mailbox.try_next()?.ok()).collect();
    assert_eq!(seen_by_bob.len(), together.len());
}

#[test]
fn an_event_is_encoded_once_and_shared() {
    let hub = hub();
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    let mut bob = Client::quiet(&hub, "lobby", "bob");
    ann.events();
    ann.send("hello");
    let of_ann = ann.mailbox.try_next().unwrap().unwrap();
    let of_bob = bob.mailbox.try_next().unwrap().unwrap();
    assert_eq!(of_ann.text().as_ptr(), of_bob.text().as_ptr());
}

#[test]
fn rooms_do_not_hear_one_another() {
    let hub = hub();
    let mut ann = Client::quiet(&hub, "one", "ann");
    let mut other_ann = Client::quiet(&hub, "two", "ann");
    assert_eq!(other_ann.membership.name(), "ann");
    ann.send("hello");
    assert_eq!(other_ann.events(), [] as [Value; 0]);
}

#[test]
fn a_command_with_an_id_is_acknowledged_or_refused_under_it() {
    let hub = hub();
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    ann.send(r#"{"say":"hello","id":"a"}"#);
    ann.send(r#"{"name":"anna","id":"b"}"#);
    ann.send(r#"{"who":true,"id":"c"}"#);
    ann.send(r#"{"name":"system","id":"d"}"#);
    ann.send(r#"{"shout":"hello","id":"e"}"#);
    let events = ann.events();
    assert_eq!(events[1], json!({"event": "acknowledged", "id": "a", "offset": 1}));
    assert_eq!(events[3], json!({"event": "acknowledged", "id": "b"}));
    assert_eq!(events[4], json!({"event": "members", "members": ["anna"], "count": 1}));
    assert_eq!(events[5], json!({"event": "acknowledged", "id": "c"}));
    assert_eq!((&events[6]["reason"], &events[6]["id"]), (&json!("name_reserved"), &json!("d")));
    assert_eq!((&events[7]["reason"], &events[7]["id"]), (&json!("not_a_command"), &json!("e")));
    assert_eq!(events.len(), 8);
}

#[test]
fn a_name_never_keeps_anybody_out() {
    let hub = hub();
    let ann = Client::join(&hub, "lobby", "ann");
    assert_eq!(ann.membership.name(), "ann");
    assert_eq!(Client::join(&hub, "lobby", " ANN ").membership.name(), "ANN-2");
    let mut nameless = Client::join(&hub, "lobby", "  ");
    assert_eq!(nameless.membership.name(), "guest-3");
    assert_eq!(nameless.errors(), [] as [&str; 0]);
    let mut pretender = Client::join(&hub, "lobby", "Server");
    assert_eq!(pretender.membership.name(), "guest-4");
    assert_eq!(pretender.errors(), ["name_reserved"]);
}

#[test]
fn a_bad_rename_changes_nothing() {
    let hub = hub();
    let _bob = Client::quiet(&hub, "lobby", "bob");
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    for (name, reason) in [("bob", "name_taken"), ("wskit", "name_reserved"), ("", "name_empty")] {
        ann.send(&json!({ "name": name }).to_string());
        assert_eq!((ann.errors(), ann.membership.name()), (vec![reason.to_string()], "ann"));
    }
    ann.send(r#"{"name":"ann"}"#);
    assert_eq!(ann.events(), [] as [Value; 0]);
}

#[test]
fn closing_lets_everybody_read_to_the_end_and_nobody_in() {
    let hub = hub();
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    ann.send("last words");
    hub.close(&Closing::restarting());
    assert_eq!(ann.events().len(), 1);
    assert_eq!(ann.closing(), Some(Closing::restarting()));
    for room in ["lobby", "elsewhere"] {
        let visit = Visit { room: room.into(), ..Visit::default() };
        let refused = join(&hub, &visit, &Connection::default(), at(0)).map(drop).unwrap_err();
        assert_eq!(refused.closing(), Closing::restarting());
    }
}
