//! What a member sends, parsed.

use std::borrow::Cow;

use serde::Deserialize;

use crate::complaint::Complaint;
use crate::limits::Limits;

/// One thing a member asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Say(Cow<'a, str>),
    Name(String),
    Who,
    History(Before),
}

/// A question about what was said before an offset.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) before: u64,
    /// The most messages that are wanted.
    pub(crate) limit: Option<usize>,
}

/// A command, and the name its sender gave to it so as to know the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) command: Command<'a>,
    pub(crate) id: Option<String>,
}

/// A text that asks for nothing the engine knows; the `id` is there if it could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) complaint: Complaint,
    pub(crate) id: Option<String>,
}

impl<'a> Request<'a> {
    /// Reads a text message. One that begins with `{` is a command in JSON; any other is simply said.
    pub(crate) fn parse(text: &'a str, limits: &Limits) -> Result<Self, Unknown> {
        if !text.trim_start().starts_with('{') {
            // Line-based clients send their line's end along.
            let line = text.trim_end_matches(['\r', '\n']);
            return Ok(Self { command: Command::Say(line.into()), id: None });
        }
        let written: Written = serde_json::from_str(text).map_err(|error| {
            // The error may repeat what was sent, however long that is.
            let fault: String = error.to_string().chars().take(100).collect();
            let complaint =
                Complaint::NotACommand(format!("That cannot be read as a command ({fault})"));
            Unknown { complaint, id: None }
        })?;
        let id = match written.id {
            Some(id) if id.is_empty() || id.chars().count() > limits.id_chars_max => {
                return Err(Unknown {
                    complaint: Complaint::Id { chars_max: limits.id_chars_max },
                    id: None,
                });
            }
            id => id,
        };
        let command = match (written.say, written.name, written.who, written.history) {
            (Some(text), None, None, None) => Ok(Command::Say(text.into())),
            (None, Some(name), None, None) => Ok(Command::Name(name)),
            (None, None, Some(true), None) => Ok(Command::Who),
            (None, None, Some(false), None) => Err("\"who\" is asked with true"),
            (None, None, None, Some(before)) => Ok(Command::History(before)),
            (None, None, None, None) => Err("There is no known command in that"),
            _ => Err("There is more than one command in that"),
        };
        match command {
            Ok(command) => Ok(Self { command, id }),
            Err(fault) => Err(Unknown { complaint: Complaint::NotACommand(fault.into()), id }),
        }
    }
}

/// A command as it is written. Fields nobody knows are passed over, so that newer clients can talk to this server.
#[derive(Deserialize)]
struct Written {
    say: Option<String>,
    name: Option<String>,
    who: Option<bool>,
    history: Option<Before>,
    id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request<'_>, Unknown> {
        Request::parse(text, &Limits::default())
    }

    fn say(text: &str) -> Command<'_> {
        Command::Say(text.into())
    }

    #[test]
    fn plain_text_is_said_as_it_is() {
        for text in ["hello", "  two spaces", "[1]", "\"quoted\"", "null", "</script>", "👩‍🚀", ""]
        {
            assert_eq!(parse(text), Ok(Request { command: say(text), id: None }));
        }
        assert_eq!(parse("a line\r\n"), Ok(Request { command: say("a line"), id: None }));
    }

    #[test]
    fn commands_are_json_objects() {
        let with_id = |command| Ok(Request { command, id: Some("7".into()) });
        assert_eq!(parse(r#"{"say":"{}"}"#), Ok(Request { command: say("{}"), id: None }));
        assert_eq!(parse(r#" {"id":"7", "say":"\ud83d\ude00"} "#), with_id(say("😀")));
        assert_eq!(parse(r#"{"name":"ann","id":"7"}"#), with_id(Command::Name("ann".into())));
        let before = |limit| Command::History(Before { before: 9, limit });
        assert_eq!(parse(r#"{"history":{"before":9},"id":"7"}"#), with_id(before(None)));
        assert_eq!(
            parse(r#"{"id":"7","history":{"before":9,"limit":2}}"#),
            with_id(before(Some(2)))
        );
        assert_eq!(parse(r#"{"who":true,"id":"7","later":[{"x":1e999}]}"#), with_id(Command::Who));
    }

    #[test]
    fn anything_else_in_braces_is_no_command() {
        for text in [
            "{",
            "{}",
            "{}}",
            "{say:1}",
            r#"{"say":1}"#,
            r#"{"say":null}"#,
            r#"{"who":false}"#,
            r#"{"who":1}"#,
            r#"{"say":"a","name":"b"}"#,
            r#"{"say":"a","who":false}"#,
            r#"{"say":"a"} {"say":"b"}"#,
            r#"{"say":"a","say":"b"}"#,
            r#"{"say":"a","id":"1","id":"2"}"#,
            r#"{"say":"a","id":1}"#,
            r#"{"say":"\ud800"}"#,
            "{\"say\":\"\u{0}\"}",
            r#"{"who":1e99999999}"#,
            r#"{"Say":"a"}"#,
            r#"{"history":{}}"#,
            r#"{"history":{"before":-1}}"#,
            r#"{"history":{"before":1,"limit":"all"}}"#,
            r#"{"history":true}"#,
            r#"{"say":123456789012345678901234567890123456789012345678901234567890}"#,
            r#"{"id":"x"}"#,
        ] {
            assert_eq!(parse(text).unwrap_err().complaint.reason(), "not_a_command", "{text}");
        }
    }

    #[test]
    fn a_complaint_knows_the_id_when_there_is_one() {
        assert_eq!(parse(r#"{"shout":"a","id":"7"}"#).unwrap_err().id.as_deref(), Some("7"));
    }

    #[test]
    fn ids_are_bounded() {
        let with_id = |id: &str| {
            let text = format!(r#"{{"who":true,"id":"{id}"}}"#);
            parse(&text).map(drop).map_err(|e| e.complaint.reason())
        };
        assert!(with_id(&"é".repeat(64)).is_ok());
        assert_eq!(with_id(&"é".repeat(65)), Err("id_invalid"));
        assert_eq!(with_id(""), Err("id_invalid"));
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        for open in [r#"{"say":"#, "[", r#"{"x":["#] {
            let text = format!(r#"{{"x":{}"#, open.repeat(100_000));
            assert_eq!(parse(&text).unwrap_err().complaint.reason(), "not_a_command");
        }
        let closed = format!(r#"{{"say":"a","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let _ = parse(&closed); // passed over or refused, but never a stack that overflows
    }
}
