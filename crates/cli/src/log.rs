//! The log: one line on standard error for each thing that an operator may want to know.

use clap::ValueEnum;
use std::io;

/// How the log is written.
#[derive(clap::Args)]
pub(crate) struct LogArguments {
    /// Who comes, goes and is refused, on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "off")]
    log: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Nothing is written
    Off,
    /// For people
    Text,
    /// One JSON object for each line
    Json,
}

impl LogArguments {
    /// Begins to write, for the rest of the program.
    pub(crate) fn begin(&self) {
        // A line that cannot be written is lost. To complain of it is to write to the same place, and that panics.
        let log = tracing_subscriber::fmt().with_writer(io::stderr).log_internal_errors(false);
        let log = log.with_target(false);
        match self.log {
            Format::Off => {}
            Format::Text => log.with_ansi(false).init(),
            Format::Json => log.json().flatten_event(true).with_current_span(false).init(),
        }
    }
}
