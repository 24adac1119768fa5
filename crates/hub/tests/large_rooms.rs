//! Who comes and goes in a large room is told gathered.

mod common;

use common::{at, events, hub_with};
use serde_json::{Value, json};
use wskit_hub::{Connection, Hub, Mailbox, Membership, Visit};

fn hub(announced_max: usize) -> Hub {
    hub_with(|limits| limits.members_announced_max = announced_max)
}

fn join(hub: &Hub, name: &str) -> (Membership, Mailbox) {
    let visit = Visit { room: "room".into(), name: Some(name.into()), ..Visit::default() };
    common::join(hub, &visit, &Connection::default(), at(0)).unwrap()
}

#[test]
fn up_to_a_limit_each_is_told_by_name_and_beyond_it_how_many() {
    let hub = hub(3);
    let (_ann, mut ann) = join(&hub, "ann");
    let (_bob, _mailbox) = join(&hub, "bob");
    let eve = join(&hub, "eve");
    let welcome = events(&mut ann).remove(0);
    assert_eq!(welcome["count"], 1);
    let joe = join(&hub, "joe");
    assert_eq!(events(&mut ann), [] as [Value; 0]);
    hub.tell_gathered();
    let came = json!({"event": "presence", "joined": 1, "left": 0, "count": 4});
    assert_eq!(events(&mut ann), [came]);
    hub.tell_gathered();
    assert_eq!(events(&mut ann), [] as [Value; 0], "it is told once");
    // What was not told yet is told before somebody is told of by name again.
    let zoe = join(&hub, "zoe");
    drop(zoe);
    drop(joe);
    drop(eve);
    let told = events(&mut ann);
    assert_eq!(told[0], json!({"event": "presence", "joined": 1, "left": 1, "count": 3}));
    assert_eq!(told[1], json!({"event": "left", "name": "joe", "count": 3}));
    assert_eq!(told[2], json!({"event": "left", "name": "eve", "count": 2}));
    hub.tell_gathered();
    assert_eq!(events(&mut ann), [] as [Value; 0]);
}

#[test]
fn those_who_come_cost_no_more_however_many_are_there() {
    const ANNOUNCED: usize = 10;
    const MEMBERS: usize = 2_000;
    let hub = hub(ANNOUNCED);
    let mut members: Vec<_> = (0..MEMBERS).map(|number| join(&hub, &number.to_string())).collect();
    hub.tell_gathered();
    let told: usize = members.iter_mut().map(|(_, mailbox)| events(mailbox).len()).sum();
    // A welcome and one count for each, and what the first few were told of one another.
    assert_eq!(told, 2 * MEMBERS + ANNOUNCED * (ANNOUNCED - 1) / 2);
}

#[test]
fn those_who_come_on_other_nodes_are_gathered_too() {
    let hub = hub(2);
    let (_ann, mut ann) = join(&hub, "ann");
    events(&mut ann);
    let mut hear = |members: &[&str]| {
        let count = members.len();
        let news =
            json!({"node": "x", "room": "room", "members": members, "count": count, "asks": false});
        hub.hear(news.to_string().as_bytes(), at(0));
        hub.tell_gathered();
        events(&mut ann)
    };
    let joined = json!({"event": "joined", "name": "bob", "count": 2});
    assert_eq!(hear(&["bob"]), [joined]);
    let came = json!({"event": "presence", "joined": 2, "left": 1, "count": 3});
    assert_eq!(hear(&["eve", "joe"]), [came]);
}

#[test]
fn those_on_other_nodes_who_are_not_listed_are_counted() {
    let hub = hub(3);
    let (_ann, mut ann) = join(&hub, "ann");
    events(&mut ann);
    let mut hear = |members: &[&str], count: usize| {
        let news =
            json!({"node": "x", "room": "room", "members": members, "count": count, "asks": false});
        hub.hear(news.to_string().as_bytes(), at(0));
        hub.tell_gathered();
        events(&mut ann)
    };
    let presence = |joined: usize, left: usize, count: usize| {
        [json!({"event": "presence", "joined": joined, "left": left, "count": count})]
    };
    let listed = ["bob", "eve"];
    assert_eq!(hear(&listed, 5_000), presence(5_000, 0, 5_001));
    assert_eq!(hear(&listed, 9_000), presence(4_000, 0, 9_001));
    assert_eq!(hear(&listed, 9_000), [] as [Value; 0]);
    assert_eq!(hear(&listed, 600), presence(0, 8_400, 601));
    // Who was not told of by name when it came is not when it goes.
    assert_eq!(hear(&[], 0), presence(0, 600, 1));
    assert_eq!(hear(&["joe"], 1), [json!({"event": "joined", "name": "joe", "count": 2})]);
}
