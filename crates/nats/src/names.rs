//! What streams and subjects are called.

use std::fmt::Write;

/// The names of everything that one installation has on a NATS server: all of them begin with its prefix.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    /// `None` if it is no prefix: letters, digits and `-`, 1 to 32 of them.
    pub(crate) fn new(prefix: &str) -> Option<Self> {
        let fits = (1..=32).contains(&prefix.len());
        let plain = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (fits && plain).then(|| Self { prefix: prefix.to_owned() })
    }

    /// The subject on which messages of a room are published. A server lets only one stream have it.
    pub(crate) fn subject(&self, room: &str) -> String {
        format!("{}.rooms.{}", self.prefix, token(room))
    }

    /// The subjects of all rooms.
    pub(crate) fn all_subjects(&self) -> String {
        format!("{}.rooms.*", self.prefix)
    }

    /// The subject on which the server tells what it keeps of a room.
    pub(crate) fn kept(&self, room: &str) -> String {
        format!("{}.kept.{}", self.prefix, token(room))
    }

    /// The subject on which nodes tell each other who is in their rooms.
    pub(crate) fn here(&self) -> String {
        format!("{}.here", self.prefix)
    }

    /// The stream that is one life of a room. The epoch is in its name, so that whatever is asked of it, its end
    /// included, never meets another life.
    pub(crate) fn stream(&self, room: &str, epoch: &str) -> String {
        format!("{}_{}_{}", self.prefix, token(room), token(epoch))
    }

    /// The epoch that a stream's name tells.
    pub(crate) fn epoch(&self, stream: &str) -> Option<String> {
        let (_, epoch) = self.parts(stream)?;
        untoken(epoch)
    }

    /// The room that a stream's name tells.
    pub(crate) fn room(&self, stream: &str) -> Option<String> {
        let (room, _) = self.parts(stream)?;
        untoken(room)
    }

    fn parts<'a>(&self, stream: &'a str) -> Option<(&'a str, &'a str)> {
        stream.strip_prefix(&*self.prefix)?.strip_prefix('_')?.split_once('_')
    }
}

/// Any text as one token of a subject, and as a part of a stream's name: what may not stand there is written as
/// `=2E`.
fn token(text: &str) -> String {
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            token.push(char::from(byte));
        } else {
            let _memory_takes_it = write!(token, "={byte:02X}");
        }
    }
    token
}

fn untoken(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'=' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_token_and_comes_back() {
        let names = Names::new("wskit").unwrap();
        assert_eq!(names.subject("lobby"), "wskit.rooms.lobby");
        assert_eq!(names.kept("a.b_c"), "wskit.kept.a=2Eb=5Fc");
        for (room, epoch) in [("lobby", "9f2c-1"), ("a.b_c", "9f2c-1.1"), ("é >*", "=_="), ("", "")]
        {
            let stream = names.stream(room, epoch);
            assert!(stream.bytes().all(|byte| !b" .*>/\\".contains(&byte)), "{stream}");
            assert_eq!(names.room(&stream).as_deref(), Some(room));
            assert_eq!(names.epoch(&stream).as_deref(), Some(epoch));
        }
        assert_eq!(names.epoch("other_lobby_9f2c"), None);
        assert_eq!(names.room("wskit_=G0_9f2c"), None);
    }

    #[test]
    fn a_prefix_is_plain() {
        assert!(Names::new("Team-7").is_some() && Names::new(&"x".repeat(32)).is_some());
        for prefix in ["", "a.b", "a_b", "a b", "é", &"x".repeat(33)] {
            assert!(Names::new(prefix).is_none(), "{prefix}");
        }
    }
}
