//! The `wskit` command.

#![forbid(unsafe_code)]

mod accepting;
mod addresses;
mod certificate;
mod commands;
mod compression;
mod entrance;
mod failure;
mod forwarded;
mod http_version;
mod listener;
mod listening;
mod log;
mod printable;
mod refusals;
mod request;
mod seconds;
mod shutdown;
mod streams;
mod trust;
#[cfg(unix)]
mod unix_socket;
mod way;
mod x509;

use clap::Parser;
use commands::Command;
use std::process::ExitCode;

/// The WebSocket kit: serve a chat, echo messages, connect to endpoints and see why a handshake
/// fails.
#[derive(Parser)]
#[command(name = "wskit", version, after_help = failure::EXIT_CODES, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
