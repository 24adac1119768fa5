//! How old messages may become: the server's clock says, whatever those of nodes say.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use wskit_nats::{Nats, Settings};
use wskit_store::{Bounds, Store};

use crate::common::{ALL, append, commit, follow, kept, message, offsets, position, until};
use crate::nats_server::NatsServer;

fn store(server: &NatsServer, age_max: Duration) -> Nats<u32> {
    let mut settings = Settings::default();
    settings.addresses = vec![server.address()];
    Nats::connect(settings, Bounds { age_max, ..Bounds::default() }).unwrap()
}

/// Says something at this time, passing over what others say, and gives its offset.
fn say(store: &Nats<u32>, time: u64) -> u64 {
    // No two lives of a room have the same epoch.
    static TAGS: AtomicU32 = AtomicU32::new(0);
    store.append(message("room", None, time, "x", TAGS.fetch_add(1, Ordering::Relaxed)));
    loop {
        let commit = commit(store);
        if commit.tag.is_some() {
            return kept(commit.outcome).offset;
        }
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn a_node_whose_clock_is_far_ahead_ends_nothing() {
    let server = NatsServer::start();
    let (ahead, other) = (store(&server, HOUR), store(&server, HOUR));
    let _following = (follow(&ahead, "room"), follow(&other, "room"));
    let year = 365 * 24 * HOUR.as_millis() as u64;
    assert_eq!((say(&other, year), say(&ahead, 100 * year), say(&other, year)), (1, 2, 3));
    // The last of them may still be on its way to the node that did not say it.
    until(|| offsets(&ahead, "room", ALL) == [1, 2, 3]);
    for _ in 0..3 {
        ahead.expire(100 * year);
        other.expire(year);
        assert_eq!(offsets(&ahead, "room", ALL), [1, 2, 3]);
        assert_eq!(offsets(&other, "room", ALL), [1, 2, 3]);
    }
    // What comes after it is done after it.
    assert_eq!((say(&ahead, 100 * year), say(&other, year)), (4, 5));
    assert_eq!(offsets(&store(&server, HOUR), "room", ALL), [1, 2, 3, 4, 5]);
}

#[test]
fn what_is_too_old_for_the_server_goes_and_a_room_without_messages_begins_anew() {
    let server = NatsServer::start();
    let age_max = Duration::from_secs(3);
    let (one, other) = (store(&server, age_max), store(&server, age_max));
    let _following = (follow(&one, "room"), follow(&other, "room"));
    assert_eq!(say(&one, u64::MAX), 1);
    until(|| {
        // However little time has passed by the clock of the node.
        one.expire(0);
        other.expire(0);
        position(&one, "room").is_none() && position(&other, "room").is_none()
    });
    assert_eq!(say(&other, 0), 1);
    until(|| position(&one, "room").is_some());
}

#[test]
fn no_two_lives_of_a_room_have_the_same_epoch_whoever_wants_it() {
    let server = NatsServer::start();
    let store = store(&server, Duration::from_millis(100));
    let _following = follow(&store, "room");
    let epoch = || {
        store.append(message("room", None, 0, "x", 7));
        commit(&store).epoch
    };
    let is_over = || {
        store.expire(0);
        position(&store, "room").is_none()
    };
    let mut epochs = Vec::new();
    for _ in 0..3 {
        epochs.push(epoch().to_string());
        until(is_over);
    }
    assert_eq!(epochs, ["epoch of 7", "epoch of 7.1", "epoch of 7.2"]);
}

#[test]
fn a_room_that_nobody_is_in_is_forgotten_too() {
    let server = NatsServer::start();
    let age_max = Duration::from_millis(100);
    append(&store(&server, age_max), "room", None, 0, "x");
    // Another node, which has never heard of it.
    let other = store(&server, age_max);
    until(|| {
        other.expire(0);
        other.statistics().streams == 0
    });
}
