//! `wskit connect`

mod farewell;
mod happening;
mod input;
mod interrupt;
mod pings;
mod screen;
mod session;
mod typed;

use crate::failure::{Failure, Kind};
use crate::http_version::HttpVersionArgument;
use crate::printable::printable;
use crate::request::RequestArguments;
use crate::seconds::Seconds;
use input::{InputOptions, Unit};
use interrupt::Interrupt;
use screen::{OutputFormat, Screen};
use session::{Session, SessionOptions};
use std::io::{self, IsTerminal};
use std::time::Duration;
use wskit::{Client, Error, Limits};

/// Opens a connection, sends what you type, and shows what arrives.
#[derive(clap::Args)]
#[command(long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
pub(crate) struct Connect {
    #[command(flatten)]
    request: RequestArguments,

    /// The version of HTTP to open the connection with; most servers that speak HTTP/2 take no
    /// WebSockets over it, which `auto` finds out at the price of a second connection
    #[arg(long, value_name = "VERSION", default_value = "1.1")]
    http: HttpVersionArgument,

    /// Send binary messages instead of text
    #[arg(long)]
    binary: bool,

    /// Send the whole of the input as one message instead of each line as one
    #[arg(long)]
    whole: bool,

    /// Send this instead of the input, and close when as many messages have arrived as were sent,
    /// unless --expect or --linger says otherwise; can be repeated
    #[arg(long, value_name = "TEXT", conflicts_with = "whole")]
    send: Vec<String>,

    /// How to write messages: `shown` on a terminal and `raw` elsewhere unless this is given
    #[arg(long, value_name = "FORMAT")]
    output: Option<OutputFormat>,

    /// Close when this many messages have arrived
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    expect: Option<u64>,

    /// After the end of piped input, close when the peer has been silent for so many seconds, or
    /// off to wait until the peer closes [default: 1, or off with --expect or --send]
    #[arg(long, value_name = "SECONDS")]
    linger: Option<Seconds>,

    /// Send a Ping every so many seconds, and tell how long its Pong took
    #[arg(long, value_name = "SECONDS")]
    ping: Option<Seconds>,

    /// Tell of every Ping and Pong that arrives
    #[arg(long)]
    show_control: bool,

    /// The longest message to receive, in bytes; a longer one ends the connection with 1009
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes_max)]
    max_message: u64,

    /// How long connecting and the opening handshake may take together, in seconds, or off
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    opening_timeout: Seconds,

    /// Tell what happens on standard error, even if that is no terminal
    #[arg(long, short)]
    verbose: bool,
}

const LONG_ABOUT: &str = "\
Opens a connection, sends what you type, and shows what arrives.

Each line of the input is sent as a message; each message that arrives is written to standard \
output. What happens beside that (connected, pinged, closed) is told on standard error, if that \
is a terminal.";

const AFTER_HELP: &str = "\
On a terminal a message that arrives is shown behind \"< \", and its further lines behind \"| \". \
Control characters and whatever else could deceive the eye are shown as \\u{1b}, binary messages \
as <binary 5 bytes: 68 65 6c 6c 6f>. A line that begins with a slash is a command:
  /ping [TEXT]             sends a Ping and tells how long its Pong took
  /close [CODE [REASON]]   closes the connection, with 1000 unless a code is given
  /help                    shows these commands
  //TEXT                   sends a line that begins with a slash
Ctrl-D closes with 1000. Ctrl-R shows the line being typed again after a message came between.

