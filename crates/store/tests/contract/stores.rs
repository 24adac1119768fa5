//! The stores that are here.

use wskit_store::{Bounds, Disk, Memory};

use crate::common::AnyStore;

/// Runs a test against every store; each is handed in as a way to open an empty one.
pub(crate) fn on_every_store(test: impl Fn(&dyn Fn(Bounds) -> AnyStore)) {
    println!("in memory");
    test(&|bounds| Box::new(Memory::new(bounds)));
    println!("on disk");
    let folders = std::cell::RefCell::new(Vec::new());
    test(&|bounds| {
        let folder = tempfile::tempdir().unwrap();
        let store = Disk::open(folder.path(), bounds).unwrap();
        folders.borrow_mut().push(folder);
        Box::new(store)
    });
}
