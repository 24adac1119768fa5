//! One connection speaks, all read: `fanout ADDRESS PATH PID READERS BURST ROUNDS TEXT_BYTES`.
//!
//! Prints how many nanoseconds of CPU the server, which is the process PID, took for each delivery, and how many bytes
//! a delivery had.

mod reader;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use reader::Readers;
use std::time::Duration;
use std::{env, io, net::SocketAddr};

const WARM_UP_ROUNDS: usize = 20;
/// The members of a chat are told of each other, which has to be over first.
const QUIET: Duration = Duration::from_millis(500);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, path, pid, numbers @ ..] = &arguments[..] else { usage() };
    let address: SocketAddr = address.parse().expect("an address and a port");
    let clock = clock_getcpuclockid(Pid::from_raw(pid.parse().expect("a process")))?;
    let numbers: Vec<usize> =
        numbers.iter().map(|number| number.parse().expect("a number")).collect();
    let [readers, burst, rounds, text_bytes] = numbers[..] else { usage() };

    let mut readers = Readers::open(address, path, readers)?;
    readers.read_until_quiet(QUIET)?;
    let burst_frames = text_frame(text_bytes).repeat(burst);
    for _ in 0..WARM_UP_ROUNDS {
        readers.speak(&burst_frames, burst)?;
    }
    let (cpu, bytes) = (Duration::from(clock_gettime(clock)?), readers.bytes);
    for _ in 0..rounds {
        readers.speak(&burst_frames, burst)?;
    }
    let cpu = Duration::from(clock_gettime(clock)?) - cpu;
    let deliveries = (rounds * burst * readers.len()) as f64;
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

/// A text of at most 125 bytes, with a masking key of zeros.
fn text_frame(bytes: usize) -> Vec<u8> {
    assert!(bytes < 126);
    let mut frame = vec![0x81, 0x80 | bytes as u8, 0, 0, 0, 0];
    frame.resize(frame.len() + bytes, b'a');
    frame
}
