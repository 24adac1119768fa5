//! How the command ends when something fails: one plain line and a documented exit code.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};
use wskit::Error;

/// The exit codes, as the help shows them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    all went well
  1    something failed on this machine; serve or echo cannot read a file,
       or use a certificate and its key, or NATS credentials
  2    the command line is wrong, or a file that it names
  3    no connection: the name, the port, the network, the proxy, TLS or NATS
  4    the opening handshake failed or was refused
  5    the peer broke the protocol or the connection was lost
  6    the address cannot be listened on
  7    the data directory cannot be used
  130  interrupted by Ctrl-C";

/// Why the command ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    /// Empty where everything has been said, or there is nobody to say it to.
    message: String,
}

/// The kinds of failure; each has an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something failed on this machine. A server that cannot read a file, or use a certificate and its key, or NATS
    /// credentials, ends so: they may be there and whole the next moment, and whoever watches over the server is to start
    /// it again.
    Local = 1,
    /// The command line is wrong, or a file that it names: it holds something else, or `connect` or `inspect` cannot read it.
    Usage = 2,
    /// No connection.
    Connect = 3,
    /// The opening handshake failed.
    Handshake = 4,
    /// The peer broke the protocol, or the connection was lost.
    Connection = 5,
    /// The address cannot be listened on.
    Listen = 6,
    /// The data directory cannot be used.
    Data = 7,
    /// Interrupted by Ctrl-C: 128 and the number of the signal.
    Interrupted = 130,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl fmt::Display) -> Failure {
        Failure { kind, message: message.to_string() }
    }

    /// Prints the line and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            // Standard error may be closed too, and then there is nobody to tell.
            let _nobody_reads = writeln!(io::stderr(), "wskit: {}", self.message);
        }
        ExitCode::from(self.exit_code())
    }

    /// What the program ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.kind as u8
    }

    /// A failure of which everything has been said.
    pub(crate) fn silent(kind: Kind) -> Failure {
        Failure { kind, message: String::new() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let kind = match &error {
            Error::Url(_) | Error::Argument(_) => Kind::Usage,
            Error::Connect(_) | Error::Proxy(_) | Error::Tls(_) => Kind::Connect,
            Error::OpeningTimeout(_)
            | Error::Opening(_)
            | Error::Handshake(_)
            | Error::Http2Unavailable(_)
            | Error::Redirect { .. } => Kind::Handshake,
            Error::Protocol(_) | Error::Lost(_) => Kind::Connection,
            _ => Kind::Local,
        };
        Failure::new(kind, error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            // A closed pipe is the reader's choice and nothing to complain about.
            io::ErrorKind::BrokenPipe => Failure::silent(Kind::Local),
            _ => Failure::new(Kind::Local, error),
        }
    }
}
