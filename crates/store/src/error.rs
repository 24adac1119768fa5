//! What can go wrong.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a message is not kept, or nothing can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// More than `waiting_bytes_max` wait to be kept: sending again a little later is right.
    Busy,
    /// There are `streams_max` streams already, and this would be a new one.
    TooManyStreams,
    /// The message is larger than the store takes; others are kept as ever.
    TooLarge,
    /// The store cannot write or read any more; says why.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too much waits to be kept"),
            Self::TooManyStreams => f.write_str("there are too many streams"),
            Self::TooLarge => f.write_str("the message is larger than the store takes"),
            Self::Failed(why) => write!(f, "the store failed: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Why a store on disk cannot be opened. It is left as it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    InUse(PathBuf),
    /// What is in the file is not what was written; says what was found.
    Damaged(PathBuf, String),
    /// A later version wrote it.
    Version(PathBuf, u64),
    /// The folder or the file cannot be made or read.
    Io(PathBuf, io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => {
                write!(f, "another server has {} open", path.display())
            }
            Self::Damaged(path, why) => write!(
                f,
                "{} is damaged and was left as it is ({why}); restore it from a copy, or move it away to begin anew",
                path.display()
            ),
            Self::Version(path, version) => {
                write!(f, "{} was written by a later version ({version})", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}
