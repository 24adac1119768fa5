//! How much members may do, on the command line.

use wskit_hub::Limits;

/// How much members may do.
#[derive(clap::Args)]
#[command(next_help_heading = "What members may do")]
pub(super) struct LimitArguments {
    /// How many messages a second a member, or a user with all its connections, may send for long; four times as many
    /// at once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    messages_per_second: u32,

    /// How many bytes a second likewise, made a whole number for each of the messages, rounded down; but the longest
    /// message can always be sent by who was quiet
    /// [default: 1024 for each of the messages]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    bytes_per_second: Option<u32>,

    /// The longest text of one message
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024, value_parser = clap::value_parser!(u32).range(1..=16 << 20))]
    max_message: u32,

    /// The most rooms that somebody is in at a time
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    max_open_rooms: u32,

    /// How many rooms one address, or one user where tokens say who somebody is, may begin at once, and in each hour
    /// for long, by entering one that nobody is in on this node and nothing is kept of
    #[arg(long, value_name = "N", default_value_t = 200)]
    rooms_begun_per_hour: u32,

    /// The most members of one room at a time
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_members_per_room: u32,

    /// How many members a room may have for each who comes or goes to be told to all by name; in larger ones they are
    /// told as counts, once a second
    #[arg(long, value_name = "N", default_value_t = 100)]
    announced_members: u32,

    /// The most connections of one user at a time, where tokens say who somebody is
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_connections_per_user: u32,
}

impl LimitArguments {
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.messages_per_second_max = self.messages_per_second;
        limits.messages_burst_max = 4 * self.messages_per_second;
        if let Some(bytes) = self.bytes_per_second {
            limits.messages_counted_bytes = (bytes / self.messages_per_second).max(1) as usize;
        }
        limits.message_bytes_max = self.max_message as usize;
        // Two of the largest messages always fit.
        limits.mailbox_bytes_max = limits.mailbox_bytes_max.max(2 * limits.incoming_bytes_max());
        limits.rooms_max = self.max_open_rooms as usize;
        limits.rooms_begun_per_hour_max = self.rooms_begun_per_hour.into();
        limits.members_per_room_max = self.max_members_per_room as usize;
        limits.members_announced_max = self.announced_members as usize;
        limits.memberships_per_user_max = self.max_connections_per_user as usize;
        limits
    }
}
