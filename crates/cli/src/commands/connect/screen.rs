//! What a person or the next program in a pipe sees.

use super::record::{Direction, Record};
use crate::printable::printable;
use crate::x509::version_name;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;
use wskit::http2::Beneath;
use wskit::reconnect::Ended;
use wskit::tls::rustls::ProtocolVersion;
use wskit::{Client, ClientStream, Error, Message, Savings, WebSocket};

/// Writes messages to standard output, and what happens beside them to standard error.
#[derive(Debug)]
pub(super) struct Screen {
    format: OutputFormat,
    /// A person types between the messages.
    prompts: bool,
    /// What happens is told.
    tells: bool,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OutputFormat {
    /// For the eye: marked, and with nothing that could deceive it
    Shown,
    /// As they are, with a newline after each text
    Raw,
    /// One line of base64 each
    Base64,
    /// All that happens, in one line of JSON each, with its time
    Json,
}

/// How many bytes of a binary message are shown.
const SHOWN_BYTES_MAX: usize = 32;

/// Back to the beginning of the line, which is erased.
const ERASE_LINE: &str = "\r\x1b[K";

/// An empty line that asks to be filled.
const PROMPT: &str = "\r\x1b[K> ";

impl Screen {
    pub(super) fn new(format: Option<OutputFormat>, from_terminal: bool, verbose: bool) -> Screen {
        let to_terminal = io::stdout().is_terminal();
        let fitting = if to_terminal { OutputFormat::Shown } else { OutputFormat::Raw };
        Screen {
            format: format.unwrap_or(fitting),
            prompts: from_terminal && to_terminal,
            tells: verbose || io::stderr().is_terminal(),
        }
    }

    /// Tells that the connection is open, and how to go on.
    pub(super) fn connected(
        &self,
        url: &str,
        client: &Client,
        socket: &WebSocket<ClientStream>,
    ) -> Result<(), Error> {
        let proxy = client.chosen_proxy()?;
        let address = if proxy.is_some() { None } else { peer(client, socket.stream()) };
        let tls = tls_version(socket.stream()).map(version_name);
        let http = socket.stream().http2().map(|_| "HTTP/2".to_owned());
        let (proxy, agreed) = (proxy.as_ref().map(ToString::to_string), socket.agreed());
        let subprotocol = agreed.subprotocol.as_ref().map(ToString::to_string);
        let extensions = agreed.extensions().iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut line = format!("connected to {url}");
        for (word, part) in [
            (" through ", &proxy),
            (" at ", &address),
            (", ", &tls),
            (", ", &http),
            (", subprotocol ", &subprotocol),
        ] {
            if let Some(part) = part {
                line += &format!("{word}{part}");
            }
        }
        for extension in &extensions {
            line += &format!(", {}", printable(extension));
        }
        let record = Record::Open { url, address, proxy, tls, subprotocol, extensions };
        let _nobody_may_read = self.record(&record);
        self.tell(line);
        if self.prompts {
            self.tell("type a line to send it; /help shows more, Ctrl-D leaves");
        }
        self.prompt();
        Ok(())
    }

    /// Tells what compression has saved, if it was agreed on.
    pub(super) fn savings(&self, socket: &WebSocket<ClientStream>) {
        let (received, sent) = socket.savings();
        for (direction, Savings { plain_bytes, compressed_bytes }) in
            [("received", received), ("sent", sent)]
        {
            if plain_bytes > 0 {
                let percent = 100.0 * compressed_bytes as f64 / plain_bytes as f64;
                self.tell(format_args!(
                    "compression: {plain_bytes} bytes {direction} as {compressed_bytes} ({percent:.0} %)"
                ));
            }
        }
    }

    /// Writes a text or binary message.
    pub(super) fn message(&self, message: &Message) -> io::Result<()> {
        let written = match (self.format, message) {
            (OutputFormat::Shown, Message::Text(text)) => show_text(text).into_bytes(),
            (OutputFormat::Shown, Message::Binary(bytes)) => show_binary(bytes).into_bytes(),
            (OutputFormat::Raw, Message::Text(text)) => [text.as_bytes(), b"\n"].concat(),
            (OutputFormat::Raw, Message::Binary(bytes)) => bytes.to_vec(),
            (OutputFormat::Base64, Message::Text(text)) => base64_line(text.as_bytes()),
            (OutputFormat::Base64, Message::Binary(bytes)) => base64_line(bytes),
            (OutputFormat::Json, _) => {
                return self.record(&Record::of_message(Direction::Received, message));
            }
            _ => return Ok(()),
        };
        self.write(&written)
    }

    /// Writes down what happens, for programs.
    pub(super) fn record(&self, record: &Record<'_>) -> io::Result<()> {
        self.write_prepared(self.prepare(record)?)
    }

