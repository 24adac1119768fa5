//! What a person types on a terminal: a line to send, or a command that begins with a slash.

use bytes::Bytes;
use wskit::proto::frame::CONTROL_PAYLOAD_BYTES_MAX;
use wskit::{CloseCode, CloseFrame};

/// A line that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed<'a> {
    /// A line to send.
    Line(&'a str),
    /// A command.
    Command(Command),
}

/// A command that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Send a Ping with this payload.
    Ping(Bytes),
    /// Close the connection.
    Close(CloseFrame),
    /// Show the commands.
    Help,
}

/// The commands, as `/help` shows them.
pub(super) const HELP: [&str; 4] = [
    "/ping [TEXT]             send a Ping and tell how long its Pong took",
    "/close [CODE [REASON]]   close the connection, with 1000 unless a code is given",
    "//TEXT                   send a line that begins with a slash",
    "Ctrl-D closes with 1000, Ctrl-C with 1001; Ctrl-R shows the line being typed again",
];

/// Reads a line, or says what is wrong with it.
pub(super) fn parse(line: &str) -> Result<Typed<'_>, String> {
    let Some(command) = line.strip_prefix('/') else { return Ok(Typed::Line(line)) };
    if command.starts_with('/') {
        return Ok(Typed::Line(command));
    }
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    let command = match name {
        "ping" if rest.len() > CONTROL_PAYLOAD_BYTES_MAX => {
            return Err(format!("a Ping has at most {CONTROL_PAYLOAD_BYTES_MAX} bytes"));
        }
        "ping" => Command::Ping(Bytes::copy_from_slice(rest.as_bytes())),
        "close" => Command::Close(parse_close(rest.trim())?),
        "help" => Command::Help,
        _ => {
            return Err(format!(
                "there is no command /{name}; /help shows all, and // begins a line with a slash"
            ));
        }
    };
    Ok(Typed::Command(command))
}

fn parse_close(rest: &str) -> Result<CloseFrame, String> {
    if rest.is_empty() {
        return Ok(CloseCode::NORMAL.into());
    }
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code: u16 = code.parse().map_err(|_| format!("{code:?} is no close code, 1000 is one"))?;
    CloseFrame::try_from((code, reason.trim())).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_commands() {
        assert_eq!(parse("hello /ping"), Ok(Typed::Line("hello /ping")));
        assert_eq!(parse(""), Ok(Typed::Line("")));
        assert_eq!(parse("//etc"), Ok(Typed::Line("/etc")));
        assert_eq!(parse("/help"), Ok(Typed::Command(Command::Help)));
        let ping = |payload: &'static str| Ok(Typed::Command(Command::Ping(Bytes::from(payload))));
        assert_eq!(parse("/ping"), ping(""));
        assert_eq!(parse("/ping are you there"), ping("are you there"));
        let close = |code, reason| {
            Ok(Typed::Command(Command::Close(CloseFrame::try_from((code, reason)).unwrap())))
        };
        assert_eq!(parse("/close"), close(1000, ""));
        assert_eq!(parse("/close 4001 good bye"), close(4001, "good bye"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, why) in [
            ("/pong", "there is no command /pong"),
            ("/close soon", "\"soon\" is no close code"),
            ("/close 1006", "1006 is no code to close with"),
            (&format!("/close 1000 {}", "x".repeat(124)), "124 bytes, 123 are the most"),
            (&format!("/ping {}", "x".repeat(126)), "at most 125 bytes"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
