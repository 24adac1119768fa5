//! A payload where it lies: the front of a buffer, borrowed until it is kept or dropped.

use crate::utf8::InvalidUtf8;
use crate::{Text, mask, utf8};
use bytes::{Buf, Bytes, BytesMut};
use core::{
    fmt,
    ops::{Deref, Range},
};

/// The first bytes of a buffer, or those behind a header, handed out where they lie.
///
/// It derefs to a slice. Dropping it removes the bytes, and the header, from the buffer;
/// [`into_bytes`] keeps them without a copy.
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
    start: usize,
    end: usize,
}

impl<'a> Payload<'a> {
    /// The first `len` bytes of the buffer, or all of it where there are fewer.
    #[inline]
    pub fn front_of(buffer: &'a mut BytesMut, len: usize) -> Payload<'a> {
        let end = len.min(buffer.len());
        Payload { buffer, start: 0, end }
    }

    /// The bytes of the buffer in this range, or as many of them as there are. What is before them
    /// goes when they go.
    #[inline(always)]
    pub fn behind_header(buffer: &'a mut BytesMut, range: Range<usize>) -> Payload<'a> {
        let end = range.end.min(buffer.len());
        Payload { buffer, start: range.start.min(end), end }
    }

    /// Unmasks the payload where it lies.
    #[inline(always)]
    pub fn unmask(&mut self, key: [u8; 4]) {
        mask(&mut self.buffer[self.start..self.end], key, 0);
    }

    /// Unmasks the payload where it lies and checks that it is UTF-8, in one pass.
    #[inline(always)]
    pub fn unmask_into_text(self, key: [u8; 4]) -> Result<TextPayload<'a>, InvalidUtf8> {
        utf8::unmask_and_check(&mut self.buffer[self.start..self.end], key)?;
        Ok(TextPayload(self))
    }

    /// Keeps the bytes, without a copy: they share the buffer's memory from now on.
    #[inline(always)]
    pub fn into_bytes(mut self) -> Bytes {
        let end = core::mem::take(&mut self.end);
        let mut bytes = self.buffer.split_to(end).freeze();
        bytes.advance(self.start);
        bytes
    }

    /// Checks that the payload is UTF-8.
    #[inline(always)]
    pub fn into_text(self) -> Result<TextPayload<'a>, InvalidUtf8> {
        utf8::check(&self)?;
        Ok(TextPayload(self))
    }
}

impl Drop for Payload<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.end > 0 {
            self.buffer.advance(self.end);
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A [`Payload`] that was checked to be UTF-8. It derefs to [`str`].
pub struct TextPayload<'a>(Payload<'a>);

impl<'a> TextPayload<'a> {
    /// For a payload that was checked while it arrived.
    ///
    /// # Safety
    /// The payload is UTF-8.
    #[inline]
    pub(crate) unsafe fn from_checked(payload: Payload<'a>) -> TextPayload<'a> {
        TextPayload(payload)
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: the bytes were UTF-8 when this value was made (every constructor checks, or demands
        // it), and nobody else can change them while it borrows the buffer.
        unsafe { core::str::from_utf8_unchecked(&self.0) }
    }

    /// Keeps the text, without a copy.
    #[inline(always)]
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
