//! An event, encoded for the wire.

use bytes::Bytes;
use serde_json::value::RawValue;
use wskit_proto::{Prepared, Text};

use crate::event::Event;

/// One text message for any number of readers: encoded once, compressed at most once for each
/// setting in use, shared by all of them.
///
/// This is the only place where an event becomes bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    message: Prepared,
}

impl Delivery {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        let json = serde_json::to_string(event)
            .expect("an event has only string keys and writes to memory");
        Self { message: Prepared::text(json) }
    }

    /// The `message` event of something that was [said](crate::event::Said), as it was kept, at its offset.
    pub(crate) fn of_message(offset: u64, said: &[u8]) -> Self {
        let (mut digits, fields) = ([0; 20], said.strip_prefix(b"{").unwrap_or_default());
        let written = written(offset, &mut digits);
        // With just as much memory, for many are kept, and without formatting, for it is done for every message.
        let json = [br#"{"event":"message","offset":"#, written, b",", fields].concat();
        let text = Text::try_from(Bytes::from(json)).unwrap_or_else(|_| {
            // What a store has may come from elsewhere, and be no text.
            let fields = String::from_utf8_lossy(fields);
            format!(r#"{{"event":"message","offset":{offset},{fields}"#).into()
        });
        Self { message: Prepared::text(text) }
    }

    /// The text message.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.message.payload()).unwrap_or_default()
    }

    /// The text message, to be sent to any number of connections.
    #[must_use]
    pub fn message(&self) -> &Prepared {
        &self.message
    }

    /// The event within another one.
    pub(crate) fn json(&self) -> &RawValue {
        serde_json::from_str(self.text()).unwrap_or(RawValue::NULL)
    }

    /// One of several that came together.
    pub(crate) fn one_of_many(message: &Prepared) -> Self {
        Self { message: message.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.message.payload().len()
    }
}

/// A number in decimal, within these digits.
fn written(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[first..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_written_whole() {
        for offset in [0, 9, 10, 1_234_567_890, u64::MAX] {
            let delivery = Delivery::of_message(offset, br#"{"text":"hello"}"#);
            let expected = format!(r#"{{"event":"message","offset":{offset},"text":"hello"}}"#);
            assert_eq!(delivery.text(), expected);
        }
    }

    #[test]
    fn what_a_store_has_and_is_no_text_is_told_as_far_as_it_is() {
        let delivery = Delivery::of_message(7, b"{\"text\":\"caf\xC3\"}");
        assert_eq!(
            delivery.text(),
            "{\"event\":\"message\",\"offset\":7,\"text\":\"caf\u{FFFD}\"}"
        );
    }
}
