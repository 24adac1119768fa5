//! Rooms in which the first of the members speaks and all read:
//! `rooms ADDRESS TARGET PID ROOMS MEMBERS TEXT_BYTES WARM_UP SECONDS BURSTS [deflate]`.
//!
//! `TARGET` is where to connect to, with `ROOM` for the number of the room; `BURSTS`, separated by commas, are how many
//! messages each speaker says at once. When all have read them it says the next. Prints JSON.

use fanout::readers::Readers;
use fanout::server::Server;
use fanout::text_frame;
use std::time::{Duration, Instant};
use std::{env, io, net::SocketAddr};

/// The members of a chat are told of each other, which has to be over first; in a large room once a second.
const QUIET: Duration = Duration::from_millis(1_500);
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
const WORDS: &str = "the harbour lights were lit before the first boat came home and nobody had asked for them yet but \
    everyone was glad of it all the same";

struct Talk {
    readers: Readers,
    rooms: usize,
    members: usize,
    /// What each speaker says at once, and how many messages that is.
    frames: Vec<u8>,
    burst: usize,
    /// When the speaker of each room has spoken.
    spoken: Vec<Instant>,
    /// How long after that each delivery came, in nanoseconds.
    delays: Vec<u64>,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, target, pid, rooms, members, text_bytes, warm_up, seconds, bursts, more @ ..] =
        &arguments[..]
    else {
        panic!("rooms ADDRESS TARGET PID ROOMS MEMBERS TEXT_BYTES WARM_UP SECONDS BURSTS [deflate]")
    };
    let address: SocketAddr = address.parse().expect("an address and a port");
    let server = Server::new(pid)?;
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let duration = |text: &str| Duration::from_secs_f64(text.parse().expect("seconds"));
    let (rooms, members, text_bytes) = (number(rooms), number(members), number(text_bytes));

    // Member by member, so that the first of each room comes first.
    let targets: Vec<_> = (0..rooms * members)
        .map(|number| target.replace("ROOM", &(number % rooms).to_string()))
        .collect();
    let before = server.resident_bytes()?;
    let offer = if more.is_empty() { "" } else { OFFER };
    let mut readers = Readers::open(address, &targets, offer)?;
    readers.read_until_quiet(QUIET)?;
    let memory = server.resident_bytes()?.saturating_sub(before) / readers.len() as u64;

    let (spoken, delays) = (vec![Instant::now(); rooms], Vec::new());
    let mut talk = Talk { readers, rooms, members, frames: Vec::new(), burst: 1, spoken, delays };
    let mut outcomes = Vec::new();
    for burst in bursts.split(',').map(number) {
        talk.burst = burst;
        talk.frames = text_frame(&WORDS.as_bytes()[..text_bytes]).repeat(burst);
        talk.run(duration(warm_up))?;
        outcomes.push(talk.measure(&server, duration(seconds))?);
    }
    println!("{{\"memory\":{memory},\"bursts\":[{}]}}", outcomes.join(","));
    Ok(())
}

impl Talk {
    /// Lets all speak again and again for so long.
    fn run(&mut self, time: Duration) -> io::Result<()> {
        self.delays.clear();
        let begun = Instant::now();
        while begun.elapsed() < time {
            for room in 0..self.rooms {
                self.spoken[room] = Instant::now();
                self.readers.speak(room, &self.frames)?;
            }
            let deliveries = self.burst * self.rooms * self.members;
            self.readers.read_messages(deliveries, |reader, _| {
                self.delays.push(self.spoken[reader % self.rooms].elapsed().as_nanos() as u64);
            })?;
        }
        Ok(())
    }

    fn measure(&mut self, server: &Server, time: Duration) -> io::Result<String> {
        let (cpu, bytes, begun) = (server.cpu()?, self.readers.bytes, Instant::now());
        self.run(time)?;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu = (server.cpu()? - cpu).as_secs_f64();
        let deliveries = self.delays.len();
        let bytes = (self.readers.bytes - bytes) as f64 / deliveries as f64;
        self.delays.sort_unstable();
        let delay =
            |share: f64| self.delays[((deliveries - 1) as f64 * share) as usize] as f64 / 1e6;
        let [middle, late, latest] = [0.5, 0.99, 0.999].map(delay);
        Ok(format!(
            "{{\"burst\":{},\"deliveries\":{deliveries},\"seconds\":{seconds},\"cpu_seconds\":{cpu},\"bytes\":{bytes},\
             \"p50_ms\":{middle},\"p99_ms\":{late},\"p999_ms\":{latest}}}",
            self.burst
        ))
    }
}