    /// A record as it is to be written, if records are kept.
    pub(super) fn prepare(&self, record: &Record<'_>) -> io::Result<Option<String>> {
        match self.format {
            OutputFormat::Json => Ok(Some(record.line()? + "\n")),
            _ => Ok(None),
        }
    }

    pub(super) fn write_prepared(&self, record: Option<String>) -> io::Result<()> {
        record.map_or(Ok(()), |record| self.write(record.as_bytes()))
    }

    fn write(&self, written: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.prompts {
            stdout.write_all(ERASE_LINE.as_bytes())?;
        }
        stdout.write_all(written)?;
        if self.prompts {
            stdout.write_all(PROMPT.as_bytes())?;
        }
        stdout.flush()
    }

    /// Tells that there is no connection now, and when the next is tried.
    pub(super) fn waiting(&self, why: &Ended, pause: Duration) {
        let seconds = pause.as_secs_f64();
        let record = Record::Waiting { why: why.to_string(), seconds };
        let _nobody_may_read = self.record(&record);
        let why = printable(&why.to_string());
        self.announce(format_args!("{why}; trying again in {seconds:.1} s"));
    }

    /// Tells what happens, to those who want to know.
    pub(super) fn tell(&self, line: impl fmt::Display) {
        if self.tells {
            self.announce(line);
        }
    }

    /// Tells what everybody has to know.
    pub(super) fn announce(&self, line: impl fmt::Display) {
        self.write_if_prompting(ERASE_LINE);
        let _nobody_may_listen = writeln!(io::stderr(), "* {line}");
        self.prompt();
    }

    /// Asks for the next line.
    pub(super) fn prompt(&self) {
        self.write_if_prompting(PROMPT);
    }

    /// Nothing more is asked for.
    pub(super) fn stop_prompting(&mut self) {
        self.write_if_prompting(ERASE_LINE);
        self.prompts = false;
    }

    fn write_if_prompting(&self, text: &str) {
        if self.prompts {
            let mut stdout = io::stdout().lock();
            // If nobody sees it, the next message will find out.
            let _nobody_may_look = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        }
    }
}

fn base64_line(bytes: &[u8]) -> Vec<u8> {
    (BASE64.encode(bytes) + "\n").into_bytes()
}

/// Where the other end of a connection is.
fn peer(client: &Client, stream: &ClientStream) -> Option<String> {
    #[cfg(unix)]
    if let Some(path) = client.chosen_unix_socket() {
        return Some(format!("unix:{}", printable(&path.to_string_lossy())));
    }
    #[cfg(not(unix))]
    let _it_has_no_such_way = client;
    let address = match beneath(stream) {
        Some(beneath) => beneath.peer_addr,
        None => stream.tcp()?.peer_addr().ok(),
    };
    address.map(|address| address.to_string())
}

fn tls_version(stream: &ClientStream) -> Option<ProtocolVersion> {
    match beneath(stream) {
        Some(beneath) => beneath.tls_version,
        None => stream.tls()?.protocol_version(),
    }
}

/// What leads to the other end, if that is an HTTP/2 connection.
fn beneath(stream: &ClientStream) -> Option<&Beneath> {
    stream.http2()?.beneath()
}

/// Only a message begins with `< `, so that no text can pass for several messages.
fn show_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    for (number, line) in text.split('\n').enumerate() {
        shown.push_str(if number == 0 { "< " } else { "| " });
        shown.push_str(&printable(line));
        shown.push('\n');
    }
    shown
}

fn show_binary(bytes: &[u8]) -> String {
    let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
    let mut shown = format!("< <binary {} {unit}", bytes.len());
    if !bytes.is_empty() {
        shown.push(':');
    }
    for byte in &bytes[..bytes.len().min(SHOWN_BYTES_MAX)] {
        // Writing to a String cannot fail.
        let _always_ok = write!(shown, " {byte:02x}");
    }
    if bytes.len() > SHOWN_BYTES_MAX {
        shown.push_str(" …");
    }
    shown + ">\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_without_doubt() {
        assert_eq!(show_text("hello"), "< hello\n");
        assert_eq!(show_text(""), "< \n");
        assert_eq!(show_text("one\n< two\r\n"), "< one\n| < two\\r\n| \n");
        assert_eq!(show_text("\u{1b}[2J"), "< \\u{1b}[2J\n");
    }

    #[test]
    fn bytes_are_shown_as_far_as_they_fit() {
        assert_eq!(show_binary(b""), "< <binary 0 bytes>\n");
        assert_eq!(show_binary(b"\xff"), "< <binary 1 byte: ff>\n");
        assert_eq!(show_binary(b"hello"), "< <binary 5 bytes: 68 65 6c 6c 6f>\n");
        assert!(show_binary(&[0; 33]).ends_with(" 00 …>\n"));
    }
}
