//! What one end sends the other receives, until both have closed; with a clock that is told.

mod common;

use bytes::Bytes;
use common::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;
use std::time::Duration;
use wskit_proto::closing::State;
use wskit_proto::{
    CloseCode, CloseFrame, Config, Kind, Limits, Message, Missed, Role, SendError, Timeouts,
};

/// A client whose masking keys differ from frame to frame, as they should.
const MASKING_CLIENT: Role = Role::Client(|| {
    thread_local!(static SEED: Cell<u32> = const { Cell::new(1) });
    SEED.set(SEED.get().wrapping_mul(0x9E37_79B1).wrapping_add(0x7F4A_7C15));
    SEED.get().to_be_bytes()
});

/// Two ends, and a wire between them.
struct Pair {
    ends: [End; 2],
    now: Duration,
}

const CLIENT_END: usize = 0;
const SERVER_END: usize = 1;

impl Pair {
    fn new(timeouts: Timeouts) -> Pair {
        // So that every Ping has its Pong.
        let limits = Limits { pong_bytes_max: usize::MAX, ..Limits::default() };
        let end = |role| End::new(role, Config { limits, timeouts, ..Config::default() });
        Pair { ends: [end(MASKING_CLIENT), end(SERVER)], now: Duration::ZERO }
    }

    /// Brings what waits at each end to the other, until nothing waits.
    fn carry(&mut self, cuts: &[usize]) {
        while self.ends.iter().any(|end| !end.output.is_empty()) {
            for from in [CLIENT_END, SERVER_END] {
                let bytes = self.ends[from].take_output();
                let to = &mut self.ends[1 - from];
                for piece in cut(&bytes, cuts) {
                    to.connection.hear();
                    to.feed(piece);
                }
            }
        }
    }

    /// Lets time pass up to this moment; what is said is carried, if the wire is whole. Ends with
    /// the first deadline that is missed.
    fn pass(&mut self, until: Duration, wire_is_whole: bool) -> Option<(usize, Missed)> {
        loop {
            let deadlines = self.ends.iter_mut().map(|end| end.connection.next_deadline(self.now));
            let next = deadlines.flatten().min();
            self.now = next.unwrap_or(until).min(until);
            if next.is_none_or(|next| next > until) {
                return None;
            }
            for (place, end) in self.ends.iter_mut().enumerate() {
                let missed = end.connection.handle_deadline(self.now, &mut end.output);
                if let Some(missed) = missed {
                    return Some((place, missed));
                }
            }
            if wire_is_whole {
                self.carry(&[1000]);
            }
        }
    }
}

impl End {
    fn take_output(&mut self) -> Vec<u8> {
        let bytes = waiting(&self.output);
        self.output.advance(bytes.len());
        self.connection.resume(&mut self.output);
        bytes
    }

    fn send(&mut self, message: Message) {
        self.connection.send(message, &mut self.output).expect("the connection is open");
    }

    fn of(&self, wanted: fn(&Message) -> bool) -> Vec<&Message> {
        self.events.iter().filter(|event| wanted(event)).collect()
    }
}

/// Something that an end says: a message in one part or several, or a Ping, which may also come
/// between the parts.
#[derive(Clone, Debug)]
enum Say {
    Message(Message),
    Parts(Kind, Vec<Vec<u8>>, Option<Bytes>),
    Ping(Bytes),
}

fn say() -> impl Strategy<Value = Say> {
    let text = "\\PC{0,80}";
    let binary = || prop_oneof![vec(any::<u8>(), 0..300), vec(any::<u8>(), 65_530..65_540)];
    let ping = || vec(any::<u8>(), 0..=125).prop_map(Bytes::from);
    let text_parts = ("\\PC{0,80}", 1..9usize).prop_map(|(text, len)| {
        (Kind::Text, text.as_bytes().chunks(len).map(<[u8]>::to_vec).collect())
    });
    let parts = prop_oneof![
        text_parts,
        vec(vec(any::<u8>(), 0..200), 1..5).prop_map(|parts| (Kind::Binary, parts)),
    ];
    prop_oneof![
        text.prop_map(|text| Say::Message(Message::text(text))),
        binary().prop_map(|bytes| Say::Message(Message::binary(bytes))),
        (parts, proptest::option::of(ping()))
            .prop_map(|((kind, parts), ping)| Say::Parts(kind, parts, ping)),
        ping().prop_map(Say::Ping),
    ]
}

