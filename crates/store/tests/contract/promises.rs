//! What every store promises.

use crate::common::*;
use crate::stores::on_every_store;
use wskit_store::{Bounds, Error, Outcome, Span};

#[test]
fn messages_are_numbered_from_one_in_each_stream() {
    on_every_store(|open| {
        let store = open(Bounds::default());
        assert_eq!(position(&*store, "one"), None);
        assert_eq!(keep(&*store, "one", "a"), 1);
        assert_eq!(keep(&*store, "two", "b"), 1);
        assert_eq!(keep(&*store, "one", "c"), 2);
        assert_eq!(told(&*store, "one", ALL), [(1, "a".into()), (2, "c".into())]);
        assert_eq!(told(&*store, "two", ALL), [(1, "b".into())]);
        let position = position(&*store, "one").unwrap();
        assert_eq!((&*position.epoch, position.first, position.last), ("epoch of 7", 1, 2));
        assert_eq!(store.statistics().streams, 2);
        assert_eq!(store.statistics().kept, 3);
    });
}

#[test]
fn what_is_committed_is_what_was_appended_in_its_order() {
    on_every_store(|open| {
        let store = open(Bounds::default());
        for tag in 0..1_000 {
            let stream = ["even", "odd"][tag as usize % 2];
            store.append(message(stream, None, tag.into(), &format!("number {tag}"), tag));
        }
        let mut last = [0, 0];
        for _ in 0..1_000 {
            let commit = commit(&*store);
            let tag = commit.tag.unwrap();
            let odd = tag as usize % 2;
            last[odd] += 1;
            assert_eq!(&*commit.stream, ["even", "odd"][odd]);
            assert_eq!(&*commit.epoch, ["epoch of 0", "epoch of 1"][odd]);
            let message = kept(commit.outcome);
            // Those of one stream come in their order.
            assert_eq!((message.offset, u64::from(tag / 2)), (last[odd], last[odd] - 1));
            assert_eq!(message.time, u64::from(tag));
            assert_eq!(message.payload, format!("number {tag}"));
        }
        assert_eq!(offsets(&*store, "odd", ALL), (1..=500).collect::<Vec<_>>());
    });
}

#[test]
fn an_id_that_is_kept_is_known_and_not_kept_again() {
    on_every_store(|open| {
        let store = open(Bounds { messages_max: 2, ..Bounds::default() });
        let say = |id| append(&*store, "room", Some(id), 0, id);
        assert_eq!(kept(say("a")).offset, 1);
        assert_eq!(say("a"), Outcome::Known(1));
        assert_eq!(kept(say("b")).offset, 2);
        assert_eq!(say("a"), Outcome::Known(1));
        assert_eq!(kept(append(&*store, "other", Some("a"), 0, "")).offset, 1);
        // Its message goes, and so does the id.
        assert_eq!(kept(say("c")).offset, 3);
        assert_eq!(kept(say("a")).offset, 4);
        assert_eq!(say("c"), Outcome::Known(3));
        assert_eq!(store.statistics().known, 3);
    });
}

#[test]
fn an_id_is_known_within_what_is_appended_together() {
    on_every_store(|open| {
        let store = open(Bounds::default());
        let twice = |tag| message("room", Some(&format!("id {}", tag / 2)), 0, "", tag);
        store.append_all(&mut (0..100).map(twice).collect());
        for tag in 0..100_u64 {
            let outcome = commit(&*store).outcome;
            if tag % 2 == 0 {
                assert_eq!(kept(outcome).offset, tag / 2 + 1);
            } else {
                assert_eq!(outcome, Outcome::Known(tag / 2 + 1));
            }
        }
    });
}

#[test]
fn a_stream_keeps_as_many_messages_as_it_may() {
    on_every_store(|open| {
        let store = open(Bounds { messages_max: 3, ..Bounds::default() });
        for offset in 1..=3 {
            assert_eq!(keep(&*store, "room", "x"), offset);
        }
        assert_eq!(offsets(&*store, "room", ALL), [1, 2, 3]);
        keep(&*store, "room", "x");
        assert_eq!(offsets(&*store, "room", ALL), [2, 3, 4]);
        let position = position(&*store, "room").unwrap();
        assert_eq!((position.first, position.last), (2, 4));
    });
}

