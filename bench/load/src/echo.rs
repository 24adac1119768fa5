//! Messages back and forth on many connections, in one thread.

use crate::connection::Connection;
use crate::opening;
use crate::payload::Kind;
use crate::replies::Replies;
use crate::server_process::ServerProcess;
use crate::stream::{Compression, Plan, Stream};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A server that sends nothing for so long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(5);
const BUFFER_BYTES: usize = 256 << 10;

#[derive(clap::Args)]
pub(crate) struct Echo {
    address: SocketAddr,

    /// The server's process
    #[arg(long)]
    pid: i32,

    /// The length of each message
    #[arg(long)]
    bytes: usize,

    #[arg(long, default_value_t = 1)]
    connections: usize,

    /// How many messages of each connection are on their way at a time
    #[arg(long, default_value_t = 1)]
    in_flight: usize,

    #[arg(long, value_enum, default_value = "binary")]
    kind: Kind,

    #[arg(long, value_enum, default_value = "off")]
    compression: Compression,

    /// Bytes without frames, for a bare TCP echo
    #[arg(long)]
    raw: bool,

    #[arg(long, default_value_t = 0.3)]
    warm_up_seconds: f64,

    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

#[derive(Serialize)]
struct Outcome {
    messages: u64,
    seconds: f64,
    per_second: f64,
    /// The server's.
    cpu_seconds: f64,
    cpu_microseconds_per_message: f64,
    p50_microseconds: f64,
    p99_microseconds: f64,
    p999_microseconds: f64,
    max_microseconds: f64,
    /// Replies to the connection that got fewest and most.
    fewest: u64,
    most: u64,
    /// The server's, with all connections open.
    resident_bytes: Option<u64>,
    /// Payload bytes that the server sent, for each byte of a message.
    ratio: f64,
    /// The same for what it was sent.
    ratio_sent: f64,
    /// Replies of which the content was compared.
    compared: u64,
}

impl Echo {
    pub(crate) fn run(&self) -> Result<(), String> {
        let plan = Plan {
            kind: self.kind,
            size: self.bytes,
            in_flight: self.in_flight,
            compression: self.compression,
            framed: !self.raw,
        };
        let stream = Stream::new(&plan);
        let mut poll = Poll::new().map_err(|error| error.to_string())?;
        let mut connections = self.connect(&poll)?;
        let mut measured = Measured::default();
        let server = ServerProcess::new(self.pid)?;
        for connection in &mut connections {
            connection.send(&stream)?;
        }
        let warm_up = Duration::from_secs_f64(self.warm_up_seconds);
        exchange(&mut poll, &mut connections, &stream, warm_up, &mut measured)?;

        measured = Measured::default();
        let totals = |of: fn(&Replies) -> u64, all: &[Connection]| {
            all.iter().map(|one| of(&one.replies)).sum::<u64>()
        };
        let payload_before = totals(|replies| replies.payload_bytes, &connections);
        let received_before: Vec<_> =
            connections.iter().map(|one| one.replies.received as u64).collect();
        let (cpu, start) = (server.cpu()?, Instant::now());
        exchange(
            &mut poll,
            &mut connections,
            &stream,
            Duration::from_secs_f64(self.seconds),
            &mut measured,
        )?;
        let (cpu, elapsed) = (server.cpu()? - cpu, start.elapsed());

        let payload = totals(|replies| replies.payload_bytes, &connections) - payload_before;
        let by_connection = connections
            .iter()
            .zip(&received_before)
            .map(|(one, b)| one.replies.received as u64 - b);
        let messages: u64 = by_connection.clone().sum();
        if messages == 0 {
            return Err("no reply came in the time measured".into());
        }
        let microseconds = |quantile| measured.latency.value_at_quantile(quantile) as f64 / 1000.0;
        let outcome = Outcome {
            messages,
            seconds: elapsed.as_secs_f64(),
            per_second: messages as f64 / elapsed.as_secs_f64(),
            cpu_seconds: cpu.as_secs_f64(),
            cpu_microseconds_per_message: cpu.as_secs_f64() * 1e6 / messages as f64,
            p50_microseconds: microseconds(0.5),
            p99_microseconds: microseconds(0.99),
            p999_microseconds: microseconds(0.999),
            max_microseconds: measured.latency.max() as f64 / 1000.0,
            fewest: by_connection.clone().min().unwrap_or(0),
            most: by_connection.max().unwrap_or(0),
            resident_bytes: server.resident_bytes(),
            ratio: payload as f64 / (messages as f64 * self.bytes as f64),
            ratio_sent: stream.mean_payload() / self.bytes as f64,
            compared: totals(|replies| replies.sampled, &connections),
        };
        println!("{}", serde_json::to_string(&outcome).map_err(|error| error.to_string())?);
        Ok(())
    }

    fn connect(&self, poll: &Poll) -> Result<Vec<Connection>, String> {
        (0..self.connections)
            .map(|number| {
                let stream = if self.raw {
                    opening::connect(self.address)
                } else {
                    opening::open(self.address, self.compression)
                }?;
                stream.set_nonblocking(true).map_err(|error| error.to_string())?;
                let mut stream = TcpStream::from_std(stream);
                poll.registry()
                    .register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)
                    .map_err(|error| error.to_string())?;
                let replies =
                    Replies::new(!self.raw, self.kind, self.bytes, self.compression, number == 0);
                Ok(Connection::new(stream, replies, self.in_flight))
            })
            .collect()
    }
}

struct Measured {
    /// In nanoseconds.
    latency: Histogram<u64>,
}

impl Default for Measured {
    fn default() -> Self {
        Self {
            latency: Histogram::new_with_max(60_000_000_000, 3).expect("a minute in nanoseconds"),
        }
    }
}

/// Answers each reply with another message, for as long as `duration`.
fn exchange(
    poll: &mut Poll,
    connections: &mut [Connection],
    stream: &Stream,
    duration: Duration,
    measured: &mut Measured,
) -> Result<(), String> {
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; BUFFER_BYTES];
    let end = Instant::now() + duration;
    let mut heard = Instant::now();
    loop {
        let now = Instant::now();
        if now >= end {
            return Ok(());
        }
        poll.poll(&mut events, Some(end - now)).map_err(|error| error.to_string())?;
        if !events.is_empty() {
            heard = Instant::now();
        } else if heard.elapsed() > SILENCE_MAX {
            return Err("the server is silent".into());
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            if event.is_readable() {
                connection.receive(stream, &mut buffer, |latency, count| {
                    measured.latency.saturating_record_n(latency.as_nanos() as u64, count as u64);
                })?;
            }
            connection.send(stream)?;
        }
    }
}
