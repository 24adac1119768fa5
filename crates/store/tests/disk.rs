//! What the store on disk promises beyond the contract: it lasts, it is alone, and it is not fooled.

mod common;

use common::*;
use std::fs;
use std::path::Path;
use std::time::Duration;
use wskit_store::{Bounds, Disk, Error, OpenError, Outcome, Store};

fn open(folder: &Path) -> Disk<u32> {
    Disk::open(folder, Bounds::default()).unwrap()
}

fn refusal(folder: &Path) -> OpenError {
    Disk::<u32>::open(folder, Bounds::default()).map(drop).unwrap_err()
}

#[test]
fn everything_is_there_after_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    // A folder within a folder: both are made.
    let folder = folder.path().join("data").join("rooms");
    let store = open(&folder);
    assert!(store.path().starts_with(&folder));
    for number in 0..100 {
        let id = format!("id {number}");
        kept(append(&store, "room", Some(&id), 1_000 + number, &format!("number {number}")));
    }
    keep(&store, "other", "");
    let before = (store.position("room"), read(&store, "room", ALL));
    drop(store);
    let store = open(&folder);
    assert_eq!((store.position("room"), read(&store, "room", ALL)), before);
    assert_eq!(append(&store, "room", Some("id 42"), 0, ""), Outcome::Known(43));
    assert_eq!(keep(&store, "room", ""), 101);
    assert_eq!(keep(&store, "other", ""), 2);
    assert_eq!(keep(&store, "third", ""), 1);
}

#[test]
fn what_waits_when_it_is_closed_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    (0..500).for_each(|tag| store.append(message("room", None, 0, "x", tag)));
    drop(store);
    assert_eq!(offsets(&open(folder.path()), "room", ALL), (1..=500).collect::<Vec<_>>());
}

#[test]
fn what_is_appended_together_is_committed_together_as_far_as_it_may_wait() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds { waiting_bytes_max: 300, ..Bounds::default() };
    let store: Disk<u32> = Disk::open(folder.path(), bounds).unwrap();
    let payload = "x".repeat(100);
    let mut appends = (0..5).map(|tag| message("room", None, 0, &payload, tag)).collect();
    store.append_all(&mut appends);
    assert!(appends.is_empty());
    let commits: Vec<_> = (0..5).map(|_| commit(&store)).collect();
    let (busy, kept) = commits.split_at(2);
    assert!(busy.iter().all(|commit| commit.outcome == Outcome::Refused(Error::Busy)));
    assert_eq!(kept.iter().map(|commit| commit.tag).collect::<Vec<_>>(), [0, 1, 2].map(Some));
    assert_eq!(store.statistics().commit_times.count(), 1);
}

#[test]
fn a_stream_that_was_forgotten_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds { age_max: Duration::from_millis(1), ..Bounds::default() };
    let store: Disk<u32> = Disk::open(folder.path(), bounds).unwrap();
    append(&store, "room", Some("id"), 1_000, "x");
    store.expire(2_000);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.position("room"), None);
    assert_eq!(kept(append(&store, "room", Some("id"), 0, "y")).offset, 1);
    assert_eq!(told(&store, "room", ALL), [(1, "y".into())]);
}

#[test]
fn two_cannot_have_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refusal = refusal(folder.path());
    assert!(matches!(refusal, OpenError::InUse(_)), "{refusal:?}");
    assert!(refusal.to_string().starts_with("another server has "), "{refusal}");
    drop(store);
    open(folder.path());
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_as_it_is() {
    for content in [&b""[..], b"x", b"not a database", &[0; 100_000], &[255; 5_000]] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rooms.redb");
        fs::write(&path, content).unwrap();
        let refusal = refusal(folder.path());
        assert!(matches!(refusal, OpenError::Damaged(..)), "{} bytes: {refusal:?}", content.len());
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_folder_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refusal = refusal(&file);
    assert!(matches!(&refusal, OpenError::Io(path, _) if *path == file), "{refusal:?}");
}

// A change of any byte is either found, or it was in a place that means nothing and everything is there as before.
#[test]
fn damage_is_found_or_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let payload = "0123456789".repeat(30);
    for tag in 0..600 {
        store.append(message(
            &format!("room {}", tag % 5),
            Some(&tag.to_string()),
            1,
            &payload,
            tag,
        ));
    }
    (0..600).for_each(|_| drop(kept(commit(&store).outcome)));
    let contents = |store: &Disk<u32>| -> Vec<_> {
        (0..5).map(|room| read(store, &format!("room {room}"), ALL)).collect()
    };
    let before = contents(&store);
    let path = store.path().to_owned();
    drop(store);
    let whole = fs::read(&path).unwrap();

    let (mut refused, mut harmless) = (0, 0);
    let mut check = |damaged: &[u8], what: &str| {
        fs::write(&path, damaged).unwrap();
        match Disk::open(folder.path(), Bounds::default()) {
            Err(OpenError::Damaged(..) | OpenError::Version(..)) => refused += 1,
            Err(error) => panic!("{what}: {error:?}"),
            Ok(store) => {
                assert!(contents(&store) == before, "{what}: something else is read");
                harmless += 1;
            }
        }
    };
    let steps = 150;
    for step in 0..steps {
        let place = step * whole.len() / steps;
        let mut damaged = whole.clone();
        damaged[place] ^= 1 << (step % 8);
        check(&damaged, &format!("bit {} of byte {place}", step % 8));
    }
    for place in 0..64 {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        check(&damaged, &format!("byte {place}"));
    }
    for length in [1, whole.len() / 3, whole.len() - 4096, whole.len() - 1] {
        check(&whole[..length], &format!("cut to {length}"));
    }
    println!("{refused} refused, {harmless} harmless");
    assert!(refused > 60, "only {refused} were found");
}

#[test]
fn more_than_may_wait_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds { waiting_bytes_max: 10_000, ..Bounds::default() };
    let store: Disk<u32> = Disk::open(folder.path(), bounds).unwrap();
    let payload = "x".repeat(4_000);
    let count = 200;
    (0..count).for_each(|tag| store.append(message("room", None, 0, &payload, tag)));
    let outcomes: Vec<_> = (0..count).map(|_| commit(&store).outcome).collect();
    let kept = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Kept(_))).count();
    let busy = outcomes.iter().filter(|outcome| **outcome == Outcome::Refused(Error::Busy)).count();
    assert!(kept >= 2 && busy > 0 && kept + busy == count as usize, "{kept} kept, {busy} busy");
    // When it has caught up, there is room again.
    while store.statistics().waiting_bytes > 0 {
        std::thread::yield_now();
    }
    assert_eq!(offsets(&store, "room", ALL).len(), kept);
    // One of any size may always wait alone.
    assert!(matches!(append(&store, "room", None, 0, &"x".repeat(20_000)), Outcome::Kept(_)));
}
