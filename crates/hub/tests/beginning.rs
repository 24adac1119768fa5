//! Who begins one room after another.

mod common;

use common::{at, hub_with};
use wskit_hub::{Connection, Hub, Limits, Mailbox, Membership, Refusal, Standing, Visit};

/// Who has begun two rooms within the hour begins no more.
fn hub() -> Hub {
    hub_with(|limits| limits.rooms_begun_per_hour_max = 2)
}

fn visit(room: &str, place: Option<&str>) -> Visit {
    Visit { room: room.into(), place: place.map(str::to_owned), ..Visit::default() }
}

fn join(hub: &Hub, visit: &Visit) -> Result<(Membership, Mailbox), Refusal> {
    common::join(hub, visit, &Connection::default(), at(0))
}

#[test]
fn a_place_begins_so_many_rooms_and_enters_all_that_there_are() {
    let hub = hub();
    let join = |room, place| join(&hub, &visit(room, place));
    let (mut said, _mailbox) = join("said", None).unwrap();
    said.say("something", at(0)).unwrap();
    drop(said);
    let _open = join("open", None).unwrap();
    // However often one begins and leaves, it counts.
    for room in ["one", "two"] {
        drop(join(room, Some("here")).unwrap());
    }
    for room in ["three", "one"] {
        let refusal = join(room, Some("here")).unwrap_err();
        assert_eq!(refusal, Refusal::TooManyBegun);
        assert_eq!((refusal.closing().code, refusal.http_status()), (4429, 429));
    }
    assert_eq!(hub.room_count(), 1, "a room that is refused is not open");
    assert!(join("open", Some("here")).is_ok() && join("said", Some("here")).is_ok());
    assert!(join("three", Some("there")).is_ok());
    assert!(join("four", None).is_ok(), "nobody is counted who comes from nowhere");
}

#[test]
fn a_user_is_counted_wherever_it_comes_from() {
    let hub = hub();
    let join = |room, place, user: &str| {
        let standing = Standing::Known { user: user.into(), name: None };
        join(&hub, &Visit { standing, ..visit(room, Some(place)) })
    };
    drop(join("one", "here", "ann").unwrap());
    drop(join("two", "there", "ann").unwrap());
    assert_eq!(join("three", "elsewhere", "ann").unwrap_err(), Refusal::TooManyBegun);
    assert!(join("three", "here", "bob").is_ok());
}

#[test]
fn who_is_refused_begins_no_room() {
    let mut limits = Limits::default();
    limits.rooms_begun_per_hour_max = 2;
    limits.memberships_per_user_max = 1;
    let hub = Hub::new(limits, 0x5eed);
    let ann = Standing::Known { user: "ann".into(), name: None };
    let join = |room| join(&hub, &Visit { standing: ann.clone(), ..visit(room, None) });
    let first = join("one").unwrap();
    for _ in 0..3 {
        assert_eq!(join("two").unwrap_err(), Refusal::TooManyOfUser);
    }
    drop(first);
    assert!(join("three").is_ok());
    assert_eq!(join("four").unwrap_err(), Refusal::TooManyBegun);
}
