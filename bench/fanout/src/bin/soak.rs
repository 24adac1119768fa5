//! Half of the load that a server bears: `soak ADDRESS ROOMS MEMBERS SECONDS`.
//!
//! In each room one member speaks and all read; then they rest for as long as that took in the beginning. So the pace
//! stays the same, and with it what waits for those who are too slow, though the machine have more or less to do. Others
//! may come, speak and go meanwhile. Prints how many messages were read.

use fanout::readers::{PATIENCE, Readers};
use fanout::text_frame;
use std::io::{self, Error};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const BURST: usize = 4;
const TEXT: &str = "the harbour lights were lit before the first boat came home, ";
/// Long enough that who is slow falls behind.
const TEXTS: usize = 16;
/// How many rounds are timed to know the pace.
const TIMED_ROUNDS: usize = 500;
const SPEAKER: &[u8] = br#""from":"speaker""#;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, rooms, members, seconds] = &arguments[..] else {
        panic!("soak ADDRESS ROOMS MEMBERS SECONDS")
    };
    let address: SocketAddr = address.parse().expect("an address and a port");
    let rooms: usize = rooms.parse().expect("a number");
    let members: usize = members.parse().expect("a number");
    let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));

    let name = |number| if number < rooms { "speaker" } else { "reader" };
    let target = |number| format!("/chat/room-{}?name={}", number % rooms, name(number));
    let targets: Vec<_> = (0..rooms * members).map(target).collect();
    let mut readers = Readers::open(address, &targets, "")?;
    let frames = text_frame(TEXT.repeat(TEXTS).as_bytes()).repeat(BURST);
    let (begun, mut read) = (Instant::now(), 0);
    let mut lengths = Vec::with_capacity(TIMED_ROUNDS);
    while begun.elapsed() < time {
        let spoken = Instant::now();
        for room in 0..rooms {
            readers.speak(room, &frames)?;
        }
        let mut missing = rooms * members * BURST;
        read += missing;
        while missing > 0 {
            readers.read(PATIENCE, |_, event| missing -= usize::from(is_from_speaker(event)))?;
            if spoken.elapsed() > PATIENCE {
                return Err(Error::other(format!("{missing} messages are missing")));
            }
        }
        if lengths.len() < TIMED_ROUNDS {
            lengths.push(spoken.elapsed());
            lengths.sort_unstable();
        }
        let next = spoken + 2 * lengths[lengths.len() / 2];
        while let Some(rest) = next.checked_duration_since(Instant::now()) {
            readers.read(rest, |_, _| {})?;
        }
    }
    println!("{read}");
    Ok(())
}

/// Looks at the beginning only: after the offset comes who said it.
fn is_from_speaker(event: &[u8]) -> bool {
    let front = &event[..event.len().min(80)];
    event.starts_with(br#"{"event":"message""#)
        && front.windows(SPEAKER.len()).any(|part| part == SPEAKER)
}
