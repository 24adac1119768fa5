//! The report as a page to read.

use super::report::{
    Attempt, Checked, Closing, Detour, Header, Http2, KnownBy, Lookup, Opening, Report, Response,
    Setting, Tls, Verdict,
};
use super::settings::ENABLE_CONNECT_PROTOCOL;
use crate::printable::printable;
use crate::seconds::shown;
use crate::x509::Described;
use std::fmt;
use std::io::{self, IsTerminal};

/// Whether the page has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Colours,
}

impl Paint {
    /// Colours on a terminal, unless the user wants none (<https://no-color.org>).
    pub(super) fn for_stdout() -> Paint {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        match io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb {
            true => Paint::Colours,
            false => Paint::Plain,
        }
    }
}

/// Writes the report for people.
pub(super) fn render(report: &Report, paint: Paint) -> String {
    let mut page = Page { text: String::new(), paint };
    page.line("url", &report.url);
    if let Some(detour) = &report.detour {
        page.detour(detour);
    }
    if let Some(lookup) = &report.lookup {
        page.lookup(lookup);
    }
    page.attempts(&report.attempts);
    if let Some(tls) = &report.tls {
        page.tls(tls);
    }
    if let Some(http2) = &report.http2 {
        page.paragraph();
        page.http2(http2);
    }
    if let Some(opening) = &report.opening {
        page.paragraph();
        page.opening(opening);
    }
    if let Some(response) = &report.response {
        page.paragraph();
        page.response(response);
    }
    page.checks(&report.checks);
    page.end(report);
    page.text
}

struct Page {
    text: String,
    paint: Paint,
}

/// How wide the names on the left are.
const NAME_WIDTH: usize = 10;

const GREEN: &str = "32";
const RED: &str = "31;1";
const BOLD: &str = "1";
const FAINT: &str = "2";

impl Page {
    fn paragraph(&mut self) {
        self.text.push('\n');
    }

    /// A line with a name on the left.
    fn line(&mut self, name: &str, text: impl fmt::Display) {
        self.write_line(BOLD, name, text);
    }

    /// A line that goes on with the one above.
    fn more(&mut self, text: impl fmt::Display) {
        self.write_line(BOLD, "", text);
    }

    fn write_line(&mut self, style: &str, name: &str, text: impl fmt::Display) {
        let padded = format!("{name:NAME_WIDTH$}");
        let name = if name.is_empty() { padded } else { self.painted(style, &padded) };
        // No text may leave its line.
        let line = name + &printable(&text.to_string());
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, style: &str, text: &str) -> String {
        match self.paint {
            Paint::Colours => format!("\x1b[{style}m{text}\x1b[0m"),
            Paint::Plain => text.to_owned(),
        }
    }

    fn lookup(&mut self, lookup: &Lookup) {
        let Lookup { host, addresses, time } = lookup;
        match &addresses[..] {
            [] => self.write_line(RED, "name", format_args!("{host} has no address")),
            [only] if only.ip().to_string() == *host => {
                self.line("name", format_args!("{host} is an address, nothing to look up"));
            }
            _ => {
                let addresses: Vec<_> = addresses.iter().map(|a| a.ip().to_string()).collect();
                let addresses = addresses.join(", ");
                self.line("name", format_args!("{host} is {addresses}, in {}", shown(*time)));
            }
        }
    }

    fn detour(&mut self, Detour { through, error, time }: &Detour) {
        let time = shown(*time);
        match error {
            None => self.line("through", format_args!("{through} in {time}")),
            Some(_) => self.line("through", format_args!("{through} failed in {time}")),
        }
    }

    fn attempts(&mut self, attempts: &[Attempt]) {
        for (place, Attempt { address, error, time }) in attempts.iter().enumerate() {
            let name = if place == 0 { "tcp" } else { "" };
            let time = shown(*time);
            match error {
                None => self.line(name, format_args!("{address} connected in {time}")),
                Some(error) => self.line(name, format_args!("{address} failed in {time}: {error}")),
            }
        }
    }

