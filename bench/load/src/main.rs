//! The load generator. Its framing is written by hand and shares nothing with any of the servers it measures.
//!
//! Each subcommand prints one line of JSON.

mod connection;
mod deflate;
mod echo;
mod frame;
mod opening;
mod payload;
mod random;
mod replies;
mod server_process;
mod stream;

use clap::Parser;

/// Loads a server and tells what it cost
#[derive(Parser)]
enum Command {
    /// Messages back and forth on many connections
    Echo(echo::Echo),
}

fn main() {
    let outcome = match Command::parse() {
        Command::Echo(echo) => echo.run(),
    };
    if let Err(failure) = outcome {
        eprintln!("load: {failure}");
        std::process::exit(1);
    }
}
