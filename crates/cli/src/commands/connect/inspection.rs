//! The command that shows why an opening fails: `wskit inspect`, with all that the request was to say.

use crate::Arguments;
use crate::request::RequestArguments;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory};
use std::env;
use std::ffi::OsString;

/// What stands for a secret, which is not repeated where it may come into a log.
const HIDDEN: &str = "***";

/// Headers whose values are no secrets. Of all others nobody knows.
const HARMLESS_HEADERS: [&str; 4] = ["accept-language", "host", "origin", "user-agent"];

/// What the name of a parameter of the query has in it where its value is a secret.
const SECRET_PARAMETERS: [&str; 5] = ["key", "password", "secret", "signature", "token"];

/// What stands before a token among the subprotocols, as pages have it, which cannot set headers.
const BEARER: &str = "bearer.";

/// The line for a shell that inspects what this program was told to connect to.
pub(super) fn line() -> String {
    line_for(env::args_os())
}

fn line_for(given: impl IntoIterator<Item = OsString>) -> String {
    let mut words = vec!["wskit".to_owned(), "inspect".to_owned()];
    let given = Arguments::command().try_get_matches_from(given);
    if let Some(connect) = given.ok().as_ref().and_then(|given| given.subcommand_matches("connect"))
    {
        words.extend(request_words(connect));
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The flags that `inspect` has as well, as they were given, and the URL.
fn request_words(connect: &ArgMatches) -> Vec<String> {
    let (mut flags, mut url) = (Vec::new(), Vec::new());
    for argument in RequestArguments::augment_args(Command::new("inspect")).get_arguments() {
        let id = argument.get_id().as_str();
        if connect.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let values = connect.get_raw(id).into_iter().flatten();
        let values = values.map(|value| without_secret(id, &value.to_string_lossy()));
        match argument.get_long().map(|name| format!("--{name}")) {
            None => url.extend(values),
            Some(flag) if !argument.get_action().takes_values() => flags.push(flag),
            Some(flag) => flags.extend(values.flat_map(|value| match value.starts_with('-') {
                true => vec![format!("{flag}={value}")],
                false => vec![flag.clone(), value],
            })),
        }
    }
    flags.extend(url);
    flags
}

/// The value of an argument as it may be shown.
fn without_secret(id: &str, value: &str) -> String {
    match id {
        "header" => header_without_secret(value),
        // Without a colon it has opened nothing.
        "basic_auth" => format!("{}:{HIDDEN}", value.split(':').next().unwrap_or_default()),
        "subprotocol" => subprotocol_without_token(value),
        "url" | "proxy" => url_without_secrets(value),
        _ => value.to_owned(),
    }
}

/// A header, or the file with some.
fn header_without_secret(header: &str) -> String {
    let is_harmless =
        |name: &str| HARMLESS_HEADERS.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
    match header.split_once(':') {
        Some((name, _)) if !header.starts_with('@') && !is_harmless(name) => {
            format!("{name}: {HIDDEN}")
        }
        _ => header.to_owned(),
    }
}

fn subprotocol_without_token(name: &str) -> String {
    match name.to_ascii_lowercase().find(BEARER) {
        Some(place) => format!("{}{HIDDEN}", &name[..place + BEARER.len()]),
        None => name.to_owned(),
    }
}

/// The URL without who calls, and without the secrets of its query.
fn url_without_secrets(url: &str) -> String {
    let (before, query) =
        url.split_once('?').map_or((url, None), |(before, query)| (before, Some(query)));
    // Proxies may be without a scheme.
    let (scheme, rest) = before.split_at(before.find("://").map_or(0, |place| place + 3));
    let authority = rest.split('/').next().unwrap_or_default();
    let mut shown = match authority.rsplit_once('@') {
        Some((who, _)) => format!("{scheme}{HIDDEN}{}", &rest[who.len()..]),
        None => before.to_owned(),
    };
    if let Some(query) = query {
        let parameters: Vec<_> = query.split('&').map(parameter_without_secret).collect();
        shown.push('?');
        shown.push_str(&parameters.join("&"));
    }
    shown
}

fn parameter_without_secret(parameter: &str) -> String {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET_PARAMETERS.iter().any(|word| name.contains(word))
    };
    match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    }
}

/// A word as a shell reads it: POSIX, Shell Command Language, 2.2.2.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspects(connect: &[&str]) -> String {
        line_for(["wskit", "connect"].iter().chain(connect).map(OsString::from))
    }

    #[test]
    fn what_the_request_says_is_repeated_as_a_shell_reads_it() {
        let url = "wss://chat.example/a?b=1&c='2'";
        let given = [
            "--verbose",
            "--send",
            "hello",
            "-H",
            "User-Agent: Ann O'Hara",
            "--header=Origin:",
            url,
            "--http",
            "2",
            "--ca-cert",
            "my ca.pem",
            "--insecure",
            "--proxy",
            "socks5h://127.0.0.1:1080",
            "-s",
            "b",
            "--subprotocol=-a",
        ];
        assert_eq!(
            inspects(&given),
            r"wskit inspect --header 'User-Agent: Ann O'\''Hara' --header Origin: --subprotocol b --subprotocol=-a --http 2 --proxy socks5h://127.0.0.1:1080 --ca-cert 'my ca.pem' --insecure 'wss://chat.example/a?b=1&c='\''2'\'''"
        );
        assert_eq!(inspects(&["ws://localhost/"]), "wskit inspect ws://localhost/");
    }

    #[test]
    fn no_secret_is_repeated() {
        for (given, shown) in [
            (&["-H", "authorization: Bearer secret"][..], "--header 'authorization: ***'"),
            (&["-H", "X-Api-Key: secret"], "--header 'X-Api-Key: ***'"),
            (&["-H", "user-agent : me"], "--header 'user-agent : me'"),
            (&["-H", "@C:\\headers"], r"--header '@C:\headers'"),
            (&["--basic-auth", "ann:secret"], "--basic-auth 'ann:***'"),
            (
                &["-s", "wskit.chat", "-s", "bearer.secret.a"],
                "--subprotocol wskit.chat --subprotocol 'bearer.***'",
            ),
            (&["-s", "base64url.Bearer.k8s.secret"], "--subprotocol 'base64url.Bearer.***'"),
            (&["--proxy", "ann:secret@proxy.example"], "--proxy '***@proxy.example'"),
            (
                &["--proxy", "http://ann:secret@proxy.example:8080"],
                "--proxy 'http://***@proxy.example:8080'",
            ),
        ] {
            let given: Vec<_> = given.iter().copied().chain(["ws://chat.example/"]).collect();
            assert_eq!(inspects(&given), format!("wskit inspect {shown} ws://chat.example/"));
        }
        for (given, shown) in [
            ("ws://ann:secret@chat.example/@x", "ws://***@chat.example/@x"),
            ("ws://secret@chat.example?a=1", "ws://***@chat.example?a=1"),
            ("ws://chat.example/a@b?c=@", "ws://chat.example/a@b?c=@"),
            ("ws://chat.example/?token=secret", "ws://chat.example/?token=***"),
            (
                "ws://chat.example/?a=1&Access_Token=se?cret&b=2",
                "ws://chat.example/?a=1&Access_Token=***&b=2",
            ),
            ("ws://chat.example/?apikey=secret", "ws://chat.example/?apikey=***"),
        ] {
            assert_eq!(inspects(&[given]), format!("wskit inspect {}", quoted(shown)));
        }
    }
}
