//! What members of a room see of one another, told the time and read event by event.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};
use wskit_hub::{
    Closing, Complaint, Connection, Hub, Limits, Mailbox, Membership, Refusal, Timestamp, Visit,
};

/// 2025-10-09T08:53:20.000Z and so many milliseconds.
fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_unix_milliseconds(1_760_000_000_000 + milliseconds)
}

fn hub() -> Hub {
    hub_with(|_| ())
}

fn hub_with(change: impl FnOnce(&mut Limits)) -> Hub {
    let mut limits = Limits::default();
    change(&mut limits);
    Hub::new(limits, 0x5eed)
}

fn visit(room: &str, name: Option<&str>) -> Visit {
    Visit { room: room.into(), name: name.map(Into::into), ..Visit::default() }
}

/// Joins a hub that keeps its rooms in memory, for which it never waits.
fn join(
    hub: &Hub,
    visit: &Visit,
    connection: &Connection,
    now: Timestamp,
) -> Result<(Membership, Mailbox), Refusal> {
    match pin!(hub.join(visit, connection, now)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(joined) => joined,
        Poll::Pending => panic!("joining waits for something"),
    }
}

/// A member and its mailbox, as one connection has them.
struct Client {
    membership: Membership,
    mailbox: Mailbox,
}

impl Client {
    fn join(hub: &Hub, room: &str, name: impl Into<Option<&'static str>>) -> Self {
        let (membership, mailbox) =
            join(hub, &visit(room, name.into()), &Connection::default(), at(0)).unwrap();
        Self { membership, mailbox }
    }

    /// Joins and reads what came by then.
    fn quiet(hub: &Hub, room: &str, name: impl Into<Option<&'static str>>) -> Self {
        let mut client = Self::join(hub, room, name);
        client.events();
        client
    }

    fn send(&mut self, text: &str) {
        self.membership.receive_text(text, at(0));
    }

    /// All that waits, up to the closing if there is one.
    fn events(&mut self) -> Vec<Value> {
        let deliveries = std::iter::from_fn(|| self.mailbox.try_next()?.ok());
        deliveries.map(|delivery| serde_json::from_str(delivery.text()).unwrap()).collect()
    }

    /// What kinds of events wait.
    fn kinds(&mut self) -> Vec<String> {
        self.events().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    }

    /// The reasons of the errors that wait.
    fn errors(&mut self) -> Vec<String> {
        let reasons = self
            .events()
            .into_iter()
            .filter_map(|event| event.get("reason")?.as_str().map(String::from));
        reasons.collect()
    }

    fn closing(&mut self) -> Option<Closing> {
        std::iter::from_fn(|| self.mailbox.try_next()).find_map(Result::err)
    }
}

fn refusal(hub: &Hub, room: &str) -> Refusal {
    join(hub, &visit(room, None), &Connection::default(), at(0)).map(drop).unwrap_err()
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
    let (membership, mailbox) =
        join(&hub, &visit("lobby", Some("bob")), &connection, at(6)).unwrap();
    assert_eq!((membership.room(), membership.name()), ("lobby", "bob"));
    let mut bob = Client { membership, mailbox };
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
fn long_lists_of_members_are_cut_and_counted_in_full() {
    let hub = hub_with(|limits| limits.members_listed_max = 2);
    let _others = [Client::join(&hub, "lobby", "ann"), Client::join(&hub, "lobby", "bob")];
    let welcome = Client::join(&hub, "lobby", "carol").events().remove(0);
    assert_eq!((&welcome["members"], &welcome["count"]), (&json!(["ann", "bob"]), &json!(3)));
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
fn closing_lets_everybody_read_to_the_end_and_nobody_in() {
    let hub = hub();
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    ann.send("last words");
    hub.close(&Closing::restarting());
    assert_eq!(ann.events().len(), 1);
    assert_eq!(ann.closing(), Some(Closing::restarting()));
    assert_eq!(refusal(&hub, "lobby").closing(), Closing::restarting());
    assert_eq!(refusal(&hub, "elsewhere").closing().code, 1012);
}

#[test]
fn many_threads_agree_on_one_order() {
    let hub = hub_with(|limits| {
        limits.mailbox_bytes_max = usize::MAX;
        limits.messages_burst_max = 1_000;
    });
    let mut listener = Client::quiet(&hub, "lobby", "listener");
    std::thread::scope(|scope| {
        // So many messages each of them takes before it delivers them.
        for together in [1, 5, 16, 125] {
            let hub = &hub;
            scope.spawn(move || {
                let mut member = Client::join(hub, "lobby", None);
                for number in 0..250 {
                    member.membership.take_text("hello", at(0));
                    if number % together == together - 1 {
                        member.membership.deliver();
                    }
                }
            });
        }
    });
    let offsets: Vec<_> =
        listener.events().iter().filter_map(|event| event["offset"].as_u64()).collect();
    assert_eq!(offsets, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn what_came_together_is_delivered_in_its_order_and_at_the_latest_with_the_end() {
    let hub = hub_with(|limits| limits.messages_burst_max = 100);
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    let mut bob = Client::quiet(&hub, "lobby", "bob");
    ann.events();
    ann.membership.take_text("one", at(0));
    ann.membership.take_text(r#"{"say":"two","id":"2"}"#, at(0));
    assert_eq!(bob.kinds(), [] as [&str; 0]);
    ann.membership.take_text(r#"{"name":"anna"}"#, at(0));
    assert_eq!(bob.kinds(), ["message", "message", "renamed"]);
    assert_eq!(ann.kinds(), ["message", "message", "acknowledged", "renamed"]);
    ann.membership.take_text(r#"{"say":"three","id":"3"}"#, at(0));
    ann.membership.take_text(r#"{"say":"","id":"4"}"#, at(0));
    assert_eq!(ann.kinds(), ["message", "acknowledged", "error"]);
    ann.membership.take_text("four", at(0));
    ann.membership.receive_binary(b"five", at(0));
    assert_eq!(ann.kinds(), ["message", "error"]);
    ann.membership.take_text("six", at(0));
    ann.membership.rename("ann").unwrap();
    assert_eq!(bob.kinds(), ["message", "message", "message", "renamed"]);
    (0..16).for_each(|_| ann.membership.take_text("more", at(0)));
    assert_eq!(bob.kinds(), ["message"; 16]);
    ann.membership.take_text("the last", at(0));
    drop(ann);
    assert_eq!(bob.kinds(), ["message", "left"]);
}

#[test]
fn what_was_said_before_one_is_sent_away_is_acknowledged() {
    let hub = hub_with(|limits| limits.messages_burst_max = 2);
    let mut ann = Client::quiet(&hub, "lobby", "ann");
    (0..2).for_each(|_| ann.send("in time"));
    (0..19).for_each(|_| ann.send("too fast"));
    ann.events();
    ann.membership.take_text(r#"{"say":"kept","id":"1"}"#, at(200));
    ann.membership.take_text(&"y".repeat(100_000), at(200));
    assert_eq!(ann.kinds(), ["message", "acknowledged"]);
    assert_eq!(ann.closing().unwrap().code, 4429);
}
