//! `wskit connect`

mod caller;
mod farewell;
mod happening;
mod input;
mod inspection;
mod interrupt;
mod pings;
mod record;
mod screen;
mod session;
mod statistics;
mod typed;

use crate::block_on::block_on;
use crate::failure::{Failure, Kind};
use crate::printable::json_line;
use crate::request::RequestArguments;
use crate::seconds::Seconds;
use caller::Caller;
use input::{Encoding, InputOptions, Unit};
use interrupt::Interrupt;
use screen::{OutputFormat, Screen};
use session::{Session, SessionOptions};
use statistics::{Statistics, StatisticsFormat};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};
use wskit::reconnect::{Persistence, Retries};
use wskit::{Client, Limits, Timings};

/// Open a connection, send what you type, and show what arrives.
#[derive(clap::Args)]
#[command(long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
pub(crate) struct Connect {
    /// Send binary messages instead of text
    #[arg(long)]
    binary: bool,

    /// Take each line of the input for base64, and send the bytes that it stands for as a binary message
    #[arg(long, conflicts_with_all = ["binary", "whole"])]
    base64: bool,

    /// Send the whole of the input as one message instead of each line as one
    #[arg(long)]
    whole: bool,

    /// Send this instead of the input, and close when as many messages have arrived as were sent,
    /// unless --expect or --linger says otherwise; a server that greets counts too; can be repeated
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

    /// Connect again when the connection is lost or does not come about, after pauses that grow up to 30
    /// seconds; nothing is sent twice
    #[arg(long, conflicts_with = "whole")]
    reconnect: bool,

    /// How many times in a row to try again [default: without end]
    #[arg(long, value_name = "N", requires = "reconnect")]
    retries: Option<u32>,

    /// At the end, tell on standard error what it took: times of each step, messages, bytes,
    /// compression, close code
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    stats: Option<StatisticsFormat>,

    /// The longest message to receive, in bytes; a longer one ends the connection with 1009
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes_max)]
    max_message: u64,

    /// Tell what happens on standard error, even if that is no terminal
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten)]
    request: RequestArguments,
}

const LONG_ABOUT: &str = "\
Open a connection, send what you type, and show what arrives.

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
written as it is, with nothing after it. With --output base64 each message is a line of base64. With \
--output json all that happens is one line each, with its time and direction: open, message (text, or \
binary in base64), ping, pong, close, waiting. When the input ends, wskit waits until the peer has answered a Ping, and so has seen all that was sent, and has been \
silent for the time of --linger. Then it closes with 1000.

Examples:
  wskit connect ws://127.0.0.1:8080/chat
  wskit connect --send hello --expect 2 ws://127.0.0.1:8080/chat
  echo hello | wskit connect --expect 2 ws://127.0.0.1:8080/chat
  wskit connect --binary --whole ws://127.0.0.1:8080/ < in.png > out.png
  wskit connect --ca-cert company.pem wss://chat.company.example/
  wskit connect --proxy socks5h://127.0.0.1:1080 wss://chat.example/
  wskit connect --send hello --expect 2 --stats ws://127.0.0.1:8080/chat
  wskit connect --unix /run/chat.sock ws://localhost/chat
  wskit connect --reconnect --linger off --output json ws://127.0.0.1:8080/chat < /dev/null

Exit codes:
  0    closed with 1000, 1001 or no code, by either side
  1    something failed on this machine
  2    the command line is wrong, or a file that it names
  3    no connection: the name, the port, the network, the proxy or TLS
  4    the opening handshake failed or was refused; wskit inspect shows why
  5    closed by the peer with another code, connection lost, or fewer messages than expected,
       whatever code it was closed with
  130  Ctrl-C: closed with 1001; a second Ctrl-C leaves at once";

/// How long the peer may be silent after the end of the input.
const LINGER: Duration = Duration::from_secs(1);

impl Connect {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let persistence = Persistence { retries_max: self.retries, ..Persistence::default() };
        let mut caller = Caller {
            client: self.client()?,
            url: self.request.url.clone(),
            retries: self.reconnect.then(|| Retries::new(persistence)),
            timings: Timings::default(),
        };
        // The extra thread keeps watching for Ctrl-C while this one writes to a pipe that is full.
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build()?;
        let result = block_on(&runtime, self.converse(&mut caller));
        // A name lookup that hangs is not waited for.
        runtime.shutdown_background();
        result
    }

    async fn converse(&self, caller: &mut Caller) -> Result<(), Failure> {
        let mut interrupt = Interrupt::watch()?;
        let from_terminal = self.send.is_empty() && io::stdin().is_terminal();
        let screen = Screen::new(self.output, from_terminal, self.verbose);
        let encoding = match (self.binary, self.base64) {
            (_, true) => Encoding::Base64,
            (true, _) => Encoding::Binary,
            _ => Encoding::Text,
        };
        let given = input::given(&self.send, encoding)
            .map_err(|why| Failure::new(Kind::Usage, format_args!("--send: {why}")))?;
        let connected = caller.connect(None, &mut interrupt, &screen).await;
        if let Err(failure) = &connected {
            let mut statistics = Statistics::default();
            statistics.close(0, &caller.timings, None, failure.exit_code());
            self.tell(&statistics)?;
        }
        let socket = connected?;
        let opened = Instant::now();
        let input = match self.send.is_empty() {
            false => given,
            true => input::read(InputOptions {
                encoding,
                unit: if self.whole { Unit::Whole } else { Unit::Line },
                has_commands: from_terminal && !self.whole,
            }),
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
            reconnects: self.reconnect,
        };
        let mut session = Session::new(socket, input, interrupt, screen, options);
        let (mut connections, mut outcome) = (1, session.run().await);
        while let Ok(Some(ended)) = outcome {
            let Session { sources, screen, .. } = &mut session;
            outcome = match caller.connect(Some(ended), &mut sources.interrupt, screen).await {
                Ok(socket) => {
                    connections += 1;
                    session.go_on(socket)?;
                    session.run().await
                }
                Err(failure) => {
                    screen.stop_prompting();
                    Err(failure)
                }
            };
        }
        let outcome = outcome.map(|_| ());
        let exit_code = outcome.as_ref().err().map_or(0, Failure::exit_code);
        let mut statistics = session.statistics;
        statistics.close(connections, &caller.timings, Some(opened.elapsed()), exit_code);
        self.tell(&statistics)?;
        outcome
    }

    /// Tells the statistics, if they are wanted.
    fn tell(&self, statistics: &Statistics) -> Result<(), Failure> {
        let Some(format) = self.stats else { return Ok(()) };
        let text = match format {
            StatisticsFormat::Text => statistics.text(),
            StatisticsFormat::Json => {
                json_line(statistics).map_err(|error| Failure::new(Kind::Local, error))?
            }
        };
        let _nobody_reads = writeln!(io::stderr(), "{text}");
        Ok(())
    }

    fn client(&self) -> Result<Client, Failure> {
        let limits = Limits { message_bytes_max: self.max_message, ..Limits::default() };
        let client = self.request.client()?;
        // A Pong tells that the peer has seen what was sent before its Ping.
        let client = client.limits(limits).shows_control_frames(true);
        Ok(client.opening_timeout(self.request.opening_timeout.0).http(self.request.http.into()))
    }
}
