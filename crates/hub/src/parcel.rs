//! What is delivered together.

use wskit_proto::Joined;

use crate::delivery::Delivery;

/// Deliveries that came together, to be sent together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parcel {
    /// One by itself.
    One(Delivery),
    /// Some that follow each other, which all of a room share.
    Joined(Joined),
}

/// More than so many bytes are not joined, so that a reader never gets much more at once than it has room for.
const JOINED_BYTES_MAX: usize = 16 * 1024;

impl Parcel {
    /// All of these in one, if there are some and they are not too large for that.
    pub(crate) fn join(deliveries: &[Delivery]) -> Option<Self> {
        let bytes: usize = deliveries.iter().map(Delivery::len).sum();
        if deliveries.len() < 2 || bytes > JOINED_BYTES_MAX {
            return None;
        }
        let messages: Vec<_> = deliveries.iter().map(|one| one.message().clone()).collect();
        Some(Self::Joined(messages.into()))
    }

    /// How many deliveries they are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Joined(joined) => joined.messages().len(),
        }
    }

    /// How many bytes all their texts have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::One(delivery) => delivery.len(),
            Self::Joined(joined) => joined.payload_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_joined_than_a_reader_has_room_for() {
        let offset_bytes = Delivery::of_message(1, b"{}").len() - 1;
        let of_bytes = |bytes: usize| {
            Delivery::of_message(
                1,
                format!("{{{}}}", "x".repeat(bytes - offset_bytes - 1)).as_bytes(),
            )
        };
        let half = of_bytes(JOINED_BYTES_MAX / 2);
        assert_eq!(half.len(), JOINED_BYTES_MAX / 2);
        let joined = Parcel::join(&[half.clone(), half.clone()]).unwrap();
        assert_eq!((joined.count(), joined.bytes()), (2, JOINED_BYTES_MAX));
        assert_eq!(Parcel::join(&[half.clone(), of_bytes(JOINED_BYTES_MAX / 2 + 1)]), None);
        assert_eq!(Parcel::join(&[half]), None, "one is by itself");
    }
}
