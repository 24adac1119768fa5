//! One connection speaks, all read: `fanout ADDRESS PATH PID READERS BURST ROUNDS TEXT_BYTES`.
//!
//! Prints how many nanoseconds of CPU the server, which is the process PID, took for each delivery, and how many bytes
//! a delivery had.

use fanout::readers::Readers;
use fanout::server::Server;
use fanout::text_frame;
use std::time::Duration;
use std::{env, io, net::SocketAddr};

const WARM_UP_ROUNDS: usize = 20;
/// The members of a chat are told of each other, which has to be over first; in a large room once a second.
const QUIET: Duration = Duration::from_millis(1_500);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, path, pid, numbers @ ..] = &arguments[..] else { usage() };
    let address: SocketAddr = address.parse().expect("an address and a port");
    let server = Server::new(pid)?;
    let numbers: Vec<usize> =
        numbers.iter().map(|number| number.parse().expect("a number")).collect();
    let [count, burst, rounds, text_bytes] = numbers[..] else { usage() };

    let mut readers = Readers::open(address, &vec![path.clone(); count], "")?;
    readers.read_until_quiet(QUIET)?;
    let burst_frames = text_frame(&vec![b'a'; text_bytes]).repeat(burst);
    let speak = |readers: &mut Readers, rounds| -> io::Result<()> {
        for _ in 0..rounds {
            readers.speak(0, &burst_frames)?;
            readers.read_messages(burst * count, |_, _| {})?;
        }
        Ok(())
    };
    speak(&mut readers, WARM_UP_ROUNDS)?;
    let (cpu, bytes) = (server.cpu()?, readers.bytes);
    speak(&mut readers, rounds)?;
    let cpu = server.cpu()? - cpu;
    let deliveries = (rounds * burst * count) as f64;
    println!(
        "{} {}",
        cpu.as_nanos() as f64 / deliveries,
        (readers.bytes - bytes) as f64 / deliveries
    );
    Ok(())
}

fn usage() -> ! {
    panic!("fanout ADDRESS PATH PID READERS BURST ROUNDS TEXT_BYTES")
}
