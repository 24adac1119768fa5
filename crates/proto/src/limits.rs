//! What a peer may cost, counted before memory is taken.

/// The limits on what one peer may send and on what may wait for it.
///
/// ```
/// # use wskit_proto::Limits;
/// let limits = Limits { message_bytes_max: 64 * 1024, ..Limits::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message that is put together for the application: 64 MiB. A longer one fails
    /// the connection with 1009, when the header that crosses the limit arrives.
    pub message_bytes_max: u64,
    /// The longest message that is taken [piece by piece](crate::Connection::receive_piece), of
    /// which only one piece is in memory at a time: no limit.
    pub piecewise_message_bytes_max: u64,
    /// The longest single frame: no limit of its own, for no frame is longer than its message.
    pub frame_bytes_max: u64,
    /// The most fragments that one message may come in, one at least: 131,072. More fail the connection with
    /// 1008, so that nobody is kept busy with empty fragments for ever.
    pub fragments_max: u32,
    /// The most bytes that wait to leave before [sending](crate::Connection::is_output_full) has
    /// to wait: 256 KiB. One message may stand above it, or those that are joined; no other does.
    pub output_bytes_max: usize,
    /// The most bytes of Pongs that wait to leave: 4 KiB. While that much waits, only the latest
    /// Ping is remembered, as RFC 6455 §5.5.3 allows.
    pub pong_bytes_max: usize,
}

impl Limits {
    /// The longest message of one frame.
    #[inline]
    pub(crate) fn unfragmented_message_bytes_max(&self) -> u64 {
        self.message_bytes_max.min(self.frame_bytes_max)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_bytes_max: 64 << 20,
            piecewise_message_bytes_max: u64::MAX,
            frame_bytes_max: u64::MAX,
            fragments_max: 1 << 17,
            output_bytes_max: 256 << 10,
            pong_bytes_max: 4 << 10,
        }
    }
}
