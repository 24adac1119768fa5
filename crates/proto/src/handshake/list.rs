//! Lists in headers: `#rule` of RFC 9110 §5.6.1, over several lines of the same name, and tokens.

/// Whether the bytes are a token (RFC 9110 §5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The items of a comma-separated list, without the blanks around them. Commas in quoted strings
/// do not separate. Takes time linear in the value, however many blanks it has.
pub(super) fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_outside_quotes(value, b',')
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
