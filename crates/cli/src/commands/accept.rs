//! `wskit accept`

use crate::failure::{Failure, Kind};
use std::io::{self, Write};
use wskit::proto::handshake::Key;

/// Print the Sec-WebSocket-Accept value that a server has to answer to a key.
///
/// It is the base64 of the SHA-1 of the key followed by 258EAFA5-E914-47DA-95CA-C5AB0DC85B11
/// (RFC 6455 section 4.2.2).
#[derive(clap::Args)]
pub(crate) struct Accept {
    /// The value of Sec-WebSocket-Key, such as dGhlIHNhbXBsZSBub25jZQ==
    key: String,
}

impl Accept {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let key: Key = self.key.parse().map_err(|error| {
            Failure::new(Kind::Usage, format_args!("{:?} is no key: {error}", self.key))
        })?;
        Ok(writeln!(io::stdout(), "{}", key.accept())?)
    }
}
