//! Frames of RFC 6455 §5.2, written by hand.

pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const CLOSE: u8 = 0x8;

/// Appends a whole masked frame; `first` is its first byte (FIN, RSV1 and the opcode).
pub(crate) fn write_masked(first: u8, payload: &[u8], key: [u8; 4], frame: &mut Vec<u8>) {
    const MASK: u8 = 0x80;
    frame.push(first);
    match payload.len() {
        length @ 0..126 => frame.push(MASK | length as u8),
        length @ 126..65536 => {
            frame.push(MASK | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(MASK | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// The header of a frame that a server sent.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) first: u8,
    pub(crate) payload: usize,
    /// The length of the header itself.
    pub(crate) length: usize,
}

impl Header {
    pub(crate) fn fin(self) -> bool {
        self.first & FIN != 0
    }

    pub(crate) fn opcode(self) -> u8 {
        self.first & 0x0f
    }

    pub(crate) fn is_control(self) -> bool {
        self.first & 0x08 != 0
    }
}

/// Reads a header from the front of `bytes`; `None` if there are too few.
pub(crate) fn read_header(bytes: &[u8]) -> Result<Option<Header>, String> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if second & 0x80 != 0 {
        return Err("the server masked a frame".into());
    }
    let (payload, length) = match second {
        126 => match rest.first_chunk::<2>() {
            Some(bytes) => (u16::from_be_bytes(*bytes) as usize, 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(bytes) => (u64::from_be_bytes(*bytes) as usize, 10),
            None => return Ok(None),
        },
        short => (*short as usize, 2),
    };
    Ok(Some(Header { first: *first, payload, length }))
}
