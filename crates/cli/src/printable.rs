//! Text of the peer, made harmless for a terminal.

use serde::Serialize;
use serde_json::Result;
use std::fmt::Write;

/// The text with everything made visible that could move the cursor, colour the screen, or make
/// text appear elsewhere than it stands: `\n` for the end of a line, `\u{1b}` for Escape.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c if is_harmful(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// As [`printable`], for bytes that may not be text at all.
pub(crate) fn printable_bytes(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// JSON on one line that means the same and has no character that [`printable`] would escape.
pub(crate) fn json_line(value: &impl Serialize) -> Result<String> {
    Ok(escape_json(&serde_json::to_string(value)?))
}

/// As [`json_line`], over several lines for reading.
pub(crate) fn json_document(value: &impl Serialize) -> Result<String> {
    let document = serde_json::to_string_pretty(value)?;
    Ok(document.lines().map(escape_json).collect::<Vec<_>>().join("\n"))
}

/// Such characters stand only inside strings, where an escape means the same.
fn escape_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _always_ok = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a terminal might do something else with the character than show it in its place.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks, embeddings, overrides and isolates of the bidirectional algorithm.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // The separators of lines and paragraphs, and a byte order mark.
            | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_harm_is_shown_and_the_rest_is_left() {
        assert_eq!(printable("a\u{1b}[31mb\u{7f}\u{9b}2J"), r"a\u{1b}[31mb\u{7f}\u{9b}2J");
        assert_eq!(printable("1\r\n2\t3\0"), r"1\r\n2\t3\u{0}");
        assert_eq!(printable("gpj.\u{202e}exe\u{2066}"), r"gpj.\u{202e}exe\u{2066}");
        assert_eq!(printable("Grüße, 世界 👩‍💻 \\n"), "Grüße, 世界 👩‍💻 \\n");
        assert_eq!(printable_bytes(b"\xff\x1b"), "\u{fffd}\\u{1b}");
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({ "text": "\u{202e}\u{9b}\u{1b}\n\u{7f}é\u{2028}" });
        for json in [json_line(&value).unwrap(), json_document(&value).unwrap()] {
            assert!(!json.replace('\n', "").chars().any(is_harmful), "{json}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        }
        assert!(!json_line(&value).unwrap().contains('\n'));
    }
}
