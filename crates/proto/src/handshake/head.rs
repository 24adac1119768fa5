//! The head of a request or a response: its first line and its headers.

use super::field::{Shown, is_value, write_line};
use super::list::{has_token, is_token, trim};
use super::{RequestError, ResponseError};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// How much a head may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The longest head: 16 KiB. A longer request is refused with 431.
    pub head_bytes_max: usize,
    /// The longest request target: 8 KiB. A longer one is refused with 414.
    pub target_bytes_max: usize,
}

impl Default for HeadLimits {
    fn default() -> HeadLimits {
        HeadLimits { head_bytes_max: 16 << 10, target_bytes_max: 8 << 10 }
    }
}

/// The most headers that a head may have.
pub(super) const HEADERS_MAX: usize = 100;

/// The headers of a request or a response, in the order they came.
///
/// Names are compared without regard to case. Nothing is copied: the headers lie in the head as
/// it was received.
#[derive(Clone, Default)]
pub struct Headers {
    head: Bytes,
    fields: Vec<Place>,
}

/// Where a header lies in the head.
#[derive(Clone)]
struct Place {
    name: (u32, u32),
    value: (u32, u32),
}

impl Headers {
    /// Remembers where the parsed headers lie in the head that they were parsed from.
    ///
    /// The head is copied, so that the headers, which may live long, do not keep the read buffer
    /// alive.
    pub(super) fn locate(head: &[u8], parsed: &[httparse::Header<'_>]) -> Headers {
        let place = |part: &[u8]| {
            let start = part.as_ptr() as usize - head.as_ptr() as usize;
            (start as u32, (start + part.len()) as u32)
        };
        let fields = parsed
            .iter()
            .map(|field| Place {
                name: place(field.name.as_bytes()),
                value: place(trim(field.value)),
            })
            .collect();
        Headers { head: Bytes::copy_from_slice(head), fields }
    }

    /// Copies headers that were parsed elsewhere into a head such as they may have come in, of which
    /// the beginning is there.
    pub(super) fn copy<'a>(
        mut head: Vec<u8>,
        parsed: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        head_bytes_max: usize,
    ) -> Result<Headers, HeadFault> {
        let mut fields = Vec::new();
        for (name, value) in parsed {
            let value = trim(value);
            let line_bytes = name.len() + value.len() + ": \r\n".len();
            // With the empty line that ends the head.
            if head.len() + line_bytes + 2 > head_bytes_max {
                return Err(HeadFault::TooLong(head_bytes_max));
            }
            if fields.len() == HEADERS_MAX {
                return Err(HeadFault::TooManyHeaders(HEADERS_MAX));
            }
            if !is_token(name.as_bytes()) || !is_value(value) {
                return Err(HeadFault::NotHttp);
            }
            let start = head.len() as u32;
            let name_end = start + name.len() as u32;
            let value_start = name_end + 2;
            let value_end = value_start + value.len() as u32;
            fields.push(Place { name: (start, name_end), value: (value_start, value_end) });
            write_line(&mut head, name, value);
        }
        head.extend_from_slice(b"\r\n");
        Ok(Headers { head: head.into(), fields })
    }

    /// Every header: its name as it came, and its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines().map(|(name, value)| (core::str::from_utf8(name).unwrap_or_default(), value))
    }

    /// The value of the first header of this name.
    ///
    /// ```
    /// # use wskit_proto::handshake::Headers;
    /// # let headers = Headers::default();
    /// let agent = headers.get("user-agent").and_then(|value| std::str::from_utf8(value).ok());
    /// ```
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The values of all headers of this name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |place| self.is_named(place, name))
            .map(|place| self.part(place.value))
    }

    /// Every header: its name as it came, and its value.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|place| (self.part(place.name), self.part(place.value)))
    }

    /// The head as it came, first line and all; or as it may have come, if another parser took it.
    pub fn raw(&self) -> &[u8] {
        &self.head
    }

    /// Whether the list in the headers of this name has this token, in any case.
    pub(super) fn has_token<const N: usize>(&self, name: &str, token: &[u8; N]) -> bool {
        self.all(name).any(|value| has_token(value, token))
    }

    /// The value of the only header of this name.
    pub(super) fn only(&self, name: &str) -> Only<'_> {
        let mut only = Only::Missing;
        self.all(name).for_each(|value| only.add(value));
        only
    }

    fn is_named(&self, place: &Place, name: &str) -> bool {
        let (start, end) = place.name;
        (end - start) as usize == name.len()
            && self.part(place.name).eq_ignore_ascii_case(name.as_bytes())
    }

    fn part(&self, (start, end): (u32, u32)) -> &[u8] {
        &self.head[start as usize..end as usize]
    }
}

/// Why a head is not taken, of a request or a response.
pub(super) enum HeadFault {
    NotHttp,
    TooLong(usize),
    TooManyHeaders(usize),
}

macro_rules! head_faults {
    ($($error:ident),*) => {
        $(impl From<HeadFault> for $error {
            fn from(fault: HeadFault) -> $error {
                match fault {
                    HeadFault::NotHttp => $error::NotHttp,
                    HeadFault::TooLong(limit) => $error::HeadTooLong(limit),
                    HeadFault::TooManyHeaders(limit) => $error::TooManyHeaders(limit),
                }
            }
        })*
    };
}

head_faults!(RequestError, ResponseError);

/// What there is of a header that should stand once.
pub(super) enum Only<'a> {
    Missing,
    Value(&'a [u8]),
    Repeated,
}

impl<'a> Only<'a> {
    /// One more has this value.
    pub(super) fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Only::Missing => Only::Value(value),
            Only::Value(_) | Only::Repeated => Only::Repeated,
        };
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.iter().map(|(name, value)| (name, Shown(name, value)));
        f.debug_map().entries(fields).finish()
    }
}

/// Finds the end of a head that arrives in pieces, looking at each byte a bounded number of times.
#[derive(Debug, Default)]
pub(super) struct HeadEnd {
    searched_bytes: usize,
}

impl HeadEnd {
    /// How many bytes the head at the front of the buffer has, once it is there whole.
    pub(super) fn find(&mut self, input: &[u8]) -> Option<usize> {
        let start = self.searched_bytes.saturating_sub(3);
        let mut place = start;
        while let Some(line_end) = input[place..].iter().position(|byte| *byte == b'\n') {
            place += line_end + 1;
            match &input[place..] {
                [b'\n', ..] => return Some(place + 1),
                [b'\r', b'\n', ..] => return Some(place + 2),
                _ => {}
            }
        }
        self.searched_bytes = input.len();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_however_the_head_is_cut() {
        for head in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"GET / HTTP/1.1\nHost: x\n\n"] {
            let input = [head, b"\x81\x00\n\n"].concat();
            for piece_bytes in 1..=input.len() {
                let mut end = HeadEnd::default();
                let found = (1..)
                    .map(|n| (n * piece_bytes).min(input.len()))
                    .find_map(|arrived| end.find(&input[..arrived]));
                assert_eq!(found, Some(head.len()));
            }
        }
    }
}