fn say_it(end: &mut End, say: &Say) {
    match say {
        Say::Message(message) => end.send(message.clone()),
        Say::Ping(payload) => end.send(Message::Ping(payload.clone())),
        Say::Parts(kind, parts, ping) => {
            for part in parts {
                let part = part.clone().into();
                end.connection.send_part(*kind, part, false, &mut end.output).unwrap();
                ping.iter().for_each(|ping| end.send(Message::Ping(ping.clone())));
            }
            end.connection.send_part(*kind, Bytes::new(), true, &mut end.output).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(tries(300))]

    #[test]
    fn what_is_sent_is_received(
        script in vec((0..2usize, say()), 0..8),
        cuts in vec(1..5000usize, 1..6),
        closer in 0..2usize,
        code in prop_oneof![1000..=1003u16, 1007..=1014u16, 3000..=4999u16],
        reason in "\\PC{0,30}",
    ) {
        let mut pair = Pair::new(Timeouts::default());
        let (mut messages, mut pings) = ([vec![], vec![]], [vec![], vec![]]);
        for (place, say) in &script {
            say_it(&mut pair.ends[*place], say);
            match say.clone() {
                Say::Message(message) => messages[*place].push(message),
                Say::Ping(payload) => pings[*place].push(payload),
                Say::Parts(kind, parts, ping) => {
                    pings[*place].extend(parts.iter().filter_map(|_| ping.clone()));
                    messages[*place].push(whole((kind, parts.concat())));
                }
            }
            pair.carry(&cuts);
        }
        let frame = CloseFrame::new(CloseCode::new(code).unwrap(), reason).unwrap();
        pair.ends[closer].send(Message::Close(Some(frame.clone())));
        pair.carry(&cuts);
        for place in [CLIENT_END, SERVER_END] {
            let (end, peer) = (&pair.ends[place], 1 - place);
            let data = end.of(|message| message.is_text() || message.is_binary());
            prop_assert_eq!(data, messages[peer].iter().collect::<Vec<_>>());
            let pongs: Vec<Message> = pings[place].iter().cloned().map(Message::Pong).collect();
            let heard = end.of(|message| matches!(message, Message::Pong(_)));
            prop_assert_eq!(heard, pongs.iter().collect::<Vec<_>>());
            prop_assert_eq!(end.events.last(), Some(&Message::Close(Some(frame.clone()))));
            prop_assert_eq!((end.connection.state(), end.error), (State::CloseComplete, None));
        }
    }
}

#[test]
fn ends_that_close_at_once_hear_each_other() {
    let mut pair = Pair::new(Timeouts::default());
    pair.ends[CLIENT_END].send(Message::Close(Some(CloseCode::GOING_AWAY.into())));
    pair.ends[SERVER_END].send(Message::Close(None));
    pair.carry(&[1]);
    assert_eq!(pair.ends[CLIENT_END].events, [Message::Close(None)]);
    let gone = Message::Close(Some(CloseCode::GOING_AWAY.into()));
    assert_eq!(pair.ends[SERVER_END].events, [gone]);
    for mut end in pair.ends {
        assert_eq!(end.connection.end(), State::CloseComplete);
        assert_eq!(end.connection.state(), State::Ended);
    }
}

#[test]
fn messages_still_arrive_after_our_close_and_are_ignored_after_the_peers() {
    let mut pair = Pair::new(Timeouts::default());
    pair.ends[SERVER_END].send(Message::text("on its way"));
    pair.ends[CLIENT_END].send(Message::Close(None));
    let refused = pair.ends[CLIENT_END].connection.send("late".into(), &mut Default::default());
    assert_eq!(refused, Err(SendError::Closed));
    pair.carry(&[7]);
    let expected = [Message::text("on its way"), Message::Close(None)];
    assert_eq!(pair.ends[CLIENT_END].events, expected);
    let late = [frame_to(CLIENT, FIN | TEXT, b"late"), frame_to(CLIENT, FIN | PING, b"")].concat();
    pair.ends[CLIENT_END].feed(&late);
    assert_eq!(pair.ends[CLIENT_END].events, expected);
    assert!(pair.ends[CLIENT_END].output.is_empty() && pair.ends[CLIENT_END].input.is_empty());
}

#[test]
fn a_message_does_not_begin_inside_another() {
    let mut end = End::new(SERVER, Config::default());
    let send_part = |end: &mut End, last| {
        end.connection.send_part(Kind::Text, Bytes::from_static(b"part"), last, &mut end.output)
    };
    send_part(&mut end, false).unwrap();
    let inside = end.connection.send("whole".into(), &mut end.output);
    assert_eq!(inside, Err(SendError::MessageUnfinished));
    send_part(&mut end, true).unwrap();
    end.send("whole".into());
    let frames = [(TEXT, "part"), (FIN, "part"), (FIN | TEXT, "whole")];
    let frames = frames.map(|(first, payload)| frame(first, false, payload.as_bytes()));
    assert_eq!(waiting(&end.output), frames.concat());
}

#[test]
fn a_ping_of_126_bytes_is_not_sent() {
    for message in [Message::Ping(vec![0; 126].into()), Message::Pong(vec![0; 126].into())] {
        let mut end = End::new(SERVER, Config::default());
        let refused = end.connection.send(message, &mut end.output);
        assert_eq!(refused, Err(SendError::ControlPayloadBytes(126)));
        assert!(end.output.is_empty());
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn pings_keep_a_quiet_connection_open() {
    let mut pair = Pair::new(Timeouts::default());
    assert_eq!(pair.pass(3600 * SECOND, true), None);
    for end in &pair.ends {
        assert_eq!(end.connection.state(), State::Open);
        assert!(end.events.len() > 60 && end.error.is_none());
    }
}

#[test]
fn a_peer_that_is_gone_is_noticed() {
    let mut pair = Pair::new(Timeouts::default());
    let (place, missed) = pair.pass(3600 * SECOND, false).expect("nobody answers");
    assert_eq!((missed, pair.now), (Missed::Keepalive, 40 * SECOND));
    assert_eq!(pair.ends[place].connection.state(), State::Failed);
    let end = &mut pair.ends[place].connection;
    assert_eq!(end.next_deadline(pair.now), Some(45 * SECOND));
    let missed = end.handle_deadline(45 * SECOND, &mut Default::default());
    assert_eq!(missed, Some(Missed::Close));
}

#[test]
fn a_message_that_trickles_is_given_up_although_its_sender_is_alive() {
    let mut end = End::new(SERVER, Config::default());
    let bytes = frame(FIN | BINARY, true, &[0; 100]);
    for (byte, second) in bytes.iter().zip((0..).step_by(10)) {
        end.connection.hear();
        end.feed(&[*byte]);
        end.connection.next_deadline(second * SECOND);
        if let Some(missed) = end.connection.handle_deadline(second * SECOND, &mut end.output) {
            // The header was whole with its sixth byte.
            return assert_eq!((missed, second), (Missed::Message, 350));
        }
    }
    panic!("the message was waited for without end");
}

#[test]
fn a_close_that_is_not_answered_has_its_time() {
    let mut pair = Pair::new(Timeouts::default());
    pair.ends[CLIENT_END].send(Message::Close(None));
    assert_eq!(pair.pass(SECOND * 60, false), Some((CLIENT_END, Missed::Close)));
    assert_eq!(pair.now, 5 * SECOND);
}
