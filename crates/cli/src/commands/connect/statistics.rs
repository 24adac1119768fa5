//! What a conversation took and carried, told at its end.

use crate::seconds::shown;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;
use wskit::{ClientStream, Message, Savings, Timings, WebSocket};

/// What a conversation took and carried. Its JSON is what `--stats json` writes, so its names stay.
#[derive(Debug, Default, Serialize)]
pub(super) struct Statistics {
    /// How many connections there were.
    connections: u64,
    redirects: u32,
    lookup_seconds: Option<f64>,
    connect_seconds: Option<f64>,
    proxy_seconds: Option<f64>,
    tls_seconds: Option<f64>,
    handshake_seconds: Option<f64>,
    /// From the first opening to the end.
    open_seconds: Option<f64>,
    received: Traffic,
    sent: Traffic,
    /// What the peer closed with; `null` if it did not, or said no code.
    close_code: Option<u16>,
    exit_code: u8,
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Traffic {
    messages: u64,
    /// The bytes of the messages, before compression.
    bytes: u64,
    /// Those of them that belong to messages which came compressed, and what became of them.
    plain_bytes: u64,
    compressed_bytes: u64,
}

/// How statistics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum StatisticsFormat {
    /// Lines to read
    Text,
    /// One line of JSON
    Json,
}

impl Statistics {
    /// A message of so many bytes; `None` is no message.
    pub(super) fn received(&mut self, bytes: Option<usize>) {
        self.received.count(bytes);
    }

    /// As [`received`](Statistics::received).
    pub(super) fn sent(&mut self, bytes: Option<usize>) {
        self.sent.count(bytes);
    }

    /// A part of a message that is sent in parts.
    pub(super) fn sent_part(&mut self, bytes: usize, last: bool) {
        self.sent.bytes += bytes as u64;
        self.sent.messages += u64::from(last);
    }

    /// Takes note of a connection that has ended.
    pub(super) fn ended(&mut self, socket: &WebSocket<ClientStream>) {
        let (received, sent) = socket.savings();
        self.received.compressed(received);
        self.sent.compressed(sent);
        self.close_code = socket.peer_close().flatten().map(|frame| frame.code().number());
    }

    /// Takes note of the way to the latest connection, and of the end.
    pub(super) fn close(
        &mut self,
        connections: u64,
        timings: &Timings,
        open: Option<Duration>,
        exit_code: u8,
    ) {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        self.connections = connections;
        self.redirects = timings.redirects;
        self.lookup_seconds = seconds(timings.lookup);
        self.connect_seconds = seconds(timings.connect);
        self.proxy_seconds = seconds(timings.proxy);
        self.tls_seconds = seconds(timings.tls);
        self.handshake_seconds = seconds(timings.handshake);
        self.open_seconds = seconds(open);
        self.exit_code = exit_code;
    }

    /// The statistics for people, on several lines.
    pub(super) fn text(&self) -> String {
        let steps = [
            ("lookup", self.lookup_seconds),
            ("connect", self.connect_seconds),
            ("proxy", self.proxy_seconds),
            ("TLS", self.tls_seconds),
            ("handshake", self.handshake_seconds),
            ("open", self.open_seconds),
        ];
        let steps = steps.into_iter().filter_map(|(name, seconds)| {
            Some(format!("{name} {}", shown(Duration::from_secs_f64(seconds?))))
        });
        let mut text = format!("times     {}\n", steps.collect::<Vec<_>>().join(", "));
        if self.connections == 0 {
            return text + "closed    never opened";
        }
        for (name, traffic) in [("received", &self.received), ("sent", &self.sent)] {
            // Writing to a String cannot fail.
            let _always_ok = writeln!(text, "{name:8}  {}", traffic.text());
        }
        let close = self
            .close_code
            .map_or("without a code of the peer".into(), |code| format!("with {code}"));
        let _always_ok = write!(text, "closed    {close}");
        for (count, what) in [
            (self.connections.saturating_sub(1), "reconnected"),
            (self.redirects.into(), "redirected"),
        ] {
            if count > 0 {
                let _always_ok = write!(text, ", {what} {count} times");
            }
        }
        text
    }
}

impl Traffic {
    fn count(&mut self, bytes: Option<usize>) {
        self.messages += u64::from(bytes.is_some());
        self.bytes += bytes.unwrap_or_default() as u64;
    }

    fn compressed(&mut self, savings: Savings) {
        self.plain_bytes += savings.plain_bytes;
        self.compressed_bytes += savings.compressed_bytes;
    }

    fn text(&self) -> String {
        let unit = |count, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let mut text =
            format!("{} of {}", unit(self.messages, "message"), unit(self.bytes, "byte"));
        if self.plain_bytes > 0 {
            let percent = 100.0 * self.compressed_bytes as f64 / self.plain_bytes as f64;
            let (plain, compressed) = (self.plain_bytes, self.compressed_bytes);
            let _always_ok = write!(text, "; {plain} of them as {compressed} ({percent:.0} %)");
        }
        text
    }
}

/// The length of a text or binary message.
pub(super) fn payload_bytes(message: &Message) -> Option<usize> {
    match message {
        Message::Text(text) => Some(text.len()),
        Message::Binary(bytes) => Some(bytes.len()),
        _ => None,
    }
}
