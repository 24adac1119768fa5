//! Files that the settings name.

use std::path::Path;
use std::{fs, io};

/// What a file holds, or why it cannot be read.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| {
        io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display()))
    })
}
