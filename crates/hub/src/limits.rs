//! Every bound of the engine in one place.

/// How much of everything there may be. Each field ends in its unit, or is a count of what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Rooms that somebody is in at one time. Each holds up to `history_bytes_max` in memory, so by default all
    /// together take 256 MiB at most.
    pub rooms_max: usize,
    /// Rooms that one user or address may begin at once, and in each hour for long, by entering one that nobody is in
    /// on this node and nothing is kept of.
    pub rooms_begun_per_hour_max: u64,
    /// Members of one room at one time.
    pub members_per_room_max: usize,
    /// Memberships that one user has at one time, in all rooms together, if the server knows its users.
    pub memberships_per_user_max: usize,
    /// Names in a `welcome` or `members` event; the count beside them is always the true one.
    pub members_listed_max: usize,
    /// Members of a room up to which each who comes or goes is told by name; in larger ones they are told gathered, as
    /// counts.
    pub members_announced_max: usize,
    /// Characters in the name a member asks for.
    pub name_chars_max: usize,
    /// Characters in the name of a room.
    pub room_name_chars_max: usize,
    /// Characters in the `id` a client gives to a command, and in the name it has for itself.
    pub id_chars_max: usize,
    /// Bytes of UTF-8 in the text of one message.
    pub message_bytes_max: usize,
    /// What a member may send for long: texts a second, of whatever kind.
    pub messages_per_second_max: u32,
    /// What a member who was quiet may send at once.
    pub messages_burst_max: u32,
    /// A text counts as one message for every so many bytes begun, but never as more than the burst. So a few
    /// members with large messages cannot fill the mailboxes of all others faster than those can read.
    pub messages_counted_bytes: usize,
    /// Bytes that may wait for one reader. Beyond it the reader is dropped, so that it costs the others nothing.
    pub mailbox_bytes_max: usize,
    /// Messages that are told at once: to those who arrive, or in one answer to a question about the history. How
    /// much of a room is kept is a matter of its store.
    pub history_messages_max: usize,
    /// Bytes, as encoded, of the messages that are told at once.
    pub history_bytes_max: usize,
    /// Questions about the history that a member may have open at a time.
    pub history_questions_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms_max: 1_000,
            rooms_begun_per_hour_max: 200,
            members_per_room_max: 10_000,
            memberships_per_user_max: 20,
            members_listed_max: 500,
            members_announced_max: 100,
            name_chars_max: 32,
            room_name_chars_max: 64,
            id_chars_max: 64,
            message_bytes_max: 16 * 1024,
            messages_per_second_max: 5,
            messages_burst_max: 20,
            messages_counted_bytes: 1024,
            mailbox_bytes_max: 1024 * 1024,
            history_messages_max: 100,
            history_bytes_max: 256 * 1024,
            history_questions_max: 4,
        }
    }
}

impl Limits {
    /// The longest text the embedding server has to let through, in bytes: a message of the greatest size, with
    /// every character written as a JSON escape (six bytes for one), and some room for the rest of the command.
    #[must_use]
    pub fn incoming_bytes_max(&self) -> usize {
        self.message_bytes_max.saturating_mul(6).saturating_add(1024)
    }

    /// As how many messages a text of so many bytes counts.
    pub(crate) fn messages_counted(&self, bytes: usize) -> u64 {
        bytes.div_ceil(self.messages_counted_bytes.max(1)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_counts_as_one_message_for_every_so_many_bytes_begun() {
        let limits = Limits { messages_counted_bytes: 100, ..Limits::default() };
        let counted = [0, 1, 100, 101, 200].map(|bytes| limits.messages_counted(bytes));
        assert_eq!(counted, [0, 1, 1, 2, 2]);
        let limits = Limits { messages_counted_bytes: 0, ..limits };
        assert_eq!(limits.messages_counted(7), 7);
    }

    #[test]
    fn the_longest_command_fits_what_the_server_lets_through() {
        let limits = Limits::default();
        let id = "\\u0061".repeat(limits.id_chars_max);
        let text = "\\u0061".repeat(limits.message_bytes_max);
        let command = format!(r#"{{"say":"{text}","id":"{id}"}}"#);
        assert!(command.len() <= limits.incoming_bytes_max());
    }
}
