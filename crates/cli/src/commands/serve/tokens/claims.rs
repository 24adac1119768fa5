//! What a token says.

use super::Denial;
use serde::Deserialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wskit_hub::{Rights, Standing};

/// The claims that mean something here. Others are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    sub: Option<String>,
    name: Option<String>,
    exp: f64,
    /// Compared with the clock elsewhere; but there, what is no time counts as none at all.
    #[serde(default)]
    nbf: f64,
    rooms: Option<Vec<String>>,
    rights: Option<Vec<Right>>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Right {
    Read,
    Write,
}

/// What somebody may do, and who it is.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) standing: Standing,
    pub(super) rights: Rights,
    pub(super) rooms: Rooms,
    pub(super) expires: SystemTime,
}

/// Names of rooms, of which those that end in `*` stand for all that begin so; all rooms if there is no list.
#[derive(Debug)]
pub(super) struct Rooms(Option<Vec<String>>);

impl Claims {
    pub(super) fn grant(self) -> Result<Grant, Denial> {
        let Claims { sub, name, exp, nbf, rooms, rights } = self;
        let may = |right| rights.as_ref().is_none_or(|rights| rights.contains(&right));
        let rights = Rights { reads: may(Right::Read), writes: may(Right::Write) };
        if !rights.reads && !rights.writes {
            return Err(Denial::Room);
        }
        Duration::try_from_secs_f64(nbf).map_err(|_| Denial::Invalid)?;
        let expires = Duration::try_from_secs_f64(exp).map_err(|_| Denial::Invalid)?;
        let expires = UNIX_EPOCH.checked_add(expires).ok_or(Denial::Invalid)?;
        let standing = match (sub, name) {
            (None, None) => Standing::Stranger,
            (Some(user), name) => Standing::Known { user, name },
            (None, Some(name)) => Standing::Known { user: name.clone(), name: Some(name) },
        };
        Ok(Grant { standing, rights, rooms: Rooms(rooms), expires })
    }
}

impl Rooms {
    pub(super) fn cover(&self, room: &str) -> bool {
        // `Lobby` and `lobby` are one room.
        let room = room.to_ascii_lowercase();
        self.0.as_ref().is_none_or(|patterns| {
            patterns.iter().any(|pattern| {
                let pattern = pattern.to_ascii_lowercase();
                pattern.strip_suffix('*').map_or(room == pattern, |start| room.starts_with(start))
            })
        })
    }
}
