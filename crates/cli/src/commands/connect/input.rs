//! Standard input, read by a thread of its own and handed over a piece at a time.
//!
//! A thread, because a read of a terminal cannot be cancelled: the program ends without waiting
//! for it. What waits is bounded, so the input is read no faster than it can be sent.

use super::typed::{self, Command, Typed};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use std::io::{self, BufRead, Read};
use std::thread;
use tokio::sync::mpsc;
use wskit::proto::Utf8Validator;
use wskit::{Kind, Message};

/// How the input becomes messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputOptions {
    pub(super) encoding: Encoding,
    pub(super) unit: Unit,
    /// A line that begins with a slash is a command.
    pub(super) has_commands: bool,
}

/// What the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Text, to be sent as such.
    Text,
    /// Bytes, to be sent as binary messages.
    Binary,
    /// Base64 of bytes, to be sent as binary messages.
    Base64,
}

/// What of the input makes one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Line,
    Whole,
}

/// What the input asks for.
#[derive(Debug)]
pub(super) enum Input {
    /// Send this message.
    Message(Message),
    /// Send this part of a message, which may be its last.
    Part { kind: Kind, bytes: Bytes, last: bool },
    /// Do what was typed.
    Command(Command),
    /// A person typed something that cannot be done.
    Mistake(String),
    /// The input cannot be sent, and nothing follows.
    Unusable(String),
}

/// The longest line that is held to become a message.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// How much is read at once of input that is sent as a whole.
const PART_BYTES_MAX: usize = 64 << 10;

/// How many lines or parts may wait.
const WAITING_MAX: usize = 4;

/// Begins to read. The channel ends with the input.
pub(super) fn read(options: InputOptions) -> mpsc::Receiver<Input> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    thread::spawn(move || {
        let stdin = io::stdin().lock();
        let unusable = match options.unit {
            Unit::Line => read_lines(stdin, options, &sender),
            Unit::Whole => read_whole(stdin, options, &sender),
        };
        if let Err(why) = unusable {
            let _all_may_be_over = sender.blocking_send(Input::Unusable(why));
        }
    });
    receiver
}

/// Takes what the command line says as the input. The channel ends with it.
pub(super) fn given(texts: &[String], encoding: Encoding) -> Result<mpsc::Receiver<Input>, String> {
    let (sender, receiver) = mpsc::channel(texts.len().max(1));
    for text in texts {
        let _there_is_room = sender.try_send(Input::Message(encoding.message(text.clone())?));
    }
    Ok(receiver)
}

impl Encoding {
    fn message(self, text: String) -> Result<Message, String> {
        Ok(match self {
            Encoding::Text => text.into(),
            Encoding::Binary => text.into_bytes().into(),
            Encoding::Base64 => {
                let bytes = BASE64.decode(text.trim());
                bytes.map_err(|error| format!("it is not base64: {error}"))?.into()
            }
        })
    }
}

fn read_lines(
    mut stdin: impl BufRead,
    options: InputOptions,
    sender: &mpsc::Sender<Input>,
) -> Result<(), String> {
    for number in 1_u64.. {
        let mut line = Vec::new();
        let mut limited = (&mut stdin).take(LINE_BYTES_MAX + 1);
        if limited.read_until(b'\n', &mut line).map_err(|error| cannot_be_read(&error))? == 0 {
            break;
        }
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(format!(
                "line {number} of the input has more than {LINE_BYTES_MAX} bytes; --whole sends \
                 input of any length as one message"
            ));
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        if cfg!(windows) && line.ends_with(b"\r") {
            line.pop();
        }
        let input = match interpret(line, options) {
            Ok(input) => input,
            Err(mistake) if options.has_commands => Input::Mistake(mistake),
            Err(mistake) => return Err(format!("line {number} of the input: {mistake}")),
        };
        if sender.blocking_send(input).is_err() {
            break;
        }
    }
    Ok(())
}

fn interpret(line: Vec<u8>, options: InputOptions) -> Result<Input, String> {
    if options.encoding == Encoding::Binary && !options.has_commands {
        return Ok(Input::Message(line.into()));
    }
    let mut line = String::from_utf8(line)
        .map_err(|_| "it is not UTF-8, as text has to be; --binary sends any bytes")?;
    if options.has_commands {
        line = match typed::parse(&line)? {
            Typed::Command(command) => return Ok(Input::Command(command)),
            Typed::Line(text) => text.to_owned(),
        };
    }
    options.encoding.message(line).map(Input::Message)
}

