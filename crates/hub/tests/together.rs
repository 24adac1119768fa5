//! What comes together is delivered together.

mod common;

use common::{Client, at, hub_with};

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
