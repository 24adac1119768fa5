//! What an HTTP/2 connection may cost.

use h2::{client, server};
use std::time::Duration;

/// What an HTTP/2 connection may cost, beside what each WebSocket on it may
/// ([`Limits`](crate::Limits)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2Limits {
    /// The most streams at a time that a client may open on one connection: 100. A client sizes the
    /// window of its connection for as many; how many it may open, the server says.
    pub streams_max: u32,
    /// How much of a stream the peer may send before it is read: 64 KiB. The connection has room for
    /// the windows of all streams, so that one that is not read holds up no other.
    pub window_bytes: u32,
    /// How many small DATA frames, of all streams of the connection together, may wait to be read:
    /// 65,536. Each costs some 256 bytes with its own, so that is 16 MiB. One more ends the connection
    /// with ENHANCE_YOUR_CALM, and with it every WebSocket on it.
    ///
    /// With the other defaults, the windows of all streams may be full of frames of 72 bytes, or
    /// those of 21 streams full of frames of 20 bytes.
    pub small_frames_max: usize,
    /// How much of a stream may wait to be written: 64 KiB.
    pub output_bytes_max: usize,
    /// The longest list of headers, as RFC 9113 §6.5.2 counts: 16 KiB. A longer one is refused with 431.
    pub header_list_bytes_max: u32,
    /// How many streams that the peer opened and reset again, before anybody looked at them, may be
    /// remembered at a time: 20. One more ends the connection ("rapid reset").
    pub pending_resets_max: usize,
    /// How many errors in single streams, which we reset, the peer may make: 1024. One more ends the
    /// connection.
    pub stream_errors_max: usize,
    /// How long a server keeps a connection without any stream: 60 s. A stream counts until the
    /// application drops it, however much of what it sent last has yet to leave. Before the first
    /// stream it is the [opening timeout](crate::Server::opening_timeout). `None` waits for ever.
    pub idle_timeout: Option<Duration>,
}

impl Default for Http2Limits {
    fn default() -> Http2Limits {
        Http2Limits {
            streams_max: 100,
            window_bytes: 64 << 10,
            small_frames_max: 64 << 10,
            output_bytes_max: 64 << 10,
            header_list_bytes_max: 16 << 10,
            pending_resets_max: 20,
            stream_errors_max: 1024,
            idle_timeout: Some(Duration::from_secs(60)),
        }
    }
}

/// The largest window (RFC 9113 §6.9.1).
const WINDOW_BYTES_MAX: u32 = (1 << 31) - 1;

/// What a small frame costs in memory, with its own bytes.
const SMALL_FRAME_BYTES: usize = 256;

/// Applies what both roles have in common.
macro_rules! apply {
    ($limits:expr, $builder:expr) => {{
        let (limits, builder) = ($limits, $builder);
        let window_bytes = limits.window_bytes.min(WINDOW_BYTES_MAX);
        let connection_bytes = limits
            .streams_max
            .saturating_mul(window_bytes)
            .clamp(u16::MAX.into(), WINDOW_BYTES_MAX);
        builder
            .initial_window_size(window_bytes)
            .initial_connection_window_size(connection_bytes)
            .max_send_buffer_size(limits.output_bytes_max)
            .max_header_list_size(limits.header_list_bytes_max)
            .max_pending_accept_reset_streams(limits.pending_resets_max)
            .max_local_error_reset_streams(Some(limits.stream_errors_max))
            // Charged for each frame that waits is what it has less than these bytes.
            .data_frame_budget(limits.small_frames_max.saturating_mul(SMALL_FRAME_BYTES));
    }};
}

impl Http2Limits {
    pub(super) fn server(&self) -> server::Builder {
        let mut builder = server::Builder::new();
        apply!(self, &mut builder);
        builder.max_concurrent_streams(self.streams_max).enable_connect_protocol();
        builder
    }

    pub(super) fn client(&self) -> client::Builder {
        let mut builder = client::Builder::new();
        apply!(self, &mut builder);
        builder.enable_push(false);
        builder
    }
}
