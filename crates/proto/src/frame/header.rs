//! The frame header (RFC 6455 §5.2): total functions between bytes and a value.

use super::{CONTROL_PAYLOAD_BYTES_MAX, Kind, MaskingKey, Opcode};
use crate::ProtocolError;

/// The longest header: two bytes, eight of length, four of masking key.
pub const FRAME_HEADER_BYTES_MAX: usize = 14;

/// What stands before every payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// This is the last fragment of its message.
    pub fin: bool,
    /// The first reserved bit, which permessage-deflate sets on compressed messages.
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The key that the payload is masked with; a client's frames always have one.
    pub masking_key: Option<MaskingKey>,
    /// How many bytes the payload has, at most 2⁶³ − 1.
    pub payload_bytes: u64,
}

/// What [`FrameHeader::parse`] made of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParsedHeader {
    /// A whole header, and how many bytes it took.
    Whole(FrameHeader, usize),
    /// The header goes on: at least this many bytes are missing.
    Missing(usize),
}

const FIN: u8 = 0b1000_0000;
const RSV1: u8 = 0b0100_0000;
const RSV2_AND_RSV3: u8 = 0b0011_0000;
const MASK: u8 = 0b1000_0000;
const LENGTH_IN_2_BYTES: u8 = 126;
const LENGTH_IN_8_BYTES: u8 = 127;

/// The first byte of a text, and of a binary message, that is one frame and not compressed.
const WHOLE_TEXT: u8 = FIN | Opcode::Data(Kind::Text).number();
const WHOLE_BINARY: u8 = FIN | Opcode::Data(Kind::Binary).number();

impl FrameHeader {
    /// Reads the header at the front of `bytes`, and refuses what no peer may send as soon as the
    /// byte that is wrong has arrived.
    ///
    /// ```
    /// # use wskit_proto::frame::*;
    /// let header = FrameHeader::parse(b"\x81\x05Hello")?;
    /// let ParsedHeader::Whole(header, 2) = header else { panic!() };
    /// assert_eq!((header.opcode, header.payload_bytes), (Opcode::Data(Kind::Text), 5));
    /// assert_eq!(FrameHeader::parse(b"\x81")?, ParsedHeader::Missing(1));
    /// assert!(FrameHeader::parse(b"\x83").is_err(), "opcode 3 is reserved");
    /// # Ok::<(), wskit_proto::ProtocolError>(())
    /// ```
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<ParsedHeader, ProtocolError> {
        let Some(&first) = bytes.first() else { return Ok(ParsedHeader::Missing(2)) };
        // RFC 6455 §5.2: RSV2 and RSV3 belong to extensions that nobody has defined.
        if first & RSV2_AND_RSV3 != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        let Some(opcode) = Opcode::from_number(first & 0x0F) else {
            return Err(ProtocolError::ReservedOpcode(first & 0x0F));
        };
        let fin = first & FIN != 0;
        let control = matches!(opcode, Opcode::Control(_));
        // RFC 6455 §5.5: control frames are never fragmented…
        if control && !fin {
            return Err(ProtocolError::FragmentedControlFrame);
        }
        let Some(&second) = bytes.get(1) else { return Ok(ParsedHeader::Missing(1)) };
        // … and at most 125 bytes long.
        if control && usize::from(second & !MASK) > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(ProtocolError::LongControlFrame);
        }
        let rsv1 = first & RSV1 != 0;
        Ok(match Extent::parse(bytes, second)? {
            ParsedExtent::Missing(missing) => ParsedHeader::Missing(missing),
            ParsedExtent::Whole(Extent { header_bytes, payload_bytes, masking_key }) => {
                let header = FrameHeader { fin, rsv1, opcode, masking_key, payload_bytes };
                ParsedHeader::Whole(header, header_bytes)
            }
        })
    }

    /// Reads the header of a message that is one frame and not compressed, as nearly all are.
    /// `None` for any other, and for a header that is wrong or not there whole.
    #[inline(always)]
    pub(crate) fn parse_usual(bytes: &[u8]) -> Option<(Kind, Extent)> {
        let [first, second, ..] = *bytes else { return None };
        let kind = match first {
            WHOLE_TEXT => Kind::Text,
            WHOLE_BINARY => Kind::Binary,
            _ => return None,
        };
        let extent = match bytes.first_chunk::<FRAME_HEADER_BYTES_MAX>() {
            // No bounds are left to be checked where any header would fit.
            Some(bytes) => Extent::parse(bytes, second),
            None => Extent::parse(bytes, second),
        };
        match extent {
            Ok(ParsedExtent::Whole(extent)) => Some((kind, extent)),
            _ => None,
        }
    }

    /// Writes the header in as few bytes as it can have and says how many those are.
    ///
    /// ```
    /// # use wskit_proto::frame::*;
    /// let opcode = Opcode::Data(Kind::Text);
    /// let header =
    ///     FrameHeader { fin: true, rsv1: false, opcode, masking_key: None, payload_bytes: 5 };
    /// let (bytes, len) = header.encode();
    /// assert_eq!(bytes[..len], *b"\x81\x05");
    /// ```
    #[inline(always)]
    pub fn encode(&self) -> ([u8; FRAME_HEADER_BYTES_MAX], usize) {
        let mut bytes = [0; FRAME_HEADER_BYTES_MAX];
        let fin = if self.fin { FIN } else { 0 };
        let rsv1 = if self.rsv1 { RSV1 } else { 0 };
        bytes[0] = fin | rsv1 | self.opcode.number();
        let mut len = 2;
        bytes[1] = match self.payload_bytes {
            short @ 0..=125 => short as u8,
            medium @ 126..=0xFFFF => {
                bytes[2..4].copy_from_slice(&(medium as u16).to_be_bytes());
                len = 4;
                LENGTH_IN_2_BYTES
            }
            long => {
                bytes[2..10].copy_from_slice(&long.to_be_bytes());
                len = 10;
                LENGTH_IN_8_BYTES
            }
        };
        if let Some(key) = self.masking_key {
            bytes[1] |= MASK;
            bytes[len..len + 4].copy_from_slice(&key);
            len += 4;
        }
        (bytes, len)
    }
}

