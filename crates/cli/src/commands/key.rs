//! `wskit key`

use crate::failure::Failure;
use std::io::{self, Write};

/// Print a fresh Sec-WebSocket-Key: the base64 of 16 random bytes.
#[derive(clap::Args)]
pub(crate) struct Key {}

impl Key {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        Ok(writeln!(io::stdout(), "{}", wskit::Client::fresh_key())?)
    }
}
