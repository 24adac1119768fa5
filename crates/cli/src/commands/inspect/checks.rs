//! The rules for a response of RFC 6455 §4.1, and the verdict on each.

use super::investigation::text;
use super::report::{Checked, Verdict};
use wskit::proto::handshake::{Bootstrap, Check, ClientOpening, ConnectOpening, Headers};

/// Over HTTP/1.1 all of them apply.
pub(super) fn of_upgrade(opening: &ClientOpening, status: u16, headers: &Headers) -> Vec<Checked> {
    let is_101 = status == 101;
    let verdict = |check| match is_101 {
        true => Verdict::of(opening.passes(check, headers)),
        // RFC 6455 §4.1: any other status is handled as HTTP tells.
        false => Verdict::FallsAway("only a response 101 is checked further"),
    };
    all("the status has to be 101", is_101, status, headers, verdict)
}

/// Over HTTP/2 some of them have nothing to look at (RFC 8441 §5).
pub(super) fn of_extended_connect(
    opening: &ConnectOpening,
    status: u16,
    headers: &Headers,
) -> Vec<Checked> {
    let is_2xx = (200..300).contains(&status);
    let verdict = |check| match falls_away(check) {
        Some(why) => Verdict::FallsAway(why),
        None if is_2xx => Verdict::of(opening.passes(check, headers)),
        None => Verdict::FallsAway("only a response 2xx is checked further"),
    };
    all("the status has to be 2xx (RFC 8441 section 5)", is_2xx, status, headers, verdict)
}

/// Why nothing asks for it over HTTP/2.
fn falls_away(check: Check) -> Option<&'static str> {
    if Bootstrap::ExtendedConnect.checks().contains(&check) {
        return None;
    }
    Some(match check {
        Check::Upgrade => "over HTTP/2 nothing is upgraded: the request names :protocol instead",
        Check::Connection => "over HTTP/2 it is forbidden: a stream opens, the connection stays",
        _ => "over HTTP/2 no key is sent: the settings of the server are the proof",
    })
}

fn all(
    status_demand: &'static str,
    opens: bool,
    status: u16,
    headers: &Headers,
    verdict: impl Fn(Check) -> Verdict,
) -> Vec<Checked> {
    let of_status = Checked {
        number: 1,
        header: None,
        demand: status_demand,
        found: vec![status.to_string()],
        verdict: Verdict::of(opens),
    };
    let of_header = |check: Check| Checked {
        number: check.number(),
        header: Some(check.header()),
        demand: check.demand(),
        found: headers.all(check.header()).map(text).collect(),
        verdict: verdict(check),
    };
    [of_status].into_iter().chain(Check::ALL.map(of_header)).collect()
}
