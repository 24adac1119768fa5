//! Members whom the server knows beside those whom it does not, and what each may do.

mod common;

use common::{Client, at, hub_with};
use serde_json::json;
use wskit_hub::{Connection, Hub, Refusal, Rights, Standing, Visit};

fn known(user: &str, name: Option<&str>) -> Standing {
    Standing::Known { user: user.into(), name: name.map(Into::into) }
}

fn join(hub: &Hub, visit: Visit) -> Result<Client, Refusal> {
    let visit = Visit { room: "lobby".into(), ..visit };
    Client::enter(hub, &visit, &Connection::default(), at(0))
}

fn enter(hub: &Hub, standing: Standing, wanted: &str) -> Client {
    join(hub, Visit { standing, name: Some(wanted.into()), ..Visit::default() }).unwrap()
}

#[test]
fn a_name_that_is_vouched_for_is_nobody_elses() {
    let hub = hub_with(|_| ());
    let named = |standing, wanted| {
        let client = enter(&hub, standing, wanted);
        (client.membership.name().to_owned(), client)
    };
    let ann = known("u1", Some("ann"));
    let (before, _before) = named(Standing::Stranger, "ann");
    let (first, _first) = named(ann.clone(), "somebody else");
    let (second, _second) = named(ann, "");
    let (after, _after) = named(Standing::Stranger, "~~ann");
    let (guest, _guest) = named(Standing::Stranger, "");
    let (by_id, _by_id) = named(known("u-2", None), "bob");
    let (unfit, _unfit) = named(known(&"x".repeat(40), None), "bob");
    let (chief, _chief) = named(known("u3", Some("admin")), "");
    assert_eq!([&*before, &first, &second, &after], ["~ann", "ann", "ann~2", "~ann-2"]);
    assert_eq!([&*guest, &by_id, &unfit, &chief], ["~guest-5", "u-2", "~bob", "admin"]);
    let refused = |name: &str| {
        let standing = known("u4", Some(name));
        join(&hub, Visit { standing, ..Visit::default() }).err()
    };
    for name in ["~ann", "ann~2", "", "\u{202e}ann", &"x".repeat(33)] {
        assert_eq!(refused(name), Some(Refusal::Name), "{name}");
    }
}

#[test]
fn nobody_takes_a_name_that_is_vouched_for_later() {
    let hub = hub_with(|_| ());
    let mut ann = enter(&hub, known("u1", Some("ann")), "");
    let mut stranger = enter(&hub, Standing::Stranger, "bob");
    stranger.membership.receive_text(r#"{"name":"carl"}"#, at(0));
    ann.membership.receive_text(r#"{"name":"bob"}"#, at(0));
    assert_eq!([stranger.membership.name(), ann.membership.name()], ["~carl", "ann"]);
    assert!(ann.events().iter().any(|event| event["reason"] == "name_fixed"));
    let long = "x".repeat(32);
    stranger.membership.receive_text(&json!({ "name": long }).to_string(), at(0));
    assert_eq!(stranger.membership.name(), format!("~{}", "x".repeat(31)));
}

#[test]
fn who_may_only_read_says_nothing() {
    let hub = hub_with(|_| ());
    let mut ann = enter(&hub, Standing::Open, "ann");
    let rights = Rights { reads: true, writes: false };
    let mut reader = join(&hub, Visit { rights, ..Visit::default() }).unwrap();
    ann.membership.receive_text("hello", at(0));
    reader.membership.receive_text("hello too", at(0));
    reader.membership.receive_text(r#"{"name":"hello too"}"#, at(0));
    reader.membership.receive_text(r#"{"who":true}"#, at(0));
    let events = reader.events();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["welcome", "message", "error", "error", "members"]);
    assert!(events[2..4].iter().all(|event| event["reason"] == "not_allowed"));
    let told = ann.events();
    assert!(!told.iter().any(|event| event["event"] == "renamed" || event["text"] == "hello too"));
}

#[test]
fn who_may_only_write_learns_nothing() {
    let hub = hub_with(|_| ());
    let mut ann = enter(&hub, Standing::Open, "ann");
    ann.membership.receive_text("before", at(0));
    let rights = Rights { reads: false, writes: true };
    let mut writer =
        join(&hub, Visit { rights, name: Some("w".into()), ..Visit::default() }).unwrap();
    ann.membership.receive_text("after", at(0));
    let _bob = enter(&hub, Standing::Open, "bob");
    for text in
        ["mine", r#"{"say":"mine too","id":"1"}"#, r#"{"who":true}"#, r#"{"history":{"before":9}}"#]
    {
        writer.membership.receive_text(text, at(0));
    }
    let events = writer.events();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["welcome", "acknowledged", "error", "error"]);
    assert_eq!((&events[0]["members"], &events[0]["history"]), (&json!(["w"]), &json!([])));
    assert_eq!(ann.events().iter().filter(|event| event["from"] == "w").count(), 2);
}

#[test]
fn a_user_has_its_connections_and_gives_them_back() {
    let hub = hub_with(|limits| limits.memberships_per_user_max = 2);
    let enter = |user| join(&hub, Visit { standing: known(user, None), ..Visit::default() });
    let _one = enter("ann").unwrap();
    let two = enter("ann").unwrap();
    let refused = enter("ann").err().unwrap();
    assert_eq!((refused.closing().code, refused.http_status()), (4429, 429));
    assert!(enter("bob").is_ok());
    drop(two);
    assert!(enter("ann").is_ok());
}

#[test]
fn all_connections_of_a_user_send_within_one_rate() {
    let hub = hub_with(|_| ());
    let mut both = [enter(&hub, known("ann", None), ""), enter(&hub, known("ann", None), "")];
    for number in 0..22 {
        both[number % 2].membership.receive_text("x", at(0));
    }
    let mut bob = enter(&hub, known("bob", None), "");
    bob.membership.receive_text("x", at(0));
    let too_fast =
        both.iter_mut().flat_map(Client::events).filter(|event| event["reason"] == "too_fast");
    assert_eq!(too_fast.count(), 2);
    assert!(!bob.events().iter().any(|event| event["event"] == "error"));
}

#[test]
fn coming_back_is_no_way_around_the_rate() {
    let hub = hub_with(|_| ());
    let too_fast = |milliseconds| {
        let mut ann = enter(&hub, known("ann", None), "");
        (0..20).for_each(|_| ann.membership.receive_text("x", at(milliseconds)));
        ann.events().iter().filter(|event| event["reason"] == "too_fast").count()
    };
    assert_eq!(too_fast(0), 0);
    hub.expire(at(1_000));
    assert_eq!(too_fast(1_000), 15);
    // Who is forgotten has as much as anybody.
    hub.expire(at(5_000));
    assert_eq!(too_fast(5_000), 0);
}

#[test]
fn who_goes_on_though_it_is_told_has_to_go() {
    let hub = hub_with(|_| ());
    let mut ann = enter(&hub, Standing::Open, "ann");
    // Twenty are said, and two hundred refused.
    (0..220).for_each(|_| ann.membership.receive_text("x", at(0)));
    assert_eq!(ann.closing(), None);
    ann.membership.receive_text("x", at(0));
    assert_eq!(ann.closing().map(|closing| closing.code), Some(4429));
    // Twice as many as may be sent are refused as long as one likes.
    let mut bob = enter(&hub, Standing::Open, "bob");
    (0..6_000).for_each(|number| bob.membership.receive_text("x", at(100 * number)));
    assert_eq!(bob.closing(), None);
}