/// What a header says from its second byte on: where the payload lies, and its masking key.
pub(crate) struct Extent {
    pub(crate) header_bytes: usize,
    pub(crate) payload_bytes: u64,
    pub(crate) masking_key: Option<MaskingKey>,
}

enum ParsedExtent {
    Whole(Extent),
    Missing(usize),
}

impl Extent {
    #[inline(always)]
    fn parse(bytes: &[u8], second: u8) -> Result<ParsedExtent, ProtocolError> {
        let (length, is_masked) = (second & !MASK, second & MASK != 0);
        let length_end = match length {
            LENGTH_IN_2_BYTES => 4,
            LENGTH_IN_8_BYTES => 10,
            _ => 2,
        };
        let header_bytes = if is_masked { length_end + 4 } else { length_end };
        let missing = || ParsedExtent::Missing(header_bytes - bytes.len());
        let payload_bytes = match length {
            LENGTH_IN_2_BYTES => match bytes.get(2..).and_then(<[u8]>::first_chunk) {
                Some(length) => checked_length(u16::from_be_bytes(*length).into(), 126)?,
                None => return Ok(missing()),
            },
            LENGTH_IN_8_BYTES => match bytes.get(2..).and_then(<[u8]>::first_chunk) {
                Some(length) => checked_length(u64::from_be_bytes(*length), 1 << 16)?,
                None => return Ok(missing()),
            },
            short => u64::from(short),
        };
        let masking_key = match bytes.get(length_end..).and_then(<[u8]>::first_chunk) {
            _ if !is_masked => None,
            Some(key) => Some(*key),
            None => return Ok(missing()),
        };
        Ok(ParsedExtent::Whole(Extent { header_bytes, payload_bytes, masking_key }))
    }
}

/// A length that did not fit the second byte.
#[inline]
fn checked_length(length: u64, minimum: u64) -> Result<u64, ProtocolError> {
    // RFC 6455 §5.2: the most significant bit of eight is 0.
    if length >> 63 != 0 {
        return Err(ProtocolError::LengthOver63Bits);
    }
    // RFC 6455 §5.2: "the minimal number of bytes MUST be used".
    if length < minimum { Err(ProtocolError::LengthNotMinimal) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::super::Control;
    use super::*;
    use proptest::prelude::*;

    fn any_header() -> impl Strategy<Value = FrameHeader> {
        let length = prop_oneof![0..=125u64, 120..=70_000u64, 0..=i64::MAX as u64];
        let opcode = prop_oneof![
            Just(Opcode::Continuation),
            Just(Opcode::Data(Kind::Text)),
            Just(Opcode::Data(Kind::Binary)),
            Just(Opcode::Control(Control::Ping)),
        ];
        (any::<bool>(), any::<bool>(), opcode, any::<Option<[u8; 4]>>(), length).prop_map(
            |(fin, rsv1, opcode, masking_key, length)| {
                let control = matches!(opcode, Opcode::Control(_));
                let payload_bytes = if control { length % 126 } else { length };
                FrameHeader { fin: fin || control, rsv1, opcode, masking_key, payload_bytes }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_parsed(header in any_header()) {
            let (bytes, len) = header.encode();
            prop_assert_eq!(FrameHeader::parse(&bytes[..len]), Ok(ParsedHeader::Whole(header, len)));
            for cut in 0..len {
                let Ok(ParsedHeader::Missing(missing)) = FrameHeader::parse(&bytes[..cut]) else {
                    panic!("a header cut at {cut} of {len} is not whole");
                };
                prop_assert!(missing >= 1 && cut + missing <= len);
            }
        }

        #[test]
        fn whatever_is_parsed_is_encoded_the_same(bytes in any::<[u8; 14]>()) {
            if let Ok(ParsedHeader::Whole(header, len)) = FrameHeader::parse(&bytes) {
                let (encoded, encoded_len) = header.encode();
                prop_assert_eq!(&encoded[..encoded_len], &bytes[..len]);
            }
        }
    }

    #[test]
    fn what_no_peer_may_send_is_refused() {
        let refused: [(&[u8], ProtocolError); 10] = [
            (b"\xa1", ProtocolError::ReservedBits),
            (b"\x91", ProtocolError::ReservedBits),
            (b"\x83", ProtocolError::ReservedOpcode(3)),
            (b"\x8f", ProtocolError::ReservedOpcode(15)),
            (b"\x09", ProtocolError::FragmentedControlFrame),
            (b"\x89\x7e", ProtocolError::LongControlFrame),
            (b"\x88\xff", ProtocolError::LongControlFrame),
            (b"\x81\x7e\x00\x7d", ProtocolError::LengthNotMinimal),
            (b"\x81\x7f\0\0\0\0\0\0\xff\xff", ProtocolError::LengthNotMinimal),
            (b"\x81\x7f\x80\0\0\0\0\0\0\0", ProtocolError::LengthOver63Bits),
        ];
        for (bytes, error) in refused {
            assert_eq!(FrameHeader::parse(bytes), Err(error), "{bytes:x?}");
        }
    }
}
