//! Where the rooms are kept, and how much of them.

use super::clock::Clock;
use crate::failure::{Failure, Kind};
use crate::seconds::Seconds;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use wskit_hub::{Hub, Speaker};
use wskit_store::{Bounds, Disk, Memory, OpenError, Store};

/// Where the rooms are kept, and how much of them.
#[derive(clap::Args)]
#[command(next_help_heading = "What is kept")]
pub(super) struct Keeping {
    /// The folder that keeps what is said; it is made if it is not there
    /// [default: wskit in the user's folder for data]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    data: Option<PathBuf>,

    /// Keep nothing beyond the end of the server
    #[arg(long)]
    ephemeral: bool,

    /// The most messages that each room keeps [default: 10000; 1000 with --ephemeral]
    #[arg(long, value_name = "N")]
    history_messages: Option<u64>,

    /// The most bytes that each room keeps [default: 16777216; 262144 with --ephemeral]
    #[arg(long, value_name = "BYTES")]
    history_bytes: Option<u64>,

    /// How long each room keeps a message, in seconds, or off [default: 2592000, which is 30 days;
    /// 3600 with --ephemeral]
    #[arg(long, value_name = "SECONDS")]
    history_age: Option<Seconds>,

    /// The most rooms that are kept [default: 10000; 1000 with --ephemeral]
    #[arg(long, value_name = "N")]
    rooms: Option<usize>,

    #[cfg(feature = "nats")]
    #[command(flatten)]
    nats: super::nodes::NatsArguments,
}

/// What is kept in memory unless something else is asked for: 256 MiB at most.
fn bounds_in_memory() -> Bounds {
    Bounds {
        messages_max: 1_000,
        bytes_max: 256 * 1024,
        age_max: Duration::from_secs(60 * 60),
        streams_max: 1_000,
        ..Bounds::default()
    }
}

/// The store, and what belongs to it.
pub(super) struct Kept {
    pub(super) store: Arc<dyn Store<Speaker>>,
    /// Words that say where it is.
    pub(super) place: String,
    /// Exchanges with other nodes who is here, for ever; none where there are no others.
    pub(super) neighbours: Option<Neighbours>,
}

/// What is to be done once there is a hub.
pub(super) type Neighbours = Box<dyn FnOnce(Hub, Clock) -> Pin<Box<dyn Future<Output = ()>>>>;

impl Keeping {
    /// Opens the store, which is to take messages that are as large as this.
    pub(super) fn open(&self, message_bytes_max: usize) -> Result<Kept, Failure> {
        let default = if self.ephemeral { bounds_in_memory() } else { Bounds::default() };
        let age = |age: Seconds| age.0.unwrap_or(Duration::MAX);
        let bounds = Bounds {
            messages_max: self.history_messages.unwrap_or(default.messages_max),
            bytes_max: self.history_bytes.unwrap_or(default.bytes_max),
            age_max: self.history_age.map_or(default.age_max, age),
            streams_max: self.rooms.unwrap_or(default.streams_max),
            ..default
        };
        #[cfg(feature = "nats")]
        if self.nats.are_given() {
            return self.nats.connect(bounds, message_bytes_max);
        }
        // Whatever is kept on this machine may be of any size.
        let _ = message_bytes_max;
        if self.ephemeral {
            let place = "keeps its rooms in memory, until it stops".into();
            return Ok(Kept { store: Arc::new(Memory::new(bounds)), place, neighbours: None });
        }
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => default_folder(|name| std::env::var_os(name).map(PathBuf::from)).ok_or_else(
                || {
                    let advice =
                        "say with --data where rooms are kept, or --ephemeral to keep none";
                    Failure::new(Kind::Data, format_args!("this user has no folder: {advice}"))
                },
            )?,
        };
        let disk = Disk::open(&folder, bounds).map_err(|error| explain(&error))?;
        let place = format!("keeps its rooms in {}", disk.path().display());
        Ok(Kept { store: Arc::new(disk), place, neighbours: None })
    }
}

fn explain(error: &OpenError) -> Failure {
    let advice = match error {
        OpenError::InUse(_) => {
            "; stop it, choose another folder with --data, or keep nothing with --ephemeral"
        }
        OpenError::Io(..) => {
            "; choose another folder with --data, or keep nothing with --ephemeral"
        }
        _ => "",
    };
    Failure::new(Kind::Data, format_args!("{error}{advice}"))
}

/// Where systemd wants it, else where the desktop's rules or the system's want it.
fn default_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path: &PathBuf| path.is_absolute());
    if let Some(folder) = absolute("STATE_DIRECTORY") {
        return Some(folder);
    }
    let data = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        let in_home = |home: PathBuf| home.join(Path::new(".local/share"));
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(in_home))
    };
    Some(data?.join("wskit"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_the_system_wants_it() {
        let folder = |set: &[(&str, &str)]| {
            default_folder(|name| {
                let (_, value) = set.iter().find(|(set, _)| *set == name)?;
                Some(PathBuf::from(value))
            })
        };
        let home = ("HOME", "/home/ann");
        assert_eq!(folder(&[home]), Some("/home/ann/.local/share/wskit".into()));
        assert_eq!(folder(&[home, ("XDG_DATA_HOME", "/data")]), Some("/data/wskit".into()));
        assert_eq!(
            folder(&[home, ("XDG_DATA_HOME", "data")]),
            Some("/home/ann/.local/share/wskit".into())
        );
        assert_eq!(folder(&[home, ("STATE_DIRECTORY", "/var/lib/x")]), Some("/var/lib/x".into()));
        assert_eq!(folder(&[]), None);
    }
}
