//! Text in the shape that axum has it.

use bytes::Bytes;
use std::{fmt, ops::Deref, str::Utf8Error};
use wskit::Text;

/// Text that shares its bytes, which are known to be UTF-8. It derefs to [`str`].
///
/// ```
/// # use wskit_axum::Utf8Bytes;
/// let text = Utf8Bytes::from_static("hello");
/// assert_eq!(text, "hello");
/// assert_eq!(text.len(), 5);
/// ```
#[derive(Clone, Debug, Default, Eq)]
pub struct Utf8Bytes(pub(crate) Text);

impl Utf8Bytes {
    /// Text that lives as long as the program; nothing is copied.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Utf8Bytes {
        Utf8Bytes(Text::from_static(text))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl PartialEq for Utf8Bytes {
    fn eq(&self, other: &Utf8Bytes) -> bool {
        self.as_str() == other.as_str()
    }
}

macro_rules! compares_with {
    ($($other:ty),*) => {
        $(impl PartialEq<$other> for Utf8Bytes {
            fn eq(&self, other: &$other) -> bool {
                let other: &str = other.as_ref();
                self.as_str() == other
            }
        })*
    };
}

compares_with!(str, &str, String, &String, std::borrow::Cow<'_, str>);

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Utf8Bytes, Utf8Error> {
        match Text::try_from(bytes.clone()) {
            Ok(text) => Ok(Utf8Bytes(text)),
            // Read once more to tell where the fault is, as `Utf8Error` does.
            Err(_) => Ok(Utf8Bytes(Text::from(std::str::from_utf8(&bytes)?))),
        }
    }
}

impl TryFrom<Vec<u8>> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: Vec<u8>) -> Result<Utf8Bytes, Utf8Error> {
        Utf8Bytes::try_from(Bytes::from(bytes))
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Utf8Bytes {
        Utf8Bytes(text.into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Utf8Bytes {
        Utf8Bytes(text.into())
    }
}

impl From<&String> for Utf8Bytes {
    fn from(text: &String) -> Utf8Bytes {
        text.as_str().into()
    }
}

impl From<Text> for Utf8Bytes {
    fn from(text: Text) -> Utf8Bytes {
        Utf8Bytes(text)
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Bytes {
        text.0.into_bytes()
    }
}
