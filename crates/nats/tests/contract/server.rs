//! What becomes of a room when its server does what no server should.

use std::time::{Duration, Instant};

use wskit_nats::{Nats, Settings};
use wskit_store::{Bounds, Error, Outcome, Store};

use crate::common::{ALL, AnyStore, append, commit, follow, keep, kept, message, told};
use crate::nats_server::NatsServer;

fn store(server: &NatsServer) -> AnyStore {
    let mut settings = Settings::default();
    settings.addresses = vec![server.address()];
    Box::new(Nats::connect(settings, Bounds::default()).unwrap())
}

/// Says it under this id until the server is there and keeps it.
fn keep_at_last(store: &dyn Store<u32>, id: &str, payload: &str, tag: u32) -> (String, u64) {
    let began = Instant::now();
    loop {
        store.append(message("room", Some(id), 0, payload, tag));
        let commit = commit(store);
        if !matches!(commit.outcome, Outcome::Refused(_)) {
            return (commit.epoch.to_string(), kept(commit.outcome).offset);
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", commit.outcome);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_room_whose_last_messages_the_server_lost_begins_anew() {
    let mut server = NatsServer::start();
    let store = &*store(&server);
    let _following = follow(store, "room");
    assert_eq!([keep(store, "room", "one"), keep(store, "room", "two")], [1, 2]);
    server.kill();
    let saved = server.saved();
    server.start_again();
    assert_eq!(keep_at_last(store, "c", "three", 7), ("epoch of 7".into(), 3));
    server.kill();
    server.put_back(&saved);
    server.start_again();
    // Its third message is not the one that was told as the third.
    assert_eq!(keep_at_last(store, "d", "four", 8), ("epoch of 8".into(), 1));
    assert_eq!(told(store, "room", ALL), [(1, "four".into())]);
}

#[test]
fn a_server_that_takes_less_than_there_will_be_is_refused_at_the_start() {
    let server = NatsServer::start();
    let connect = |message_bytes_max| {
        let mut settings = Settings::default();
        settings.addresses = vec![server.address()];
        settings.message_bytes_max = message_bytes_max;
        Nats::<u32>::connect(settings, Bounds::default())
    };
    assert!(connect((1 << 20) - 1024).is_ok());
    let refused = connect((1 << 20) - 1023).unwrap_err().to_string();
    assert!(refused.contains("set its max_payload"), "{refused}");
}

#[test]
fn a_message_that_is_too_large_for_the_server_costs_no_other_anything() {
    let server = NatsServer::start();
    let store = &*store(&server);
    let _following = follow(store, "room");
    keep(store, "room", "one");
    let large = "x".repeat(2 << 20);
    for (payload, tag) in [("two", 2), (&*large, 3), ("three", 4)] {
        store.append(message("room", None, 0, payload, tag));
    }
    let mut commits: Vec<_> = (0..3).map(|_| commit(store)).collect();
    commits.sort_by_key(|commit| commit.tag);
    let [two, large, three] = commits.try_into().unwrap();
    assert_eq!(large.outcome, Outcome::Refused(Error::TooLarge));
    assert_eq!([kept(two.outcome).offset, kept(three.outcome).offset], [2, 3]);
    assert_eq!(store.statistics().failure, None);
    assert_eq!(kept(append(store, "room", None, 0, "four")).offset, 4);
}
