//! The command that shows why an opening fails: `wskit inspect`, with all that the request was to say.

use crate::Arguments;
use crate::request::RequestArguments;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory};
use std::env;
use std::ffi::OsString;
use wskit::proto::handshake::is_secret;

/// What stands for a secret, which is not repeated where it may come into a log.
const HIDDEN: &str = "***";

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
    match (id, value.split_once(':')) {
        ("header", Some((name, _))) if is_secret(name.trim()) => format!("{name}: {HIDDEN}"),
        ("basic_auth", Some((name, _))) => format!("{name}:{HIDDEN}"),
        ("url" | "proxy", _) => without_password(value).unwrap_or_else(|| value.to_owned()),
        _ => value.to_owned(),
    }
}

/// The URL without its password, if it has one.
fn without_password(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (credentials, _) = authority.rsplit_once('@')?;
    let (name, password) = credentials.split_once(':')?;
    let place = &rest[name.len() + 1 + password.len()..];
    Some(format!("{scheme}://{name}:{HIDDEN}{place}"))
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
            "X-Name: Ann O'Hara",
            "--header=X-Empty:",
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
            r"wskit inspect --header 'X-Name: Ann O'\''Hara' --header X-Empty: --subprotocol b --subprotocol=-a --http 2 --proxy socks5h://127.0.0.1:1080 --ca-cert 'my ca.pem' --insecure 'wss://chat.example/a?b=1&c='\''2'\'''"
        );
        assert_eq!(inspects(&["ws://localhost/"]), "wskit inspect ws://localhost/");
    }

    #[test]
    fn no_secret_is_repeated() {
        let given = [
            "-H",
            "authorization: Bearer secret",
            "--basic-auth",
            "ann:secret",
            "--proxy",
            "http://ann:secret@proxy.example:8080",
            "ws://ann:secret@chat.example/@x",
        ];
        assert_eq!(
            inspects(&given),
            "wskit inspect --header 'authorization: ***' --basic-auth 'ann:***' --proxy 'http://ann:***@proxy.example:8080' 'ws://ann:***@chat.example/@x'"
        );
    }
}
