//! The `wskit` command.

#![forbid(unsafe_code)]

mod accepting;
mod addresses;
mod apart;
mod block_on;
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
mod places;
mod printable;
mod refusals;
mod request;
mod seconds;
mod settings;
mod shutdown;
mod streams;
mod trust;
#[cfg(unix)]
mod unix_socket;
mod way;
mod x509;

use clap::{CommandFactory, Parser};
use commands::Command;
use settings::Settings;
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
    let given = std::env::args_os().collect();
    let gathered =
        Settings::gather(&Arguments::command(), given, |variable| std::env::var_os(variable));
    let outcome = gathered.and_then(|settings| {
        let arguments = Arguments::try_parse_from(&settings.arguments);
        let explain = |error| settings.explain(&error).unwrap_or_else(|| error.exit());
        arguments.map_err(explain)?.command.run()
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