    fn tls(&mut self, tls: &Tls) {
        let time = shown(tls.time);
        match &tls.error {
            Some(error) => self.line("tls", format_args!("failed in {time}: {error}")),
            None => {
                let version = tls.version.as_deref().unwrap_or("TLS");
                let cipher = tls.cipher.unwrap_or("an unknown cipher");
                let protocol = match &tls.protocol {
                    Some(protocol) => format!("{protocol} agreed by ALPN"),
                    None => "no ALPN".to_owned(),
                };
                self.line("tls", format_args!("{version}, {cipher}, {protocol}, in {time}"));
            }
        }
        if let Some(Described { subject, issuer, names, not_before, not_after, sha256 }) =
            &tls.certificate
        {
            self.more(format_args!("certificate of {subject}"));
            self.more(format_args!("issued by {issuer}"));
            self.more(format_args!("for {}", names.join(", ")));
            self.more(format_args!("valid from {not_before} until {not_after}"));
            self.more(format_args!("SHA-256 {sha256}"));
        }
        if let Some(fault) = &tls.let_pass {
            self.write_line(RED, "insecure", format_args!("{fault}, but --insecure takes it"));
        }
    }

    /// The beginning of HTTP/2, after which all may have gone on with HTTP/1.1.
    fn http2(&mut self, http2: &Http2) {
        let Http2 { known_by, settings, takes_websockets, was_left, time } = http2;
        let known_by = match known_by {
            KnownBy::Alpn => "agreed by ALPN",
            KnownBy::PriorKnowledge => "by prior knowledge: without TLS nothing agrees on it",
        };
        let first = if *was_left { "tried first, on a connection of its own, " } else { "" };
        self.line("http/2", format_args!("{first}{known_by}"));
        self.line("settings", format_args!("of the server, in {}", shown(*time)));
        if settings.is_empty() {
            self.more("none but what holds without being said");
        }
        for Setting { number, name, value } in settings {
            let name = name.unwrap_or("not in the registry");
            self.more(format_args!("{name} ({number}): {value}"));
        }
        let told = settings.iter().rfind(|setting| setting.number == ENABLE_CONNECT_PROTOCOL);
        let told = match told {
            Some(Setting { value, .. }) => format!("SETTINGS_ENABLE_CONNECT_PROTOCOL is {value}"),
            None => "there is no SETTINGS_ENABLE_CONNECT_PROTOCOL".to_owned(),
        };
        let (style, verdict, meaning) = match takes_websockets {
            true => (GREEN, "ok", "the extended CONNECT may be sent"),
            false => (RED, "FAIL", "the extended CONNECT may not be sent"),
        };
        self.write_line(style, verdict, format_args!("{told}: {meaning} (RFC 8441 section 3)"));
        if *was_left {
            if *takes_websockets {
                self.line("answer", "a reset of the stream with HTTP_1_1_REQUIRED");
            }
            self.line("so", "all goes once more, from the start, with HTTP/1.1");
        }
    }

    fn opening(&mut self, opening: &Opening) {
        match opening {
            Opening::Upgrade { line, headers, key } => {
                self.line("request", line);
                self.headers(headers);
                self.paragraph();
                self.line("key", &key.text);
                let bytes: Vec<String> =
                    key.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                self.more(format_args!("16 random bytes: {}", bytes.join(" ")));
                self.line("accept", format_args!("{} has to answer it:", key.accept));
                self.more("base64(SHA-1(key + \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\"))");
            }
            Opening::ExtendedConnect { pseudo_headers, headers } => {
                self.line("request", "an extended CONNECT, which opens one stream");
                self.headers(pseudo_headers);
                self.headers(headers);
                self.paragraph();
                self.line("key", "none, and no accept value (RFC 8441 section 5):");
                self.more("the settings prove already that the server knows of WebSockets");
            }
        }
    }

    fn headers(&mut self, headers: &[Header]) {
        for Header { name, value } in headers {
            self.more(format_args!("{name}: {value}"));
        }
    }

