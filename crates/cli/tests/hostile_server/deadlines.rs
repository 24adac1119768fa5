//! Peers that are slow, silent or gone: every wait of the server ends.

use std::time::{Duration, Instant};

use crate::raw::frame::{CLOSE, PING, TEXT};
use crate::raw::{Frame, PATIENCE, RawClient, Server, until};

/// What a Close frame says to a peer that broke a rule of the server's own, not of the protocol.
const POLICY_VIOLATION: u16 = 1008;

const TICK: Duration = Duration::from_millis(100);

/// Shorter than the five seconds that the end of a connection may take without a flag.
const CLOSE_MAX: Duration = Duration::from_millis(4500);

/// Shorter than the twenty seconds after which a silent peer is asked without a flag, or than it then has to answer.
const KEEPALIVE_MAX: Duration = Duration::from_secs(19);

#[test]
fn row_16_silent_and_trickling_handshakes_end_at_a_total_deadline_with_408() {
    let server = Server::echo(&["--opening-timeout", "1"]);
    let started = Instant::now();
    let (mut silent, mut trickling) = (server.connect(), server.connect());
    let request = server.request().encode();
    // Each byte comes well before any deadline between two bytes would pass.
    for byte in &request {
        trickling.send([*byte]);
        if trickling.hears_within(TICK) {
            break;
        }
    }
    for client in [&mut trickling, &mut silent] {
        assert_eq!(client.response().status, 408);
        let elapsed = started.elapsed();
        // Without the flag it is ten seconds.
        assert!(
            (Duration::from_millis(900)..Duration::from_secs(9)).contains(&elapsed),
            "{elapsed:?}"
        );
    }
    // An open connection is no longer under that deadline: it was open for longer already when it echoes.
    let mut client = server.open();
    assert!(!client.hears_within(Duration::from_millis(1200)));
    client.send_frame(&Frame::text("still here"));
    client.expect(TEXT, "still here");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_42_peers_that_vanish_are_let_go() {
    let server = Server::echo(&["--close-timeout", "0.5", "--keepalive-interval", "off"]);
    let settled = server.open_files();
    let is_let_go = |how: &str| until(how, || server.open_files() <= settled);
    let is_let_go_in_time = |how: &str, since: Instant| {
        is_let_go(how);
        assert!(since.elapsed() < CLOSE_MAX, "{how}: {:?}", since.elapsed());
    };

    let mut client = server.open();
    client.send_frame(&Frame::text("x"));
    client.expect(TEXT, "x");
    assert!(server.open_files() > settled, "an open connection shows among the open files");

    client.finish();
    client.ending();
    is_let_go("FIN without a Close frame");

    for cut_off in
        [Frame::text("cut off").encode()[..8].to_vec(), Frame::text("").unfinished().encode()]
    {
        let mut client = server.open();
        client.send(cut_off);
        client.finish();
        client.ending();
    }
    is_let_go("FIN within a message");

    let mut client = server.open();
    client.send_frame(&Frame::text("never read"));
    // Closing a socket that holds unread bytes resets the connection.
    client.stream().peek(&mut [0]).unwrap();
    drop(client);
    is_let_go("RST");

    let mut client = server.open();
    let started = Instant::now();
    client.send_frame(&Frame::text("a fault").unmasked());
    client.expect_close(1002);
    // `client` is still open on our side.
    is_let_go_in_time("no reply to the server's Close frame", started);
    drop(client);

    let mut client = server.open();
    let started = Instant::now();
    client.send_frame(&Frame::new(CLOSE, ""));
    client.frame();
    is_let_go_in_time("no end of the TCP connection after the closing handshake", started);
}

#[test]
fn row_42_black_holes_are_found_by_keepalive() {
    let server = Server::echo(&[
        "--keepalive-interval",
        "0.4",
        "--keepalive-timeout",
        "3",
        "--close-timeout",
        "0.2",
    ]);
    let started = Instant::now();
    let (mut silent, mut answering) = (server.open(), server.open());
    let ping = silent.frame().expect("a keepalive ping");
    assert_eq!(ping.opcode, PING);
    // The silent one is given up, and the other is still served.
    std::thread::scope(|scope| {
        let given_up = scope.spawn(|| while silent.frame().is_some() {});
        while !given_up.is_finished() {
            answer_pings_for(&mut answering, TICK);
        }
    });
    assert!(started.elapsed() < KEEPALIVE_MAX, "{:?}", started.elapsed());
    answering.send_frame(&Frame::text("here"));
    while answering.frame().expect("an open connection").opcode != TEXT {}
}

#[test]
fn row_51_messages_that_never_end_meet_a_deadline() {
    let server = Server::echo(&[
        "--message-timeout",
        "3",
        "--keepalive-interval",
        "0.3",
        "--keepalive-timeout",
        "30",
    ]);
    let in_one_frame = (Frame::binary("").declaring(1000).encode(), vec![0]);
    let in_fragments =
        (Frame::binary("").unfinished().encode(), Frame::continuation("x").unfinished().encode());
    std::thread::scope(|scope| {
        for (start, more) in [in_one_frame, in_fragments] {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.open();
                let started = Instant::now();
                client.send(start);
                // In one frame no pong can stand within the message; bytes are the sign of life there.
                while !closes_within(&mut client, TICK) {
                    assert!(started.elapsed() < PATIENCE, "the message may take for ever");
                    client.try_send(&more).ok();
                }
                assert!(started.elapsed() > Duration::from_millis(2900), "{:?}", started.elapsed());
            });
        }
        // The deadline is each message's own: a connection with short ones lives on.
        let mut client = server.open();
        for _ in 0..4 {
            client.send_frame(&Frame::text("short").unfinished());
            answer_pings_for(&mut client, Duration::from_secs(1));
            client.send_frame(&Frame::continuation("!"));
            while client.frame().expect("an open connection").opcode != TEXT {}
        }
    });
}

/// Lets time pass on a connection on which nothing but keepalive pings comes, and answers them.
fn answer_pings_for(client: &mut RawClient, duration: Duration) {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        if client.hears_within(end.saturating_duration_since(Instant::now()).min(TICK)) {
            let frame = client.frame().expect("an open connection");
            assert_eq!(frame.opcode, PING, "{frame:?}");
            client.send_frame(&Frame::pong(frame.payload));
        }
    }
}

/// Whether the server's Close frame comes, with the code of a policy; pings before it are passed over.
fn closes_within(client: &mut RawClient, wait: Duration) -> bool {
    if !client.hears_within(wait) {
        return false;
    }
    match client.frame().expect("a Close frame before the end of the stream") {
        ping if ping.opcode == PING => false,
        close => {
            assert_eq!(close.close_code(), Some(POLICY_VIOLATION));
            true
        }
    }
}
