//! What is answered, whatever is asked.

/// To whatever comes first.
pub const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// To whatever comes next.
pub const CLOSE: &[u8] = b"\x88\x02\x03\xe8";

/// How much is read at once.
pub const BUFFER_BYTES: usize = 4096;
