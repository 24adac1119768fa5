//! An event, encoded for the wire.

use wskit_bytes::Text;

use crate::event::Event;

/// One text message for any number of readers: encoded once, shared by all of them.
///
/// This is the only place where an event becomes bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    json: Text,
}

impl Delivery {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        let json = serde_json::to_string(event)
            .expect("an event has only string keys and writes to memory");
        Self { json: json.into() }
    }

    /// The text message.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.json
    }

    /// The text message; shared, not copied.
    #[must_use]
    pub fn into_text(self) -> Text {
        self.json
    }

    pub(crate) fn len(&self) -> usize {
        self.json.len()
    }
}
