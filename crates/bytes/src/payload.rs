//! A payload where it lies: the front of a buffer, borrowed until it is kept or dropped.

use crate::utf8::InvalidUtf8;
use crate::{Text, utf8};
use bytes::{Buf, Bytes, BytesMut};
use core::{fmt, ops::Deref};

/// The first bytes of a buffer, handed out where they lie.
///
/// It derefs to a slice. Dropping it removes the bytes from the buffer; [`into_bytes`] keeps them
/// without a copy.
///
/// [`into_bytes`]: Payload::into_bytes
///
/// ```
/// # use wskit_bytes::Payload;
/// let mut buffer = bytes::BytesMut::from(&b"onetwo"[..]);
/// assert_eq!(*Payload::front_of(&mut buffer, 3), *b"one");
/// assert_eq!(Payload::front_of(&mut buffer, 3).into_bytes(), "two");
/// assert!(buffer.is_empty());
/// ```
pub struct Payload<'a> {
    buffer: &'a mut BytesMut,
    len: usize,
}

impl<'a> Payload<'a> {
    /// The first `len` bytes of the buffer, or all of it where there are fewer.
    #[inline]
    pub fn front_of(buffer: &'a mut BytesMut, len: usize) -> Payload<'a> {
        let len = len.min(buffer.len());
        Payload { buffer, len }
    }

    /// Keeps the bytes, without a copy: they share the buffer's memory from now on.
    #[inline]
    pub fn into_bytes(mut self) -> Bytes {
        let len = core::mem::take(&mut self.len);
        self.buffer.split_to(len).freeze()
    }

    /// Checks that the payload is UTF-8.
    #[inline]
    pub fn into_text(self) -> Result<TextPayload<'a>, InvalidUtf8> {
        utf8::check(&self)?;
        Ok(TextPayload(self))
    }
}

impl Drop for Payload<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.len > 0 {
            self.buffer.advance(self.len);
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A [`Payload`] that was checked to be UTF-8. It derefs to [`str`].
pub struct TextPayload<'a>(Payload<'a>);

impl TextPayload<'_> {
    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: `Payload::into_text` checked the bytes, and nobody else can change them while
        // this value borrows the buffer.
        unsafe { core::str::from_utf8_unchecked(&self.0) }
    }

    /// Keeps the text, without a copy.
    #[inline]
    pub fn into_text(self) -> Text {
        // SAFETY: as in `as_str`; these are the very bytes.
        unsafe { Text::from_checked(self.0.into_bytes()) }
    }
}

impl Deref for TextPayload<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for TextPayload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
