//! A Unix-domain socket that a server listens on, and its file.

use crate::failure::{Failure, Kind};
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};

/// A Unix-domain socket that is listened on. Its file goes with it.
pub(crate) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it is, for at the end there may be another in its place.
    identity: Option<(u64, u64)>,
}

/// How many clients may wait to be accepted, as Tokio has it for TCP.
const WAITING_MAX: u32 = 1024;

/// How often, and after what time each, the lock of a folder is asked for.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

impl UnixSocket {
    /// Listens at this path. What an earlier server left there is replaced if nobody listens on it any
    /// more; anything else is left alone. Who may connect is as the mode says, or else the umask.
    pub(crate) async fn bind(path: PathBuf, mode: Option<u32>) -> Result<UnixSocket, Failure> {
        let _lock = lock_folder(&path).await;
        let listener = match listen(&path, mode) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                remove_dead(&path).await?;
                listen(&path, mode)
            }
            outcome => outcome,
        };
        let listener = listener.map_err(|error| {
            let advice = match error.kind() {
                ErrorKind::NotFound => "its folder does not exist; make it, or choose another path",
                ErrorKind::PermissionDenied => "this user may not write there",
                ErrorKind::InvalidInput => "the path is too long for a socket; choose another",
                _ => "choose another path with --listen",
            };
            cannot_listen(&path, format_args!("{advice} ({error})"))
        })?;
        let identity = identity(&path);
        Ok(UnixSocket { listener, path, identity })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for a client. Cancel safe.
    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _somebody_may_have_been_quicker = fs::remove_file(&self.path);
        }
    }
}

/// Two servers that start at once are not to take each other's socket for one that was left, so one
/// waits for the other. Not for long: anybody can hold such a lock, and some folders have none.
async fn lock_folder(path: &Path) -> Option<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).ok()?;
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            _ => break,
        }
    }
    Some(folder)
}

/// The mode is set before anybody can connect.
fn listen(path: &Path, mode: Option<u32>) -> io::Result<UnixListener> {
    let socket = tokio::net::UnixSocket::new_stream()?;
    socket.bind(path)?;
    if let Some(mode) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    socket.listen(WAITING_MAX)
}

/// Removes the socket at this path if nobody listens on it.
async fn remove_dead(path: &Path) -> Result<(), Failure> {
    let found = fs::symlink_metadata(path).map_err(|error| cannot_listen(path, error))?;
    if !found.file_type().is_socket() {
        return Err(cannot_listen(path, "what is there is no socket; remove it or choose another"));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| cannot_listen(path, error))
        }
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(cannot_listen(
            path,
            format_args!("what is there cannot be asked whether it lives ({error})"),
        )),
        _ => Err(cannot_listen(path, "a program listens there; stop it or choose another path")),
    }
}

fn cannot_listen(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Listen, format_args!("cannot listen on unix:{}: {why}", path.display()))
}

/// Which file is at a path: its device and its number there.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