    fn response(&mut self, response: &Response) {
        self.line("response", &response.line);
        self.headers(&response.headers);
        if !response.body.is_empty() {
            self.paragraph();
            response.body.trim_end().lines().for_each(|line| self.more(line));
        }
    }

    fn checks(&mut self, checks: &[Checked]) {
        if checks.is_empty() {
            return;
        }
        self.paragraph();
        self.line("checks", "of RFC 6455 section 4.1, with their numbers there");
        for (place, Checked { number, header, demand, found, verdict }) in checks.iter().enumerate()
        {
            let text = format!("{number}. {demand}");
            match verdict {
                Verdict::Passed => self.write_line(GREEN, "ok", text),
                Verdict::Failed => {
                    self.write_line(RED, "FAIL", text);
                    let found =
                        if found.is_empty() { "nothing".into() } else { found.join(" and ") };
                    let header = header.map(|name| format!("{name}: ")).unwrap_or_default();
                    self.more(format_args!("   found {header}{found}"));
                }
                Verdict::FallsAway(why) => {
                    self.write_line(FAINT, "-", text);
                    // Once for all that it is true of.
                    if checks.get(place + 1).is_none_or(|next| next.verdict != *verdict) {
                        self.more(format_args!("   does not apply: {why}"));
                    }
                }
            }
        }
    }

    fn end(&mut self, report: &Report) {
        self.paragraph();
        if let Some(agreed) = &report.agreed {
            let subprotocol = match &agreed.subprotocol {
                Some(name) => format!("subprotocol {name}"),
                None if report.sent_header("sec-websocket-protocol") => {
                    "none of the subprotocols".into()
                }
                None => "no subprotocol".into(),
            };
            let extensions = match &agreed.extensions[..] {
                [] => "no extensions".into(),
                extensions => format!("extensions {}", extensions.join(", ")),
            };
            self.line("agreed", format_args!("{subprotocol}, {extensions}"));
        }
        if let Some(closing) = &report.closing {
            let carrier = report.opening.as_ref().map_or("connection", Opening::carrier);
            self.line("closing", describe_closing(closing, carrier));
        }
        if report.connect_time().or(report.detour_time()).is_some() {
            self.line("times", describe_times(report));
            self.paragraph();
        }
        match &report.fault {
            None => self.write_line(GREEN, "ok", "this endpoint opens WebSocket connections"),
            Some(fault) => {
                self.write_line(RED, "FAIL", &fault.why);
                for (place, remedy) in fault.remedies.iter().enumerate() {
                    self.line(if place == 0 { "try" } else { "" }, remedy);
                }
            }
        }
    }
}

fn describe_closing(closing: &Closing, carrier: &str) -> String {
    let mut text = format!("sent {}", closing.sent);
    if let Some(received) = &closing.received {
        text += ", received ";
        text += &received.code.map_or("no code".into(), |code| code.to_string());
        if !received.reason.is_empty() {
            text += &format!(" ({})", received.reason);
        }
    }
    if let Some(error) = &closing.error {
        return text + ", then " + error;
    }
    let end =
        if closing.ended_by_peer { "then the server ended" } else { "but the server did not end" };
    format!("{text}, {end} the {carrier}")
}

fn describe_times(report: &Report) -> String {
    let times = [
        ("way", report.detour_time()),
        ("lookup", report.lookup.as_ref().map(|lookup| lookup.time)),
        ("TCP", report.connect_time()),
        ("TLS", report.tls.as_ref().map(|tls| tls.time)),
        ("settings", report.http2.as_ref().map(|http2| http2.time)),
        ("response", report.response.as_ref().map(|response| response.time)),
        ("closing", report.closing.as_ref().map(|closing| closing.time)),
    ];
    let told = times.into_iter().filter_map(|(name, time)| Some((name, time?)));
    told.map(|(name, time)| format!("{name} {}", shown(time))).collect::<Vec<_>>().join(", ")
}
