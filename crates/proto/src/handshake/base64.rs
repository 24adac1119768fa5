//! Base64 (RFC 4648 §4) of so few and fixed sizes that it needs no errors of length, no memory and few instructions.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Stands for what is not in the alphabet: the only value with this bit.
const NONE: u8 = 0x80;

/// What each character stands for.
static VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// The text of so many bytes, of which there is a character for each six bits, and `=` up to a multiple of four.
pub(super) fn encode<const BYTES: usize, const CHARACTERS: usize>(
    bytes: &[u8; BYTES],
) -> [u8; CHARACTERS] {
    const { assert!(CHARACTERS == BYTES.div_ceil(3) * 4) };
    let mut text = [b'='; CHARACTERS];
    for (group, characters) in bytes.chunks(3).zip(text.chunks_exact_mut(4)) {
        let byte = |place| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, character) in characters.iter_mut().enumerate().take(group.len() + 1) {
            *character = ALPHABET[(bits >> (18 - 6 * place)) as usize & 0x3F];
        }
    }
    text
}

/// Whether this is the text of 16 bytes: 22 characters of the alphabet, of which the last has no bits for which there is no
/// byte, and `==`. So each 16 bytes have one text only.
pub(super) fn is_of_16_bytes(text: &[u8; 24]) -> bool {
    let [characters @ .., b'=', b'='] = text else { return false };
    let seen = characters.iter().fold(0, |seen, character| seen | value(*character));
    seen & NONE == 0 && value(characters[21]) & 0x0F == 0
}

/// The 16 bytes of [their text](is_of_16_bytes).
pub(super) fn decode(text: &[u8; 24]) -> [u8; 16] {
    core::array::from_fn(|place| {
        // The eight bits begin in the first of these characters, and end in the second.
        let first = place * 8 / 6;
        let bits = u16::from(value(text[first])) << 6 | u16::from(value(text[first + 1]));
        (bits >> (4 - place * 8 % 6)) as u8
    })
}

fn value(character: u8) -> u8 {
    VALUES[usize::from(character)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        assert_eq!(&encode::<1, 4>(b"f"), b"Zg==");
        assert_eq!(&encode::<2, 4>(b"fo"), b"Zm8=");
        assert_eq!(&encode::<3, 4>(b"foo"), b"Zm9v");
        assert_eq!(&encode::<6, 8>(b"foobar"), b"Zm9vYmFy");
    }

    #[test]
    fn each_character_is_decoded_to_what_it_is_encoded_from() {
        for text in [
            b"ABCDEFGHIJKLMNOPQRSTUA==",
            b"VWXYZabcdefghijklmnopQ==",
            b"qrstuvwxyz0123456789+g==",
            b"/////////////////////w==",
        ] {
            assert!(is_of_16_bytes(text));
            assert_eq!(&encode(&decode(text)), text);
        }
        assert_eq!(decode(b"/////////////////////w=="), [0xFF; 16]);
    }

    #[test]
    fn what_is_no_base64_of_16_bytes() {
        for (place, byte) in (0..24).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte)))
        {
            let mut text = *b"ABCDEFGHIJKLMNOPQRSTUA==";
            text[place] = byte;
            let is_right = match place {
                0..21 => byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/',
                21 => b"AQgw".contains(&byte),
                _ => byte == b'=',
            };
            assert_eq!(is_of_16_bytes(&text), is_right, "{byte} at {place}");
        }
    }
}
