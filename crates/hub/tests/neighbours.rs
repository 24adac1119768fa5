//! Who is here, on whichever node: two hubs that tell each other.

mod common;

use common::{at, events};
use serde_json::{Value, json};
use wskit_hub::{Connection, Hub, Limits, Mailbox, Membership, Standing, Timestamp, Visit};

fn hubs() -> [Hub; 2] {
    [1, 2].map(|entropy| Hub::new(Limits::default(), entropy))
}

/// Each tells the other what there is to tell, and again, for what was asked.
fn exchange(hubs: &[Hub; 2], now: Timestamp) {
    for _ in 0..2 {
        for (from, to) in [(0, 1), (1, 0)] {
            for news in hubs[from].news(now) {
                // A carrier may bring a node its own.
                hubs.iter().for_each(|hub| hub.hear(news.as_bytes(), now));
                hubs[to].hear(news.as_bytes(), now);
            }
        }
    }
}

async fn join(hub: &Hub, name: &str, now: Timestamp) -> (Membership, Mailbox, Value) {
    let visit = Visit { room: "lobby".into(), name: Some(name.into()), ..Visit::default() };
    let (membership, mut mailbox) = hub.join(&visit, &Connection::default(), now).await.unwrap();
    let welcome = serde_json::from_str(mailbox.try_next().unwrap().unwrap().text()).unwrap();
    (membership, mailbox, welcome)
}

#[tokio::test]
async fn members_of_other_nodes_come_and_go_and_are_counted() {
    let hubs = hubs();
    let (_ann, mut mailbox, _) = join(&hubs[0], "ann", at(0)).await;
    exchange(&hubs, at(0));
    let (mut bob, mut others, _) = join(&hubs[1], "bob", at(0)).await;
    exchange(&hubs, at(10));
    assert_eq!(events(&mut mailbox), [json!({ "event": "joined", "name": "bob", "count": 2 })]);
    assert_eq!(events(&mut others), [json!({ "event": "joined", "name": "ann", "count": 2 })]);

    let (_eve, _, welcome) = join(&hubs[0], "eve", at(20)).await;
    assert_eq!(
        (&welcome["members"], &welcome["count"]),
        (&json!(["ann", "eve", "bob"]), &json!(3))
    );
    bob.receive_text(r#"{"name":"rob"}"#, at(20));
    exchange(&hubs, at(30));
    events(&mut others);
    bob.who();
    assert_eq!(events(&mut others)[0]["members"], json!(["rob", "ann", "eve"]));
    let told = events(&mut mailbox);
    assert_eq!(told[1], json!({ "event": "left", "name": "bob", "count": 3 }));
    assert_eq!(told[2], json!({ "event": "joined", "name": "rob", "count": 3 }));

    // The last one of the room there, which is closed with that.
    drop(bob);
    exchange(&hubs, at(40));
    assert_eq!(events(&mut mailbox), [json!({ "event": "left", "name": "rob", "count": 2 })]);
}

#[tokio::test]
async fn a_dead_node_is_forgotten_soon_and_a_living_one_is_not() {
    let hubs = hubs();
    let (_ann, mut mailbox, _) = join(&hubs[0], "ann", at(0)).await;
    let (_bob, _mailbox, _) = join(&hubs[1], "bob", at(0)).await;
    for seconds in 0..60 {
        exchange(&hubs, at(seconds * 1_000));
    }
    assert_eq!(events(&mut mailbox).len(), 1, "nothing but that bob came in");
    // From now on nothing comes from there.
    let _own = hubs[0].news(at(64_500));
    assert!(events(&mut mailbox).is_empty());
    let _own = hubs[0].news(at(64_501));
    assert_eq!(events(&mut mailbox), [json!({ "event": "left", "name": "bob", "count": 1 })]);
}

#[tokio::test]
async fn a_name_is_taken_on_every_node() {
    let hubs = hubs();
    let (_ann, _mailbox, _) = join(&hubs[0], "ann", at(0)).await;
    let (mut bob, _mailbox, _) = join(&hubs[1], "bob", at(0)).await;
    exchange(&hubs, at(0));
    assert_eq!(bob.rename("ANN").unwrap_err().reason(), "name_taken");
    let (_other, _mailbox, welcome) = join(&hubs[1], "ann", at(0)).await;
    assert_eq!(welcome["name"], "ann-2");
}

#[tokio::test]
async fn nothing_is_told_twice_without_need() {
    let hubs = hubs();
    let (_ann, _mailbox, _) = join(&hubs[0], "ann", at(0)).await;
    assert_eq!(hubs[0].news(at(0)).len(), 1);
    assert_eq!(hubs[0].news(at(1_999)).len(), 0);
    assert_eq!(hubs[0].news(at(2_000)).len(), 1);
    for news in
        ["", "{}", "[]", r#"{"node":"x","room":"lobby","members":["a"],"count":-1,"asks":false}"#]
    {
        hubs[0].hear(news.as_bytes(), at(2_000));
    }
    // Names that could not be here are not there either.
    let news = json!({ "node": "x", "room": "lobby", "members": ["\u{202e}", "eve"], "count": 2, "asks": false });
    hubs[0].hear(news.to_string().as_bytes(), at(2_000));
    let (_bob, _mailbox, welcome) = join(&hubs[0], "bob", at(2_000)).await;
    assert_eq!(welcome["members"], json!(["ann", "bob", "eve"]));
}

#[tokio::test]
async fn names_that_are_vouched_for_are_known_on_other_nodes_too() {
    let hubs = hubs();
    let visit = |name: &str| Visit {
        room: "lobby".into(),
        standing: Standing::Known { user: name.into(), name: Some(name.into()) },
        ..Visit::default()
    };
    let connection = Connection::default();
    let (bob, mut mailbox, _) = join(&hubs[1], "bob", at(0)).await;
    let _chief = hubs[0].join(&visit("admin"), &connection, at(0)).await.unwrap();
    let _first = hubs[0].join(&visit("ann"), &connection, at(0)).await.unwrap();
    let _second = hubs[0].join(&visit("ann"), &connection, at(0)).await.unwrap();
    exchange(&hubs, at(0));
    events(&mut mailbox);
    bob.who();
    let everybody = json!(["bob", "admin", "ann", "ann~2"]);
    let expected = json!({ "event": "members", "members": everybody, "count": 4 });
    assert_eq!(events(&mut mailbox), [expected]);
}
