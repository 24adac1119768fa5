//! Lists in headers: `#rule` of RFC 9110 §5.6.1, over several lines of the same name, and tokens.

/// Whether the bytes are a token (RFC 9110 §5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && TOKEN.holds_all(bytes)
}

/// Some bytes, found by one look for each.
pub(super) struct ByteSet([bool; 256]);

impl ByteSet {
    /// Letters, digits and these.
    pub(super) const fn alphanumeric_and(others: &[u8]) -> ByteSet {
        let mut holds = [false; 256];
        let mut byte = 0;
        while byte < holds.len() {
            holds[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut place = 0;
        while place < others.len() {
            holds[others[place] as usize] = true;
            place += 1;
        }
        ByteSet(holds)
    }

    /// Whether all these bytes are in the set.
    pub(super) fn holds_all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.0[usize::from(*byte)])
    }
}

static TOKEN: ByteSet = ByteSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// The items of a comma-separated list, without the blanks around them. Commas in quoted strings
/// do not separate. Takes time linear in the value, however many blanks it has.
pub(super) fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_outside_quotes(value, b',')
}

/// Whether this token, which is written in small letters, is among the items of a list, in any case.
pub(super) fn has_token<const N: usize>(value: &[u8], token: &[u8; N]) -> bool {
    // Most often it stands alone.
    is(value, token) || items(value).any(|item| is(item, token))
}

/// Whether these bytes, in any case, are the known ones, which are written in small letters.
///
/// How many those are is known to the compiler, and none ends the comparison: so all are compared at once.
#[inline]
pub(super) fn is<const N: usize>(bytes: &[u8], known: &[u8; N]) -> bool {
    bytes.len() == N
        && bytes
            .iter()
            .zip(known)
            .fold(true, |same, (byte, known)| same & (byte.to_ascii_lowercase() == *known))
}

/// The parts between separators, without the blanks around them.
pub(super) fn split_outside_quotes(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(move |byte| {
            if escaped {
                escaped = false;
                return false;
            }
            match byte {
                b'\\' => escaped = quoted,
                b'"' => quoted = !quoted,
                _ => {}
            }
            *byte == separator && !quoted
        })
        .map(trim)
}

/// Without the spaces and tabs around it (RFC 9110 §5.6.3).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_list_is_split_at_its_own_commas_only() {
        let split: Vec<&[u8]> = items(b" a ,\tb;x=\"1,\\\"2\" , ,c").collect();
        assert_eq!(split, [&b"a"[..], b"b;x=\"1,\\\"2\"", b"", b"c"]);
    }

    #[test]
    fn tokens() {
        assert!(is_token(b"permessage-deflate") && is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        assert!(!is_token(b"") && !is_token(b"a b") && !is_token(b"a/b") && !is_token(b"\xe9"));
    }
}
