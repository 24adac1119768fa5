//! Opening the file, or saying why not.

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database, ReadableDatabase, ReadableTable};

use super::tables::{ABOUT, Entry, IDS, MESSAGES, STREAMS, VERSION};
use crate::error::OpenError;

/// The name of the file in its folder.
const FILE: &str = "rooms.redb";

/// Where the file is made, so that it has its own name only when it is whole.
const UNFINISHED: &str = "rooms.redb.new";

/// What redb may hold of the file in memory.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

type Opened = (PathBuf, Database, HashMap<Arc<str>, Entry>);

/// Opens the file in this folder. Both are made if they are not there.
pub(super) fn open(folder: &Path) -> Result<Opened, OpenError> {
    let path = folder.join(FILE);
    let io = |error| OpenError::Io(path.clone(), error);
    fs::create_dir_all(folder).map_err(|error| OpenError::Io(folder.to_owned(), error))?;
    if !path.try_exists().map_err(io)? {
        create(folder, &path)?;
    }
    // What the checks do not foresee in a damaged file may still panic.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES_MAX)
            .set_check_integrity_on_open(true)
            .open(&path)?;
        let entries = read_entries(&database)?;
        Ok((database, entries))
    }));
    match opened {
        Ok(Ok((database, Ok(entries)))) => Ok((path, database, entries)),
        Ok(Ok((_, Err(version)))) => Err(OpenError::Version(path, version)),
        Ok(Err(error)) => Err(explain(path, error)),
        Err(_) => Err(OpenError::Damaged(path, "its structure makes no sense".into())),
    }
}

/// The streams, or the version of the file if it is a later one.
fn read_entries(database: &Database) -> Result<Result<HashMap<Arc<str>, Entry>, u64>, redb::Error> {
    let transaction = database.begin_read()?;
    let version = transaction.open_table(ABOUT)?.get("version")?.map(|version| version.value());
    match version {
        Some(VERSION) => {}
        Some(version) => return Ok(Err(version)),
        None => return Err(redb::Error::Corrupted("it has no version".into())),
    }
    let mut entries = HashMap::new();
    for row in transaction.open_table(STREAMS)?.iter()? {
        let (name, row) = row?;
        entries.insert(name.value().into(), Entry::from_row(row.value()));
    }
    Ok(Ok(entries))
}

/// Makes an empty store that appears under its name all at once.
fn create(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let unfinished = folder.join(UNFINISHED);
    let make = || -> Result<(), redb::Error> {
        let database = Builder::new().create(&unfinished)?;
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.open_table(ABOUT)?.insert("version", VERSION)?;
        transaction.open_table(STREAMS)?;
        transaction.open_table(MESSAGES)?;
        transaction.open_table(IDS)?;
        transaction.commit()?;
        // Under the lock of the file still, so that another server that starts now does not replace it.
        if !path.try_exists()? {
            fs::rename(&unfinished, path)?;
            // A name is on disk when the folder is that has it.
            #[cfg(unix)]
            for folder in folder.canonicalize()?.ancestors().take(2) {
                fs::File::open(folder)?.sync_all()?;
            }
        }
        Ok(())
    };
    make().map_err(|error| explain(unfinished.clone(), error))
}

fn explain(path: PathBuf, error: redb::Error) -> OpenError {
    use redb::Error;
    match error {
        Error::DatabaseAlreadyOpen => OpenError::InUse(path),
        Error::Io(error) if damage(error.kind()) => OpenError::Damaged(path, error.to_string()),
        Error::Io(error) => OpenError::Io(path, error),
        Error::Corrupted(why) => OpenError::Damaged(path, why),
        error => OpenError::Damaged(path, error.to_string()),
    }
}

/// What a file that is too short or begins wrongly makes redb say.
fn damage(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind;
    matches!(kind, ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput)
}
