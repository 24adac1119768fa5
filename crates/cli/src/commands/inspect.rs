//! `wskit inspect`

mod advice;
mod checks;
mod closing;
mod investigation;
mod over_http1;
mod over_http2;
mod page;
mod recording;
mod report;
mod response;
mod settings;
mod witness;

use crate::block_on::block_on;
use crate::failure::{Failure, Kind};
use crate::printable::json_document;
use crate::request::RequestArguments;
use std::io::{self, Write};
use std::process;
use witness::Witness;

/// Open one handshake, explain it line by line, and close again.
#[derive(clap::Args)]
#[command(long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
pub(crate) struct Inspect {
    /// How to write what was found
    #[arg(long, value_name = "FORMAT", default_value = "page")]
    output: OutputFormat,

    /// What --output json was called before.
    #[arg(long, hide = true, conflicts_with = "output")]
    json: bool,

    #[command(flatten)]
    request: RequestArguments,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A page to read
    Page,
    /// One JSON object
    Json,
}

const LONG_ABOUT: &str = "\
Open one handshake, explain it line by line, and close again.

It shows how the name is looked up and TCP connected, what TLS agreed on and the certificate of the \
server, the request as it is sent, the key and its 16 \
bytes, the response as it is received, each check that RFC 6455 section 4.1 demands of a client \
with its verdict, what was agreed, and how long everything took. When something is wrong it says \
why, and what to try. It follows no redirect.

With --http 2 or auto it does so for HTTP/2 (RFC 8441): what ALPN agreed on, the settings of the \
server and whether they allow the extended CONNECT, its pseudo-header fields and headers, the \
response, and which of the checks are left where there is no key.";

const AFTER_HELP: &str = "\
With --output json one object is written. Its members are there in every case, and null or empty where \
the inspection did not get that far; times are in seconds:
  url        as it was given
  outcome    open, name_unknown, no_connection, tls_failed, http2_unavailable, response_timeout,
             connection_ended, response_unreadable, refused, handshake_wrong or closing_wrong
  exit_code  as below
  detour     the proxy or the Unix-domain socket on the way: {through, error, seconds}; with
             one, this machine looks no name up and tries no address
  lookup     {host, addresses, seconds}
  attempts   the addresses that were tried: [{address, error, seconds}]
  tls        {version, cipher, protocol, certificate, error, let_pass, seconds}, or null on ws://:
             protocol is what ALPN agreed on, certificate {subject, issuer, names, not_before,
             not_after, sha256}; let_pass is what is wrong with it if --insecure took it
  http2      {known_by, settings: [{number, name, value}], takes_websockets, seconds}: how HTTP/2
             began, known by alpn or prior_knowledge; null if it did not
  http_version
             of the request: 1.1 or 2
  request    {line, pseudo_headers, headers: [{name, value}]}: over HTTP/1.1 with a line, over
             HTTP/2 with pseudo-header fields, as [{name, value}], and line is null
  key        {text, bytes, accept}: the bytes in hex, and the accept value it demands; null over
             HTTP/2, which has none
  response   {line, status, headers: [{name, value}], body, seconds}: the start of the body
  checks     [{number, header, demand, found, passed, falls_away}]: the number in the list of
             RFC 6455 section 4.1; passed is null if it does not apply, and falls_away says why
  agreed     {subprotocol, extensions}
  closing    {sent, received: {code, reason}, ended_by_peer, error, seconds}: the peer
             ended the TCP connection, or over HTTP/2 the stream
  fault      {why, try}: in words, for people

Examples:
  wskit inspect ws://127.0.0.1:8080/chat
  wskit inspect --http 2 wss://chat.example/
  wskit inspect --origin https://chat.example --header 'Cookie: id=1' wss://chat.example/
  wskit inspect --output json ws://127.0.0.1:8080/chat

Exit codes:
  0  the handshake is right, and so is its end
  1  something failed on this machine
  2  the command line is wrong, or a file that it names
  3  no connection: the name, the port, the network, the proxy or TLS
  4  the opening handshake failed or was refused, or there is no HTTP/2 for it
  5  the handshake is right, but the closing is not";

impl Inspect {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (client, witness) = Witness::of(self.request.client()?, &self.request.trust)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let witness = witness.as_deref();
        let version = self.request.http.into();
        let investigation = investigation::investigate(
            &client,
            version,
            witness,
            &self.request.url,
            self.request.opening_timeout.0,
        );
        let report = block_on(&runtime, investigation);
        // A name lookup that hangs is not waited for.
        runtime.shutdown_background();
        let page = match self.json || self.output == OutputFormat::Json {
            true => json_document(&report).map_err(|error| Failure::new(Kind::Local, error))?,
            false => page::render(&report, page::Paint::for_stdout()),
        };
        let mut stdout = io::stdout();
        writeln!(stdout, "{}", page.trim_end())?;
        stdout.flush()?;
        match report.exit_code {
            0 => Ok(()),
            // The page has told all but the exit code.
            code => process::exit(code.into()),
        }
    }
}
