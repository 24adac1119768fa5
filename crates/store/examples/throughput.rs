//! How many messages a second the disk keeps: `cargo run --release -p wskit-store --example throughput [MESSAGES]`.

use std::future::poll_fn;
use std::time::Instant;

use wskit_store::{Append, Bounds, Disk, Outcome, Store};

/// As many as wait at a time, as if from so many clients that wait for the acknowledgement of each.
const WAITING: u64 = 4_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(200_000), |count| count.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let store = Disk::open(folder.path(), Bounds::default())?;
    let append = |number: u64| {
        store.append(Append {
            stream: format!("room-{}", number % 10).into(),
            epoch: "epoch".into(),
            id: Some(
                format!("a client's own name {:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    .into(),
            ),
            time: number,
            payload: "x".repeat(200).into(),
            tag: (),
        });
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let began = Instant::now();
    (0..WAITING.min(count)).for_each(append);
    for number in 0..count {
        let commit = runtime.block_on(poll_fn(|context| store.poll_committed(context)));
        assert!(matches!(commit.outcome, Outcome::Kept(_)));
        if number + WAITING < count {
            append(number + WAITING);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let commits = store.statistics().commit_times;
    println!(
        "{:.0} messages a second, {} commits of {:.1} ms on average",
        count as f64 / seconds,
        commits.count(),
        commits.sum().as_secs_f64() * 1e3 / commits.count() as f64,
    );
    let path = store.path().to_owned();
    drop(store);
    println!("{} MiB on disk", std::fs::metadata(&path)?.len() >> 20);
    let began = Instant::now();
    drop(Disk::<()>::open(folder.path(), Bounds::default())?);
    println!("opened and checked in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
