//! Names of members and of rooms: once one of these types is there, the name is good.

use std::fmt;

use serde::Serialize;

use crate::closing::Refusal;
use crate::complaint::Complaint;
use crate::limits::Limits;

/// The name of a member: trimmed, visible, on one line, and not one of the server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct MemberName(String);

/// What two names have in common when people would take one for the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Likeness(String);

/// The name of a room, in lower case: `Lobby` and `lobby` are one room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct RoomName(String);

/// Who vouches for a name: see [`Standing`](crate::Standing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    Open,
    Stranger,
    Known,
}

/// Stands before names that nobody vouches for.
const MARK: char = '~';

/// Names that only the server may speak under.
const RESERVED: [&str; 6] = ["server", "system", "wskit", "admin", "administrator", "moderator"];

impl MemberName {
    pub(crate) fn parse(wanted: &str, limits: &Limits) -> Result<Self, Complaint> {
        let name = Self::parse_any(wanted, limits)?;
        if RESERVED.contains(&name.likeness().0.as_str()) {
            return Err(Complaint::NameReserved);
        }
        Ok(name)
    }

    /// Like [`parse`](Self::parse), but the name may be one of the server's.
    pub(crate) fn parse_any(wanted: &str, limits: &Limits) -> Result<Self, Complaint> {
        if wanted.trim().chars().count() > limits.name_chars_max {
            return Err(Complaint::NameTooLong { chars_max: limits.name_chars_max });
        }
        if wanted.trim().chars().any(is_deceptive) {
            return Err(Complaint::NameCharacters);
        }
        let name = Self(wanted.split_whitespace().collect::<Vec<_>>().join(" "));
        if name.likeness().0.is_empty() {
            return Err(Complaint::NameEmpty);
        }
        Ok(name)
    }

    /// A name that the server vouches for. It may be one of the server's, but not look as if nobody did.
    pub(crate) fn parse_vouched(wanted: &str, limits: &Limits) -> Result<Self, Complaint> {
        let name = Self::parse_any(wanted, limits)?;
        if name.0.contains(MARK) { Err(Complaint::NameCharacters) } else { Ok(name) }
    }

    /// A name that nobody vouches for, so marked, where the server vouches for others.
    pub(crate) fn parse_marked(wanted: &str, limits: &Limits) -> Result<Self, Complaint> {
        let Self(name) = Self::parse(wanted.trim().trim_start_matches(MARK), limits)?;
        let kept = name.chars().take(limits.name_chars_max.saturating_sub(1));
        Ok(Self(std::iter::once(MARK).chain(kept).collect()))
    }

    /// The name for somebody who brought none.
    pub(crate) fn guest(number: u64, kind: NameKind) -> Self {
        match kind {
            NameKind::Open => Self(format!("guest-{number}")),
            NameKind::Stranger | NameKind::Known => Self(format!("{MARK}guest-{number}")),
        }
    }

    /// This name with a number behind it, shortened so that it stays within the limit.
    pub(crate) fn numbered(&self, number: u64, kind: NameKind, limits: &Limits) -> Self {
        let between = if kind == NameKind::Known { MARK } else { '-' };
        let suffix = format!("{between}{number}");
        let kept = limits.name_chars_max.saturating_sub(suffix.len());
        let stem: String = self.0.chars().take(kept).collect();
        Self(format!("{}{suffix}", stem.trim_end()))
    }

    /// Letter case and characters that join or style the ones beside them do not make a name another name.
    pub(crate) fn likeness(&self) -> Likeness {
        let seen = self.0.chars().filter(|c| !matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}'));
        Likeness(seen.flat_map(char::to_lowercase).collect())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl RoomName {
    pub(crate) fn parse(wanted: &str, limits: &Limits) -> Result<Self, Refusal> {
        let begins_well = wanted.starts_with(|c: char| c.is_ascii_alphanumeric());
        let goes_on_well =
            wanted.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if begins_well && goes_on_well && wanted.len() <= limits.room_name_chars_max {
            Ok(Self(wanted.to_ascii_lowercase()))
        } else {
            Err(Refusal::RoomName)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters with which one name can be made to look like another, or like something the page says: control
/// characters, those that turn the direction of text, and those that show nothing. The joiner of emoji
/// (U+200D) and the variation selectors are needed to write emoji; [`MemberName::likeness`] looks past them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction
            | '\u{2028}' | '\u{2029}' // line breaks
            | '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200c}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}' // unseen
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(wanted: &str) -> Result<String, &'static str> {
        MemberName::parse(wanted, &Limits::default())
            .map(|name| name.0)
            .map_err(|complaint| complaint.reason())
    }

    #[test]
    fn good_names_are_trimmed_and_kept() {
        assert_eq!(name("  ann  "), Ok("ann".into()));
        assert_eq!(name("Ann \u{a0}  Lee"), Ok("Ann Lee".into()));
        assert_eq!(name("żółw"), Ok("żółw".into()));
        assert_eq!(name("👩‍🚀"), Ok("👩‍🚀".into()));
        assert_eq!(name("<b>"), Ok("<b>".into()));
    }

    #[test]
    fn names_that_deceive_are_refused() {
        for wanted in [
            "a\u{0}b",
            "a\u{1b}[31m",
            "a\nb",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "\u{3164}",
            "a\u{85}b",
        ] {
            assert_eq!(name(wanted), Err("name_characters"), "{wanted:?}");
        }
        for wanted in ["", "   ", "\u{200d}"] {
            assert_eq!(name(wanted), Err("name_empty"), "{wanted:?}");
        }
        for wanted in ["server", " SYSTEM ", "WsKit", "ad\u{200d}min"] {
            assert_eq!(name(wanted), Err("name_reserved"), "{wanted:?}");
        }
    }

    #[test]
    fn a_name_is_counted_in_characters() {
        assert!(name(&"é".repeat(32)).is_ok());
        assert_eq!(name(&"é".repeat(33)), Err("name_too_long"));
    }

    #[test]
    fn a_numbered_name_stays_within_the_limit() {
        let limits = Limits { name_chars_max: 6, ..Limits::default() };
        let long = MemberName::parse("abc ef", &limits).unwrap();
        assert_eq!(long.numbered(2, NameKind::Open, &limits).as_str(), "abc-2");
        assert_eq!(long.numbered(12345, NameKind::Open, &limits).as_str(), "-12345");
    }

    #[test]
    fn room_names_are_plain_and_without_case() {
        let limits = Limits::default();
        let room = |wanted: &str| RoomName::parse(wanted, &limits).map(|name| name.0);
        assert_eq!(room("Rust-1.95_x"), Ok("rust-1.95_x".into()));
        for wanted in ["", ".", "..", "-a", "_a", "a/b", "a b", "é", "a\0", "a%20b", "<b>"] {
            assert_eq!(room(wanted), Err(Refusal::RoomName), "{wanted:?}");
        }
        assert!(room(&"a".repeat(64)).is_ok());
        assert_eq!(room(&"a".repeat(65)), Err(Refusal::RoomName));
    }
}
