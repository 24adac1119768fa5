//! Tests of applications run one runtime after the other, each with a clock of its own.
//!
//! Alone in its process, for it is about which clock is read first.

mod common;

use common::pair;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wskit::Message;

#[test]
fn runtimes_whose_clocks_differ_do_not_disturb_one_another() {
    for days in [365, 1] {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            sleep(Duration::from_secs(days * 24 * 3600)).await;
            let (mut near, far) = pair().await;
            let begun = Instant::now();
            near.feed(Message::Close(None)).await.unwrap();
            assert!(near.recv().await.unwrap().is_err(), "nobody answers");
            assert_eq!(begun.elapsed().as_secs(), 5);
            drop(far);
        });
    }
}
