//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1 and §4.2.2).

use super::base64;
use core::{fmt, str::FromStr};
use sha1::block_api::compress;

/// The 16 random bytes that a client sends in `Sec-WebSocket-Key`, fresh for each connection.
///
/// The server proves with the [accept value](Key::accept) that it read the key and speaks
/// WebSocket.
///
/// ```
/// # use wskit_proto::handshake::Key;
/// let key: Key = "dGhlIHNhbXBsZSBub25jZQ==".parse()?;
/// assert_eq!(&key.bytes(), b"the sample nonce");
/// assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), wskit_proto::handshake::InvalidKey>(())
/// ```
// As text, for that is what is sent and hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; TEXT_BYTES]);

/// The value of `Sec-WebSocket-Accept`: 28 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Accept([u8; 28]);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// It has this many characters, and not 24.
    Length(usize),
    /// It is not base64 of 16 bytes in its one canonical form.
    NotCanonicalBase64,
}

impl Key {
    /// A key made of 16 bytes that nobody could have predicted.
    pub fn from_entropy(bytes: [u8; 16]) -> Key {
        Key(base64::encode(&bytes))
    }

    /// The bytes of the key.
    pub fn bytes(&self) -> [u8; 16] {
        base64::decode(&self.0)
    }

    /// Reads the value of `Sec-WebSocket-Key`: 24 characters, canonical base64 of 16 bytes, and
    /// nothing else.
    pub fn parse(value: &[u8]) -> Result<Key, InvalidKey> {
        let text = value.try_into().map_err(|_| InvalidKey::Length(value.len()))?;
        if base64::is_of_16_bytes(text) {
            Ok(Key(*text))
        } else {
            Err(InvalidKey::NotCanonicalBase64)
        }
    }

    /// The key as it stands in the header.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The value that proves that this key was read: the base64 of the SHA-1 of the key's text
    /// followed by a fixed identifier.
    pub fn accept(&self) -> Accept {
        let mut blocks = HASHED;
        blocks[0][..self.0.len()].copy_from_slice(&self.0);
        let mut hash = SHA1_INITIAL;
        compress(&mut hash, &blocks);
        let mut bytes = [0; 20];
        for (part, word) in bytes.chunks_exact_mut(4).zip(hash) {
            part.copy_from_slice(&word.to_be_bytes());
        }
        Accept(base64::encode(&bytes))
    }
}

/// How long the text of a key is.
const TEXT_BYTES: usize = 24;

/// What follows the key in what is hashed.
const IDENTIFIER: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What is hashed, with room for the key in front: it has always the same length, and so the same padding (FIPS 180-4
/// §5.1.1), which is a bit that is set, zeros up to whole blocks, and the length in bits at their end.
const HASHED: [[u8; 64]; 2] = {
    let mut blocks = [[0; 64]; 2];
    let (_, behind_key) = blocks[0].split_at_mut(TEXT_BYTES);
    let (identifier, padding) = behind_key.split_at_mut(IDENTIFIER.len());
    identifier.copy_from_slice(IDENTIFIER);
    padding[0] = 0x80;
    let bits = 8 * (TEXT_BYTES + IDENTIFIER.len()) as u16;
    [blocks[1][62], blocks[1][63]] = bits.to_be_bytes();
    blocks
};

/// The hash value that SHA-1 begins with (FIPS 180-4 §5.3.1).
const SHA1_INITIAL: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Key, InvalidKey> {
        Key::parse(text.as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl Accept {
    /// The value as it stands in the header.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The value as it stands in the header.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accept({self})")
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidKey::Length(len) => write!(f, "a key has 24 characters, this has {len}"),
            InvalidKey::NotCanonicalBase64 => f.write_str(
                "a key is the base64 of 16 bytes: 22 characters of A-Z, a-z, 0-9, + and /, the \
                 last of them A, Q, g or w, and then ==",
            ),
        }
    }
}

impl core::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_form_is_a_key() {
        for (text, error) in [
            ("", InvalidKey::Length(0)),
            ("dGhlIHNhbXBsZSBub25jZQ", InvalidKey::Length(22)),
            ("dGhlIHNhbXBsZSBub25jZQ== ", InvalidKey::Length(25)),
            ("dGhlIHNhbXBsZSBub25jZR==", InvalidKey::NotCanonicalBase64),
            ("dGhlIHNhbXBsZSBub25jZQ=A", InvalidKey::NotCanonicalBase64),
            ("dGhlIHNhbXBsZSBub25jZSE=", InvalidKey::NotCanonicalBase64),
            ("dGhlIHNhbXBsZSBub25jZSEh", InvalidKey::NotCanonicalBase64),
            ("dGhlIHNhbXBsZSBub25j_Q==", InvalidKey::NotCanonicalBase64),
            ("dGhlIHNhb\nBsZSBub25jZQ==", InvalidKey::NotCanonicalBase64),
        ] {
            assert_eq!(text.parse::<Key>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_16_bytes_are_a_key(bytes in any::<[u8; 16]>()) {
            let key = Key::from_entropy(bytes);
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
}