In a pipe the text of a message is written as it is, and a newline after it; a binary message is \
written as it is, with nothing after it. With --output json each message is one line: \
{\"text\": \"hello\"} or {\"binary\": \"aGVsbG8=\"}, the bytes in base64. When the input ends, \
wskit waits until the peer has answered a Ping, and so has seen all that was sent, and has been \
silent for the time of --linger. Then it closes with 1000.

Examples:
  wskit connect ws://127.0.0.1:8080/chat
  wskit connect --send hello ws://127.0.0.1:8080/chat
  echo hello | wskit connect --expect 1 ws://127.0.0.1:8080/chat
  wskit connect --binary --whole ws://127.0.0.1:8080/ < in.png > out.png
  wskit connect --ca-cert company.pem wss://chat.company.example/
  wskit connect --proxy socks5h://127.0.0.1:1080 wss://chat.example/
  wskit connect --unix /run/chat.sock ws://localhost/chat
  wskit connect --linger off --output json ws://127.0.0.1:8080/chat < /dev/null

Exit codes:
  0    closed with 1000, 1001 or no code, by either side
  1    something failed on this machine
  2    the command line is wrong
  3    no connection: the name, the port, the network, the proxy or TLS
  4    the opening handshake failed or was refused; wskit inspect tells more
  5    closed by the peer with another code, connection lost, or fewer messages than expected
  130  Ctrl-C: closed with 1001; a second Ctrl-C leaves at once";

/// How long the peer may be silent after the end of the input.
const LINGER: Duration = Duration::from_secs(1);

impl Connect {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let client = self.client()?;
        // The extra thread keeps watching for Ctrl-C while this one writes to a pipe that is full.
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build()?;
        let result = runtime.block_on(self.converse(&client));
        // A name lookup that hangs is not waited for.
        runtime.shutdown_background();
        result
    }

    async fn converse(&self, client: &Client) -> Result<(), Failure> {
        let mut interrupt = Interrupt::watch()?;
        let from_terminal = self.send.is_empty() && io::stdin().is_terminal();
        let screen = Screen::new(self.output, from_terminal, self.verbose);
        let socket = tokio::select! {
            connected = client.connect() => {
                connected.map_err(|error| self.explain(error))?
            }
            () = interrupt.received() => interrupt::leave(),
        };
        screen.connected(&self.request.url, client.chosen_proxy()?.as_ref(), &socket);
        let input = match &self.send[..] {
            [] => input::read(InputOptions {
                binary: self.binary,
                unit: if self.whole { Unit::Whole } else { Unit::Line },
                has_commands: from_terminal && !self.whole,
            }),
            texts => input::given(texts, self.binary),
        };
        let expected = match (self.expect, self.linger) {
            // One answer to each.
            (None, None) if !self.send.is_empty() => Some(self.send.len() as u64),
            (expected, _) => expected,
        };
        let options = SessionOptions {
            expected,
            linger: match (self.linger, expected) {
                (Some(seconds), _) => seconds.0,
                (None, Some(_)) => None,
                // A person who ends the input wants to leave.
                (None, None) => Some(if from_terminal { Duration::ZERO } else { LINGER }),
            },
            ping_interval: self.ping.and_then(|seconds| seconds.0),
            shows_control: self.show_control,
        };
        let mut session = Session::new(socket, input, interrupt, screen, options);
        session.run().await
    }

    fn client(&self) -> Result<Client, Failure> {
        let limits = Limits { message_bytes_max: self.max_message, ..Limits::default() };
        let client = self.request.client()?;
        // A Pong tells that the peer has seen what was sent before its Ping.
        let client = client.limits(limits).shows_control_frames(true);
        Ok(client.opening_timeout(self.opening_timeout.0).http(self.http.into()))
    }

    fn explain(&self, error: Error) -> Failure {
        match error {
            Error::Handshake(error) => Failure::new(
                Kind::Handshake,
                format_args!(
                    "{}; wskit inspect {} explains it",
                    printable(&error.to_string()),
                    self.request.url
                ),
            ),
            // It shows what the peer says.
            Error::Redirect { .. } => Failure::new(Kind::Handshake, printable(&error.to_string())),
            Error::Tls(_) => Failure::new(
                Kind::Connect,
                format_args!(
                    "{}; wskit inspect {} tells more",
                    printable(&error.to_string()),
                    self.request.url
                ),
            ),
            error => error.into(),
        }
    }
}
