//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1 and §4.2.2).

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use core::{fmt, str::FromStr};
use sha1::{Digest, Sha1};

/// The 16 random bytes that a client sends in `Sec-WebSocket-Key`, fresh for each connection.
///
/// The server proves with the [accept value](Key::accept) that it read the key and speaks
/// WebSocket.
///
/// ```
/// # use wskit_proto::handshake::Key;
/// let key: Key = "dGhlIHNhbXBsZSBub25jZQ==".parse()?;
/// assert_eq!(key.bytes(), b"the sample nonce");
/// assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), wskit_proto::handshake::InvalidKey>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

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
    const ENCODED_BYTES: usize = 24;

    /// A key made of 16 bytes that nobody could have predicted.
    pub const fn from_entropy(bytes: [u8; 16]) -> Key {
        Key(bytes)
    }

    /// The bytes of the key.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the value of `Sec-WebSocket-Key`: 24 characters, canonical base64 of 16 bytes, and
    /// nothing else.
    pub fn parse(value: &[u8]) -> Result<Key, InvalidKey> {
        if value.len() != Self::ENCODED_BYTES {
            return Err(InvalidKey::Length(value.len()));
        }
        // 24 characters can stand for 18 bytes, of which only 16 are a key.
        let mut bytes = [0; 18];
        match BASE64.decode_slice(value, &mut bytes) {
            Ok(16) => {
                let mut key = [0; 16];
                key.copy_from_slice(&bytes[..16]);
                Ok(Key(key))
            }
            _ => Err(InvalidKey::NotCanonicalBase64),
        }
    }

    /// The value that proves that this key was read: the base64 of the SHA-1 of the key's text
    /// followed by a fixed identifier.
    pub fn accept(&self) -> Accept {
        let mut sha1 = Sha1::new();
        sha1.update(self.encode());
        sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        let mut accept = [0; 28];
        // 20 bytes are 28 characters, so this cannot fail.
        let _written = BASE64.encode_slice(sha1.finalize(), &mut accept);
        Accept(accept)
    }

    pub(super) fn encode(&self) -> [u8; Self::ENCODED_BYTES] {
        let mut text = [0; Self::ENCODED_BYTES];
        // 16 bytes are 24 characters, so this cannot fail.
        let _written = BASE64.encode_slice(self.0, &mut text);
        text
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Key, InvalidKey> {
        Key::parse(text.as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.encode()).unwrap_or_default())
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
