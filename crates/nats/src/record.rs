//! What JetStream holds of a message beside its payload: headers.

use std::str::FromStr;

use async_nats::header::{
    NATS_EXPECTED_LAST_MESSAGE_ID, NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_STREAM,
    NATS_MESSAGE_ID,
};
use async_nats::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

/// A message's headers, as far as they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Names this one attempt to keep something, so that the node that made it knows it again.
    pub(crate) attempt: String,
    /// When it was said, in milliseconds since 1970.
    pub(crate) time: u64,
    /// What its sender named it by.
    pub(crate) id: Option<Id>,
    /// Whether it is no message but the end of this life of the room.
    pub(crate) is_end: bool,
}

/// An id as it is compared and kept: a digest, for ids hold what clients call themselves, which is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(u128);

/// On what condition a message is kept: that it comes right after what its sender knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After<'a> {
    pub(crate) stream: &'a str,
    pub(crate) offset: u64,
    /// The attempt that has to have got this offset, if that is not known yet.
    pub(crate) attempt: Option<&'a str>,
}

const TIME: &str = "Wskit-Time";
const ID: &str = "Wskit-Id";
const END: &str = "Wskit-End";

impl Id {
    pub(crate) fn of(id: &[u8]) -> Self {
        let digest = Sha256::digest(id);
        let (front, _) = digest.split_at(16);
        Self(front.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

impl Record {
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(HeaderValue::as_str);
        Self {
            attempt: text(NATS_MESSAGE_ID.as_ref()).unwrap_or_default().to_owned(),
            time: number(headers, TIME).unwrap_or_default(),
            id: text(ID).and_then(|id| u128::from_str_radix(id, 16).ok()).map(Id),
            is_end: text(END).is_some(),
        }
    }

    /// The headers, with those that tell JetStream the condition.
    pub(crate) fn headers(&self, after: &After<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_STREAM, after.stream);
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, after.offset.to_string().as_str());
        if let Some(attempt) = after.attempt {
            headers.insert(NATS_EXPECTED_LAST_MESSAGE_ID, attempt);
        }
        headers.insert(NATS_MESSAGE_ID, self.attempt.as_str());
        headers.insert(TIME, self.time.to_string().as_str());
        if let Some(Id(id)) = self.id {
            headers.insert(ID, format!("{id:032x}").as_str());
        }
        if self.is_end {
            headers.insert(END, "1");
        }
        headers
    }
}

/// A header that is a number.
pub(crate) fn number<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_headers() {
        let after = After { stream: "wskit_lobby_9f2c", offset: 7, attempt: Some("1-6") };
        let records = [
            Record::default(),
            Record { attempt: "1-7".into(), time: u64::MAX, id: Some(Id::of(b"a")), is_end: true },
        ];
        for record in records {
            let headers = record.headers(&after);
            assert_eq!(Record::parse(&headers), record);
            assert_eq!(number(&headers, NATS_EXPECTED_LAST_SEQUENCE.as_ref()), Some(7));
        }
    }

    #[test]
    fn foreign_headers_are_no_danger() {
        let mut headers = HeaderMap::new();
        headers.insert(TIME, "soon");
        headers.insert(ID, "not hexadecimal");
        assert_eq!(Record::parse(&headers), Record::default());
    }

    #[test]
    fn ids_are_told_apart() {
        assert_eq!(Id::of(b"a\0b"), Id::of(b"a\0b"));
        assert_ne!(Id::of(b"a\0b"), Id::of(b"ab"));
        assert_ne!(Id::of(b""), Id::of(b"\0"));
    }
}
