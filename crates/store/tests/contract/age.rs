//! How old messages may become, where it is the store that is told the time.

use crate::common::*;
use crate::stores::on_every_store;
use std::time::Duration;
use wskit_store::Bounds;

#[test]
fn what_is_too_old_goes_and_a_stream_that_is_too_old_begins_anew() {
    on_every_store(|open| {
        let store = open(Bounds { age_max: Duration::from_millis(100), ..Bounds::default() });
        let say = |time| kept(append(&*store, "room", None, time, "x")).offset;
        assert_eq!((say(1_000), say(1_050), say(1_100)), (1, 2, 3));
        assert_eq!(offsets(&*store, "room", ALL), [1, 2, 3]);
        assert_eq!(say(1_101), 4);
        assert_eq!(offsets(&*store, "room", ALL), [2, 3, 4]);
        let _following = follow(&*store, "room");
        store.expire(1_151);
        until(|| offsets(&*store, "room", ALL) == [3, 4]);
        store.expire(1_201);
        // What comes after it is committed after it.
        append(&*store, "another", None, 1_000, "");
        assert_eq!(position(&*store, "room").map(|position| position.first), Some(4));
        store.expire(1_202);
        until(|| position(&*store, "room").is_none());
        assert_eq!(read(&*store, "room", ALL).position, None);
        assert_eq!(say(2_000), 1);
        assert_eq!(offsets(&*store, "room", ALL), [1]);
    });
}