fn read_whole(
    mut stdin: impl Read,
    options: InputOptions,
    sender: &mpsc::Sender<Input>,
) -> Result<(), String> {
    let is_text = options.encoding == Encoding::Text;
    let kind = if is_text { Kind::Text } else { Kind::Binary };
    let not_utf8 = || "the input is not UTF-8, as text has to be; --binary sends any bytes";
    let mut text = Utf8Validator::default();
    loop {
        let mut bytes = vec![0; PART_BYTES_MAX];
        let count = match stdin.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count.map_err(|error| cannot_be_read(&error))?,
        };
        bytes.truncate(count);
        let last = bytes.is_empty();
        if is_text {
            text.push(&bytes).map_err(|_| not_utf8())?;
            if last && !text.is_complete() {
                return Err(not_utf8().into());
            }
        }
        let part = Input::Part { kind, bytes: bytes.into(), last };
        if sender.blocking_send(part).is_err() || last {
            return Ok(());
        }
    }
}

fn cannot_be_read(error: &io::Error) -> String {
    format!("the input cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(text: &[u8], options: InputOptions) -> (Vec<Input>, Result<(), String>) {
        let (sender, mut receiver) = mpsc::channel(100);
        let result = match options.unit {
            Unit::Line => read_lines(text, options, &sender),
            Unit::Whole => read_whole(text, options, &sender),
        };
        drop(sender);
        (std::iter::from_fn(|| receiver.blocking_recv()).collect(), result)
    }

    const LINES: InputOptions =
        InputOptions { encoding: Encoding::Text, unit: Unit::Line, has_commands: false };

    #[test]
    fn each_line_is_a_message_whatever_it_says() {
        let (inputs, result) = inputs(b"one\n\n/help\nlast", LINES);
        assert_eq!(result, Ok(()));
        let texts: Vec<_> = inputs
            .iter()
            .map(|input| match input {
                Input::Message(message) => message.as_text().unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, ["one", "", "/help", "last"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_as_text() {
        let (before, result) = inputs(b"good\n\xff\nnever\n", LINES);
        assert_eq!(before.len(), 1);
        assert!(result.unwrap_err().starts_with("line 2 of the input: it is not UTF-8"));
        let (_, result) = inputs(b"caf\xc3", InputOptions { unit: Unit::Whole, ..LINES });
        assert!(result.unwrap_err().contains("not UTF-8"));
        let (sent, result) =
            inputs(b"\xff\n", InputOptions { encoding: Encoding::Binary, ..LINES });
        assert!(
            matches!(&sent[..], [Input::Message(Message::Binary(bytes))] if **bytes == *b"\xff")
        );
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn base64_becomes_the_bytes_that_it_stands_for() {
        let options = InputOptions { encoding: Encoding::Base64, ..LINES };
        let (sent, result) = inputs(b"aGVsbG8=\r\n\n/w==\n!\n", options);
        let bytes: Vec<&[u8]> = sent
            .iter()
            .map(|input| match input {
                Input::Message(Message::Binary(bytes)) => &bytes[..],
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(bytes, [&b"hello"[..], b"", b"\xff"]);
        assert!(result.unwrap_err().starts_with("line 4 of the input: it is not base64"));
    }

    #[test]
    fn a_person_may_err_and_go_on() {
        let typing = InputOptions { has_commands: true, ..LINES };
        let (inputs, result) = inputs(b"/nothing\n\xff\nhello\n", typing);
        assert_eq!(result, Ok(()));
        assert!(matches!(
            &inputs[..],
            [Input::Mistake(_), Input::Mistake(_), Input::Message(Message::Text(_))]
        ));
    }

    #[test]
    fn the_whole_is_one_message() {
        let text = "long ".repeat(PART_BYTES_MAX / 4);
        let (parts, result) = inputs(text.as_bytes(), InputOptions { unit: Unit::Whole, ..LINES });
        assert_eq!(result, Ok(()));
        let mut joined = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let Input::Part { bytes, last, .. } = part else { panic!("{part:?}") };
            joined.extend_from_slice(bytes);
            assert_eq!(*last, number + 1 == parts.len());
        }
        assert_eq!(joined, text.as_bytes());
    }
}