#[test]
fn a_stream_keeps_as_many_bytes_as_it_may() {
    on_every_store(|open| {
        let store = open(Bounds { bytes_max: 10, ..Bounds::default() });
        keep(&*store, "room", "12345");
        keep(&*store, "room", "12345");
        assert_eq!(offsets(&*store, "room", ALL), [1, 2]);
        keep(&*store, "room", "1");
        assert_eq!(offsets(&*store, "room", ALL), [2, 3]);
        // One that is too large alone is committed like any other, and then nothing is kept.
        assert_eq!(keep(&*store, "room", "12345678901"), 4);
        assert_eq!(offsets(&*store, "room", ALL), [] as [u64; 0]);
        let position = position(&*store, "room").unwrap();
        assert_eq!((position.first, position.last), (5, 4));
        assert_eq!(keep(&*store, "room", ""), 5);
    });
}

#[test]
fn there_are_no_more_streams_than_there_may_be() {
    on_every_store(|open| {
        let store = open(Bounds { streams_max: 2, ..Bounds::default() });
        let streams = ["one", "two", "three"];
        for (tag, stream) in streams.into_iter().enumerate() {
            store.append(message(stream, None, 0, "", tag as u32));
        }
        let commits: Vec<_> = streams.map(|_| commit(&*store)).into();
        let (refused, begun): (Vec<_>, Vec<_>) =
            commits.into_iter().partition(|commit| matches!(commit.outcome, Outcome::Refused(_)));
        assert_eq!((refused.len(), begun.len()), (1, 2));
        assert_eq!(refused[0].outcome, Outcome::Refused(Error::TooManyStreams));
        assert_eq!(position(&*store, &refused[0].stream), None);
        for commit in begun {
            assert_eq!(keep(&*store, &commit.stream, ""), 2);
        }
        let again = append(&*store, &refused[0].stream, None, 0, "");
        assert_eq!(again, Outcome::Refused(Error::TooManyStreams));
        assert_eq!(store.statistics().refused, 2);
    });
}

#[test]
fn a_span_is_read_from_either_end() {
    on_every_store(|open| {
        let store = open(Bounds { messages_max: 8, ..Bounds::default() });
        (0..10).for_each(|_| assert!(keep(&*store, "room", "12345") > 0));
        let read = |span| offsets(&*store, "room", span);
        assert_eq!(read(ALL), [3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(read(Span { from: 5, to: 7, ..ALL }), [5, 6, 7]);
        assert_eq!(read(Span { messages_max: 2, ..ALL }), [3, 4]);
        assert_eq!(read(Span { messages_max: 2, last_ones: true, ..ALL }), [9, 10]);
        assert_eq!(read(Span { messages_max: 3, to: 6, last_ones: true, ..ALL }), [4, 5, 6]);
        assert_eq!(read(Span { bytes_max: 10, ..ALL }), [3, 4]);
        assert_eq!(read(Span { bytes_max: 14, last_ones: true, ..ALL }), [9, 10]);
        assert_eq!(read(Span { bytes_max: 0, ..ALL }), [3]);
        assert_eq!(read(Span { messages_max: 0, ..ALL }), [] as [u64; 0]);
        for (from, to) in [(11, u64::MAX), (7, 6), (0, 2), (0, 0), (u64::MAX, u64::MAX)] {
            assert_eq!(read(Span { from, to, ..ALL }), [] as [u64; 0]);
        }
        assert_eq!(offsets(&*store, "nowhere", ALL), [] as [u64; 0]);
    });
}

#[test]
fn any_bytes_are_kept_as_they_are() {
    on_every_store(|open| {
        let store = open(Bounds::default());
        let payload: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        store.append(wskit_store::Append {
            payload: payload.clone().into(),
            id: Some(vec![0, 255, 0].into()),
            ..message("room", None, u64::MAX, "", 0)
        });
        assert_eq!(kept(commit(&*store).outcome).payload, payload);
        let page = read(&*store, "room", ALL);
        assert_eq!((page.messages[0].time, &*page.messages[0].payload), (u64::MAX, &payload[..]));
    });
}
