//! What messages hold: deterministic, and no two of a set alike.

use crate::random::Random;
use std::fmt::Write as _;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Random bytes
    Binary,
    /// ASCII text
    Text,
    /// Text of which most characters take two to four bytes
    Multibyte,
    /// Records of JSON-like text, which compress as such things do
    Json,
}

impl Kind {
    /// The opcode of RFC 6455 §11.8.
    pub(crate) fn opcode(self) -> u8 {
        if self == Kind::Binary { 0x2 } else { 0x1 }
    }

    /// A payload of exactly `size` bytes.
    pub(crate) fn payload(self, size: usize, random: &mut Random) -> Vec<u8> {
        match self {
            Kind::Binary => (0..size).map(|_| random.next() as u8).collect(),
            Kind::Text => (0..size).map(|_| b' ' + random.below(95) as u8).collect(),
            Kind::Multibyte => multibyte(size, random),
            Kind::Json => json(size, random),
        }
    }
}

fn multibyte(size: usize, random: &mut Random) -> Vec<u8> {
    const CHARACTERS: [&str; 16] =
        ["é", "ß", "ж", "я", "п", "р", "и", "λ", "日", "本", "語", "한", "€", "😀", " ", "e"];
    cut(size, || random.one_of(&CHARACTERS).to_owned())
}

const WORDS: [&str; 64] = [
    "about",
    "after",
    "again",
    "arrive",
    "before",
    "begin",
    "between",
    "bridge",
    "carry",
    "change",
    "city",
    "cloud",
    "could",
    "delay",
    "early",
    "evening",
    "every",
    "field",
    "first",
    "follow",
    "garden",
    "green",
    "harbour",
    "heavy",
    "house",
    "indeed",
    "journey",
    "kitchen",
    "large",
    "later",
    "letter",
    "light",
    "little",
    "market",
    "meeting",
    "morning",
    "mountain",
    "never",
    "night",
    "number",
    "office",
    "other",
    "paper",
    "people",
    "perhaps",
    "please",
    "question",
    "quick",
    "ready",
    "remember",
    "river",
    "second",
    "should",
    "small",
    "station",
    "street",
    "thanks",
    "their",
    "through",
    "tomorrow",
    "under",
    "water",
    "window",
    "yesterday",
];

fn json(size: usize, random: &mut Random) -> Vec<u8> {
    cut(size, || record(random))
}

/// A record such as chats, markets and dashboards send: the same fields, other values.
fn record(random: &mut Random) -> String {
    let mut record = format!(
        r#"{{"id":{},"time":"2026-11-{:02}T{:02}:{:02}:{:02}.{:03}Z","user":{{"name":"{}_{}","online":{}}},"#,
        random.below(100_000_000),
        1 + random.below(30),
        random.below(24),
        random.below(60),
        random.below(60),
        random.below(1000),
        random.one_of(&WORDS),
        random.below(1000),
        random.below(2) == 0,
    );
    let _ = write!(record, r#""price":{}.{:02},"#, random.below(1000), random.below(100));
    record.push_str(r#""text":""#);
    for word in 0..4 + random.below(12) {
        if word > 0 {
            record.push(' ');
        }
        record.push_str(random.one_of(&WORDS));
    }
    let _ =
        write!(record, r#"","tags":["{}","{}"]}},"#, random.one_of(&WORDS), random.one_of(&WORDS));
    record
}

/// Joins what `next` gives, whole pieces only, and fills up with spaces to exactly `size` bytes.
fn cut(size: usize, mut next: impl FnMut() -> String) -> Vec<u8> {
    let mut text = String::with_capacity(size + 512);
    while text.len() < size {
        text.push_str(&next());
    }
    let end = (0..=size).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.truncate(end);
    let mut bytes = text.into_bytes();
    bytes.resize(size, b' ');
    bytes
}
