//! Randomness that nobody can predict (RFC 6455 §10.3), made in bulk for each thread.

use rand::Rng;
use wskit_proto::{MaskingKey, handshake::Key};

/// A fresh key for an opening handshake.
pub(crate) fn key() -> Key {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    Key::from_entropy(bytes)
}

/// A fresh key for a frame.
pub(crate) fn masking_key() -> MaskingKey {
    rand::rng().next_u32().to_ne_bytes()
}
