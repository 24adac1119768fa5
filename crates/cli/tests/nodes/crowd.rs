//! Those who talk and read while things break, and what has to be true when they have done.

use crate::nodes::Addresses;
use crate::people::{Reader, Talker};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

pub(crate) struct Crowd {
    addresses: Addresses,
    stop: Arc<AtomicBool>,
    /// How much there is to be read, once that is known.
    last: Arc<Mutex<Option<usize>>>,
    talking: Vec<JoinHandle<Talker>>,
    reading: Vec<JoinHandle<Reader>>,
}

impl Crowd {
    pub(crate) fn come(addresses: Addresses) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let last = Arc::new(Mutex::new(None));
        let talking = (0..6)
            .map(|number| Talker::new(number, if number < 3 { 1 } else { 8 }))
            .map(|talker| tokio::spawn(talker.talk(addresses.clone(), stop.clone())))
            .collect();
        let reading = (0..4)
            .map(|_| tokio::spawn(Reader::default().read(addresses.clone(), last.clone())))
            .collect();
        Self { addresses, stop, last, talking, reading }
    }

    /// What was acknowledged is there, once and in order, for every reader.
    pub(crate) async fn leave(self) {
        let Self { addresses, stop, last, talking, reading } = self;
        stop.store(true, Ordering::Relaxed);
        let mut talkers = Vec::new();
        for talker in talking {
            talkers.push(talker.await.unwrap());
        }
        // All that was ever sent is acknowledged by now, so if anything is doubled, something else is missing.
        let acknowledged: usize = talkers.iter().map(|talker| talker.acknowledged.len()).sum();
        *last.lock().unwrap() = Some(acknowledged);
        let mut readers = Vec::new();
        for reader in reading {
            readers.push(reader.await.unwrap());
        }

        let fresh = Reader::default().read(addresses, last).await;
        for reader in &readers {
            assert_eq!(reader.epoch, fresh.epoch);
            assert!(reader.texts == fresh.texts, "not everybody has read the same");
        }
        let mut offsets = HashMap::new();
        for (index, text) in fresh.texts.iter().enumerate() {
            assert_eq!(offsets.insert(text.clone(), index as u64 + 1), None, "{text} is doubled");
        }
        for talker in &talkers {
            assert_eq!(talker.acknowledged.len() as u64, talker.sent);
            for (message, offset) in &talker.acknowledged {
                assert_eq!(offsets.get(&talker.text(*message)), Some(offset), "lost or moved");
            }
            let sent = (1..=talker.sent).filter_map(|message| offsets.get(&talker.text(message)));
            assert!(talker.unacknowledged_max > 1 || sent.is_sorted(), "out of order");
        }
        let refused: u64 = talkers.iter().map(|talker| talker.refused).sum();
        let connections: Vec<_> = readers.iter().map(|reader| reader.connections).collect();
        println!("{acknowledged} kept, {refused} refused, readers came {connections:?} times");
        assert!(acknowledged > 100);
    }
}
